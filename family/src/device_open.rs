//! Opening the device, at private descriptors.

use std::ffi::CStr;

use nicio::{DeviceSpec, Handles, Nic, Use};
use stack::Config;
use sys::{OwnedFd, RawFd};

use crate::device::Device;
use crate::error::StartError;
use crate::{link_request, private_fds};

/// Opens the device for a stack with the addresses of `config`, at private descriptors. `keeper` is the keeper's
/// program.
pub(crate) fn open(
    spec: &DeviceSpec,
    config: &Config,
    keeper: Option<&CStr>,
) -> Result<Device, StartError> {
    let handles = match nicio::open(spec, &[config.addr, config.addr6])? {
        Some(low) => private_copies(&low.handles())?,
        None => private_copies(&link_request::get_end(spec, config.addr, keeper)?.as_raw())?,
    };
    from_handles(spec, handles, Use::First)
}

/// The device behind handles at private descriptors.
pub(crate) fn from_handles(
    spec: &DeviceSpec,
    handles: Handles<OwnedFd>,
    usage: Use,
) -> Result<Device, StartError> {
    Ok(Device::new(nicio::from_handles(spec, handles, usage)?))
}

/// Copies of a device's descriptors, at private numbers.
pub(crate) fn private_copies(handles: &Handles<RawFd>) -> Result<Handles<OwnedFd>, StartError> {
    handles.try_map(|fd| private_fds::private_copy(*fd))
}
