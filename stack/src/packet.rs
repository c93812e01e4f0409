//! One IP packet or datagram that waits inside the stack, and lists of them.

use crate::addr::Endpoint;
use crate::bufs::Bufs;
use crate::caller::Caller;
use crate::frame::{BufRange, PoolKind};
use crate::layout;
use crate::sock::SockId;
use region::{BufId, Id, Table};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Receive buffers that the longest IP packet can need: 65535 bytes starting anywhere in the first.
pub(crate) const CHAIN_MAX: usize = 17;
/// Longest transport header, or whole small message, kept in the record itself.
pub(crate) const HEAD_MAX: usize = 88;

/// Bytes in a row of buffers of one pool: they start at `at` in the first and run on from the start of each next.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Chain {
    bufs: [BufId; CHAIN_MAX],
    at: u32,
    len: u32,
    pool: u8,
    _pad: [u8; 7],
}

impl Chain {
    /// No bytes, no buffers.
    pub(crate) fn empty() -> Self {
        Self::new_zeroed()
    }

    /// `len` bytes from `at` in `bufs`; buffers that hold none of them are left out. `None`: more than [`CHAIN_MAX`], or
    /// the buffers are too short. Counts are the caller's matter.
    pub(crate) fn new(pool: PoolKind, bufs: &[BufId], at: u32, len: u32) -> Option<Self> {
        let size = size_of_pool(pool);
        let used = usize::try_from(at.checked_add(len)?.div_ceil(size)).ok()?;
        let mut chain = Self {
            at,
            len,
            pool: pool.to_byte(),
            ..Self::empty()
        };
        if len > 0 {
            chain
                .bufs
                .get_mut(..used)?
                .copy_from_slice(bufs.get(..used)?);
        }
        Some(chain)
    }

    /// No bytes, for buffers of this pool.
    pub(crate) fn keeping(pool: PoolKind) -> Self {
        Self {
            pool: pool.to_byte(),
            ..Self::empty()
        }
    }

    /// Keeps one more buffer, whatever lies in it. False: there is no room.
    pub(crate) fn push(&mut self, buf: BufId) -> bool {
        let free = self.bufs.iter_mut().find(|slot| slot.is_none());
        free.map(|slot| *slot = buf).is_some()
    }

    /// Only the first `len` bytes count from here on; the buffers stay.
    pub(crate) fn truncate(&mut self, len: u32) {
        self.len = self.len.min(len);
    }

    /// Bytes.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Which pool the buffers are of.
    pub(crate) fn pool(&self) -> PoolKind {
        PoolKind::from_byte(self.pool).unwrap_or(PoolKind::Receive)
    }

    /// The places of its buffers; those behind the last are none.
    pub(crate) const fn all(&self) -> &[BufId] {
        &self.bufs
    }

    /// Its buffers.
    pub(crate) fn bufs(&self) -> impl Iterator<Item = BufId> {
        self.bufs.into_iter().take_while(|buf| buf.is_some())
    }

    /// The pieces of `len` bytes from `skip` on, as far as they exist.
    pub(crate) fn pieces(&self, skip: u32, len: u32) -> impl Iterator<Item = BufRange> {
        let len = len.min(self.len.saturating_sub(skip));
        pieces(self.pool(), &self.bufs, self.at.saturating_add(skip), len)
    }

    /// One more count for each buffer.
    pub(crate) fn retain(&self, bufs: &mut Bufs) {
        let pool = self.pool();
        for buf in self.bufs() {
            bufs.pool_mut(pool).retain(buf);
        }
    }

    /// Counts this chain as a holder of its buffers, in a repair.
    pub(crate) fn count_holders(&self, bufs: &mut Bufs) {
        let pool = self.pool();
        for buf in self.bufs() {
            bufs.pool_mut(pool).count_holder(buf);
        }
    }

    /// Gives back one count of each buffer.
    pub(crate) fn release(&self, bufs: &mut Bufs) {
        let pool = self.pool();
        for buf in self.bufs() {
            bufs.release(pool, buf);
        }
    }
}

/// Cuts `len` bytes that start `at` bytes after the start of `bufs[0]` into one piece per buffer.
pub(crate) fn pieces(
    pool: PoolKind,
    bufs: &[BufId],
    at: u32,
    len: u32,
) -> impl Iterator<Item = BufRange> {
    let size = size_of_pool(pool);
    let (mut at, mut left) = (at, len);
    bufs.iter().filter_map(move |&buf| {
        if at >= size {
            at -= size;
            return None;
        }
        let here = left.min(size - at);
        let piece = BufRange {
            pool,
            buf,
            at,
            len: here,
        };
        (at, left) = (0, left - here);
        (here > 0).then_some(piece)
    })
}

