//! Starting a family, or joining the keeper that an earlier run has left.

use env::Settings;
use nicio::OpenError;

use crate::capture::{Capture, Prepared};
use crate::error::StartError;
use crate::family::Family;
use crate::process_hooks::ProcessHooks;
use crate::socket_names::keeper_socket;
use crate::wakers::Wakers;
use crate::{device_open, private_fds, rendezvous, spawn, sys};

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
    pub fn start(settings: &Settings, hooks: ProcessHooks) -> Result<Self, StartError> {
        Self::start_captured(settings, hooks).inspect_err(|_| private_fds::forget_closed())
    }

    fn start_captured(settings: &Settings, hooks: ProcessHooks) -> Result<Self, StartError> {
        let prepared = Prepared::make(settings, hooks)?;
        let capture = prepared.as_ref().map(Prepared::capture);
        let family = Self::start_or_join(settings, hooks, capture)?;
        if let Some(prepared) = prepared {
            prepared.begin(settings, hooks, family.keeper_program.as_deref())?;
        }
        Ok(family)
    }

    fn start_or_join(
        settings: &Settings,
        hooks: ProcessHooks,
        capture: Option<&Capture>,
    ) -> Result<Self, StartError> {
        let spec = &settings.device;
        let address = settings.stack.addr;
        let name = keeper_socket(spec, address);
        let keeper = spawn::program_path();
        let mut tries = 0;
        loop {
            let capture_fds = capture.map(Capture::fds).unwrap_or_default();
            if let Some(handed) = rendezvous::request_join(&name, spec, &capture_fds)?
                && let Some(family) = Self::join(settings, hooks, handed, capture)?
            {
                return Ok(family);
            }
            let error = match device_open::open(spec, address, keeper.as_deref()) {
                Ok(device) => {
                    let wakers = Wakers::create()?;
                    let family = Self::create(settings, hooks, device, wakers, capture);
                    return family.inspect_err(|_| wakers.close());
                }
                Err(error) => error,
            };
            // The keeper may have removed its name a moment ago, or not bound it yet.
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
}

/// How often to try again after this error.
fn tries_max(error: &StartError) -> u32 {
    match error {
        StartError::Device(OpenError::Busy(_)) => BUSY_TRIES,
        StartError::LinkFull(_) | StartError::SameAddress(_) => LINK_BUSY_TRIES,
        StartError::Device(_)
        | StartError::Region(_)
        | StartError::InUse(_)
        | StartError::LinkBroker(_)
        | StartError::Capture(..)
        | StartError::Keeper(_)
        | StartError::MtuForIpv6(_)
        | StartError::System(..) => 0,
    }
}
