//! What protocol code borrows of the stack while it works.

use crate::config::Config;
use crate::egress::Egress;
use crate::error::Error;
use crate::events::Events;
use crate::frame::PoolKind;
use crate::global::Global;
use crate::ip::Ip;
use crate::layout;
use crate::packet::Packet;
use crate::ports::Ports;
use crate::sock::{Ready, Sock, SockId};
use crate::tcp::Tcp;
use crate::tcp::input::coalesce::Coalescer;
use crate::time::Instant;
use crate::timers::Timers;
use crate::udp::Udp;
use region::{BufId, Buffers, Region, RegionError, Table};

/// Both buffer pools.
pub(crate) struct Bufs {
    /// 64 KiB send blocks.
    pub(crate) send: Buffers,
    /// 4 KiB receive buffers.
    pub(crate) receive: Buffers,
}

impl Bufs {
    /// Pools whose maximum follows `tcp_mem`'s high mark, plus slack for the device and for UDP.
    pub(crate) fn open(region: &Region, config: &Config) -> Result<Self, RegionError> {
        let pages = u32::try_from(config.tcp_mem[2]).unwrap_or(u32::MAX);
        let send = (pages / (layout::SEND_BLOCK / PAGE)).saturating_add(layout::SEND_SLACK);
        let receive = pages.saturating_add(layout::RECEIVE_SLACK);
        Ok(Self {
            send: region.buffers(layout::SEND_POOL, layout::SEND_BLOCK, send)?,
            receive: region.buffers(layout::RECEIVE_POOL, layout::RECEIVE_BUFFER, receive)?,
        })
    }

    /// The pool of that kind.
    pub(crate) const fn pool(&self, kind: PoolKind) -> &Buffers {
        match kind {
            PoolKind::Send => &self.send,
            PoolKind::Receive => &self.receive,
        }
    }

    /// The pool of that kind.
    pub(crate) const fn pool_mut(&mut self, kind: PoolKind) -> &mut Buffers {
        match kind {
            PoolKind::Send => &mut self.send,
            PoolKind::Receive => &mut self.receive,
        }
    }

    /// Some pool holds much more memory than it uses.
    pub(crate) fn is_slack(&self) -> bool {
        self.send.is_slack() || self.receive.is_slack()
    }

    /// Gives memory that was idle since the last call to the system, a bounded amount. False: there may be more of it.
    pub(crate) fn give_back_idle(&mut self) -> bool {
        // Each of them on its own: both are looked at.
        self.send.give_back_idle(GIVE_BACK_MAX) & self.receive.give_back_idle(GIVE_BACK_MAX)
    }

    /// Gives back one count of a buffer.
    pub(crate) fn release(&mut self, kind: PoolKind, buf: BufId) {
        self.pool_mut(kind).release(buf);
    }
}

/// Everything that protocol code may touch beside its own tables and the table of endpoints.
pub(crate) struct Context<'a> {
    /// The time of this call.
    pub(crate) now: Instant,
    /// Buffer pools.
    pub(crate) bufs: &'a mut Bufs,
    /// IP packets waiting to leave or to be read.
    pub(crate) packets: &'a mut Table<Packet>,
    /// What is to be sent.
    pub(crate) egress: &'a mut Egress,
    /// Deadlines.
    pub(crate) timers: &'a mut Timers,
    /// News for the program.
    pub(crate) events: &'a mut Events,
    /// Local ports.
    pub(crate) ports: &'a mut Ports,
    /// Settings, counters, randomness.
    pub(crate) global: &'a mut Global,
}

impl Context<'_> {
    /// Leaves `error` on an endpoint and tells the program.
    pub(crate) fn fail(&mut self, id: SockId, sock: &mut Sock, error: Error) {
        sock.set_error(error);
        self.events
            .raise(id, sock, Ready::ERR | Ready::IN | Ready::OUT);
    }
}

/// A stack taken apart: each field can be borrowed on its own.
pub(crate) struct Parts<'a> {
    /// Every endpoint.
    pub(crate) socks: &'a mut Table<Sock>,
    /// TCP's tables.
    pub(crate) tcp: &'a mut Tcp,
    /// UDP's tables.
    pub(crate) udp: &'a mut Udp,
    /// Neighbours and reassembly.
    pub(crate) ip: &'a mut Ip,
    /// Segments of the burst that is coming in; `None`: each is taken in alone.
    pub(crate) coalescer: Option<&'a mut Coalescer>,
    /// The rest.
    pub(crate) cx: Context<'a>,
}

/// Chunks of 256 KiB that a pool gives back in one go: some 0.2 ms under the lock.
const GIVE_BACK_MAX: u32 = 8;
/// Bytes of a page in `tcp_mem`.
const PAGE: u32 = 4096;
