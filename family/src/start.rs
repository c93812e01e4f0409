//! Starting a family, or joining the keeper that an earlier run has left.

use std::cell::UnsafeCell;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use env::Settings;
use nicio::capture::Recorder;
use nicio::{DeviceSpec, Handles, Nic, OpenError, Use, WaitHandle};
use region::{OwnedFd, RawFd, Region, Shared};
use stack::{Config, Stack, V6_MTU_MIN};

use crate::bells::{BELLS, Bells};
use crate::capture::{Capture, Prepared};
use crate::clock;
use crate::device::{Device, high_copies};
use crate::error::{Gone, StartError};
use crate::family::{Family, GIVEN_UP, Role};
use crate::files::Member;
use crate::host::Host;
use crate::rendezvous::{self, HandOver};
use crate::state::State;
use crate::{keeper, members, own, sys};

/// Address space for tables beside the packet buffers.
const TABLES_BYTES: usize = 1 << 30;

/// Tries to open a device that an earlier run is just letting go, and the pause between them.
const BUSY_TRIES: u32 = 50;
/// The same for an end of a link, which an earlier run's keeper with another address does not hand over
/// but holds another second.
const LINK_BUSY_TRIES: u32 = 700;
const BUSY_PAUSE: core::time::Duration = core::time::Duration::from_millis(2);

impl Family {
    /// Opens the device and makes a region with a stack; or, if the keeper of an earlier run has the
    /// device, joins its region with these settings.
    ///
    /// # Errors
    /// One line's worth of what is wrong; nothing is left open.
    pub fn start(settings: &Settings, host: Host) -> Result<Self, StartError> {
        Self::start_captured(settings, host).inspect_err(|_| own::sweep())
    }

    fn start_captured(settings: &Settings, host: Host) -> Result<Self, StartError> {
        let prepared = Prepared::make(settings, host)?;
        let capture = prepared.as_ref().map(Prepared::capture);
        let family = Self::start_or_join(settings, host, capture)?;
        if let Some(prepared) = prepared {
            prepared.begin(settings, host, family.keeper_program.as_deref())?;
        }
        Ok(family)
    }

    fn start_or_join(
        settings: &Settings,
        host: Host,
        capture: Option<&Capture>,
    ) -> Result<Self, StartError> {
        let spec = &settings.device;
        let address = settings.stack.addr;
        let name = rendezvous::name(spec, address);
        let keeper = keeper::program_path();
        let mut tries = 0;
        loop {
            let capture_fds = capture.map(Capture::fds).unwrap_or_default();
            if let Some(handed) = rendezvous::knock(&name, spec, &capture_fds)?
                && let Some(family) = Self::join(settings, host, handed, capture)?
            {
                return Ok(family);
            }
            let error = match Device::open(spec, address, keeper.as_deref()) {
                Ok(device) => {
                    let bells = Bells::create()?;
                    let family = Self::create(settings, host, device, bells, capture);
                    return family.inspect_err(|_| bells.close());
                }
                Err(error) => error,
            };
            // The keeper may have closed its door a moment ago, or not opened it yet.
            if tries >= tries_max(&error) {
                let is_busy = matches!(error, StartError::Device(OpenError::Busy(_)));
                return Err(if is_busy {
                    StartError::InUse(spec.clone())
                } else {
                    error
                });
            }
            tries += 1;
            let _ = sys::ppoll(&mut [], Some(BUSY_PAUSE), None);
        }
    }

    /// A fresh stack over the same device, address and bells after this one has died.
    ///
    /// # Errors
    /// As [`Family::start`].
    pub fn renew(&self, settings: &Settings) -> Result<Self, StartError> {
        let handles = high_copies(&self.device_handles)?;
        let device = Device::from_handles(&self.spec, handles, Use::Shared)?;
        let capture = self.capture.as_ref().and_then(Capture::renew);
        Self::create(settings, self.host, device, self.bells, capture.as_ref())
    }

