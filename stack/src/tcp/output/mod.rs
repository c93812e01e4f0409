//! Making segments: what a flow sends when it is its turn.

pub(crate) mod ack;
mod burst;
mod emit;
mod pace;
mod plan;
pub(crate) mod reply;
mod retransmit;
pub(crate) mod syn_ack;
mod window;

use self::plan::Plan;
use super::connection::{Flags, Owed};
use super::state::State;
use super::tcp_sock::{TcpSock, with_tcp_sock};
use crate::frame::FrameSink;
use crate::ip::ResolvedRoute;
use crate::qdisc::{Next, Polled};
use crate::sock::SockId;
use crate::tcp::parts::Parts;

pub(crate) use self::emit::{PROTOCOL, TxContext, clock_of, head_bytes};
pub(crate) use self::retransmit::Rto;

/// The flow `id` has its turn: it sends one frame at most.
pub(crate) fn poll<S: FrameSink>(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    route: &ResolvedRoute,
    sink: &mut S,
) -> Polled {
    let mut tx = TxContext { route, sink };
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.poll(&mut tx)).unwrap_or(Polled {
        sent: 0,
        next: Next::Idle,
    })
}

impl TcpSock<'_, '_> {
    fn poll<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> Polled {
        match self.state() {
            State::Closed | State::Listen => Polled {
                sent: 0,
                next: Next::Idle,
            },
            State::SynSent | State::SynReceived => self.poll_handshake(tx),
            State::Open(_) => self.poll_open(tx),
        }
    }

    fn poll_handshake<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> Polled {
        let snd = &self.sock.tcp.snd;
        let mut next = Next::Idle;
        let sent = if snd.queue.is_empty() && snd.nxt == snd.iss {
            let sent = self.send_syn(tx);
            if sent == 0 {
                // The segment table is full, as below; no timer runs yet.
                next = Next::At(self.after_ns(FULL_RETRY_NS));
            }
            sent
        } else if snd.queue.first_lost().is_some() {
            self.resend_syn(tx)
        } else {
            self.send_owed(tx)
        };
        Polled { sent, next }
    }

    fn poll_open<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> Polled {
        let departure = self.sock.tcp.snd.departure;
        let is_paced = departure > self.cx.now;
        let mut next = Next::Idle;
        if self.state().may_transmit() {
            if let Some(sent) = self.send_probes(tx) {
                return Polled {
                    sent,
                    next: Next::Ready,
                };
            }
            if is_paced {
                next = if self.has_data_to_send() {
                    Next::At(departure)
                } else {
                    Next::Idle
                };
            } else if let Some(sent) = self.resend(tx) {
                return Polled {
                    sent,
                    next: Next::Ready,
                };
            } else {
                match self.plan() {
                    Plan::Send { len, fin } => {
                        if let Some(sent) = self.send_new(tx, len, fin) {
                            return Polled {
                                sent,
                                next: self.next_turn(),
                            };
                        }
                        // The segment table is full: acknowledgements of others will make room.
                        next = Next::At(self.after_ns(FULL_RETRY_NS));
                    }
                    Plan::Wait(until) => next = Next::At(until),
                    Plan::Nothing => {}
                }
                self.note_limits();
            }
        }
        Polled {
            sent: self.send_owed(tx),
            next,
        }
    }

    /// A probe or a pure ACK, if one is due.
    fn send_owed<S: FrameSink>(&mut self, tx: &mut TxContext<'_, S>) -> u32 {
        if self.sock.tcp.has(Flags::PROBE_PENDING) {
            self.conn().clear(Flags::PROBE_PENDING);
            return self.send_probe(tx);
        }
        if self
            .sock
            .tcp
            .ack
            .owed()
            .intersects(Owed::NOW | Owed::FORCED)
            && self.state() != State::SynSent
        {
            return self.send_ack(tx);
        }
        0
    }

    /// After new data: another turn if there is more, else none until something changes.
    fn next_turn(&mut self) -> Next {
        if self.has_data_to_send() {
            return Next::Ready;
        }
        self.note_limits();
        Next::Idle
    }

    /// Something lost, written or closed waits to leave.
    pub(crate) fn has_data_to_send(&self) -> bool {
        let snd = &self.sock.tcp.snd;
        snd.queue.first_lost().is_some() || snd.nxt.before(snd.written) || self.fin_is_unsent()
    }

    /// Our FIN is queued and has not been sent.
    pub(crate) fn fin_is_unsent(&self) -> bool {
        let snd = &self.sock.tcp.snd;
        self.state().is_fin_queued() && snd.nxt.at_or_before(snd.written)
    }
}

/// How long a flow waits for a place in a table that is full.
const FULL_RETRY_NS: u64 = 1_000_000;
