//! Frames at the stack's doors: what comes in from a device and what goes out to it.

use region::BufId;

/// Longest header of an outgoing frame: Ethernet (14), IPv6 (40) with a fragment header (8), and the longest message that
/// the stack keeps in a packet's record (88), rounded up.
pub const MAX_HEADER: usize = 152;
/// Most payload pieces in one outgoing frame.
pub const MAX_PIECES: usize = 4;

/// What is known about the transport checksum of a received frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RxChecksum {
    /// Nothing: the stack verifies it.
    Unknown,
    /// The device verified it.
    Good,
    /// The sender left it to hardware that is not there (virtio `NEEDS_CSUM`): the frame never crossed a wire and is trusted.
    Partial,
}

/// A received Ethernet frame in receive buffers.
///
/// The stack takes over one count of each buffer and releases what it does not keep. The buffers are the frame's alone: what
/// lies behind it in the last one may be overwritten.
#[derive(Clone, Copy, Debug)]
pub struct RxFrame<'a> {
    /// Receive buffers, in order.
    pub bufs: &'a [BufId],
    /// Offset of the Ethernet header in `bufs[0]`; the frame then runs on from the start of each next buffer.
    pub start: u16,
    /// Bytes of the frame, Ethernet header included.
    pub len: u32,
    /// What the device knows about the transport checksum.
    pub checksum: RxChecksum,
    /// Payload bytes per original segment of a coalesced frame; 0 for an ordinary one.
    pub gso_size: u16,
}

/// An outgoing Ethernet frame: a header, slices of region buffers, and what the device has to do.
#[derive(Clone, Copy, Debug)]
pub struct TxFrame<'a> {
    /// From the Ethernet header to the end of the transport header; at most [`MAX_HEADER`] bytes.
    pub header: &'a [u8],
    /// At most [`MAX_PIECES`] pieces, sent after the header.
    pub payload: &'a [BufRange],
    /// Checksum the device has to fill in; `None`: complete as it is.
    pub checksum: Option<TxChecksum>,
    /// Cut into segments by the device; `None`: one frame on the wire.
    pub gso: Option<Gso>,
}

impl TxFrame<'_> {
    /// Bytes of the whole frame, header included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.payload.iter().map(|p| p.len as usize).sum::<usize>() + self.header.len()
    }

    /// A frame without a byte in it; the stack never makes one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which pool a buffer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// 64 KiB send blocks.
    Send,
    /// 4 KiB receive buffers.
    Receive,
}

impl PoolKind {
    /// As stored in records.
    pub(crate) const fn to_byte(self) -> u8 {
        match self {
            Self::Send => 0,
            Self::Receive => 1,
        }
    }

    /// Decodes [`Self::to_byte`]; `None` for an impossible value.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Send),
            1 => Some(Self::Receive),
            _ => None,
        }
    }
}

/// A range of one region buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufRange {
    /// Pool of `buf`.
    pub pool: PoolKind,
    /// The buffer.
    pub buf: BufId,
    /// First byte.
    pub at: u32,
    /// Bytes.
    pub len: u32,
}

/// Checksum left to the device, with virtio-net's meaning: sum from `start` to the end of the frame, put the result at
/// `start + offset`. The field holds the pseudo-header sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxChecksum {
    /// Offset of the transport header in the frame.
    pub start: u16,
    /// Offset of the checksum field in the transport header.
    pub offset: u16,
}

/// How a device cuts a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GsoKind {
    /// TCP over IPv4.
    Tcp4,
    /// TCP over IPv6.
    Tcp6,
    /// UDP.
    Udp,
}

/// A frame that the device cuts into segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gso {
    /// What is cut.
    pub kind: GsoKind,
    /// Payload bytes per segment.
    pub size: u16,
    /// Bytes of header repeated before every segment, Ethernet header included.
    pub header_len: u16,
}

/// Where the stack puts outgoing frames: a batch of the device's choosing.
pub trait FrameSink {
    /// No further frame fits.
    fn is_full(&self) -> bool;

    /// Takes one frame. Only called when the sink is not full.
    ///
    /// The sink copies the header and the piece list. It owns one count of each payload buffer and gives it back through
    /// [`crate::Stack::release_sent`] once the device no longer reads the buffer.
    fn push(&mut self, frame: TxFrame<'_>);
}
