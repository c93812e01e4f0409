//! The device of a family, and this process's state around it.

use nicio::tap::Tap;
use nicio::{DeviceSpec, Nic, RxBurst, TxBurst};
use region::{OwnedFd, RawFd};

use crate::error::StartError;
use crate::own;

/// Touched only by the thread that has the turn.
pub(crate) struct Device {
    /// What to sleep on until frames come.
    pub(crate) fd: RawFd,
    pub(crate) nic: Box<dyn Nic + Send>,
    pub(crate) rx: RxBurst,
    pub(crate) tx: TxBurst,
}

impl Device {
    /// Opens the device at a high descriptor number.
    pub(crate) fn open(spec: &DeviceSpec) -> Result<Self, StartError> {
        match spec {
            DeviceSpec::Tap(name) => {
                let low = Tap::open(name.as_str())?;
                let high = own::copy_high(low.fd())?;
                // SAFETY: the copy was made just now and nobody else owns it.
                let high = unsafe { OwnedFd::from_raw(high) };
                Ok(Self::new(Tap::from_fd(high)?))
            }
            _ => Err(StartError::Unsupported),
        }
    }

    /// A device that another process opened, by its descriptor.
    ///
    /// # Safety
    /// `fd` is open and owned by nobody else in this process.
    pub(crate) unsafe fn from_fd(spec: &DeviceSpec, fd: RawFd) -> Result<Self, StartError> {
        match spec {
            DeviceSpec::Tap(_) => {
                // SAFETY: the caller's promise.
                let fd = unsafe { OwnedFd::from_raw(fd) };
                Ok(Self::new(Tap::from_fd(fd)?))
            }
            _ => Err(StartError::Unsupported),
        }
    }

    fn new(tap: Tap) -> Self {
        Self {
            fd: tap.fd(),
            nic: Box::new(tap),
            rx: RxBurst::new(),
            tx: TxBurst::new(),
        }
    }
}
