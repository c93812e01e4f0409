//! Connections after a member died that was inside.

use super::buffer::reassembly::OutOfOrder;
use super::buffer::receive::Run;
use super::buffer::send::SendChain;
use super::connection::{Connection, Deadlines, Flags};
use super::header;
use super::output::reply::Reply;
use super::request;
use super::segment::TxQueue;
use super::seq::Seq;
use super::state::State;
use super::store::Tcp;
use super::tcp_sock::with_tcp_sock;
use crate::addr::Endpoint;
use crate::bufs::Bufs;
use crate::config::Config;
use crate::context::Context;
use crate::error::Error;
use crate::list::List;
use crate::sock::{Sock, SockId};
use crate::tcp::parts::Parts;
use zerocopy::FromZeros;

/// A RST for the peer of a connection that was lost.
#[derive(Clone, Copy)]
pub(crate) struct Reset {
    local: Endpoint,
    remote: Endpoint,
    numbers: (Seq, Seq),
}

impl Reset {
    /// The RST of a connection whose record may be half changed. `None`: it tells nothing that the peer would believe. The
    /// peer then gets one when it sends something.
    pub(crate) fn of(sock: &Sock, config: &Config) -> Option<Self> {
        let Connection { snd, rcv, .. } = &sock.tcp;
        let (local, remote) = (sock.local, sock.remote);
        let is_plausible = sock.tcp.state().is_synchronized()
            && config.is_own(local.addr)
            && local.addr.is_v4() == remote.addr.is_v4()
            && local.port != 0
            && remote.port != 0
            && snd.una.at_or_before(snd.nxt)
            && snd.nxt.at_or_before(snd.written.add(1))
            && rcv.copied.at_or_before(rcv.nxt);
        is_plausible.then_some(Self {
            local,
            remote,
            numbers: (snd.nxt, rcv.nxt),
        })
    }

    /// Queues it.
    pub(crate) fn send(&self, cx: &mut Context<'_>) {
        cx.global.mib.tcp_out_rsts += 1;
        let flags = header::Flags::RST | header::Flags::ACK;
        Reply::bare(self.local, self.remote, self.numbers, flags).send(cx);
    }
}

impl Connection {
    /// Marks all that it holds. False: another connection holds some of it, too.
    pub(crate) fn mark(&self, tcp: &mut Tcp, bufs: &mut Bufs) -> bool {
        self.count_pins(bufs);
        self.snd.queue.mark(&mut tcp.tx_segs)
            && self.snd.chain.mark(&mut tcp.send(bufs))
            && self.rcv.queue.mark(&mut tcp.rx(bufs))
            && self.rcv.ahead.mark(&mut tcp.ahead(bufs))
    }

    /// Counts the buffers of its spans.
    pub(crate) fn count_pins(&self, bufs: &mut Bufs) {
        self.writing.count_holders(&mut bufs.send);
        self.reading.count_holders(&mut bufs.receive);
    }

    /// Nobody waits in its queues, as far as is known.
    pub(crate) fn forget_queues(&mut self) {
        let accept = &mut self.accept;
        (accept.head, accept.tail, accept.next) = (SockId::NONE, SockId::NONE, SockId::NONE);
        accept.requests = List::default();
        (accept.ready, accept.pending, accept.young) = (0, 0, 0);
    }

    /// Has something to send.
    pub(crate) fn is_owed_a_turn(&self) -> bool {
        let snd = &self.snd;
        let opens = matches!(self.state(), State::SynSent | State::SynReceived);
        let wants = [Flags::PROBE_PENDING, Flags::TAIL_PROBE, Flags::WINDOW_PROBE];
        (opens && snd.queue.is_empty())
            || snd.queue.first_lost().is_some()
            || snd.nxt.before(snd.written)
            || (self.state().is_fin_queued() && snd.nxt.at_or_before(snd.written))
            || self.ack.is_due()
            || wants.into_iter().any(|flag| self.has(flag))
    }
}

/// Ends a connection whose record or data cannot be believed. It holds nothing from here on; whoever uses it gets
/// `ECONNRESET`.
pub(crate) fn reset(sock: &mut Sock) {
    let conn = &mut sock.tcp;
    let was_open = conn.state().is_synchronized();
    conn.snd.chain = SendChain::default();
    conn.snd.queue = TxQueue::default();
    conn.loss.board.clear();
    conn.rcv.queue = Run::default();
    conn.rcv.ahead = OutOfOrder::default();
    conn.rcv.copied = conn.rcv.nxt;
    conn.due = Deadlines::new_zeroed();
    conn.forget_queues();
    conn.writing.forget_unfinished();
    conn.reading.forget_unfinished();
    conn.clear(Flags::WRITING | Flags::READING | Flags::NO_SPACE | Flags::READER_WAITS);
    conn.set_state(State::Closed);
    if was_open {
        conn.set(Flags::WAS_OPEN);
    }
    sock.set_error(Error::ConnectionReset);
}

/// Ends a connection that nobody has accepted, and tells its peer.
pub(crate) fn abort(parts: &mut Parts<'_, '_>, id: SockId) {
    with_tcp_sock(parts, id, |tcp_sock| {
        if tcp_sock.state() == State::Closed {
            tcp_sock.release();
        } else {
            tcp_sock.abort();
        }
    });
}

/// Links the half-open connections that were not being changed, have a listener, and have not become connections. The others
/// are dropped.
pub(crate) fn keep_requests(parts: &mut Parts<'_, '_>) {
    let key = parts.cx.global.hash_key;
    let most_ns = parts.cx.global.config.rto_max_ns();
    for slot in parts.tcp.requests.slots() {
        let Some((id, half)) = parts.tcp.requests.intact_at(slot) else {
            continue;
        };
        let ends = key.tuple(half.local, half.remote);
        if parts.tcp.find(parts.socks, &ends).is_some() {
            continue;
        }
        let Some(mut listener) = parts.socks.get_mut(half.listener) else {
            continue;
        };
        let requests = &mut parts.tcp.requests;
        if listener.tcp.state() == State::Listen && requests.keep(&key, id, &half) {
            request::enlist(&mut listener, requests, id, &half);
            let wait_ns = request::timer::wait_ns(&half).min(most_ns);
            requests.arm(id, parts.cx.now.plus_nanos(wait_ns));
        }
    }
    parts.tcp.requests.sweep();
}
