//! A device as one process hands it to another.

use arrayvec::ArrayVec;
use sys::{OwnedFd, RawFd};

/// Most descriptors of a device: those of a link, and of a packet socket with two addresses.
pub const HANDLE_FDS_MAX: usize = 4;

/// What another process needs to use the same device. `Handles<RawFd>` only names descriptors, which the device
/// keeps open; `Handles<OwnedFd>` owns them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handles<Fd> {
    /// All descriptors, in an order that the kind of device defines.
    pub fds: ArrayVec<Fd, HANDLE_FDS_MAX>,
    /// What the descriptors do not say; the kind of device defines it.
    pub tag: u8,
}

impl<Fd> Handles<Fd> {
    /// Of a device that no other process can use.
    #[must_use]
    pub fn none() -> Self {
        Self {
            fds: ArrayVec::new(),
            tag: 0,
        }
    }

    /// The same with other descriptors, of which `each` makes one out of one.
    ///
    /// # Errors
    /// The first of `each`.
    pub fn try_map<To, E>(&self, each: impl FnMut(&Fd) -> Result<To, E>) -> Result<Handles<To>, E> {
        let fds = self.fds.iter().map(each).collect::<Result<_, E>>()?;
        Ok(Handles { fds, tag: self.tag })
    }
}

impl Handles<OwnedFd> {
    /// The numbers of the descriptors.
    #[must_use]
    pub fn as_raw(&self) -> Handles<RawFd> {
        Handles {
            fds: self.fds.iter().map(OwnedFd::as_raw).collect(),
            tag: self.tag,
        }
    }
}

/// What a process has a device's handles from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nobody uses the device yet, or who used it is gone.
    First,
    /// Another process uses it for the same stack.
    Shared,
}
