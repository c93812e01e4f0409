//! Starting a family, or joining the keeper that an earlier run has left.

use core::time::Duration;
use std::ffi::CStr;

use env::Settings;
use nicio::{DeviceSpec, OpenError};

use crate::capture::{Capture, Prepared};
use crate::error::StartError;
use crate::family::Family;
use crate::process_hooks::ProcessHooks;
use crate::socket_names::keeper_socket;
use crate::wakers::Wakers;
use crate::{clock, device_open, private_fds, rendezvous, spawn};

/// How long to try to open a device that an earlier run is just letting go, or whose family just begins.
const BUSY_PATIENCE: Duration = Duration::from_millis(500);
/// The same for an end of a link. An earlier run's keeper with another address holds it for a second, and does not hand
/// it over.
const LINK_PATIENCE: Duration = Duration::from_millis(1400);
/// The user who may ask the keepers of others to end.
const ROOT: u32 = 0;
/// Pauses between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(2);
const PAUSE_MAX: Duration = Duration::from_millis(50);

impl Family {
    /// Opens the device and makes a region with a stack. If a family has the device, joins it: with these settings if it has
    /// no other program, else with those that it has.
    ///
    /// # Errors
    /// One line's worth of what is wrong; nothing is left open.
    pub fn start(settings: &Settings, hooks: ProcessHooks) -> Result<Self, StartError> {
        Self::start_captured(settings, hooks).inspect_err(|_| private_fds::forget_closed())
    }

    fn start_captured(settings: &Settings, hooks: ProcessHooks) -> Result<Self, StartError> {
        let prepared = Prepared::make(settings, hooks)?;
        let capture = prepared.as_ref().map(Prepared::capture);
        let family = Self::start_or_join(settings, hooks, capture)?;
        family.compare_mtu(settings);
        if family.capture.is_some()
            && let Some(prepared) = prepared
        {
            prepared.begin(settings, hooks, family.keeper_program.as_deref())?;
        }
        Ok(family)
    }

    /// Tells the user if the device carries less than the settings ask for.
    fn compare_mtu(&self, settings: &Settings) {
        let wanted = settings.stack.mtu;
        let Ok(mtu) = self.enter(|state, _| state.stack.config().mtu) else {
            return;
        };
        if wanted <= mtu {
            return;
        }
        let cure = match &self.spec {
            DeviceSpec::Tap(name) => {
                format!("raise the tap's (`ip link set {name} mtu {wanted}`), or lower NSTK_MTU")
            }
            DeviceSpec::Packet(_) => "lower NSTK_MTU".to_owned(),
            DeviceSpec::Link(_) => "leave NSTK_MTU out".to_owned(),
        };
        (self.hooks.complain)(format_args!(
            "NSTK_MTU={wanted}: the MTU of {} is {mtu}, which counts; {cure}",
            self.spec
        ));
    }

    fn start_or_join(
        settings: &Settings,
        hooks: ProcessHooks,
        capture: Option<&Capture>,
    ) -> Result<Self, StartError> {
        let name = keeper_socket(&settings.device, settings.stack.addr);
        let keeper = spawn::program_path();
        let mut started = clock::now();
        let mut may_ask = sys::user_id() == ROOT;
        loop {
            let error = match Self::join_or_open(settings, hooks, capture, &name, keeper.as_deref())
            {
                Err(error) => error,
                started => return started,
            };
            // A server that was started by root may have left a keeper of the user that it became.
            if matches!(error, StartError::InUse(..)) && core::mem::take(&mut may_ask) {
                rendezvous::ask_others_to_end(&name);
                started = clock::now();
            }
            let waited = clock::now().saturating_since(started);
            if waited >= patience(&error, settings.wait) {
                return Err(error.name_holder());
            }
            sys::pause(pause_after(waited));
        }
    }

    fn join_or_open(
        settings: &Settings,
        hooks: ProcessHooks,
        capture: Option<&Capture>,
        name: &str,
        keeper: Option<&CStr>,
    ) -> Result<Self, StartError> {
        let spec = &settings.device;
        let capture_fds = capture.map(Capture::fds).unwrap_or_default();
        if let Some(handed) = rendezvous::request_join(name, &capture_fds)?
            && let Some(family) = Self::join(settings, hooks, handed, capture)?
        {
            return Ok(family);
        }
        let device = device_open::open(spec, &settings.stack, keeper).map_err(|error| {
            let is_busy = matches!(error, StartError::Device(OpenError::Busy(_)));
            if is_busy {
                StartError::InUse(spec.clone(), None)
            } else {
                error
            }
        })?;
        let wakers = Wakers::create()?;
        let family = Self::create(settings, hooks, device, wakers, capture);
        family.inspect_err(|_| wakers.close())
    }
}

/// How long to try again after this error, if the user wants to wait for `asked`.
fn patience(error: &StartError, asked: Duration) -> Duration {
    match error {
        // The keeper may have removed its name a moment ago, or not bound it yet.
        StartError::InUse(DeviceSpec::Tap(_) | DeviceSpec::Link(_), _) => asked.max(BUSY_PATIENCE),
        StartError::InUse(DeviceSpec::Packet(_), _)
        | StartError::LinkFull(_)
        | StartError::SameAddress(_) => asked.max(LINK_PATIENCE),
        StartError::Device(_)
        | StartError::Region(_)
        | StartError::LinkBroker(_)
        | StartError::Capture(..)
        | StartError::Keeper(_)
        | StartError::OtherAddress(..)
        | StartError::MtuForIpv6(_)
        | StartError::System(..) => Duration::ZERO,
    }
}

/// Short at first, since most waits are for a keeper that is just ending.
fn pause_after(waited: Duration) -> Duration {
    (waited / 8).clamp(PAUSE_MIN, PAUSE_MAX)
}

#[cfg(test)]
mod tests;
