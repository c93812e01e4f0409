//! The device of a family, and this process's state around it.

use std::ffi::CStr;
use std::sync::Arc;

use arrayvec::ArrayVec;
use nicio::capture::Captured;
use nicio::link::{Alarm, CABLE_FDS, Cable, End, Link};
use nicio::tap::Tap;
use nicio::{DeviceSpec, Nic, RxBurst, TxBurst};
use region::{OwnedFd, RawFd};
use stack::Addr;

use crate::error::StartError;
use crate::{own, wire};

/// Most descriptors of a device: those of a link's cable, and the socket that holds its end.
pub(crate) const DEVICE_FDS_MAX: usize = CABLE_FDS + 1;

/// Touched only by the thread that has the turn.
pub(crate) struct Device {
    /// What to sleep on until frames come.
    pub(crate) fd: RawFd,
    pub(crate) alarm: Option<Alarm>,
    pub(crate) handles: Handles,
    pub(crate) nic: Captured<Box<dyn Nic + Send>>,
    pub(crate) rx: RxBurst,
    pub(crate) tx: TxBurst,
}

/// What another process of the family needs to use the same device.
#[derive(Clone)]
pub(crate) struct Handles {
    /// All of its descriptors, at high numbers.
    pub(crate) fds: ArrayVec<RawFd, DEVICE_FDS_MAX>,
    /// Which end of a link it is ([`End::to_byte`]).
    pub(crate) end: u8,
}

impl Handles {
    /// Copies of the descriptors, at high numbers.
    pub(crate) fn copies(&self) -> Result<Self, StartError> {
        self.with(own::copy_high)
    }

    /// The same descriptors, moved to high numbers.
    pub(crate) fn lifted(&self) -> Result<Self, StartError> {
        self.with(own::lift)
    }

    fn with(&self, high: impl Fn(RawFd) -> Result<RawFd, StartError>) -> Result<Self, StartError> {
        Ok(Self {
            fds: self
                .fds
                .iter()
                .map(|fd| high(*fd))
                .collect::<Result<_, _>>()?,
            end: self.end,
        })
    }
}

impl Device {
    /// Opens the device for a stack with this address, at high descriptor numbers. `keeper` is the keeper's
    /// program.
    pub(crate) fn open(
        spec: &DeviceSpec,
        address: Addr,
        keeper: Option<&CStr>,
    ) -> Result<Self, StartError> {
        match spec {
            DeviceSpec::Tap(name) => {
                let low = Tap::open(name.as_str())?;
                let high = own::copy_high(low.fd())?;
                Self::tap(high)
            }
            DeviceSpec::Link(_) => {
                let handles = wire::get_end(spec, address, keeper)?.lifted()?;
                Self::link(handles, Link::plug_in)
            }
            _ => Err(StartError::Unsupported),
        }
    }

    /// A device that another process opened.
    ///
    /// # Safety
    /// The descriptors are open and owned by nobody else in this process.
    pub(crate) unsafe fn from_handles(
        spec: &DeviceSpec,
        handles: Handles,
    ) -> Result<Self, StartError> {
        match (spec, handles.fds.as_slice()) {
            (DeviceSpec::Tap(_), &[fd]) => Self::tap(fd),
            (DeviceSpec::Link(_), _) => Self::link(handles, Link::take_over),
            _ => Err(StartError::Unsupported),
        }
    }

    /// Takes the descriptor over.
    fn tap(fd: RawFd) -> Result<Self, StartError> {
        // SAFETY: the callers above made it or were given it.
        let tap = Tap::from_fd(unsafe { OwnedFd::from_raw(fd) })?;
        let mut fds = ArrayVec::new();
        fds.push(fd);
        Ok(Self::new(tap, fd, Handles { fds, end: 0 }))
    }

    /// Takes the descriptors over. The last of them only has to stay open: see [`wire`].
    fn link(
        handles: Handles,
        open: impl FnOnce(Arc<Cable>, End) -> Link,
    ) -> Result<Self, StartError> {
        let (Ok([file, first, second, _]), Some(end)) = (
            <[RawFd; DEVICE_FDS_MAX]>::try_from(handles.fds.as_slice()),
            End::from_byte(handles.end),
        ) else {
            return Err(StartError::Wire("its descriptors are missing"));
        };
        // SAFETY: the callers above made them or were given them.
        let owned = [file, first, second].map(|fd| unsafe { OwnedFd::from_raw(fd) });
        let link = open(Arc::new(Cable::from_fds(owned)?), end);
        let fd = match end {
            End::First => first,
            End::Second => second,
        };
        Ok(Self::new(link, fd, handles))
    }

    fn new(nic: impl Nic + Send + 'static, fd: RawFd, handles: Handles) -> Self {
        Self {
            fd,
            alarm: nic.alarm(),
            handles,
            nic: Captured::new(Box::new(nic), None),
            rx: RxBurst::new(),
            tx: TxBurst::new(),
        }
    }
}