    fn create(
        settings: &Settings,
        host: Host,
        device: Device,
        bells: Bells,
        capture: Option<&Capture>,
    ) -> Result<Self, StartError> {
        let config = fit(&settings.stack, &device)?;
        let region = Region::create(region_bytes(&config))?;
        lift_region(&region)?;
        let stack = Stack::create(&region, &config, clock::now(), seed()?)?;
        let parts = Parts {
            spec: settings.device.clone(),
            region,
            stack,
            device: record(device, capture.map(Capture::recorder)),
            bells,
            capture: capture.cloned(),
        };
        parts.enrol(host, Role::Host)
    }

    /// Goes on with what a keeper has handed over. `Ok(None)`: the region is damaged; its keeper ends.
    fn join(
        settings: &Settings,
        host: Host,
        handed: HandOver<OwnedFd>,
        capture: Option<&Capture>,
    ) -> Result<Option<Self>, StartError> {
        let mut fds = [-1; BELLS];
        for (to, from) in fds.iter_mut().zip(handed.bells) {
            *to = own::lift(from.into_raw())?;
        }
        let bells = Bells::from_fds(fds);
        let handles = high_copies(&handed.device.as_raw())?;
        drop(handed.device);
        let device = Device::from_handles(&settings.device, handles, Use::Shared)?;
        let copy = nicio::sys::duplicate(handed.region.as_raw())
            .map_err(|errno| StartError::errno("no descriptor left", errno))?;
        let region = Region::attach(handed.region)?;
        lift_region(&region)?;
        let take_part = || {
            let config = fit(&settings.stack, &device)?;
            let stack = Stack::attach(&region)?;
            let parts = Parts {
                spec: settings.device.clone(),
                region,
                stack,
                device: record(device, capture.map(Capture::recorder)),
                bells,
                capture: capture.cloned(),
            };
            let family = parts.assemble(host, Role::Host, Member::from(handed.place))?;
            // Nobody but the keeper is in the family, so nobody minds.
            let set = family.enter(|state, now| state.stack.set_config(&config, now));
            Ok::<_, StartError>(set.is_ok().then_some(family))
        };
        // What cannot be, as only wild writes leave it, may come out as a panic.
        let joined = std::panic::catch_unwind(AssertUnwindSafe(take_part));
        if let Ok(Ok(Some(family))) = joined {
            return Ok(Some(family));
        }
        if let Ok(Err(error @ StartError::MtuForIpv6(_))) = joined {
            return Err(error);
        }
        if let Ok(region) = Region::attach(copy) {
            region.words().dead.store(GIVEN_UP, Ordering::Release);
        }
        bells.ring_all();
        bells.close();
        own::sweep();
        Ok(None)
    }

    /// What a newcomer does to join, in the keeper: an error means that it would fail.
    pub(crate) fn rehearse_join(&self) -> Result<(), StartError> {
        let damaged = StartError::Keeper("its region is damaged");
        let fd = self.shared.region().fd().ok_or(damaged)?;
        self.lock()
            .map_err(|Gone| StartError::Keeper("its stack is dead"))?;
        let copy = nicio::sys::duplicate(fd)
            .map_err(|errno| StartError::errno("no descriptor left", errno))?;
        let region = Region::attach(copy)?;
        let stack = Stack::attach(&region)?;
        State::new(&region, stack, WaitHandle::poll_only())?;
        Ok(())
    }

    /// The keeper's membership, over the descriptors it was started with.
    pub(crate) fn keep(
        spec: DeviceSpec,
        region: OwnedFd,
        bells: [RawFd; BELLS],
        device: Handles<OwnedFd>,
        recorder: Option<Recorder>,
    ) -> Result<Self, StartError> {
        let device = Device::from_handles(&spec, device, Use::Shared)?;
        let region = Region::attach(region)?;
        let stack = Stack::attach(&region)?;
        Parts {
            spec,
            region,
            stack,
            device: record(device, recorder),
            bells: Bells::from_fds(bells),
            capture: None,
        }
        .enrol(Host::none(), Role::Keeper)
    }
}

