//! NSTK_IF: the device.

use nicio::DeviceSpec;

use crate::problem::Problem;

/// Reads the kind and name of a device.
pub(crate) fn parse_device(text: &str) -> Result<DeviceSpec, Problem> {
    text.parse().map_err(Problem::Device)
}
