//! What happens when an acknowledgement does not come: the retransmission timeout (RFC 6298 §5).

use super::ack_work::AckWork;
use crate::config::Config;
use crate::tcp::congestion::{CongestionControl, INFINITE_SSTHRESH};
use crate::tcp::connection::Flags;
use crate::tcp::rtt::Rtt;
use crate::tcp::segment::Fate;
use crate::tcp::state::{HalfClose, State};
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

/// Retransmissions of an orphan where `net.ipv4.tcp_orphan_retries` is 0.
const ORPHAN_RETRIES: u8 = 8;
/// Timeouts of a thin stream that do not double (Linux: TCP_THIN_LINEAR_RETRIES).
const THIN_TIMEOUTS: u8 = 6;
/// Fewest packets in flight of a stream that is not thin.
const NOT_THIN: u32 = 4;

impl TcpSock<'_, '_> {
    /// Nothing was acknowledged for a whole timeout.
    pub(crate) fn retransmit_timer(&mut self) {
        if self.sock.tcp.snd.queue.is_empty() {
            self.conn().due.clear_transmit();
            return;
        }
        if self.is_peer_gone() {
            self.give_up();
            return;
        }
        self.cx.global.mib.tcp_timeouts += 1;
        let conn = self.conn();
        conn.stats.rto_count = conn.stats.rto_count.saturating_add(1);
        if conn.state().is_synchronized() {
            self.enter_loss();
        } else {
            self.lose_syn();
        }
        let now = self.cx.now;
        let conn = self.conn();
        conn.loss.retransmits = conn.loss.retransmits.saturating_add(1);
        if conn.loss.retrans_since == Instant::ZERO {
            conn.loss.retrans_since = now;
        }
        self.back_off();
        let conn = self.conn();
        // What recovery allows is sent at once, whatever pacing had in mind for the old flight.
        conn.snd.departure = conn.snd.departure.min(now);
        self.arm_retransmit();
        self.wake_output();
    }

    /// The next timeout is twice as long, unless the settings want it to stay (Linux:
    /// tcp_retransmit_timer).
    fn back_off(&mut self) {
        let config = self.cx.global.config;
        let state = self.state();
        let conn = self.conn();
        let rto_count = conn.stats.rto_count;
        let loss = &mut conn.loss;
        let has_lost = conn.window.ssthresh < INFINITE_SSTHRESH;
        let is_thin = loss.board.packets_out < NOT_THIN && has_lost;
        let may_stay = config.thin_linear_timeouts != 0 && loss.retransmits <= THIN_TIMEOUTS;
        if state == State::Open(HalfClose::Established) && is_thin && may_stay {
            loss.backoff = 0;
        } else if state != State::SynSent || rto_count > u32::from(config.syn_linear_timeouts) {
            loss.backoff = loss.backoff.saturating_add(1);
        }
    }

    /// Too many retransmissions (RFC 9293 §3.8.3: R2), or the user's timeout.
    fn is_peer_gone(&self) -> bool {
        let config = &self.cx.global.config;
        let conn = &self.sock.tcp;
        let user_ns = u64::from(conn.settings.user_timeout_ms) * 1_000_000;
        let since = conn.loss.retrans_since;
        if user_ns != 0 && since != Instant::ZERO && self.cx.now.nanos_since(since) >= user_ns {
            return true;
        }
        let retries = self.retries(config);
        if !conn.state().is_synchronized() {
            return conn.loss.retransmits >= retries;
        }
        // Linux counts time, not tries: as long as `retries` doublings from the least timeout take.
        user_ns == 0
            && conn.loss.retransmits > 0
            && self.cx.now.nanos_since(since) >= doubled(&conn.rtt, retries)
    }

    fn retries(&self, config: &Config) -> u8 {
        match self.state() {
            State::SynSent => {
                let settings = &self.sock.tcp.settings;
                settings
                    .syn_retries(config)
                    .saturating_add(config.syn_linear_timeouts)
            }
            State::SynReceived => config.synack_retries,
            State::Closed | State::Listen | State::Open(_) => {
                if self.is_orphan() {
                    orphan_retries(config)
                } else {
                    config.retries2
                }
            }
        }
    }

