//! One fragment.

use crate::addr::Addr;

/// What a packet's headers say about the fragment in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment {
    pub(crate) src: Addr,
    pub(crate) dst: Addr,
    pub(crate) ident: u32,
    pub(crate) protocol: u8,
    /// Where it starts in the datagram, bytes; a multiple of 8.
    pub(crate) at: u16,
    /// Its bytes.
    pub(crate) len: u16,
    /// Not the last.
    pub(crate) more: bool,
    /// Most bytes that the whole datagram can have.
    pub(crate) end_max: u32,
}
