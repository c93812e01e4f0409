//! The device of a family, and this process's state around it.

use std::ffi::CStr;

use nicio::capture::Captured;
use nicio::{AnyNic, DeviceSpec, Handles, Nic, RxBurst, TxBurst, Use};
use region::{OwnedFd, RawFd};
use stack::Addr;

use crate::error::StartError;
use crate::{own, wire};

/// Touched only by the thread that has the turn.
pub(crate) struct Device {
    pub(crate) nic: Captured<AnyNic>,
    pub(crate) rx: RxBurst,
    pub(crate) tx: TxBurst,
}

impl Device {
    /// Opens the device for a stack with this address, at high descriptor numbers. `keeper` is the keeper's
    /// program.
    pub(crate) fn open(
        spec: &DeviceSpec,
        address: Addr,
        keeper: Option<&CStr>,
    ) -> Result<Self, StartError> {
        let handles = match nicio::open(spec)? {
            Some(low) => high_copies(&low.handles())?,
            None => high_copies(&wire::get_end(spec, address, keeper)?.as_raw())?,
        };
        Self::from_handles(spec, handles, Use::First)
    }

    /// The device behind handles at high descriptor numbers.
    pub(crate) fn from_handles(
        spec: &DeviceSpec,
        handles: Handles<OwnedFd>,
        usage: Use,
    ) -> Result<Self, StartError> {
        Ok(Self::new(nicio::from_handles(spec, handles, usage)?))
    }

    pub(crate) fn new(nic: AnyNic) -> Self {
        Self {
            nic: Captured::new(nic, None),
            rx: RxBurst::new(),
            tx: TxBurst::new(),
        }
    }
}

/// Copies of a device's descriptors, at high numbers.
pub(crate) fn high_copies(handles: &Handles<RawFd>) -> Result<Handles<OwnedFd>, StartError> {
    handles.try_map(|fd| {
        let copy = own::copy_high(*fd)?;
        // SAFETY: the copy was made just now and nobody else owns it.
        Ok(unsafe { OwnedFd::from_raw(copy) })
    })
}
