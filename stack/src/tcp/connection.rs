//! The record of one TCP endpoint: connection or listener. Plain integers; the
//! parts are grouped by the code that works on them.

use super::buffer::reassembly::OutOfOrder;
use super::buffer::receive::Run;
use super::buffer::send::SendChain;
use super::congestion::{CcBlock, CongestionWindow};
use super::options::Scale;
use super::rate::RateState;
use super::recovery::Recovery;
use super::rtt::Rtt;
use super::segment::TxQueue;
use super::seq::Seq;
use super::settings::Settings;
use super::state::State;
use crate::list::List;
use crate::pins::Pins;
use crate::sock::SockId;
use crate::time::Instant;
use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Everything TCP knows about one endpoint. All-zero bytes are a closed one.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Connection {
    /// Congestion control: the algorithm that runs.
    pub(crate) cc: CcBlock,
    /// Congestion control: the window.
    pub(crate) window: CongestionWindow,
    /// Delivery rate estimator.
    pub(crate) rate: RateState,
    /// Round trip estimator.
    pub(crate) rtt: Rtt,
    /// Sending: RFC 9293's SND variables and the data behind them.
    pub(crate) snd: Sending,
    /// What is known of the fate of what was sent.
    pub(crate) loss: Recovery,
    /// Receiving: RFC 9293's RCV variables and the data behind them.
    pub(crate) rcv: Receiving,
    /// When to acknowledge.
    pub(crate) ack: Acking,
    /// Deadlines.
    pub(crate) due: Deadlines,
    /// A listener's queues, or a connection's place in one.
    pub(crate) accept: Accepting,
    /// Socket options.
    pub(crate) settings: Settings,
    /// Counters for `TCP_INFO`.
    pub(crate) stats: Stats,
    /// The span of who writes, and of who reads.
    pub(crate) writing: Pins,
    pub(crate) reading: Pins,
    flags: u32,
    state: u8,
    /// What ICMP said last, for when the connection is given up ([`crate::Error::code`]); 0: nothing.
    pub(crate) soft_error: u8,
    _pad: [u8; 2],
}

bitflags! {
    /// What holds of a connection.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Flags: u32 {
        /// Both sides sent SACK-permitted.
        const SACK = 1;
        /// Both sides sent timestamps.
        const TIMESTAMPS = 1 << 1;
        /// Both sides sent a window scale.
        const SCALING = 1 << 2;
        /// It counts as an orphan.
        const ORPHAN = 1 << 3;
        /// What is written into the span of the send chain counts.
        const WRITING = 1 << 4;
        /// What is read from the span of the receive queue counts.
        const READING = 1 << 5;
        /// A writer found no room, or another writer: tell it when it may go on.
        const NO_SPACE = 1 << 6;
        /// The last write asked to wait for more (`MSG_MORE`).
        const MORE = 1 << 7;
        /// The window, not the program, limited sending in this round.
        const CWND_LIMITED = 1 << 8;
        /// A FIN came out of order, at `rcv.fin`.
        const FIN_AHEAD = 1 << 10;
        /// The peer's FIN was taken.
        const FIN_RECEIVED = 1 << 11;
        /// It has been established: a failed opening is over.
        const WAS_OPEN = 1 << 13;
        /// A listener made it, and nobody has accepted it yet.
        const UNACCEPTED = 1 << 14;
        /// A keepalive has to go out.
        const PROBE_PENDING = 1 << 19;
        /// A tail loss probe may send one segment beyond the window.
        const TAIL_PROBE = 1 << 22;
        /// A zero-window probe has to go out.
        const WINDOW_PROBE = 1 << 25;
        /// A reader found another reader: tell it when it may go on.
        const READER_WAITS = 1 << 26;
        /// The window was full at the last attempt to send.
        const WINDOW_FULL = 1 << 24;
    }
}