const fn size_of_pool(pool: PoolKind) -> u32 {
    match pool {
        PoolKind::Send => layout::SEND_BLOCK,
        PoolKind::Receive => layout::RECEIVE_BUFFER,
    }
}

/// A packet that waits: in a UDP queue of either direction, for a neighbour's address, or for the device.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Packet {
    /// The next in whatever list it is in.
    pub(crate) next: Id<Packet>,
    /// Endpoint whose send buffer `charge` counts against.
    pub(crate) owner: SockId,
    /// Where it comes from.
    pub(crate) src: Endpoint,
    /// Where it goes.
    pub(crate) dst: Endpoint,
    /// Bytes after `head`.
    pub(crate) data: Chain,
    /// Bytes charged to the owner.
    pub(crate) charge: u32,
    /// Who copies it at the moment; it is in no list then.
    pub(crate) caller: Caller,
    /// IP protocol number; [`RAW_FRAME`]: `head` is a whole Ethernet frame.
    pub(crate) protocol: u8,
    /// Time to live, or hop limit; 0: what the settings say.
    pub(crate) ttl: u8,
    /// Type of service, or traffic class.
    pub(crate) tos: u8,
    head_len: u8,
    _pad: [u8; 4],
    head: [u8; HEAD_MAX],
}

/// A protocol number that no IP packet has here: the packet is an Ethernet frame that is ready to go (ARP).
pub(crate) const RAW_FRAME: u8 = 255;

impl Packet {
    /// An IP packet whose first bytes are `head` (the transport header, and for short messages all). `None`: too long.
    pub(crate) fn new(protocol: u8, src: Endpoint, dst: Endpoint, head: &[u8]) -> Option<Self> {
        let mut packet = Self::new_zeroed();
        packet.head.get_mut(..head.len())?.copy_from_slice(head);
        packet.head_len = u8::try_from(head.len()).ok()?;
        (packet.protocol, packet.src, packet.dst) = (protocol, src, dst);
        Some(packet)
    }

    /// One that keeps `data` for a caller who copies it, with an empty head. The counts of its buffers are the packet's.
    pub(crate) fn held(caller: Caller, data: Chain) -> Self {
        Self {
            caller,
            data,
            ..Self::new_zeroed()
        }
    }

    /// The bytes before `data`.
    pub(crate) fn head(&self) -> &[u8] {
        self.head.get(..usize::from(self.head_len)).unwrap_or(&[])
    }

    /// Bytes of the IP payload.
    pub(crate) fn len(&self) -> u32 {
        u32::from(self.head_len).saturating_add(self.data.len())
    }
}

/// A list of packets linked by [`Packet::next`].
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct PacketList {
    first: Id<Packet>,
    last: Id<Packet>,
    len: u32,
    _pad: u32,
}

impl PacketList {
    /// Packets in it.
    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    /// Nothing in it.
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first, left where it is.
    pub(crate) const fn first(&self) -> Id<Packet> {
        self.first
    }

    /// Appends a packet that is in no list.
    pub(crate) fn push(&mut self, packets: &mut Table<Packet>, id: Id<Packet>) {
        if let Some(mut packet) = packets.get_mut(id) {
            packet.next = Id::NONE;
        }
        match packets.get_mut(self.last) {
            Some(mut last) if self.len > 0 => last.next = id,
            _ => self.first = id,
        }
        self.last = id;
        self.len = self.len.saturating_add(1);
    }

    /// Makes the list sound: it ends where a packet does not belong to it alone. Marks its packets and counts their buffers.
    /// Gives the bytes that they are charged.
    pub(crate) fn repair(&mut self, packets: &mut Table<Packet>, bufs: &mut Bufs) -> u64 {
        let (mut at, mut charge) = (self.first, 0u64);
        *self = Self::new_zeroed();
        while let Some(packet) = packets.get(at).copied() {
            if packets.is_busy(at) || packet.caller.is_some() || !packets.mark(at) {
                break;
            }
            packet.data.count_holders(bufs);
            charge = charge.saturating_add(u64::from(packet.charge));
            self.push(packets, at);
            at = packet.next;
        }
        charge
    }

    /// Takes the first; the packet stays in its table.
    pub(crate) fn pop(&mut self, packets: &Table<Packet>) -> Option<Id<Packet>> {
        if self.len == 0 {
            return None;
        }
        let id = self.first;
        let packet = packets.get(id)?;
        self.first = packet.next;
        self.len -= 1;
        Some(id)
    }
}
