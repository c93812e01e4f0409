//! Frames in and out: the devices under a stack, and the trait that they share.
//!
//! Every device is a [`Nic`]. It moves whole Ethernet frames in bursts: [`RxBurst`] reads straight into the
//! region's receive buffers, [`TxBurst`] writes straight out of its send buffers, both outside the region's
//! lock. [`Caps`] tells what a device can do. [`DeviceSpec`] is what a user writes: `tap:NAME`, `packet:NAME` or
//! `link:NAME`.
//!
//! | module | device |
//! |---|---|
//! | [`tap`] | a tap of the kernel, with segmentation and checksums left to it |
//! | [`packet`] | a packet socket on any interface, with segmentation and checksums left to that |
//! | [`link`] | rings in shared memory, to a program on the same machine |
//! | [`mem`] | a pair within one process, for tests |
//! | [`capture`] | any of these, with a copy of all frames in a file |
//!
//! Every device passes the same tests (`conformance`).
//!
//! Nothing here may call libc's `read`, `write`, `close` and their like, nor std's I/O: inside libnstk.so those
//! names are the library's own hooks. The room `sys` has the system calls that go past them.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod capture;
pub mod link;
pub mod mem;
pub mod packet;
pub mod tap;

mod error;
mod handles;
mod interface;
mod io_vector;
mod nic;
mod open;
mod ring_bytes;
mod rx;
mod spec;
mod tap_defs;
mod tx;
mod vnet;
mod wait_handle;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod testing;

pub use error::{NicError, OpenError};
pub use handles::{HANDLE_FDS_MAX, Handles, Use};
pub use nic::{Caps, Nic};
pub use open::{AnyNic, check, from_handles, has_keeper, holder, is_up, open};
pub use rx::{Frames, RESERVE_MAX, RX_FRAME_BUFS, RX_FRAME_START, RxBurst, RxMeta};
pub use spec::{DeviceSpec, InterfaceName, NameError, SpecError};
pub use tap::{Holder, is_keeper, use_plain_calls};
pub use tx::{TX_BURST_MAX, TxBurst, TxSlot};
pub use vnet::VNET_HEADER_BYTES;
pub use wait_handle::WaitHandle;