impl Connection {
    /// The state; an impossible stored value reads as closed, which resets whoever talks to it.
    pub(crate) fn state(&self) -> State {
        State::from_byte(self.state).unwrap_or(State::Closed)
    }

    pub(crate) fn set_state(&mut self, state: State) {
        self.state = state.to_byte();
    }

    /// What holds of it.
    pub(crate) fn has(&self, flags: Flags) -> bool {
        Flags::from_bits_retain(self.flags).contains(flags)
    }

    pub(crate) fn set(&mut self, flags: Flags) {
        self.flags |= flags.bits();
    }

    pub(crate) fn clear(&mut self, flags: Flags) {
        self.flags &= !flags.bits();
    }

    /// It is one of the connections that no program holds, as they are counted.
    pub(crate) fn counts_as_orphan(&self) -> bool {
        self.has(Flags::ORPHAN)
    }

    /// It waits for `accept`.
    pub(crate) fn is_unaccepted(&self) -> bool {
        self.has(Flags::UNACCEPTED)
    }

    /// Somebody has a span of it: the record stays.
    pub(crate) const fn is_pinned(&self) -> bool {
        self.writing.is_held() || self.reading.is_held()
    }

    pub(crate) fn put(&mut self, flags: Flags, on: bool) {
        if on {
            self.set(flags)
        } else {
            self.clear(flags)
        }
    }
}

/// Sending side.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Sending {
    /// Where written bytes lie.
    pub(crate) chain: SendChain,
    /// What was sent and is not acknowledged.
    pub(crate) queue: TxQueue,
    /// When the last data segment left.
    pub(crate) last_sent: Instant,
    /// When pacing lets the next one leave.
    pub(crate) departure: Instant,
    /// Pacing rate, bytes per second; 0: not known yet, no pacing.
    pub(crate) pacing_rate: u64,
    /// Oldest number not acknowledged.
    pub(crate) una: Seq,
    /// Next number to send.
    pub(crate) nxt: Seq,
    /// Number after the last byte written; a FIN takes it.
    pub(crate) written: Seq,
    /// The first number.
    pub(crate) iss: Seq,
    /// Segment that moved the window last.
    pub(crate) wl1: Seq,
    /// Number after the last small segment Nagle let through (Minshall's rule).
    pub(crate) small_end: Seq,
    /// Window the peer offers, bytes.
    pub(crate) wnd: u32,
    /// Largest window it ever offered.
    pub(crate) wnd_max: u32,
    /// Payload bytes of a full segment, options taken off.
    pub(crate) mss: u16,
    /// What the peer's MSS option and the MTU allow, before options.
    pub(crate) mss_clamp: u16,
    /// Path MTU.
    pub(crate) mtu: u16,
    /// The peer's scale.
    pub(crate) scale: Scale,
    /// Fewest packets of a burst, as congestion control wants it; 0: by setting.
    pub(crate) min_burst: u8,
    /// When the oldest partial super-segment began to wait for company.
    pub(crate) held_since: Instant,
    /// When the program wrote last.
    pub(crate) written_at: Instant,
    /// Writes right after one another, up to now.
    pub(crate) streak: u64,
}

