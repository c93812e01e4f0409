//! Putting fragments together (RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5), in a bounded number of bounded datagrams.

use crate::addr::Addr;
use crate::context::Context;
use crate::frame::{Payload, PoolKind};
use crate::layout;
use crate::packet::{CHAIN_MAX, Chain};
use crate::time::Instant;
use core::time::Duration;
use region::{Array, BufId, Region, RegionError};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// A datagram of which some fragments have arrived. They are copied to their places in its buffers.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Assembly {
    src: Addr,
    dst: Addr,
    ident: u32,
    protocol: u8,
    in_use: u8,
    _pad: [u8; 2],
    /// Bytes of the whole; 0: the last fragment has not come.
    total: u32,
    /// Bytes that have come.
    have: u32,
    /// When it is given up.
    deadline: Instant,
    bufs: [BufId; CHAIN_MAX],
    /// One bit for each eight bytes that have come.
    blocks: [u64; BLOCK_WORDS],
}

/// What a packet's headers say about the fragment in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment {
    pub(super) src: Addr,
    pub(super) dst: Addr,
    pub(super) ident: u32,
    pub(super) protocol: u8,
    /// Where it starts in the datagram, bytes; a multiple of 8.
    pub(super) at: u16,
    /// Its bytes.
    pub(super) len: u16,
    /// Not the last.
    pub(super) more: bool,
    /// Most bytes that the whole datagram can have.
    pub(super) end_max: u32,
}

/// All half-assembled datagrams.
pub(super) struct Reassembly {
    slots: Array<Assembly>,
}

impl Reassembly {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            slots: region.array(layout::REASSEMBLY, DATAGRAMS)?,
        })
    }

    /// Takes one fragment. Gives the IP payload when it completes it; its buffers then belong to the caller.
    pub(super) fn add(
        &mut self,
        cx: &mut Context<'_>,
        fragment: &Fragment,
        bytes: impl Iterator<Item = Payload>,
    ) -> Option<Chain> {
        cx.global.mib.ip_reasm_reqds += 1;
        let place = self.find(fragment).or_else(|| self.start(cx, fragment))?;
        let assembly = self.slots.get_mut(place)?;
        match assembly.take(cx, fragment, bytes) {
            Progress::Waiting => None,
            Progress::Complete(chain) => {
                *assembly = Assembly::new_zeroed();
                cx.global.mib.ip_reasm_oks += 1;
                Some(chain)
            }
            Progress::Broken => {
                assembly.give_up(cx);
                None
            }
        }
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&mut self, cx: &mut Context<'_>) {
        if cx.now < cx.global.reassembly_due {
            return;
        }
        let mut next = Instant::FAR;
        for place in 0..self.slots.len() {
            let Some(assembly) = self
                .slots
                .get_mut(place)
                .filter(|assembly| assembly.in_use != 0)
            else {
                continue;
            };
            if assembly.deadline <= cx.now {
                assembly.give_up(cx);
            } else {
                next = next.min(assembly.deadline);
            }
        }
        cx.global.reassembly_due = next;
    }

    fn find(&self, fragment: &Fragment) -> Option<u32> {
        (0..self.slots.len()).find(|&place| {
            self.slots
                .get(place)
                .is_some_and(|assembly| assembly.matches(fragment))
        })
    }

    /// A free slot, or that of the oldest datagram.
    fn start(&mut self, cx: &mut Context<'_>, fragment: &Fragment) -> Option<u32> {
        let age = |assembly: &Assembly| {
            if assembly.in_use == 0 {
                Instant::ZERO
            } else {
                assembly.deadline
            }
        };
        let place = (0..self.slots.len()).min_by_key(|&place| self.slots.get(place).map(age))?;
        let assembly = self.slots.get_mut(place)?;
        if assembly.in_use != 0 {
            assembly.give_up(cx);
        }
        let patience = Duration::from_secs(cx.global.config.ipfrag_time_s.into());
        let deadline = cx.now + patience;
        *assembly = Assembly {
            src: fragment.src,
            dst: fragment.dst,
            ident: fragment.ident,
            protocol: fragment.protocol,
            in_use: 1,
            deadline,
            ..Assembly::new_zeroed()
        };
        cx.global.reassembly_due = cx.global.reassembly_due.min(deadline);
        Some(place)
    }
}

enum Progress {
    Waiting,
    Complete(Chain),
    Broken,
}

impl Assembly {
    fn matches(&self, of: &Fragment) -> bool {
        self.in_use != 0
            && (self.src, self.dst, self.ident, self.protocol)
                == (of.src, of.dst, of.ident, of.protocol)
    }

    fn take(
        &mut self,
        cx: &mut Context<'_>,
        fragment: &Fragment,
        bytes: impl Iterator<Item = Payload>,
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
        bytes: impl Iterator<Item = Payload>,
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

    fn give_up(&mut self, cx: &mut Context<'_>) {
        for buf in self.bufs.into_iter().filter(|buf| buf.is_some()) {
            cx.bufs.receive.release(buf);
        }
        *self = Self::new_zeroed();
        cx.global.mib.ip_reasm_fails += 1;
    }
}

enum Marked {
    New,
    Repeated,
    Overlapping,
}

/// Datagrams being put together at a time; the oldest makes room.
const DATAGRAMS: u32 = 64;
/// Fragments start at multiples of this many bytes.
const BLOCK: u32 = 8;
/// Words of the bitmap: one bit for each block of the longest packet.
const BLOCK_WORDS: usize = 128;
