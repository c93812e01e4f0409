//! The acknowledgement field, the window, and what follows from them: RFC 9293 §3.10.7.4 fifth,
//! RFC 5961 §5.

use super::Segment;
use crate::sock::Ready;
use crate::tcp::connection::{Flags, TransmitTimer};
use crate::tcp::output::Rto;
use crate::tcp::recovery::AckWork;
use crate::tcp::seq::Seq;
use crate::tcp::state::{HalfClose, State};
use crate::tcp::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// An old ACK says nothing about the window; its SACK blocks may still be news.
    pub(super) fn take_old_ack(&mut self, segment: &Segment<'_>) {
        if self.sock.tcp.has(Flags::SACK) && !segment.options.sack.is_empty() {
            let mut work = AckWork::new(&self.sock.tcp);
            self.take_sack(&segment.options.sack, segment.header.ack, &mut work);
            self.conclude(&mut work);
        }
    }

    /// Takes a current acknowledgement. `false`: the connection ended.
    pub(super) fn take_ack(&mut self, segment: &Segment<'_>) -> bool {
        let ack = segment.header.ack;
        let una = self.sock.tcp.snd.una;
        let mut work = AckWork::new(&self.sock.tcp);
        work.echo = self.clock_of(segment).map(|stamps| stamps.echo);
        work.is_advance = ack.after(una);
        let is_update = self.take_window(segment);
        let had_data_out = !self.sock.tcp.snd.queue.is_empty();
        if self.sock.tcp.has(Flags::SACK) && !segment.options.sack.is_empty() {
            self.take_sack(&segment.options.sack, ack, &mut work);
        }
        work.is_duplicate = !work.is_advance
            && !is_update
            && segment.len == 0
            && had_data_out
            && segment.end() == segment.seq();
        self.sock.tcp.loss.probes = 0;
        self.sock.tcp.stats.acked_at = self.cx.now;
        let was_writable = self.is_writable();
        if work.is_advance {
            self.advance(ack, &mut work);
        }
        self.note_reordering(&work);
        self.conclude(&mut work);
        // A writer may have been refused for want of memory though its own buffer had room.
        if !was_writable || (work.is_advance && self.sock.tcp.has(Flags::NO_SPACE)) {
            self.tell_writable();
        }
        self.after_ack(&work)
    }

    /// The window field (RFC 9293 §3.10.7.4). `true`: it changed.
    fn take_window(&mut self, segment: &Segment<'_>) -> bool {
        if !self.moves_window(segment) {
            return false;
        }
        let snd = &mut self.sock.tcp.snd;
        let window = snd.scale.window(segment.header.window);
        snd.wl1 = segment.seq();
        if window == snd.wnd {
            return false;
        }
        snd.wnd = window;
        snd.wnd_max = snd.wnd_max.max(window);
        true
    }

    fn advance(&mut self, ack: Seq, work: &mut AckWork) {
        let conn = &mut self.sock.tcp;
        let bytes = ack.distance(conn.snd.una);
        conn.snd.una = ack;
        conn.stats.bytes_acked += u64::from(bytes);
        conn.loss.retransmits = 0;
        self.clean(ack, work);
        let is_writing = self.sock.tcp.has(Flags::WRITING);
        self.free_acknowledged(is_writing);
        let conn = &mut self.sock.tcp;
        if conn.snd.queue.is_empty() {
            conn.loss.board.clear();
        }
    }

    /// Loss detection, round trip, congestion control, timers.
    fn conclude(&mut self, work: &mut AckWork) {
        let rtt = self.take_rtt(work);
        self.take_probe_ack(work);
        if self.is_dubious(work) {
            self.alert(work);
        } else {
            self.conn().loss.rack.take_advanced();
        }
        if work.delivered() > 0 || work.lost > 0 {
            self.control(work, rtt);
        }
        self.rearm_after_ack(work);
    }

    fn rearm_after_ack(&mut self, work: &AckWork) {
        let conn = &self.sock.tcp;
        if conn.snd.queue.is_empty() {
            let kind = conn.due.transmit_kind();
            if kind != Some(TransmitTimer::WindowProbe) && kind != Some(TransmitTimer::Memory) {
                self.conn().due.clear_transmit();
            }
        } else if work.delivered() > 0 && !work.is_timer_set && !self.arm_tail_probe(Rto::FromNow) {
            self.arm_retransmit();
        }
        self.check_window_probe();
    }

    /// State changes by acknowledgement, room for the program, more to send. `false`: it ended.
    fn after_ack(&mut self, work: &AckWork) -> bool {
        if work.is_fin_acked
            && let State::Open(half) = self.state()
        {
            match half {
                HalfClose::FinWait1 => self.enter_fin_wait_2(),
                HalfClose::Closing => {
                    self.enter_time_wait();
                    return false;
                }
                HalfClose::LastAck => {
                    self.done();
                    return false;
                }
                HalfClose::Established | HalfClose::FinWait2 | HalfClose::CloseWait => {}
            }
        }
        self.note_chrono();
        if self.has_data_to_send() {
            self.wake_output();
        }
        true
    }

    /// Room has come free: grows the buffer if the flow outgrew it, and tells a writer once there is
    /// enough (Linux: tcp_new_space, sk_stream_write_space).
    fn tell_writable(&mut self) {
        let conn = &self.sock.tcp;
        if conn.loss.in_flight() < conn.window.cwnd && !self.memory().is_pressed() {
            self.expand_send_buffer();
        }
        if self.is_writable() {
            self.conn().clear(Flags::NO_SPACE);
            self.raise(Ready::OUT);
        }
    }
}
