//! The stack and its doors.

use crate::bufs::Bufs;
use crate::caller::Caller;
use crate::config::Config;
use crate::context::Context;
use crate::egress;
use crate::events::Events;
use crate::frame::{FrameSink, PoolKind, RxFrame};
use crate::global::Global;
use crate::ingress::{self, Origin};
use crate::ip::output::Idents;
use crate::ip::{self, Ip};
use crate::layers::Layers;
use crate::layout;
use crate::loopback::Loopback;
use crate::mib::Mib;
use crate::packet::Packet;
use crate::ports::Ports;
use crate::qdisc::Qdisc;
use crate::sock::{Ready, SockId, Socks};
use crate::tcp::Tcp;
use crate::tcp::input::coalesce::Coalescer;
use crate::time::Instant;
use crate::timers::Timers;
use crate::udp::Udp;
use crate::upkeep;
use region::{Array, BufId, Buffers, Region, RegionError, Table};

/// A TCP/IP stack. A handle only: all its changing state lives in the region, so every member of a family has one.
pub struct Stack {
    pub(crate) socks: Socks,
    pub(crate) packets: Table<Packet>,
    pub(crate) bufs: Bufs,
    pub(crate) tcp: Tcp,
    pub(crate) udp: Udp,
    pub(crate) ip: Ip,
    pub(crate) qdisc: Qdisc,
    pub(crate) loopback: Loopback,
    pub(crate) idents: Idents,
    pub(crate) timers: Timers,
    pub(crate) events: Events,
    pub(crate) ports: Ports,
    pub(crate) global: Array<Global>,
}

impl Stack {
    /// A fresh stack in a region that has none, with tables and pools sized by `config`. It announces its addresses by a
    /// gratuitous ARP request (RFC 5227 section 2.3) and by neighbour advertisements (RFC 4861 section 7.2.6). `seed` feeds all its randomness.
    ///
    /// # Errors
    /// The region has no room for the tables, or has a stack already.
    pub fn create(
        region: &Region,
        config: &Config,
        now: Instant,
        seed: [u8; 32],
    ) -> Result<Self, RegionError> {
        let mut global = region.array::<Global>(layout::GLOBAL, 1)?;
        let slot = global.get_mut(0).ok_or(RegionError::Full)?;
        if slot.rng.is_started() {
            return Err(RegionError::Mismatch);
        }
        *slot = Global::new(config, seed);
        let mut stack = Self::open(region, global)?;
        announce(&mut stack.layers(now).cx);
        Ok(stack)
    }

    /// The stack that another member created in this region.
    ///
    /// # Errors
    /// The region has no stack, or one of another layout.
    pub fn attach(region: &Region) -> Result<Self, RegionError> {
        let global = region.array::<Global>(layout::GLOBAL, 1)?;
        if !global.get(0).is_some_and(|global| global.rng.is_started()) {
            return Err(RegionError::Unfinished);
        }
        Self::open(region, global)
    }

    fn open(region: &Region, global: Array<Global>) -> Result<Self, RegionError> {
        let config = &global_of(&global).built_with;
        Ok(Self {
            socks: Socks::open(region)?,
            packets: region.table(layout::PACKETS, layout::MAX_PACKETS)?,
            bufs: Bufs::open(region, config)?,
            tcp: Tcp::open(region, config)?,
            udp: Udp::open(region)?,
            ip: Ip::open(region)?,
            qdisc: Qdisc::open(region)?,
            loopback: Loopback::open(region)?,
            idents: Idents::open(region)?,
            timers: Timers::open(region)?,
            events: Events::open(region)?,
            ports: Ports::open(region)?,
            global,
        })
    }

    /// Names who calls from here on. What a caller has reserved is noted under its name, for [`Self::release_caller`].
    pub const fn set_caller(&mut self, caller: Caller) {
        self.bufs.caller = caller;
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        config_of(&self.global)
    }

    /// Changes the settings. Tables and pools keep the size they were made with; sockets keep what they copied.
    pub fn set_config(&mut self, config: &Config, now: Instant) {
        let cx = &mut self.layers(now).cx;
        let before = &cx.global.config;
        let moved =
            (before.addr, before.addr6, before.mac) != (config.addr, config.addr6, config.mac);
        cx.global.config = *config;
        if moved {
            announce(cx);
        }
    }

    /// The Ethernet address of another station that has one of the own addresses, once (RFC 5227 section 2.4, RFC 4862 section 5.4).
    pub fn take_conflict(&mut self) -> Option<[u8; 6]> {
        let global = self.global.get_mut(0).expect(GLOBAL_IS_THERE);
        global.take_conflict()
    }

    /// The counters.
    #[must_use]
    pub fn mib(&self) -> &Mib {
        &global_of(&self.global).mib
    }

    /// A frame arrived. Takes over one count of each of its buffers. What does not fit anywhere is dropped and counted.
    pub fn handle_frame(&mut self, now: Instant, frame: RxFrame<'_>) {
        self.handle_frames(now, [frame]);
    }

