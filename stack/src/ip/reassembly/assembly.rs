//! One datagram that is being put together.

use super::fragment::Fragment;
use crate::addr::Addr;
use crate::context::Context;
use crate::frame::{BufRange, PoolKind};
use crate::layout;
use crate::packet::{CHAIN_MAX, Chain};
use crate::time::Instant;
use region::{BufId, Id};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// A datagram of which some fragments have arrived. They are copied to their places in its buffers.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Assembly {
    src: Addr,
    dst: Addr,
    ident: u32,
    protocol: u8,
    _pad: [u8; 3],
    /// Bytes of the whole; 0: the last fragment has not come.
    total: u32,
    /// Bytes that have come.
    have: u32,
    /// When it is given up.
    pub(super) deadline: Instant,
    /// It is older than those with higher numbers.
    pub(super) number: u64,
    /// Its neighbours among those of its sender, which it is listed with at place `source`.
    pub(super) older: Id<Self>,
    pub(super) newer: Id<Self>,
    pub(super) source: u32,
    /// How many fragments its sender had sent when its last one came.
    pub(super) seen: u32,
    bufs: [BufId; CHAIN_MAX],
    /// One bit for each eight bytes that have come.
    blocks: [u64; BLOCK_WORDS],
}

/// What became of a datagram with one more fragment.
pub(super) enum Progress {
    Waiting,
    Complete(Chain),
    Broken,
}

impl Assembly {
    /// A datagram of which nothing has come.
    pub(super) fn new(fragment: &Fragment, source: u32, deadline: Instant) -> Self {
        Self {
            src: fragment.src,
            dst: fragment.dst,
            ident: fragment.ident,
            protocol: fragment.protocol,
            source,
            deadline,
            ..Self::new_zeroed()
        }
    }

    pub(super) const fn is_v4(&self) -> bool {
        self.src.is_v4()
    }

    pub(super) fn matches(&self, of: &Fragment) -> bool {
        (self.src, self.dst, self.ident, self.protocol) == (of.src, of.dst, of.ident, of.protocol)
    }

    /// Buffers that it holds.
    pub(super) fn held(&self) -> u32 {
        self.bufs.iter().map(|buf| u32::from(buf.is_some())).sum()
    }

    /// Buffers that it needs for the bytes of `fragment` and does not hold yet.
    pub(super) fn missing(&self, fragment: &Fragment) -> u32 {
        let (at, len) = (u32::from(fragment.at), u32::from(fragment.len));
        let places = at / layout::RECEIVE_BUFFER..(at + len).div_ceil(layout::RECEIVE_BUFFER);
        places
            .filter_map(|place| self.bufs.get(usize::try_from(place).ok()?))
            .map(|buf| u32::from(buf.is_none()))
            .sum()
    }

    /// Takes in one fragment.
    pub(super) fn take(
        &mut self,
        cx: &mut Context<'_>,
        fragment: &Fragment,
        bytes: impl Iterator<Item = BufRange>,
    ) -> Progress {
        let (at, len) = (u32::from(fragment.at), u32::from(fragment.len));
        let end = at.saturating_add(len);
        let is_last = !fragment.more;
        let is_sound = len > 0
            && end <= fragment.end_max
            && (is_last || len.is_multiple_of(BLOCK))
            && (self.total == 0 || (end <= self.total && (!is_last || end == self.total)));
        if !is_sound || (is_last && self.highest() > end) {
            return Progress::Broken;
        }
        match self.mark(at / BLOCK, end.div_ceil(BLOCK)) {
            Marked::New => {}
            Marked::Repeated => return Progress::Waiting,
            // RFC 8200 section 4.5, and Linux applies it to IPv4 as well: an overlap is an attack.
            Marked::Overlapping => return Progress::Broken,
        }
        if self.copy(cx, at, bytes).is_none() {
            return Progress::Broken;
        }
        self.have = self.have.saturating_add(len);
        if is_last {
            self.total = end;
        }
        if self.total == 0 || self.have < self.total {
            return Progress::Waiting;
        }
        Chain::new(PoolKind::Receive, &self.bufs, 0, self.total)
            .map_or(Progress::Broken, Progress::Complete)
    }

    /// Copies the fragment to its place. `None`: the pool is used up.
    fn copy(
        &mut self,
        cx: &mut Context<'_>,
        mut at: u32,
        bytes: impl Iterator<Item = BufRange>,
    ) -> Option<()> {
        for mut piece in bytes {
            while piece.len > 0 {
                let (place, offset) = (at / layout::RECEIVE_BUFFER, at % layout::RECEIVE_BUFFER);
                let here = piece.len.min(layout::RECEIVE_BUFFER - offset);
                let target = self.bufs.get_mut(usize::try_from(place).ok()?)?;
                if target.is_none() {
                    *target = cx.bufs.receive.alloc()?;
                }
                if !cx
                    .bufs
                    .receive
                    .copy(piece.buf, piece.at, *target, offset, here)
                {
                    return None;
                }
                (at, piece.at, piece.len) = (at + here, piece.at + here, piece.len - here);
            }
        }
        Some(())
    }

    /// Marks blocks `first..end` as arrived, if none or all of them have.
    fn mark(&mut self, first: u32, end: u32) -> Marked {
        let bit = |block: u32| Some((usize::try_from(block / 64).ok()?, 1u64 << (block % 64)));
        let come = (first..end)
            .filter_map(bit)
            .filter(|&(word, mask)| self.blocks.get(word).is_some_and(|word| word & mask != 0))
            .count();
        if come == 0 {
            for (word, mask) in (first..end).filter_map(bit) {
                if let Some(word) = self.blocks.get_mut(word) {
                    *word |= mask;
                }
            }
            return Marked::New;
        }
        let all = usize::try_from(end.saturating_sub(first)).is_ok_and(|all| come == all);
        if all {
            Marked::Repeated
        } else {
            Marked::Overlapping
        }
    }

    /// End of the last block that has come, bytes, rounded down to what is certain.
    fn highest(&self) -> u32 {
        let last = self
            .blocks
            .iter()
            .enumerate()
            .rev()
            .find(|(_, word)| **word != 0);
        last.map_or(0, |(index, word)| {
            let base = u32::try_from(index).unwrap_or(0) * 64;
            (base + 63 - word.leading_zeros()) * BLOCK
        })
    }

    /// Gives its buffers back.
    pub(super) fn release(&self, cx: &mut Context<'_>) {
        for buf in self.bufs.into_iter().filter(|buf| buf.is_some()) {
            cx.bufs.receive.release(buf);
        }
    }
}

enum Marked {
    New,
    Repeated,
    Overlapping,
}

/// Fragments start at multiples of this many bytes.
const BLOCK: u32 = 8;
/// Words of the bitmap: one bit for each block of the longest packet.
const BLOCK_WORDS: usize = 128;
