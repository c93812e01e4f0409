//! Taking part in a region that another process made.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;

use env::Settings;
use nicio::capture::Recorder;
use nicio::{DeviceSpec, Handles, Use, WaitHandle};
use region::Region;
use stack::Stack;
use sys::{OwnedFd, RawFd};

use crate::capture::Capture;
use crate::create::make_region_private;
use crate::device_open::{self, private_copies};
use crate::error::{Gone, StartError};
use crate::family::{Family, GIVEN_UP, Role};
use crate::membership::{Membership, fit_to_device, with_recorder};
use crate::process_hooks::ProcessHooks;
use crate::rendezvous::HandOver;
use crate::shared_state::SharedState;
use crate::wakers::{WAKERS, Wakers};
use crate::{differences, members, private_fds};

impl Family {
    /// Takes part in what a keeper has handed over. `Ok(None)`: the region is damaged, and its keeper ends.
    pub(crate) fn join(
        settings: &Settings,
        hooks: ProcessHooks,
        handed: HandOver<OwnedFd>,
        capture: Option<&Capture>,
    ) -> Result<Option<Self>, StartError> {
        let wakers = Wakers::take_over(handed.wakers)?;
        let handles = private_copies(&handed.device.as_raw())?;
        drop(handed.device);
        let device = device_open::from_handles(&settings.device, handles, Use::Shared)?;
        let copy = sys::duplicate(handed.region.as_raw())
            .map_err(|errno| StartError::errno("no descriptor left", errno))?;
        let region = Region::attach(handed.region)?;
        make_region_private(&region)?;
        let place = handed.place;
        // Without other programs the newcomer's own capture begins.
        let capture = capture.filter(|_| handed.is_alone);
        let take_part = || {
            let config = fit_to_device(&settings.stack, &device)?;
            let stack = Stack::attach(&region)?;
            let parts = Membership {
                spec: settings.device.clone(),
                region,
                stack,
                device: with_recorder(device, capture.map(Capture::recorder)),
                wakers,
                capture: capture.cloned(),
            };
            let family = parts.assemble(hooks, Role::Program, place)?;
            let lives = if handed.is_alone {
                let set = family.enter(|state, now| state.stack.set_config(&config, now));
                set.is_ok()
            } else {
                differences::tell(&family, settings, &config)?
            };
            Ok::<_, StartError>(lives.then_some(family))
        };
        // If somebody has written wildly into the region, this may end in a panic.
        let joined = std::panic::catch_unwind(AssertUnwindSafe(take_part));
        if let Ok(Ok(Some(family))) = joined {
            return Ok(Some(family));
        }
        let region = Region::attach(copy);
        let unregister = || {
            if let Ok(region) = &region {
                members::unregister(region.words(), place);
            }
        };
        match joined {
            Ok(Err(error @ (StartError::MtuForIpv6(_) | StartError::OtherAddress(..)))) => {
                unregister();
                return Err(error);
            }
            _ if !handed.is_alone => {
                unregister();
                return Err(StartError::Keeper("its stack is damaged"));
            }
            _ => {}
        }
        if let Ok(region) = region {
            region.words().dead.store(GIVEN_UP, Ordering::Release);
        }
        wakers.wake_all();
        wakers.close();
        private_fds::forget_closed();
        Ok(None)
    }

    /// What a newcomer does to join, in the keeper: an error means that it would fail.
    pub(crate) fn rehearse_join(&self) -> Result<(), StartError> {
        let damaged = StartError::Keeper("its region is damaged");
        let fd = self.shared.region().fd().ok_or(damaged)?;
        self.lock()
            .map_err(|Gone| StartError::Keeper("its stack is dead"))?;
        let copy =
            sys::duplicate(fd).map_err(|errno| StartError::errno("no descriptor left", errno))?;
        let region = Region::attach(copy)?;
        let stack = Stack::attach(&region)?;
        SharedState::new(&region, stack, WaitHandle::poll_only())?;
        Ok(())
    }

    /// The keeper's membership, over the descriptors it was started with.
    pub(crate) fn keep(
        spec: DeviceSpec,
        region: OwnedFd,
        wakers: [RawFd; WAKERS],
        device: Handles<OwnedFd>,
        recorder: Option<Recorder>,
    ) -> Result<Self, StartError> {
        let device = device_open::from_handles(&spec, device, Use::Shared)?;
        let region = Region::attach(region)?;
        let stack = Stack::attach(&region)?;
        Membership {
            spec,
            region,
            stack,
            device: with_recorder(device, recorder),
            wakers: Wakers::from_fds(wakers),
            capture: None,
        }
        .register(ProcessHooks::none(), Role::Keeper)
    }
}

#[cfg(test)]
mod tests;
