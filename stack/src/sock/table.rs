//! The table of all endpoints.

use super::id::SockId;
use super::record::Sock;
use crate::layout;
use crate::walk::is_counted;
use region::{Entry, Id, Region, RegionError, Table};

/// Every endpoint of a stack.
pub(crate) struct Socks {
    table: Table<Sock>,
}

impl Socks {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            table: region.table(layout::SOCKS, layout::MAX_SOCKS)?,
        })
    }

    /// Stores an endpoint. `None`: the table is full.
    pub(crate) fn insert(&mut self, sock: Sock) -> Option<SockId> {
        self.table.insert(sock).map(named)
    }

    /// `None`: the id is stale.
    pub(crate) fn get(&self, id: SockId) -> Option<&Sock> {
        self.table.get(place(id))
    }

    /// `None`: the id is stale.
    pub(crate) fn get_mut(&mut self, id: SockId) -> Option<Entry<'_, Sock>> {
        self.table.get_mut(place(id))
    }

    /// Takes an endpoint out. `None`: the id is stale.
    pub(crate) fn remove(&mut self, id: SockId) -> Option<Sock> {
        self.table.remove(place(id))
    }

    /// The table knows how many endpoints it has.
    pub(crate) fn is_counted(&self) -> bool {
        is_counted(&self.table)
    }

    /// Slots that may have an endpoint, to go through while endpoints change.
    pub(crate) fn slots(&self) -> core::ops::Range<u32> {
        0..self.table.slots_used()
    }

    /// The endpoint in this slot.
    pub(crate) fn id_at(&self, slot: u32) -> Option<SockId> {
        self.table.id_at(slot).map(named)
    }

    /// See [`Table::unmark_all`].
    pub(crate) fn unmark_all(&mut self) {
        self.table.unmark_all();
    }

    /// See [`Table::is_busy`].
    pub(crate) fn is_busy(&self, id: SockId) -> bool {
        self.table.is_busy(place(id))
    }

    /// See [`Table::mark`].
    pub(crate) fn mark(&mut self, id: SockId) {
        self.table.mark(place(id));
    }

    /// See [`Table::sweep`].
    pub(crate) fn sweep(&mut self) {
        self.table.sweep();
    }

    /// Endpoints there are.
    pub(crate) fn len(&self) -> u32 {
        self.table.len()
    }

    /// All of them, by slot number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SockId, &Sock)> {
        self.table.iter().map(|(id, sock)| (named(id), sock))
    }
}

const fn place(id: SockId) -> Id<Sock> {
    Id::from_bits(id.to_bits())
}

const fn named(id: Id<Sock>) -> SockId {
    SockId::from_bits(id.to_bits())
}
