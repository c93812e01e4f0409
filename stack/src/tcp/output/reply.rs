//! Segments of no endpoint: resets, SYN-ACKs, and acknowledgements of what is half open or in TIME_WAIT.

use super::super::header::{Flags, Header};
use super::super::options::Options;
use super::{PROTOCOL, head_bytes};
use crate::addr::Endpoint;
use crate::context::Context;
use crate::packet::Packet;
use crate::tcp::input::Segment;
use crate::tcp::seq::Seq;
use crate::tcp::tcp_sock::TcpSock;

/// A segment without payload.
pub(crate) struct Reply {
    pub(crate) local: Endpoint,
    pub(crate) remote: Endpoint,
    pub(crate) seq: Seq,
    pub(crate) ack: Seq,
    pub(crate) flags: Flags,
    /// The window as it stands in the field.
    pub(crate) window: u16,
    pub(crate) options: Options,
    /// Time to live, or hop limit; 0: what the settings say.
    pub(crate) ttl: u8,
    /// Type of service, or traffic class.
    pub(crate) tos: u8,
}

impl Reply {
    /// One without options that belongs to no socket.
    pub(crate) fn bare(
        local: Endpoint,
        remote: Endpoint,
        (seq, ack): (Seq, Seq),
        flags: Flags,
    ) -> Self {
        Self {
            local,
            remote,
            seq,
            ack,
            flags,
            window: 0,
            options: Options::default(),
            ttl: 0,
            tos: 0,
        }
    }

    /// Queues it.
    pub(crate) fn send(&self, cx: &mut Context<'_>) {
        let header = Header {
            src_port: self.local.port,
            dst_port: self.remote.port,
            seq: self.seq,
            ack: self.ack,
            flags: self.flags,
            window: self.window,
        };
        let head = head_bytes(&header, &self.options);
        let Some(mut packet) = Packet::new(PROTOCOL, self.local, self.remote, &head) else {
            return;
        };
        (packet.ttl, packet.tos) = (self.ttl, self.tos);
        if cx.qdisc.queue(cx.packets, packet) {
            cx.global.mib.tcp_out_segs += 1;
        }
    }
}

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
    let (numbers, flags) = if segment.has(Flags::ACK) {
        ((segment.header.ack, Seq::default()), Flags::RST)
    } else {
        ((Seq::default(), segment.end()), Flags::RST | Flags::ACK)
    };
    cx.global.mib.tcp_out_rsts += 1;
    Reply::bare(local, remote, numbers, flags).send(cx);
}

impl TcpSock<'_, '_> {
    /// Resets the peer.
    pub(crate) fn send_reset(&mut self) {
        self.cx.global.mib.tcp_out_rsts += 1;
        let numbers = (self.ack_seq(), self.sock.tcp.rcv.nxt);
        let (local, remote) = (self.sock.local, self.sock.remote);
        Reply::bare(local, remote, numbers, Flags::RST | Flags::ACK).send(self.cx);
    }
}
