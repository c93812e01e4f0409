//! Opening a device of any kind.

use region::OwnedFd;

use crate::link::Link;
use crate::tap::Tap;
use crate::{DeviceSpec, Handles, Nic, OpenError, Use};

/// A device of any kind.
pub type AnyNic = Box<dyn Nic + Send>;

/// Opens a device of the kernel's. `Ok(None)`: programs make this kind of device, so a program has its handles.
///
/// # Errors
/// See [`OpenError`]; nothing is left open.
pub fn open(spec: &DeviceSpec) -> Result<Option<AnyNic>, OpenError> {
    match spec {
        DeviceSpec::Tap(name) => Ok(Some(Box::new(Tap::open(name.as_str())?))),
        DeviceSpec::Link(_) => Ok(None),
    }
}

/// The device behind handles that came from another process, or from [`Nic::handles`] in this one.
///
/// # Errors
/// They are not those of such a device, or it has gone.
pub fn from_handles(
    spec: &DeviceSpec,
    handles: Handles<OwnedFd>,
    usage: Use,
) -> Result<AnyNic, OpenError> {
    Ok(match spec {
        DeviceSpec::Tap(_) => Box::new(Tap::from_handles(handles)?),
        DeviceSpec::Link(_) => Box::new(Link::from_handles(handles, usage)?),
    })
}