    /// A timeout shortened so that the time after which the peer counts as gone is not overslept: the user's timeout, or
    /// that of an orphan of which ICMP or ARP says that it cannot be reached (there Linux reverts the doubling, RFC 6069).
    pub(crate) fn within_patience(&self, rto_ns: u64) -> u64 {
        let conn = &self.sock.tcp;
        let user_ns = u64::from(conn.settings.user_timeout_ms) * 1_000_000;
        let patience_ns = if user_ns != 0 {
            user_ns
        } else if self.is_orphan() && conn.soft_error != 0 && conn.state().is_synchronized() {
            doubled(&conn.rtt, self.retries(&self.cx.global.config))
        } else {
            return rto_ns;
        };
        if conn.loss.retrans_since == Instant::ZERO {
            return rto_ns;
        }
        let past_ns = self.cx.now.nanos_since(conn.loss.retrans_since);
        let left_ns = patience_ns.saturating_sub(past_ns);
        rto_ns.min(left_ns.max(1_000_000))
    }

    fn lose_syn(&mut self) {
        let head = self.sock.tcp.snd.queue.head();
        let conn = &mut self.sock.tcp;
        conn.snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, head, Fate::Lost);
        (conn.loss.board.lost_out, conn.loss.board.retrans_out) = (1, 0);
        // RFC 5681 §3.1: a lost SYN or SYN-ACK starts with one segment.
        conn.window.cwnd = 1;
    }

    /// Everything that is out counts as lost, except what was sent within the last round trip
    /// (Linux: tcp_enter_loss).
    fn enter_loss(&mut self) {
        self.lose_all();
        let flight = self.flight();
        let is_frto_allowed = self.cx.global.config.frto != 0;
        let loss = &mut self.sock.tcp.loss;
        let timed_out = loss.on_timeout(&flight, is_frto_allowed);
        let view = self.cc_view_in(timed_out.from);
        let decision = self.sock.tcp.cc.on_rto(&view, timed_out.episode);
        self.apply(decision);
    }

    fn lose_all(&mut self) {
        let mut work = AckWork::new(&self.sock.tcp);
        let now = self.cx.now;
        let head = self.sock.tcp.snd.queue.head();
        let is_reneged = self
            .tcp
            .tx_segs
            .get(head)
            .is_some_and(|seg| seg.fate() == Fate::Sacked);
        if is_reneged {
            self.forget_sacks();
        }
        if !self.sock.tcp.has(Flags::SACK) {
            self.sock.tcp.loss.board.sacked_out = 0;
        }
        let mut id = head;
        while let Some(seg) = self.tcp.tx_segs.get(id).copied() {
            if seg.fate() == Fate::Lost {
                // To its place in the order of sequence numbers.
                let queue = &mut self.sock.tcp.snd.queue;
                queue.set_fate(&mut self.tcp.tx_segs, id, Fate::Lost);
            } else if id == head || !self.sock.tcp.loss.rack.is_recent(seg.sent_at, now) {
                self.mark_lost(id, &mut work);
            }
            id = seg.next;
        }
    }

    /// The peer dropped what it had reported (RFC 2018 §8): nothing of it can be relied on.
    fn forget_sacks(&mut self) {
        let mut id = self.sock.tcp.snd.queue.head();
        while let Some(seg) = self.tcp.tx_segs.get(id).copied() {
            if seg.fate() == Fate::Sacked {
                self.sock
                    .tcp
                    .snd
                    .queue
                    .set_fate(&mut self.tcp.tx_segs, id, Fate::InFlight);
            }
            id = seg.next;
        }
        self.sock.tcp.loss.board.sacked_out = 0;
        self.sock.tcp.loss.reneged_at = self.cx.now;
    }
}

pub(super) fn orphan_retries(config: &Config) -> u8 {
    match config.orphan_retries {
        0 => ORPHAN_RETRIES.min(config.retries2),
        most => most,
    }
}

/// Time that `times` doublings starting from the least timeout take, each at most the greatest
/// (Linux: tcp_model_timeout).
fn doubled(rtt: &Rtt, times: u8) -> u64 {
    let (first_ns, most_ns) = (rtt.rto_min_ns().max(1), rtt.rto_max_ns());
    let linear = u32::from(times).min((most_ns / first_ns).max(1).ilog2());
    let doubling = ((2u64 << linear) - 1) * first_ns;
    doubling + (u64::from(times) - u64::from(linear)) * most_ns
}
