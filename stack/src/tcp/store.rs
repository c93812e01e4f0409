//! TCP's own tables in the region.

use super::buffer::memory::Memory;
use super::buffer::reassembly::{OooStore, RxRange};
use super::buffer::receive::{RxSeg, RxStore};
use super::buffer::send::{SendBlock, SendStore};
use super::request::Requests;
use super::segment::{TxSeg, TxStore};
use super::time_wait::TimeWaits;
use crate::bufs::Bufs;
use crate::config::Config;
use crate::index::{Index, Tuple};
use crate::layout::{self, TCP_FIRST};
use crate::sock::{OfSock, SockId, Socks};
use region::{Array, Region, RegionError, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Tables of TCP; all their changing state lives in the region.
pub(crate) struct Tcp {
    pub(crate) tx_segs: Table<TxSeg>,
    pub(crate) blocks: Table<SendBlock>,
    pub(crate) rx_segs: Table<RxSeg>,
    pub(crate) ranges: Table<RxRange>,
    pub(crate) time_wait: TimeWaits,
    /// Half-open connections.
    pub(crate) requests: Requests,
    /// Connections by both ends.
    pub(crate) connections: Index<OfSock>,
    /// Listeners by port.
    pub(crate) listeners: Index<OfSock>,
    shared: Array<Shared>,
}

/// State of all connections together.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Shared {
    /// Against `tcp_mem`.
    pub(crate) memory: Memory,
    /// Second in which challenge ACKs are being counted, and how many may still go (RFC 5961 §7).
    pub(crate) challenge_second: u64,
    pub(crate) challenges_left: u64,
}

impl Tcp {
    /// Creates or attaches the tables; the same calls in every member.
    pub(crate) fn open(region: &Region, config: &Config) -> Result<Self, RegionError> {
        let pages = u32::try_from(config.tcp_mem[2])
            .unwrap_or(u32::MAX)
            .min(PAGES_MAX);
        let blocks = pages / PAGES_PER_BLOCK + layout::SEND_SLACK;
        // A segment of the smallest useful size for each quarter page; super-segments need far fewer.
        let segs = pages.saturating_mul(4).saturating_add(layout::MAX_SOCKS);
        Ok(Self {
            tx_segs: region.table(TCP_FIRST, segs)?,
            blocks: region.table(TCP_FIRST + 1, blocks)?,
            rx_segs: region.table(TCP_FIRST + 2, pages.saturating_add(layout::RECEIVE_SLACK))?,
            ranges: region.table(TCP_FIRST + 3, pages.saturating_add(layout::RECEIVE_SLACK))?,
            connections: Index::open(region, TCP_FIRST + 4, layout::MAX_SOCKS)?,
            listeners: Index::open(region, TCP_FIRST + 5, layout::MAX_SOCKS)?,
            shared: region.array(TCP_FIRST + 6, 1)?,
            time_wait: TimeWaits::open(region, TCP_FIRST + 7, config.max_tw_buckets)?,
            requests: Requests::open(region, TCP_FIRST + 10)?,
        })
    }

    /// Begins a repair: nothing is marked or indexed.
    pub(crate) fn begin_repair(&mut self) {
        self.tx_segs.unmark_all();
        self.blocks.unmark_all();
        self.rx_segs.unmark_all();
        self.ranges.unmark_all();
        self.requests.begin_repair();
        self.connections.clear();
        self.listeners.clear();
    }

    /// Frees the data that is not marked.
    pub(crate) fn sweep(&mut self) {
        self.tx_segs.sweep();
        self.blocks.sweep();
        self.rx_segs.sweep();
        self.ranges.sweep();
    }

    /// State of all connections together. `None` only if the region is damaged.
    pub(crate) fn shared(&mut self) -> Option<&mut Shared> {
        self.shared.get_mut(0)
    }

    /// Memory in use.
    pub(crate) fn memory(&self) -> Memory {
        self.shared
            .get(0)
            .map_or_else(Memory::default, |shared| shared.memory)
    }

    pub(crate) fn tx(&mut self) -> TxStore<'_> {
        TxStore {
            segs: &mut self.tx_segs,
            blocks: &self.blocks,
        }
    }

    pub(crate) fn send<'a>(&'a mut self, bufs: &'a mut Bufs) -> SendStore<'a> {
        SendStore {
            blocks: &mut self.blocks,
            buffers: &mut bufs.send,
        }
    }

    pub(crate) fn rx<'a>(&'a mut self, bufs: &'a mut Bufs) -> RxStore<'a> {
        RxStore {
            segs: &mut self.rx_segs,
            buffers: &mut bufs.receive,
        }
    }

    pub(crate) fn ahead<'a>(&'a mut self, bufs: &'a mut Bufs) -> OooStore<'a> {
        OooStore {
            ranges: &mut self.ranges,
            segs: &mut self.rx_segs,
            buffers: &mut bufs.receive,
        }
    }

    /// The connection between two ends.
    pub(crate) fn find(&self, socks: &Socks, tuple: &Tuple) -> Option<SockId> {
        self.connections.candidates(tuple.hash).find_map(|id| {
            let sock = socks.get(id)?;
            let is_it = sock.local == tuple.local && sock.remote == tuple.remote;
            is_it.then_some(id)
        })
    }
}

/// Pages of 4096 bytes in one send block.
const PAGES_PER_BLOCK: u32 = 16;
/// Keeps table sizes within 32 bits.
const PAGES_MAX: u32 = 1 << 26;
