//! What travels on a line.

use stack::RxChecksum;

/// One Ethernet frame on the wire, without preamble and check sequence.
#[derive(Clone, Debug)]
pub struct Packet {
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: RxChecksum,
}

impl Packet {
    /// A frame whose checksums are complete.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            checksum: RxChecksum::Unknown,
        }
    }

    /// The frame, from its Ethernet header on.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Carries IPv4 or IPv6.
    pub(crate) fn is_ip(&self) -> bool {
        matches!(self.bytes.get(12..14), Some([0x08, 0x00] | [0x86, 0xdd]))
    }
}