/// Receiving side.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Receiving {
    /// In order, not read.
    pub(crate) queue: Run,
    /// Beyond a gap.
    pub(crate) ahead: OutOfOrder,
    /// When `ts_recent` was set.
    pub(crate) ts_recent_at: Instant,
    /// Round trip as the receiver sees it, for tuning; 0: unknown.
    pub(crate) rtt_ns: u64,
    pub(crate) rtt_since: Instant,
    /// Tuning round: since when, and what was read in the last one.
    pub(crate) tune_since: Instant,
    pub(crate) tune_space: u64,
    /// Next number expected.
    pub(crate) nxt: Seq,
    /// Next byte the program reads.
    pub(crate) copied: Seq,
    /// `nxt` when the window was advertised last.
    pub(crate) wup: Seq,
    /// The peer's first number.
    pub(crate) irs: Seq,
    /// The FIN's number, if it came out of order.
    pub(crate) fin: Seq,
    /// `nxt` that ends a measured receiver round trip.
    pub(crate) rtt_end: Seq,
    /// `copied` when the tuning round began.
    pub(crate) tune_start: Seq,
    /// Window advertised last, bytes.
    pub(crate) wnd: u32,
    /// Most we ever advertise.
    pub(crate) clamp: u32,
    /// Most we advertise now; grows with what arrives in full segments.
    pub(crate) ssthresh: u32,
    /// Clock of the peer to give back.
    pub(crate) ts_recent: u32,
    /// Added to our clock.
    pub(crate) ts_offset: u32,
    /// A duplicate to report first (RFC 2883); equal: none.
    pub(crate) dup_start: Seq,
    pub(crate) dup_end: Seq,
    /// Payload bytes of the peer's full segments, estimated.
    pub(crate) mss: u16,
    /// MSS we announced.
    pub(crate) mss_announced: u16,
    /// Payload per buffer byte, of 256.
    pub(crate) fill: u8,
    /// Our scale.
    pub(crate) scale: Scale,
    _pad: [u8; 2],
}

/// Delayed acknowledgements, RFC 9293 §3.8.6.3 as in Linux.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Acking {
    /// When data came last.
    pub(crate) received_at: Instant,
    /// Estimated delay, ns; 0: not started.
    pub(crate) ato_ns: u64,
    /// When an out-of-window challenge was answered last.
    pub(crate) challenged_at: Instant,
    /// What is owed: bits of [`Owed`].
    owed: u8,
    /// Immediate ACKs left.
    pub(crate) quick: u8,
    /// The session is interactive: answers carry the ACKs.
    pub(crate) pingpong: u8,
    _pad: [u8; 5],
}

bitflags! {
    /// Acknowledgement owed to the peer.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Owed: u8 {
        /// Something arrived since the last ACK.
        const SCHEDULED = 1;
        /// It must go out with the next frame there is room for.
        const NOW = 2;
        /// The delayed-ACK timer runs for it.
        const TIMER = 4;
        /// A pure ACK though nothing new is owed: a challenge, a window update, an answer to a probe.
        const FORCED = 8;
        /// A segment below full size came: the sender may wait for this ACK.
        const PUSHED = 16;
        /// It waits a moment for what the program is about to send: its first data, or its own FIN.
        const SOON = 32;
    }
}

/// Answers in a row that make a session interactive (Linux: TCP_PINGPONG_THRESH).
pub(crate) const PINGPONG: u8 = 1;

impl Acking {
    pub(crate) fn owed(&self) -> Owed {
        Owed::from_bits_retain(self.owed)
    }

    pub(crate) fn owe(&mut self, owed: Owed) {
        self.owed |= owed.bits();
    }

    /// A segment below full size came since the last ACK.
    pub(crate) fn pushed(&self) -> bool {
        self.owed().contains(Owed::PUSHED)
    }

    /// One must go out with the next frame.
    pub(crate) fn is_due(&self) -> bool {
        self.owed().intersects(Owed::NOW | Owed::FORCED)
    }

    /// Answers carry the ACKs: delaying them pays.
    pub(crate) fn is_interactive(&self) -> bool {
        self.pingpong >= PINGPONG
    }

    pub(crate) fn forgive(&mut self, owed: Owed) {
        self.owed &= !owed.bits();
    }
}

/// Deadlines; the origin of the clock means "not set".
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Deadlines {
    /// Retransmission, reordering, tail probe, window probe or want of memory: one of them at a time.
    pub(crate) transmit: Instant,
    /// Delayed ACK.
    pub(crate) ack: Instant,
    /// Keepalive, or the end of an orphan.
    pub(crate) keep: Instant,
    transmit_kind: u8,
    _pad: [u8; 7],
}

