//! What a transport gives to IP to send.

use crate::frame::BufRange;

/// A transport segment that is to leave now.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    /// IP protocol number.
    pub(crate) protocol: u8,
    /// Time to live, or hop limit.
    pub(crate) ttl: u8,
    /// Type of service, or traffic class.
    pub(crate) tos: u8,
    /// Identification of a TCP segment over IPv4, of the first of several; others get theirs here.
    pub(crate) ident: u16,
    /// The transport header, at most [`crate::packet::HEAD_MAX`] bytes. Its checksum field is filled in here.
    pub(crate) head: &'a [u8],
    /// What follows; TCP gives at most [`crate::frame::MAX_PIECES`].
    pub(crate) payload: &'a [BufRange],
    /// Payload bytes per segment, when TCP hands over several in one; 0: one segment.
    pub(crate) gso_size: u16,
}
