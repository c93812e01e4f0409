//! A packet that the device cannot cut, cut here: TCP super-segments into segments, long datagrams into fragments.

use super::template::{Fragment, Shape, Template};
use crate::bufs::Bufs;
use crate::config::DeviceOffload;
use crate::frame::{BufRange, FrameSink, MAX_PIECES, PoolKind};
use crate::layout;
use crate::packet::CHAIN_MAX;
use arrayvec::ArrayVec;
use region::BufId;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// How to cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Into TCP segments of `size` payload bytes.
    Segments { size: u16 },
    /// Into IP fragments of at most `room` bytes after the IP header.
    Fragments { room: u16 },
}

/// A cut under way. It holds one count of each buffer.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Split {
    template: Template,
    pieces: [Stored; CHAIN_MAX],
    /// Payload bytes in all.
    total: u32,
    /// Payload bytes that have left.
    done: u32,
    /// Payload bytes for each frame; 0: nothing is being cut.
    step: u32,
    ident: u32,
    kind: u8,
    _pad: [u8; 7],
}

/// A [`BufRange`] at rest.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Stored {
    buf: BufId,
    at: u32,
    len: u32,
    pool: u8,
    _pad: [u8; 7],
}

impl Split {
    /// Starts to cut; takes one count of each buffer. `None`: it has too many pieces, or cannot be cut so small.
    pub(super) fn new(
        bufs: &mut Bufs,
        template: &Template,
        payload: &[BufRange],
        cut: Cut,
        ident: u32,
    ) -> Option<Self> {
        let mut split = Self {
            template: *template,
            ident,
            ..Self::new_zeroed()
        };
        split.total = payload.iter().map(|piece| piece.len).sum();
        (split.kind, split.step) = match cut {
            Cut::Segments { size } => (SEGMENTS, u32::from(size)),
            Cut::Fragments { room } => {
                split.template.complete(bufs, payload);
                // Fragments start at multiples of eight bytes, and a frame has room for few pieces.
                (FRAGMENTS, u32::from(room).min(FRAGMENT_MAX) & !7)
            }
        };
        let is_possible = split.step > split.template.head_len() && payload.len() <= CHAIN_MAX;
        if !is_possible && split.kind == FRAGMENTS || split.step == 0 {
            return None;
        }
        for (stored, piece) in split.pieces.iter_mut().zip(payload) {
            let BufRange { pool, buf, at, len } = *piece;
            bufs.pool_mut(pool).retain(buf);
            *stored = Stored {
                buf,
                at,
                len,
                pool: pool.to_byte(),
                _pad: [0; 7],
            };
        }
        Some(split)
    }

    /// There is more to send.
    pub(crate) const fn is_active(&self) -> bool {
        self.step > 0
    }

    /// Sends the next frame. After the last one, `self` is inactive.
    pub(super) fn push_next(
        &mut self,
        bufs: &mut Bufs,
        offload: DeviceOffload,
        sink: &mut impl FrameSink,
    ) {
        let is_fragment = self.kind == FRAGMENTS;
        let head = if is_fragment {
            self.template.head_len()
        } else {
            0
        };
        let is_first = self.done == 0;
        // The first fragment carries the transport header in its share.
        let room = if is_first {
            self.step.saturating_sub(head)
        } else {
            self.step
        };
        let here = room.min(self.total.saturating_sub(self.done));
        let end = self.done.saturating_add(here);
        let is_last = end >= self.total || here == 0;
        let payload = self.range(self.done, here);
        let mut template = self.template;
        let (ident, fragment) = if is_fragment {
            let at = if is_first {
                0
            } else {
                u16::try_from(self.done.saturating_add(head)).unwrap_or(0)
            };
            (self.ident, Some(Fragment { at, more: !is_last }))
        } else {
            tcp_segment(&mut template, self.done, is_first, is_last);
            let ident = self.ident;
            self.ident = ident.wrapping_add(1);
            (ident, None)
        };
        template.push(
            bufs,
            offload,
            sink,
            &Shape {
                ident,
                payload: &payload,
                gso: None,
                fragment,
            },
        );
        self.done = end;
        if is_last {
            self.finish(bufs);
        }
    }

    /// Whether IP fragments are being made, rather than TCP segments.
    pub(super) const fn is_fragmenting(&self) -> bool {
        self.kind == FRAGMENTS
    }

    /// The pieces of `len` payload bytes from `at` on.
    fn range(&self, at: u32, len: u32) -> ArrayVec<BufRange, MAX_PIECES> {
        let (mut skip, mut left) = (at, len);
        let mut range = ArrayVec::new();
        for stored in self.pieces.iter().filter(|stored| stored.len > 0) {
            if skip >= stored.len {
                skip -= stored.len;
                continue;
            }
            let here = left.min(stored.len - skip);
            let pool = PoolKind::from_byte(stored.pool).unwrap_or(PoolKind::Receive);
            let piece = BufRange {
                pool,
                buf: stored.buf,
                at: stored.at.saturating_add(skip),
                len: here,
            };
            if here == 0 || range.try_push(piece).is_err() {
                break;
            }
            (skip, left) = (0, left - here);
        }
        range
    }

    fn finish(&mut self, bufs: &mut Bufs) {
        for stored in self.pieces.iter().filter(|stored| stored.len > 0) {
            bufs.release(
                PoolKind::from_byte(stored.pool).unwrap_or(PoolKind::Receive),
                stored.buf,
            );
        }
        *self = Self::new_zeroed();
    }
}

/// Makes the header of a super-segment that of one of its segments, `at` bytes into it.
fn tcp_segment(template: &mut Template, at: u32, is_first: bool, is_last: bool) {
    if let Some(field) = template.head.get_mut(4..8)
        && let Ok(seq) = <[u8; 4]>::try_from(&*field)
    {
        field.copy_from_slice(&u32::from_be_bytes(seq).wrapping_add(at).to_be_bytes());
    }
    if let Some(flags) = template.head.get_mut(13) {
        // The end of the data is at the end; congestion is answered once (RFC 3168 section 6.1.2).
        let only_last = if is_last { 0 } else { FIN | PSH };
        let only_first = if is_first { 0 } else { CWR };
        *flags &= !(only_last | only_first);
    }
}

const SEGMENTS: u8 = 1;
const FRAGMENTS: u8 = 2;
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const CWR: u8 = 0x80;
/// Longest fragment: from anywhere in a receive buffer, it lies in as many pieces as a frame can have.
const FRAGMENT_MAX: u32 = layout::RECEIVE_BUFFER * 3;
