//! Segments that belong to no record: resets, and acknowledgements of what is in TIME_WAIT.

use super::super::header::{Flags, Header};
use super::super::options::Options;
use super::{PROTOCOL, head_bytes};
use crate::addr::Endpoint;
use crate::context::Context;
use crate::packet::Packet;
use crate::tcp::flow::Flow;
use crate::tcp::input::Segment;
use crate::tcp::seq::Seq;

/// Answers a segment for which there is no connection (RFC 9293 §3.10.7.1). Never answers a RST.
pub(crate) fn reset_stranger(
    cx: &mut Context<'_>,
    local: Endpoint,
    remote: Endpoint,
    segment: &Segment<'_>,
) {
    if segment.has(Flags::RST) {
        return;
    }
    let (seq, ack, flags) = if segment.has(Flags::ACK) {
        (segment.header.ack, Seq::default(), Flags::RST)
    } else {
        (Seq::default(), segment.end(), Flags::RST | Flags::ACK)
    };
    cx.global.mib.tcp_out_rsts += 1;
    let header = Header {
        src_port: local.port,
        dst_port: remote.port,
        seq,
        ack,
        flags,
        window: 0,
    };
    send(cx, local, remote, &header, &Options::default());
}

/// Queues a segment without payload.
pub(crate) fn send(
    cx: &mut Context<'_>,
    local: Endpoint,
    remote: Endpoint,
    header: &Header,
    options: &Options,
) {
    let head = head_bytes(header, options);
    let queued = Packet::new(PROTOCOL, local, remote, &head)
        .is_some_and(|packet| cx.egress.queue(cx.packets, packet));
    if queued {
        cx.global.mib.tcp_out_segs += 1;
    }
}

impl Flow<'_, '_> {
    /// Resets the peer.
    pub(crate) fn send_reset(&mut self) {
        self.cx.global.mib.tcp_out_rsts += 1;
        let header = Header {
            src_port: self.sock.local.port,
            dst_port: self.sock.remote.port,
            seq: self.ack_seq(),
            ack: self.sock.tcp.rcv.nxt,
            flags: Flags::RST | Flags::ACK,
            window: 0,
        };
        send(
            self.cx,
            self.sock.local,
            self.sock.remote,
            &header,
            &Options::default(),
        );
    }
}