    /// Frames arrived together, as by [`Self::handle_frame`]. Consecutive segments of one connection are taken in as one.
    pub fn handle_frames<'f>(
        &mut self,
        now: Instant,
        frames: impl IntoIterator<Item = RxFrame<'f>>,
    ) {
        let mut coalescer = Coalescer::default();
        let mut layers = self.layers(now);
        layers.coalescer = Some(&mut coalescer);
        let mut frames = frames.into_iter().peekable();
        while let Some(frame) = frames.next() {
            if let Some(coalescer) = &mut layers.coalescer {
                coalescer.more_follow = frames.peek().is_some();
            }
            ingress::handle(&mut layers, &frame, Origin::Device);
            for &buf in frame.bufs {
                layers.cx.bufs.receive.release(buf);
            }
        }
        let (mut tcp, coalescer) = layers.tcp_and_coalescer();
        if let Some(coalescer) = coalescer {
            coalescer.finish(&mut tcp);
        }
    }

    /// Runs every timer due at or before `now`. Calling early or twice is harmless.
    pub fn handle_timeout(&mut self, now: Instant) {
        upkeep::run(&mut self.layers(now));
    }

    /// Hands one frame to `sink`. False: nothing may be sent yet, or the sink is full, or what is sent next goes to the stack
    /// itself. Then [`Self::transmit_pending`] says so, and the next call takes it in.
    #[must_use]
    pub fn poll_transmit(&mut self, now: Instant, sink: &mut impl FrameSink) -> bool {
        let layers = &mut self.layers(now);
        ingress::take_looped(layers);
        egress::transmit(layers, sink)
    }

    /// When [`Self::handle_timeout`] or [`Self::poll_transmit`] must next run. May change after any other call. What may
    /// be sent at once has no deadline: see [`Self::transmit_pending`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let global = global_of(&self.global);
        let due = self
            .timers
            .next()
            .unwrap_or(Instant::FAR)
            .min(self.qdisc.next_departure().unwrap_or(Instant::FAR))
            .min(self.tcp.requests.next_due().unwrap_or(Instant::FAR))
            .min(self.idle_look_due())
            .min(global.neighbours_due)
            .min(global.reassembly_due);
        (due < Instant::FAR).then_some(due)
    }

    /// When idle memory is to be looked for: never while there is little of it.
    fn idle_look_due(&self) -> Instant {
        if self.bufs.is_slack() {
            global_of(&self.global).idle_look_at
        } else {
            Instant::FAR
        }
    }

    /// Something may be sent, or taken in that the stack has sent to itself, right now.
    #[must_use]
    pub fn transmit_pending(&self) -> bool {
        self.qdisc.has_work() || !self.loopback.is_empty()
    }

    /// The device no longer reads this buffer of a sent frame.
    pub fn release_sent(&mut self, pool: PoolKind, buf: BufId) {
        self.bufs.release(pool, buf);
    }

    /// A receive buffer for the device to fill. `None`: the pool is used up.
    pub fn alloc_receive(&mut self) -> Option<BufId> {
        self.bufs.receive.alloc()
    }

    /// Gives back a receive buffer that the device did not fill.
    pub fn release_receive(&mut self, buf: BufId) {
        self.bufs.receive.release(buf);
    }

    /// The pool of receive buffers.
    #[must_use]
    pub const fn receive_buffers(&self) -> &Buffers {
        &self.bufs.receive
    }

    /// The pool of send blocks.
    #[must_use]
    pub const fn send_buffers(&self) -> &Buffers {
        &self.bufs.send
    }

    /// The next endpoint with news: its id, its tag and the readiness edges since it was last popped.
    pub fn pop_event(&mut self) -> Option<(SockId, u64, Ready)> {
        self.events.pop(&mut self.socks)
    }

    /// Connections and listeners that still need a stack running: orphans with something to send count, TIME_WAIT does not.
    #[must_use]
    pub fn live_connections(&self) -> u32 {
        global_of(&self.global).live
    }

    /// What is neither table nor queue.
    pub(crate) fn global_record(&self) -> &Global {
        global_of(&self.global)
    }

    /// Connections that no program holds.
    pub(crate) fn orphans(&self) -> u32 {
        global_of(&self.global).orphans
    }

    /// The stack taken apart, so that its layers can be borrowed one by one.
    pub(crate) fn layers(&mut self, now: Instant) -> Layers<'_> {
        let Self {
            socks,
            packets,
            bufs,
            tcp,
            udp,
            ip,
            qdisc,
            loopback,
            idents,
            timers,
            events,
            ports,
            global,
        } = self;
        let global = global.get_mut(0).expect(GLOBAL_IS_THERE);
        Layers {
            socks,
            tcp,
            udp,
            ip,
            coalescer: None,
            cx: Context {
                now,
                bufs,
                packets,
                qdisc,
                loopback,
                idents,
                timers,
                events,
                ports,
                global,
            },
        }
    }
}

/// Asks whether another station has the own address, and tells everybody that it is here.
fn announce(cx: &mut Context<'_>) {
    ip::arp::probe(cx);
    ip::arp::announce(cx);
    ip::nd::announce(cx);
}

fn global_of(global: &Array<Global>) -> &Global {
    global.get(0).expect(GLOBAL_IS_THERE)
}

fn config_of(global: &Array<Global>) -> &Config {
    &global_of(global).config
}

/// The array was made with one element in the same call that made the handle.
const GLOBAL_IS_THERE: &str = "the global record exists as long as the stack";
