//! What happens when an acknowledgement does not come: retransmission timeout (RFC 6298 §5), the
//! reorder timer and tail loss probe (RFC 8985 §6.3, §7), window probes (RFC 9293 §3.8.6.1).

use super::AckWork;
use crate::config::Config;
use crate::tcp::congestion::{CaState, CongestionControl, Episode, INFINITE_SSTHRESH};
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::flow::Flow;
use crate::tcp::rtt::Rtt;
use crate::tcp::segment::Fate;
use crate::tcp::state::{HalfClose, State};
use crate::time::Instant;

/// Retransmissions of an orphan where `net.ipv4.tcp_orphan_retries` is 0.
const ORPHAN_RETRIES: u8 = 8;
/// Timeouts of a thin stream that do not double (Linux: TCP_THIN_LINEAR_RETRIES).
const THIN_TIMEOUTS: u8 = 6;
/// Fewest packets in flight of a stream that is not thin.
const NOT_THIN: u32 = 4;

impl Flow<'_, '_> {
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
        let is_thin = loss.packets_out < NOT_THIN && loss.ssthresh < INFINITE_SSTHRESH;
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
        (conn.loss.lost_out, conn.loss.retrans_out) = (1, 0);
        // RFC 5681 §3.1: a lost SYN or SYN-ACK starts with one segment.
        conn.loss.cwnd = 1;
    }

    /// Everything that is out counts as lost, except what was sent within the last round trip
    /// (Linux: tcp_enter_loss).
    fn enter_loss(&mut self) {
        let conn = &self.sock.tcp;
        let state = conn.loss.ca_state();
        let is_new_recovery = state < CaState::Recovery;
        let is_new = state <= CaState::Disorder
            || conn.loss.high_seq.at_or_before(conn.snd.una)
            || (state == CaState::Loss && conn.loss.retransmits == 0);
        let had_retransmits = conn.loss.retransmits > 0;
        self.lose_all();
        if is_new {
            let prior = self.current_ssthresh();
            let loss = &mut self.sock.tcp.loss;
            loss.prior_ssthresh = prior;
            loss.prior_cwnd = loss.cwnd;
        }
        let view = self.cc_view();
        let episode = if is_new { Episode::New } else { Episode::Same };
        let decision = self.sock.tcp.cc.on_rto(&view, episode);
        self.apply(decision);
        if is_new {
            self.begin_undo();
        }
        self.set_ca_state(CaState::Loss);
        let frto = self.cx.global.config.frto;
        let conn = self.conn();
        conn.loss.high_seq = conn.snd.nxt;
        conn.loss.probing = 0;
        conn.put(
            Flags::FRTO,
            frto != 0 && (is_new_recovery || had_retransmits),
        );
    }

    fn lose_all(&mut self) {
        let mut work = AckWork::new(&self.sock.tcp);
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
            self.sock.tcp.loss.sacked_out = 0;
        }
        let mut id = head;
        while let Some(seg) = self.tcp.tx_segs.get(id).copied() {
            if seg.fate() == Fate::Lost {
                // To its place in the order of sequence numbers.
                let queue = &mut self.sock.tcp.snd.queue;
                queue.set_fate(&mut self.tcp.tx_segs, id, Fate::Lost);
            } else if id == head || !self.is_recent(seg.sent_at) {
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
        self.sock.tcp.loss.sacked_out = 0;
        self.sock.tcp.loss.reneged_at = self.cx.now;
    }

    /// The reordering window of something is over.
    pub(crate) fn reorder_timer(&mut self) {
        let mut work = AckWork::new(&self.sock.tcp);
        self.conn().due.clear_transmit();
        let wait = self.rack_mark(&mut work);
        if self.sock.tcp.loss.lost_out > 0 && self.sock.tcp.loss.ca_state() < CaState::Recovery {
            self.enter_recovery();
        }
        if work.lost > 0 && !self.controls_recovery() {
            // One segment leaves even if no delivery is there to clock it out.
            let loss = &mut self.sock.tcp.loss;
            loss.cwnd = loss.cwnd.max(loss.in_flight() + 1);
        }
        match wait {
            Some(wait) => {
                let at = self.after_ns(wait);
                self.conn().due.set_transmit(TransmitTimer::Reorder, at);
            }
            None => self.arm_retransmit_from_head(),
        }
        self.wake_output();
    }

    /// A tail loss probe: new data if there is some, else the newest segment again.
    pub(crate) fn tail_probe_timer(&mut self) {
        self.conn().due.clear_transmit();
        let snd = &self.sock.tcp.snd;
        if snd.queue.is_empty() {
            return;
        }
        let nxt = snd.nxt;
        let window = snd.una.add(snd.wnd).saturating_distance(nxt);
        let has_new = snd.written.saturating_distance(nxt) > 0 && window >= u32::from(snd.mss);
        self.cx.global.mib.tcp_loss_probes += 1;
        let conn = self.conn();
        conn.loss.probing = 1;
        conn.loss.probe_high = nxt;
        conn.snd.departure = Instant::ZERO;
        if has_new {
            conn.clear(Flags::PROBE_RESENT);
            conn.set(Flags::TAIL_PROBE);
        } else {
            conn.set(Flags::PROBE_RESENT);
            self.resend_tail();
        }
        self.arm_retransmit();
        self.wake_output();
    }

    /// The last packet of the newest segment will be sent again, outside of recovery's counts.
    fn resend_tail(&mut self) {
        let tail = self.sock.tcp.snd.queue.tail();
        let Some(seg) = self.tcp.tx_segs.get(tail) else {
            return;
        };
        let mss = u32::from(seg.mss).max(1);
        let before = seg.len.saturating_sub(1) / mss * mss;
        let id = self
            .sock
            .tcp
            .snd
            .queue
            .split(&mut self.tcp.tx(), tail, before)
            .unwrap_or(tail);
        self.sock.tcp.loss.probe_seg = id;
    }

    /// An ACK that tells what became of a tail loss probe (RFC 8985 §7.4.2).
    pub(crate) fn take_probe_ack(&mut self, work: &AckWork) {
        let conn = &mut self.sock.tcp;
        if conn.loss.probing == 0 || conn.snd.una.before(conn.loss.probe_high) {
            return;
        }
        let is_beyond = conn.snd.una.after(conn.loss.probe_high);
        if !conn.has(Flags::PROBE_RESENT) || work.is_dsack {
            conn.loss.probing = 0;
        } else if is_beyond {
            // The probe repaired a loss: the window is reduced once.
            conn.loss.probing = 0;
            self.begin_reduction();
            self.set_ca_state(CaState::Cwr);
            self.end_reduction();
            self.keep_open();
        } else if !work.is_advance && work.sacked == 0 {
            conn.loss.probing = 0;
        }
    }

    /// Something waits and nothing is out whose ACK would set it going: the window is closed, or a
    /// cork was forgotten. Probes (Linux: tcp_check_probe_timer).
    pub(crate) fn check_window_probe(&mut self) {
        let conn = &self.sock.tcp;
        let snd = &conn.snd;
        let is_probing = conn.due.transmit_kind() == Some(TransmitTimer::WindowProbe);
        let waits = self.state().may_transmit()
            && snd.queue.is_empty()
            && (snd.nxt.before(snd.written) || self.fin_is_unsent());
        if waits == is_probing {
            return;
        }
        let conn = self.conn();
        conn.loss.backoff = 0;
        conn.loss.retrans_since = Instant::ZERO;
        if waits {
            self.arm_window_probe();
        } else {
            conn.due.clear_transmit();
        }
    }

    fn arm_window_probe(&mut self) {
        let conn = &self.sock.tcp;
        let wait = conn.rtt.rto_after_ns(conn.loss.backoff);
        let wait = wait.max(conn.rtt.rto_min_ns());
        let at = self.after_ns(wait);
        self.conn().due.set_transmit(TransmitTimer::WindowProbe, at);
    }

    /// A peer that keeps its window closed may answer probes for ever. An orphan waits for it only until the pauses between
    /// them are as long as they get (Linux: tcp_probe_timer).
    fn is_orphan_stuck(&self) -> bool {
        let conn = &self.sock.tcp;
        let most = orphan_retries(&self.cx.global.config);
        let is_slow = conn.rtt.rto_after_ns(conn.loss.backoff) >= conn.rtt.rto_max_ns();
        self.is_orphan() && is_slow && conn.loss.backoff >= most
    }

    pub(crate) fn window_probe_timer(&mut self) {
        let config = &self.cx.global.config;
        let most = if self.is_orphan() {
            orphan_retries(config)
        } else {
            config.retries2
        };
        let is_stuck = self.is_orphan_stuck();
        let now = self.cx.now;
        let conn = self.conn();
        conn.due.clear_transmit();
        if conn.loss.retrans_since == Instant::ZERO {
            conn.loss.retrans_since = now;
        }
        let user_ns = u64::from(conn.settings.user_timeout_ms) * 1_000_000;
        let probed = now.nanos_since(conn.loss.retrans_since);
        let is_over = if user_ns != 0 {
            probed >= user_ns
        } else {
            conn.loss.probes >= most || is_stuck
        };
        if is_over {
            self.give_up();
            return;
        }
        let conn = self.conn();
        conn.loss.probes = conn.loss.probes.saturating_add(1);
        conn.loss.backoff = conn.loss.backoff.saturating_add(1);
        conn.set(Flags::WINDOW_PROBE);
        self.arm_window_probe();
        self.wake_output();
    }
}

fn orphan_retries(config: &Config) -> u8 {
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