/// What the transmit deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransmitTimer {
    /// Retransmission timeout, RFC 6298.
    Retransmit,
    /// RACK's reordering window ends, RFC 8985 §6.3.
    Reorder,
    /// Tail loss probe, RFC 8985 §7.
    TailProbe,
    /// Zero-window probe, RFC 9293 §3.8.6.1.
    WindowProbe,
    /// A writer was refused for want of memory while nothing is out whose ACK would call it back.
    Memory,
}

impl Deadlines {
    /// What the transmit deadline is for; `None`: it is not set.
    pub(crate) fn transmit_kind(&self) -> Option<TransmitTimer> {
        if self.transmit == Instant::ZERO {
            return None;
        }
        Some(match self.transmit_kind {
            1 => TransmitTimer::Reorder,
            2 => TransmitTimer::TailProbe,
            3 => TransmitTimer::WindowProbe,
            4 => TransmitTimer::Memory,
            _ => TransmitTimer::Retransmit,
        })
    }

    /// Sets the transmit deadline in place of what it was.
    pub(crate) fn set_transmit(&mut self, kind: TransmitTimer, at: Instant) {
        self.transmit = at;
        self.transmit_kind = match kind {
            TransmitTimer::Retransmit => 0,
            TransmitTimer::Reorder => 1,
            TransmitTimer::TailProbe => 2,
            TransmitTimer::WindowProbe => 3,
            TransmitTimer::Memory => 4,
        };
    }

    /// Unsets the transmit deadline.
    pub(crate) fn clear_transmit(&mut self) {
        self.transmit = Instant::ZERO;
    }

    /// The earliest of all.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        [self.transmit, self.ack, self.keep]
            .into_iter()
            .filter(|&at| at != Instant::ZERO)
            .min()
    }
}

/// A listener's queues, or an accepted connection's place in one.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Accepting {
    /// Listener: first and last connection that waits for `accept`. Connection: unused, next in the queue.
    pub(crate) head: SockId,
    pub(crate) tail: SockId,
    pub(crate) next: SockId,
    /// Half-open connections, in the order in which they came.
    pub(crate) requests: List,
    /// When a cookie was sent last; [`Instant::ZERO`]: never.
    pub(crate) cookies_at: Instant,
    /// Connections that wait for `accept`.
    pub(crate) ready: u32,
    /// Half-open connections, and those of them whose SYN-ACK went out once.
    pub(crate) pending: u32,
    pub(crate) young: u32,
    /// Most connections of either kind, less one.
    pub(crate) backlog: u32,
    /// Its flood was told of.
    pub(crate) is_flooded: u32,
    _pad: u32,
}

impl Accepting {
    /// No more connections may wait for `accept` (Linux: sk_acceptq_is_full).
    pub(crate) const fn is_full(&self) -> bool {
        self.ready > self.backlog
    }
}

/// Counters, as in RFC 4898 and `TCP_INFO`.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Stats {
    pub(crate) bytes_acked: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_retrans: u64,
    pub(crate) segs_out: u64,
    pub(crate) segs_in: u64,
    pub(crate) data_segs_out: u64,
    pub(crate) data_segs_in: u64,
    /// Time with data outstanding, limited by the peer's window, by the send buffer, ns.
    pub(crate) busy_ns: u64,
    pub(crate) rwnd_limited_ns: u64,
    pub(crate) sndbuf_limited_ns: u64,
    /// Since when the present one of the three runs, and which (see [`super::chrono`]).
    pub(crate) chrono_since: Instant,
    pub(crate) acked_at: Instant,
    pub(crate) total_retrans: u32,
    pub(crate) dsack_dups: u32,
    pub(crate) reord_seen: u32,
    pub(crate) rcv_ooopack: u32,
    pub(crate) rto_count: u32,
    pub(crate) chrono: u8,
    _pad: [u8; 3],
}
