//! The device, before the program is started: whether it is there, and whether a program has it that cannot be joined.

use std::thread::sleep;
use std::time::{Duration, Instant};

use env::{OnFailure, Settings};
use nicio::{DeviceSpec, Holder};

use crate::failure::Failure;

/// Pause between two looks at who has the device.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until the stack can have the device, as long as the settings say.
pub(super) fn wait_for(settings: &Settings) -> Result<(), Failure> {
    let device = &settings.device;
    let unavailable = |reason: String| {
        let status = u8::try_from(OnFailure::STATUS).unwrap_or(1);
        Failure::with_code(
            status,
            format_args!("{device}: {reason}; the program is not started (--fail exit)"),
        )
    };
    nicio::check(device).map_err(|error| unavailable(error.to_string()))?;
    let deadline = Instant::now() + settings.wait;
    while let Some(holder) = stranger_with(device) {
        if Instant::now() >= deadline {
            return Err(unavailable(format!(
                "it is held by {holder}; wait for its end (--wait SECONDS), or give each program an interface of its own"
            )));
        }
        sleep(PAUSE);
    }
    Ok(())
}

/// The program that has the device without a keeper, which would let this one in.
fn stranger_with(device: &DeviceSpec) -> Option<Holder> {
    nicio::holder(device).filter(|_| !nicio::has_keeper(device))
}
