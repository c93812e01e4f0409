//! Taking segments in: to the connection, half-open connection, TIME_WAIT record or listener they are for, or a reset.
//!
//! Judge, then believe. A segment for a connection is taken apart in this order (RFC 9293 §3.10.7.4), and nothing but counters
//! changes before the last step of judging:
//!
//! 1. `segment`: header and options are well-formed;
//! 2. `judge`: its clock did not go back (PAWS, RFC 7323 §5.3);
//! 3. `judge`: it lies in the receive window;
//! 4. `judge`: a RST has exactly the next number, or is challenged (RFC 5961 §3);
//! 5. `judge`: a SYN is challenged (RFC 5961 §4);
//! 6. `judge`: the ACK field is at most a window old and acknowledges nothing that was not sent (RFC 5961 §5);
//! 7. `open`: its clock is remembered, to be echoed;
//! 8. `ack`: acknowledgement, SACK blocks (each judged in `recovery::sack`), window;
//! 9. `data`: payload and FIN, cut to the window.

mod ack;
mod answer;
pub(crate) mod child;
pub(crate) mod coalesce;
mod cookie;
mod data;
mod flood;
mod handshake;
mod judge;
pub(crate) mod listen;
mod open;
mod request;
mod segment;
mod tune;

pub(crate) use self::request::repeat as repeat_syn_ack;
use self::segment::Head;
pub(crate) use self::segment::Segment;

use super::output::reply;
use super::state::State;
use super::tcp_sock::{TcpSock, with_tcp_sock};
use super::time_wait::Verdict;
use crate::addr::Endpoint;
use crate::ip::Arrival;
use crate::tcp::parts::Parts;

/// A segment has arrived, or a row of them, checksums verified. `head`: its header, `None` if that is malformed.
fn handle(parts: &mut Parts<'_, '_>, head: Option<&Head<'_>>, arrival: &Arrival<'_>) {
    let Some(segment) = head.and_then(|head| Segment::new(head, arrival)) else {
        parts.cx.global.mib.tcp_in_errs += 1;
        return;
    };
    parts.cx.global.mib.tcp_in_segs += u64::from(segment.packets);
    let local = Endpoint::new(arrival.dst, segment.header.dst_port);
    let remote = Endpoint::new(arrival.src, segment.header.src_port);
    let ends = parts.cx.global.hash_key.tuple(local, remote);
    if let Some(id) = parts.tcp.find(parts.socks, &ends) {
        with_tcp_sock(parts, id, |tcp_sock| tcp_sock.receive(&segment));
        return;
    }
    if let Some(id) = parts.tcp.requests.find(&ends) {
        request::receive(parts, id, &segment);
        return;
    }
    let iss = match super::time_wait::receive(parts, &ends, &segment) {
        Verdict::Taken => return,
        Verdict::Unknown => None,
        Verdict::Reopen if listen::find(parts, &ends).is_some() => {
            super::time_wait::take_over(parts, &ends)
        }
        Verdict::Reopen => {
            super::time_wait::answer(parts, &ends, &segment);
            return;
        }
    };
    if !listen::receive(parts, &ends, &segment, iss) {
        reply::reset_stranger(parts.cx, local, remote, &segment);
    }
}

impl TcpSock<'_, '_> {
    fn receive(&mut self, segment: &Segment<'_>) {
        let conn = self.conn();
        conn.stats.segs_in += u64::from(segment.packets);
        if segment.len > 0 {
            conn.stats.data_segs_in += u64::from(segment.packets);
        }
        match self.state() {
            State::SynSent => self.receive_in_syn_sent(segment),
            State::SynReceived | State::Open(_) => self.receive_open(segment),
            // Neither is in the index of connections.
            State::Closed | State::Listen => {}
        }
    }
}