/// What a membership is made of.
struct Parts {
    spec: DeviceSpec,
    region: Region,
    stack: Stack,
    device: Device,
    bells: Bells,
    capture: Option<Capture>,
}

impl Parts {
    fn enrol(self, host: Host, role: Role) -> Result<Family, StartError> {
        let flags = if role == Role::Keeper {
            members::KEEPER
        } else {
            0
        };
        let place = members::enrol(self.region.words(), sys::getpid(), flags)
            .ok_or(StartError::Keeper("its family is full"))?;
        self.assemble(host, role, place)
    }

    fn assemble(self, host: Host, role: Role, place: Member) -> Result<Family, StartError> {
        let Self {
            spec,
            region,
            stack,
            device,
            bells,
            capture,
        } = self;
        let state = State::new(&region, stack, device.nic.wait_handle())?;
        let busy_poll_us = state.stack.config().busy_poll_us;
        let address = state.stack.config().addr;
        Ok(Family {
            name: rendezvous::name(&spec, address),
            shared: Shared::new(region, state),
            keeper_program: keeper::program_path(),
            wait_handle: device.nic.wait_handle(),
            device_handles: device.nic.handles(),
            device: UnsafeCell::new(device),
            capture,
            spec,
            bells,
            host,
            pid: AtomicU32::new(sys::getpid()),
            member: AtomicU32::new(u32::from(place)),
            recent_wait_ns: AtomicU64::new(0),
            busy_poll_ns: u64::from(busy_poll_us) * 1000,
            role,
            keeper_seen_ns: AtomicU64::new(0),
        })
    }
}

/// How often to try again after this error.
fn tries_max(error: &StartError) -> u32 {
    match error {
        StartError::Device(OpenError::Busy(_)) => BUSY_TRIES,
        StartError::LinkFull(_) | StartError::SameAddress(_) => LINK_BUSY_TRIES,
        StartError::Device(_)
        | StartError::Region(_)
        | StartError::InUse(_)
        | StartError::Wire(_)
        | StartError::Capture(..)
        | StartError::Keeper(_)
        | StartError::MtuForIpv6(_)
        | StartError::System(..) => 0,
    }
}

fn record(mut device: Device, recorder: Option<Recorder>) -> Device {
    device.nic.set_recorder(recorder);
    device
}

/// The settings as the device allows them.
fn fit(wanted: &Config, device: &Device) -> Result<Config, StartError> {
    let caps = device.nic.caps();
    let mut config = *wanted;
    config.mtu = if wanted.mtu == 0 {
        caps.mtu
    } else {
        wanted.mtu.min(caps.mtu)
    };
    config.offload = caps.offload.bits();
    if let Some(mac) = caps.mac {
        config.mac = mac;
    }
    if config.has_v6() && config.mtu < V6_MTU_MIN {
        return Err(StartError::MtuForIpv6(config.mtu));
    }
    Ok(config)
}

/// The region's upper bound: what `tcp_mem` allows in each direction, and tables.
fn region_bytes(config: &Config) -> usize {
    let [_, _, pages] = config.tcp_mem;
    let packets = usize::try_from(pages.saturating_mul(4096)).unwrap_or(usize::MAX);
    packets.saturating_mul(2).saturating_add(TABLES_BYTES)
}

fn lift_region(region: &Region) -> Result<(), StartError> {
    let Some(fd) = region.fd() else { return Ok(()) };
    let high = own::copy_high(fd)?;
    // SAFETY: the copy was made just now and nobody else owns it.
    region.replace_fd(unsafe { region::OwnedFd::from_raw(high) })?;
    Ok(())
}

fn seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    // SAFETY: the kernel writes at most the array's length into it; getrandom(2) is no hooked symbol.
    let got = unsafe { libc::getrandom(seed.as_mut_ptr().cast(), seed.len(), 0) };
    if usize::try_from(got).is_ok_and(|got| got == seed.len()) {
        Ok(seed)
    } else {
        Err(StartError::last("no random numbers from the kernel"))
    }
}
