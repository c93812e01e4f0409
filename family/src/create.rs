//! A fresh stack over a device.

use env::Settings;
use nicio::Use;
use region::Region;
use stack::{Config, Stack};

use crate::capture::Capture;
use crate::clock;
use crate::device::Device;
use crate::device_open::{self, private_copies};
use crate::error::StartError;
use crate::family::{Family, Role};
use crate::membership::{Membership, fit_to_device, with_recorder};
use crate::private_fds;
use crate::process_hooks::ProcessHooks;
use crate::wakers::Wakers;

/// Address space for tables beside the packet buffers.
const TABLES_BYTES: usize = 1 << 30;

impl Family {
    /// A fresh stack with the same address and wakers after this one has died: over the same device or, if that has gone, over
    /// one that has its name now.
    ///
    /// # Errors
    /// As [`Family::start`].
    pub fn renew(&self, settings: &Settings) -> Result<Self, StartError> {
        let device = if self.has_lost_device() {
            let keeper = self.keeper_program.as_deref();
            device_open::open(&self.spec, &settings.stack, keeper)?
        } else {
            let handles = private_copies(&self.device_handles)?;
            device_open::from_handles(&self.spec, handles, Use::Shared)?
        };
        let capture = self.capture.as_ref().and_then(Capture::renew);
        Self::create(settings, self.hooks, device, self.wakers, capture.as_ref())
    }

    pub(crate) fn create(
        settings: &Settings,
        hooks: ProcessHooks,
        device: Device,
        wakers: Wakers,
        capture: Option<&Capture>,
    ) -> Result<Self, StartError> {
        let config = fit_to_device(&settings.stack, &device)?;
        let region = Region::create(region_bytes(&config))?;
        make_region_private(&region)?;
        let stack = Stack::create(
            &region,
            &config,
            clock::now(),
            sys::random()
                .map_err(|errno| StartError::errno("no random numbers from the kernel", errno))?,
        )?;
        let parts = Membership {
            spec: settings.device.clone(),
            region,
            stack,
            device: with_recorder(device, capture.map(Capture::recorder)),
            wakers,
            capture: capture.cloned(),
        };
        parts.register(hooks, Role::Program)
    }
}

/// The region's upper bound: what `tcp_mem` allows in each direction, and tables.
fn region_bytes(config: &Config) -> usize {
    let [_, _, pages] = config.tcp_mem;
    let packets = usize::try_from(pages.saturating_mul(4096)).unwrap_or(usize::MAX);
    packets.saturating_mul(2).saturating_add(TABLES_BYTES)
}

pub(crate) fn make_region_private(region: &Region) -> Result<(), StartError> {
    let Some(fd) = region.fd() else { return Ok(()) };
    region.replace_fd(private_fds::private_copy(fd)?)?;
    Ok(())
}

#[cfg(test)]
mod tests;
