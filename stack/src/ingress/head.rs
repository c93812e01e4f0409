//! The first bytes of what has arrived, read out of its buffers.

use crate::bufs::Bufs;
use crate::layout;
use crate::wire::ethernet;
use region::BufId;

/// The first bytes of a chain of buffers, as far as they lie in the first one.
pub(super) fn read_head<'r>(
    bufs: &Bufs,
    ids: &[BufId],
    at: u32,
    len: u32,
    room: &'r mut [u8; PARSED],
) -> &'r [u8] {
    let here = len.min(layout::RECEIVE_BUFFER.saturating_sub(at));
    let head = usize::try_from(here)
        .ok()
        .and_then(|here| room.get_mut(..here.min(PARSED)));
    let (Some(head), Some(&first)) = (head, ids.first()) else {
        return &[];
    };
    if bufs.receive.read(first, at, head) {
        head
    } else {
        &[]
    }
}

/// Bytes that are looked at in one go: an Ethernet header, and an IPv4 and a TCP header with all options. Behind an IPv6
/// header there is room for a TCP header with all options, or for some extension headers.
pub(super) const PARSED: usize = ethernet::HEADER + 60 + 60;
