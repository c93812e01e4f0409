//! The ring in which the kernel puts frames: slots of one size, `TPACKET_V2` (Documentation/networking/packet_mmap.rst).

use core::mem::offset_of;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use libc::tpacket2_hdr;
use sys::{Access, Errno, OwnedFd, RawFd};

use super::cursor::Cursor;
use crate::VNET_HEADER_BYTES;

/// Slots of a ring. A burst of so many small frames waits while nobody looks.
pub(super) const SLOTS: u32 = 4096;
/// Slots that lie together, in pages without a gap.
const SLOTS_PER_BLOCK: u32 = 32;
/// What the kernel writes in front of a frame, rounded up.
const SLOT_HEADER_BYTES: u32 = 78;

/// The receive ring of a packet socket in this process.
#[derive(Debug)]
pub(super) struct Ring {
    memory: NonNull<u8>,
    slot_bytes: u32,
    cursor: Cursor,
}

/// A frame at the head of the ring, as the kernel describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of the frame.
    pub(super) len: u32,
    pub(super) place: Place,
}

/// Where a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In its slot, from this byte of the ring on; the virtio-net header is before it.
    Slot(usize),
    /// Whole in the socket's queue, since it is longer than a slot.
    Queue,
    /// Cut to the slot: the socket's queue had no room for the rest.
    Nowhere,
}

impl Ring {
    /// Gives a new packet socket a ring for frames of an interface with this MTU.
    pub(super) fn new(socket: RawFd, mtu: u16) -> Result<Self, Errno> {
        let slot_bytes = (u32::from(mtu) + SLOT_HEADER_BYTES).next_power_of_two();
        let request = [
            slot_bytes * SLOTS_PER_BLOCK,
            SLOTS / SLOTS_PER_BLOCK,
            slot_bytes,
            SLOTS,
        ];
        let request = request.map(u32::to_ne_bytes);
        sys::setsockopt(
            socket,
            libc::SOL_PACKET,
            libc::PACKET_RX_RING,
            request.as_flattened(),
        )?;
        Self::map(socket, Cursor::new(slot_bytes)?)
    }

    /// The ring of a socket that another process has opened, with its cursor.
    pub(super) fn open(socket: RawFd, cursor: OwnedFd) -> Result<Self, Errno> {
        Self::map(socket, Cursor::open(cursor)?)
    }

    /// The kernel refuses a length that is not the ring's.
    fn map(socket: RawFd, cursor: Cursor) -> Result<Self, Errno> {
        let slot_bytes = cursor.slot_bytes();
        if !slot_bytes.is_power_of_two() || slot_bytes > SLOT_BYTES_MAX {
            return Err(Errno(libc::EINVAL));
        }
        let bytes = slot_bytes as usize * SLOTS as usize;
        let memory = sys::map_shared(socket, bytes, Access::ReadWrite, 0)?;
        Ok(Self {
            memory,
            slot_bytes,
            cursor,
        })
    }

    /// The frame at the head; `None` if the kernel has put none there.
    #[inline]
    pub(super) fn head(&self) -> Option<Frame> {
        let status = self
            .word(offset_of!(tpacket2_hdr, tp_status))
            .load(Ordering::Acquire);
        if status & libc::TP_STATUS_USER == 0 {
            return None;
        }
        let len = self
            .word(offset_of!(tpacket2_hdr, tp_len))
            .load(Ordering::Relaxed);
        let kept = self
            .word(offset_of!(tpacket2_hdr, tp_snaplen))
            .load(Ordering::Relaxed);
        // Two numbers of 16 bits: where the frame begins, and its network header.
        let places = self
            .word(offset_of!(tpacket2_hdr, tp_mac))
            .load(Ordering::Relaxed);
        let [low, high, ..] = places.to_ne_bytes();
        let at = u32::from(u16::from_ne_bytes([low, high]));
        let place = if status & libc::TP_STATUS_COPY != 0 {
            Place::Queue
        } else if kept < len || !self.is_within(at, len) {
            Place::Nowhere
        } else {
            Place::Slot(self.head_at() + at as usize)
        };
        Some(Frame { len, place })
    }

    fn is_within(&self, at: u32, len: u32) -> bool {
        let header = (size_of::<tpacket2_hdr>() + VNET_HEADER_BYTES) as u32;
        at >= header
            && at
                .checked_add(len)
                .is_some_and(|end| end <= self.slot_bytes)
    }

    /// The address of a byte of the ring.
    pub(super) fn at(&self, place: usize) -> *const u8 {
        self.memory.as_ptr().wrapping_add(place)
    }

    /// Gives the slot at the head back to the kernel, and goes on to the next.
    #[inline]
    pub(super) fn advance(&self) {
        let status = self.word(offset_of!(tpacket2_hdr, tp_status));
        // First of all: whoever goes on after a death in between sees the frame once more, a round later, and not
        // an empty slot for ever.
        self.cursor.set_next((self.next() + 1) % SLOTS);
        status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }

    /// The descriptor of the cursor.
    pub(super) fn cursor(&self) -> RawFd {
        self.cursor.fd()
    }

    fn next(&self) -> u32 {
        // Other members of the family may write anything there.
        self.cursor.next() % SLOTS
    }

    fn head_at(&self) -> usize {
        self.next() as usize * self.slot_bytes as usize
    }

    /// A word of the header of the slot at the head.
    #[inline]
    fn word(&self, offset: usize) -> &AtomicU32 {
        let place = self.at(self.head_at() + offset).cast::<AtomicU32>();
        // SAFETY: mapped as long as `self` lives and aligned, as slots and the fields are; the kernel writes whole words.
        unsafe { &*place }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let bytes = self.slot_bytes as usize * SLOTS as usize;
        // SAFETY: the mapping is this value's own.
        unsafe { sys::unmap(self.memory, bytes) };
    }
}

/// The slot for the longest MTU.
const SLOT_BYTES_MAX: u32 = 1 << 17;

// SAFETY: only atomics and copies reach what is behind the pointer.
unsafe impl Send for Ring {}
