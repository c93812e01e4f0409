//! What ICMP and ARP say about the way to a peer (RFC 1122 §4.2.3.9, RFC 5927, RFC 1191).

use super::recovery::AckWork;
use super::request;
use super::segment::TxSegId;
use super::seq::Seq;
use super::state::State;
use super::tcp_sock::{TcpSock, with_tcp_sock};
use crate::index::Tuple;
use crate::ip::{IcmpError, Trouble};
use crate::tcp::parts::Parts;

/// Smallest path MTU believed (`net.ipv4.route.min_pmtu`).
const PATH_MTU_MIN: u16 = 552;

/// News about the connection between two ends.
pub(crate) fn handle(parts: &mut Parts<'_, '_>, news: &IcmpError) {
    let tuple = parts.cx.global.hash_key.tuple(news.local, news.remote);
    let Some(id) = parts.tcp.find(parts.socks, &tuple) else {
        take_half_open(parts, news, &tuple);
        return;
    };
    with_tcp_sock(parts, id, |tcp_sock| {
        // RFC 5927 §4.1: about something that is out, or it was made up.
        let is_ours = news.seq.is_none_or(|seq| tcp_sock.is_out(Seq::new(seq)));
        if is_ours {
            tcp_sock.take_trouble(news.what);
        }
    });
}

/// A SYN-ACK cannot arrive: the half-open connection is given up (Linux: tcp_req_err).
fn take_half_open(parts: &mut Parts<'_, '_>, news: &IcmpError, tuple: &Tuple) {
    let Some(id) = parts.tcp.requests.find(tuple) else {
        return;
    };
    let is_ours = parts
        .tcp
        .requests
        .get(id)
        .is_some_and(|request| news.seq.is_none_or(|seq| Seq::new(seq) == request.iss));
    if is_ours && matches!(news.what, Trouble::Unreachable { .. }) {
        parts.cx.global.mib.tcp_listen_drops += 1;
        request::forget(parts, id);
    }
}

impl TcpSock<'_, '_> {
    fn is_out(&self, seq: Seq) -> bool {
        let snd = &self.sock.tcp.snd;
        seq.within(snd.una, snd.nxt)
    }

    fn take_trouble(&mut self, what: Trouble) {
        match what {
            Trouble::Unreachable { error, fatal } => {
                let is_opening = matches!(self.state(), State::SynSent | State::SynReceived);
                if is_opening && (fatal || self.sock.tcp.loss.retransmits > 0) {
                    self.fail(error);
                } else {
                    self.sock.tcp.soft_error = error.code();
                }
            }
            Trouble::PathMtu(mtu) => self.shrink_mtu(mtu.max(PATH_MTU_MIN)),
        }
    }

    /// Packets are too long for the path: what is out is cut anew and sent again.
    fn shrink_mtu(&mut self, mtu: u16) {
        if mtu >= self.sock.tcp.snd.mtu || !self.state().is_synchronized() {
            return;
        }
        self.sock.tcp.snd.mtu = mtu;
        self.sync_mss();
        let mss = self.sock.tcp.snd.mss;
        let mut work = AckWork::new(&self.sock.tcp);
        let mut id = self.sock.tcp.snd.queue.head();
        while let Some(next) = self.lose_if_longer(id, mss, &mut work) {
            id = next;
        }
        if work.lost > 0 {
            let conn = self.conn();
            conn.loss.enter_loss_without_congestion(conn.snd.nxt);
        }
        self.wake_output();
    }

    fn lose_if_longer(&mut self, id: TxSegId, mss: u16, work: &mut AckWork) -> Option<TxSegId> {
        let seg = *self.tcp.tx_segs.get(id)?;
        if seg.mss > mss && seg.len > u32::from(mss) {
            self.mark_lost(id, work);
        }
        Some(seg.next)
    }
}
