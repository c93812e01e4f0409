//! What every device can do.

use stack::DeviceOffload;
use sys::RawFd;

use crate::{Handles, NicError, RxBurst, TxBurst, WaitHandle};

/// What a device is and what it does for the stack. Fixed while the device is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Longest IP packet in bytes, before the device splits super-segments.
    pub mtu: u16,
    /// The stack's own address on this link, where the device dictates one.
    pub mac: Option<[u8; 6]>,
    /// Work the device takes off the stack.
    pub offload: DeviceOffload,
    /// Frames that one burst moves at most, either way.
    pub max_burst: usize,
    /// Pairs of transmit and receive queues.
    pub queues: u16,
}

/// A device, or one queue of it: Ethernet frames in bursts. Nothing here blocks.
pub trait Nic {
    /// What the device can do.
    fn caps(&self) -> &Caps;

    /// Receives frames into the burst's reserve, behind those that wait there already, and answers
    /// how many. `Ok(0)`: nothing has come, or the reserve has no room for a frame of any size.
    ///
    /// # Errors
    /// The device is gone or misused; frames received before that are in the burst nevertheless.
    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError>;

    /// Sends the burst's first frames, marks them as done ([`TxBurst::sent`]; the caller does not)
    /// and answers how many. `Ok(0)`: the device is full, or the burst is empty; what is left stays
    /// queued. A frame that the device accepts and drops counts as sent.
    ///
    /// # Errors
    /// The device is gone or misused; frames sent before that are marked nevertheless.
    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError>;

    /// How to sleep until frames come.
    fn wait_handle(&self) -> WaitHandle;

    /// What another process needs to use the same device ([`crate::from_handles`]). The descriptors stay the
    /// device's own.
    fn handles(&self) -> Handles<RawFd>;
}

impl<N: Nic + ?Sized> Nic for Box<N> {
    fn caps(&self) -> &Caps {
        (**self).caps()
    }

    fn rx_burst(&mut self, burst: &mut RxBurst) -> Result<usize, NicError> {
        (**self).rx_burst(burst)
    }

    fn tx_burst(&mut self, burst: &mut TxBurst) -> Result<usize, NicError> {
        (**self).tx_burst(burst)
    }

    fn wait_handle(&self) -> WaitHandle {
        (**self).wait_handle()
    }

    fn handles(&self) -> Handles<RawFd> {
        (**self).handles()
    }
}
