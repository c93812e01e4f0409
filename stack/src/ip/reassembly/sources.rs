//! Whose datagrams are half-assembled: a list for each sender, the oldest first. Senders share lists by keyed hash, as flows
//! do in stochastic fairness queueing (McKenney 1990), and as there whoever has most makes room.

use super::assembly::Assembly;
use crate::addr::Addr;
use crate::context::Context;
use crate::layout;
use crate::time::Instant;
use core::cmp::Reverse;
use core::ops::Range;
use region::{Array, Id, Region, RegionError, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What one sender, or several, have under way.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Source {
    pub(super) oldest: Id<Assembly>,
    newest: Id<Assembly>,
    /// When the oldest is given up.
    pub(super) deadline: Instant,
    /// Its [`Assembly::number`].
    first: u64,
    pub(super) datagrams: u32,
    /// Fragments that have come.
    pub(super) seen: u32,
}

impl Source {
    fn begin_with(&mut self, id: Id<Assembly>, oldest: Option<&Assembly>) {
        self.oldest = id;
        (self.deadline, self.first) = oldest.map_or((Instant::ZERO, 0), |oldest| {
            (oldest.deadline, oldest.number)
        });
    }
}

/// All senders: those of IPv4, then those of IPv6.
pub(super) struct Sources {
    lists: Array<Source>,
}

impl Sources {
    pub(super) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            lists: region.array(layout::FRAGMENT_SOURCES, 2 * SOURCES)?,
        })
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        self.lists.clear();
    }

    /// Where the list of `src` is.
    pub(super) fn place(cx: &Context<'_>, src: Addr) -> u32 {
        let hash = cx.global.hash_key.bytes(&[b"fragments", &src.octets()]);
        let place = u32::try_from(hash % u64::from(SOURCES)).unwrap_or(0);
        family(src.is_v4()).start + place
    }

    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Source> {
        self.lists.get_mut(place)
    }

    pub(super) fn get(&self, place: u32) -> Option<&Source> {
        self.lists.get(place)
    }

    pub(super) fn places(&self) -> Range<u32> {
        0..self.lists.len()
    }

    /// The oldest datagram of the sender that has most of them, in one family.
    pub(super) fn most(&self, is_v4: bool) -> Option<Id<Assembly>> {
        family(is_v4)
            .filter_map(|place| self.lists.get(place))
            .filter(|source| source.datagrams > 0)
            .max_by_key(|source| (source.datagrams, Reverse(source.first)))
            .map(|source| source.oldest)
    }

    /// Datagrams of one family.
    pub(super) fn datagrams(&self, is_v4: bool) -> u32 {
        family(is_v4)
            .filter_map(|place| self.lists.get(place))
            .map(|source| source.datagrams)
            .sum()
    }

    /// Appends a new datagram to the list of its sender.
    pub(super) fn append(&mut self, datagrams: &mut Table<Assembly>, id: Id<Assembly>) {
        let Some(mut new) = datagrams.get_mut(id) else {
            return;
        };
        let Some(source) = self.lists.get_mut(new.source) else {
            return;
        };
        let before = core::mem::replace(&mut source.newest, id);
        new.older = before;
        if source.datagrams == 0 {
            source.begin_with(id, Some(&new));
        }
        source.datagrams += 1;
        drop(new);
        if let Some(mut before) = datagrams.get_mut(before) {
            before.newer = id;
        }
    }

    /// Takes a datagram, which has left the table, out of its list.
    pub(super) fn withdraw(&mut self, datagrams: &mut Table<Assembly>, gone: &Assembly) {
        if let Some(mut older) = datagrams.get_mut(gone.older) {
            older.newer = gone.newer;
        }
        if let Some(mut newer) = datagrams.get_mut(gone.newer) {
            newer.older = gone.older;
        }
        let Some(source) = self.lists.get_mut(gone.source) else {
            return;
        };
        source.datagrams = source.datagrams.saturating_sub(1);
        if gone.newer.is_none() {
            source.newest = gone.older;
        }
        if gone.older.is_none() {
            source.begin_with(gone.newer, datagrams.get(gone.newer));
        }
    }
}

const fn family(is_v4: bool) -> Range<u32> {
    if is_v4 {
        0..SOURCES
    } else {
        SOURCES..2 * SOURCES
    }
}

/// Lists of each family.
const SOURCES: u32 = 256;
