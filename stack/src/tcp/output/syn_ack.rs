//! Answers on behalf of half-open connections.

use super::clock_of;
use super::reply::Reply;
use crate::context::Context;
use crate::sock::Sock;
use crate::tcp::cookie;
use crate::tcp::header::Flags;
use crate::tcp::isn;
use crate::tcp::options::{Options, Timestamps};
use crate::tcp::request::Request;

/// Whether what is sent is all that is kept of the SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// There is a record.
    Record,
    /// The clock must hold the options ([`cookie`]).
    Nothing,
}

/// Sends the SYN-ACK, with the IP fields of its listener.
pub(crate) fn send(cx: &mut Context<'_>, listener: &Sock, request: &Request, kept: Kept) {
    let agreed = request.agreed();
    let clock = match kept {
        Kept::Record => clock_of(cx.now),
        Kept::Nothing => cookie::clock_with(clock_of(cx.now), &agreed),
    };
    let mut reply = answer(cx, listener, request, clock);
    reply.seq = request.iss;
    reply.flags = Flags::SYN | Flags::ACK;
    // A SYN's window is never scaled.
    reply.window = u16::try_from(request.offer.window).unwrap_or(u16::MAX);
    reply.options = Options {
        mss: Some(request.offer.mss),
        window_scale: agreed.window_scale.map(|_| request.offer.scale.get()),
        sack_permitted: agreed.sack_permitted,
        ..reply.options
    };
    reply.send(cx);
}

/// Sends an ACK that tells the peer where we stand (Linux: tcp_v4_reqsk_send_ack).
pub(crate) fn acknowledge(cx: &mut Context<'_>, listener: &Sock, request: &Request) {
    let clock = clock_of(cx.now);
    let mut reply = answer(cx, listener, request, clock);
    reply.window = request.offer.scale.field(request.offer.window);
    reply.send(cx);
}

fn answer(cx: &Context<'_>, listener: &Sock, request: &Request, clock: u32) -> Reply {
    let (local, remote) = (request.local, request.remote);
    let numbers = (request.iss.add(1), request.irs.add(1));
    let mut reply = Reply::bare(local, remote, numbers, Flags::ACK);
    (reply.ttl, reply.tos) = (listener.ttl, listener.tos);
    reply.options.timestamps = request.agreed().timestamps.map(|stamps| Timestamps {
        value: clock.wrapping_add(isn::clock_offset(cx.global, local, remote)),
        echo: stamps.value,
    });
    reply
}
