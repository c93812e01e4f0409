//! Sleeping until a device has something to do.

use sys::RawFd;

use crate::link::Alarm;

/// What a thread needs to sleep until a device has frames. It works beside the device: any thread may have a
/// copy, whoever moves the frames meanwhile.
#[derive(Clone, Debug)]
pub struct WaitHandle {
    fd: Option<RawFd>,
    arming: Arming,
}

/// What must happen before each sleep.
#[derive(Clone, Debug)]
enum Arming {
    /// Nothing: the kernel always watches the device.
    Nothing,
    /// The other end of the link must learn that somebody sleeps.
    Link(Alarm),
}

impl WaitHandle {
    /// For a device that can only be polled.
    #[must_use]
    pub const fn poll_only() -> Self {
        Self {
            fd: None,
            arming: Arming::Nothing,
        }
    }

    /// For a descriptor that the kernel makes readable when frames come.
    #[must_use]
    pub const fn kernel(fd: RawFd) -> Self {
        Self {
            fd: Some(fd),
            arming: Arming::Nothing,
        }
    }

    pub(crate) const fn link(fd: RawFd, alarm: Alarm) -> Self {
        Self {
            fd: Some(fd),
            arming: Arming::Link(alarm),
        }
    }

    /// The descriptor to sleep on after [`Self::arm`]: readable when frames have come. It is open as long as the
    /// device is. `None`: the device can only be polled.
    #[must_use]
    pub const fn fd(&self) -> Option<RawFd> {
        self.fd
    }

    /// Call this before each sleep on [`Self::fd`]. `false`: do not sleep, there is something to do already.
    #[must_use]
    pub fn arm(&self) -> bool {
        match &self.arming {
            Arming::Nothing => true,
            Arming::Link(alarm) => alarm.set(),
        }
    }

    /// Whether the device refused frames for want of room, and there still is none. Of a device that the kernel
    /// watches this is not known: `false`.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match &self.arming {
            Arming::Nothing => false,
            Arming::Link(alarm) => alarm.is_full(),
        }
    }
}
