//! Opening a device of any kind.

use stack::Addr;
use sys::OwnedFd;

use crate::interface;
use crate::link::Link;
use crate::packet::{self, Packet};
use crate::tap::{self, Holder, Tap};
use crate::{DeviceSpec, Handles, Nic, OpenError, Use};

/// A device of any kind.
pub type AnyNic = Box<dyn Nic + Send>;

/// Opens a device of the kernel's for a stack with the addresses `own`. `Ok(None)`: programs make this kind of device, so a program has its handles.
///
/// # Errors
/// See [`OpenError`]; nothing is left open.
pub fn open(spec: &DeviceSpec, own: &[Addr]) -> Result<Option<AnyNic>, OpenError> {
    match spec {
        DeviceSpec::Tap(name) => Ok(Some(Box::new(Tap::open(name.as_str())?))),
        DeviceSpec::Packet(name) => Ok(Some(Box::new(Packet::open(*name, own)?))),
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
        DeviceSpec::Packet(name) => Box::new(Packet::from_handles(*name, handles)?),
        DeviceSpec::Link(_) => Box::new(Link::from_handles(handles, usage)?),
    })
}

/// The process that has the device open, as far as this user may see; `None` also for a link,
/// which has two, and for an interface, which is everybody's.
#[must_use]
pub fn holder(spec: &DeviceSpec) -> Option<Holder> {
    match spec {
        DeviceSpec::Tap(name) => tap::find_holder(*name),
        DeviceSpec::Link(_) | DeviceSpec::Packet(_) => None,
    }
}

/// Whether a keeper has the device, as far as this user may see: programs of its user can join it. `false` also for the
/// other kinds.
#[must_use]
pub fn has_keeper(spec: &DeviceSpec) -> bool {
    match spec {
        DeviceSpec::Tap(name) => tap::has_keeper(*name),
        DeviceSpec::Link(_) | DeviceSpec::Packet(_) => false,
    }
}

/// Whether frames can move: an interface may be set down.
///
/// # Errors
/// There is no such interface.
pub fn is_up(spec: &DeviceSpec) -> Result<bool, OpenError> {
    match spec {
        DeviceSpec::Tap(name) | DeviceSpec::Packet(name) => interface::is_up(*name),
        DeviceSpec::Link(_) => Ok(true),
    }
}

/// Whether the device seems to be there and this user's to open, without touching it: opening a tap for a moment would
/// take the link down for its peer. Whether another program has it is [`holder`]'s matter.
///
/// # Errors
/// See [`OpenError`].
pub fn check(spec: &DeviceSpec) -> Result<(), OpenError> {
    match spec {
        DeviceSpec::Tap(name) => tap::check(*name),
        DeviceSpec::Packet(name) => packet::check(*name),
        DeviceSpec::Link(_) => Ok(()),
    }
}
