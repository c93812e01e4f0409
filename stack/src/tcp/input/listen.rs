//! Segments for listeners: RFC 9293 §3.10.7.2.

use super::{Segment, cookie, flood};
use crate::config::Config;
use crate::index::Tuple;
use crate::sock::SockId;
use crate::tcp::header;
use crate::tcp::isn::initial_seq;
use crate::tcp::offer::{Offer, Scaling};
use crate::tcp::options::Options;
use crate::tcp::output::syn_ack::{self, Kept};
use crate::tcp::parts::Parts;
use crate::tcp::request::{self, Request};
use crate::tcp::rtt::RTO_INITIAL_NS;
use crate::tcp::seq::Seq;
use crate::tcp::state::State;

/// Most listeners that share a port by `SO_REUSEPORT` and are chosen among.
const SHARERS_MAX: usize = 64;
/// The value of `net.ipv4.tcp_syncookies` that keeps nothing of any SYN.
const COOKIES_ALWAYS: u8 = 2;

/// A segment that belongs to no connection. `iss`: the first number a connection that takes over a
/// TIME_WAIT must use. `false`: nobody listens, or the segment calls for a reset.
pub(super) fn receive(
    parts: &mut Parts<'_, '_>,
    ends: &Tuple,
    segment: &Segment<'_>,
    iss: Option<Seq>,
) -> bool {
    let Some(listener) = find(parts, ends) else {
        return false;
    };
    let has = |flags| segment.has(flags);
    if has(header::Flags::RST) {
        return true;
    }
    if has(header::Flags::ACK) {
        return !has(header::Flags::SYN) && cookie::complete(parts, listener, ends, segment);
    }
    if has(header::Flags::SYN) && !has(header::Flags::FIN) {
        open(parts, listener, ends, segment, iss);
    }
    true
}

/// The listener for a port: one bound to the address before one bound to all; of several that share
/// the port, one by the hash of the ends.
pub(crate) fn find(parts: &Parts<'_, '_>, ends: &Tuple) -> Option<SockId> {
    let local = ends.local;
    let key = &parts.cx.global.hash_key;
    let fits = |id: &SockId, is_exact: bool| {
        parts.socks.get(*id).is_some_and(|sock| {
            sock.local.port == local.port
                && sock.local.addr.is_unspecified() != is_exact
                && sock.hears(local.addr)
                && sock.tcp.state() == State::Listen
        })
    };
    [true, false].into_iter().find_map(|is_exact| {
        let candidates = || {
            parts
                .tcp
                .listeners
                .candidates(key.port(local.port))
                .filter(|id| fits(id, is_exact))
        };
        let count = candidates().take(SHARERS_MAX).count();
        let chosen = (ends.hash as usize).checked_rem(count)?;
        candidates().nth(chosen)
    })
}

/// A SYN: it is answered if there is room for one more half-open connection, or else by a cookie (Linux:
/// tcp_conn_request).
fn open(
    parts: &mut Parts<'_, '_>,
    listener: SockId,
    ends: &Tuple,
    segment: &Segment<'_>,
    iss: Option<Seq>,
) {
    let Some(sock) = parts.socks.get(listener) else {
        return;
    };
    let config = &parts.cx.global.config;
    let accept = &sock.tcp.accept;
    if accept.is_full() {
        let mib = &mut parts.cx.global.mib;
        mib.tcp_listen_overflows += 1;
        mib.tcp_listen_drops += 1;
        return;
    }
    let is_crowded = accept.pending > accept.backlog || accept.pending >= config.max_syn_backlog;
    // A connection that takes over a TIME_WAIT has its first number already.
    let may_keep = iss.is_some()
        || (config.syncookies != COOKIES_ALWAYS && (!is_crowded || make_room(parts, listener)));
    let Some(request) = request_of(parts, listener, ends, segment) else {
        return;
    };
    if !(may_keep && keep(parts, request, iss)) {
        cookie::send(parts, request);
    }
}

/// Frees the place of the oldest half-open connection: where cookies do better, only of one that has not answered for a
/// whole timeout.
fn make_room(parts: &mut Parts<'_, '_>, listener: SockId) -> bool {
    let Some(oldest) = request::oldest(parts, listener) else {
        return false;
    };
    let requests = &parts.tcp.requests;
    let may_give_way = requests.get(oldest).is_some_and(Request::may_give_way);
    if !may_give_way && parts.cx.global.config.syncookies != 0 {
        return false;
    }
    flood::warn(parts, listener, "dropping the oldest requests");
    parts.cx.global.mib.tcp_req_q_full_drop += 1;
    parts.cx.global.mib.tcp_listen_drops += 1;
    request::forget(parts, oldest);
    true
}

/// What a SYN asks for and what we answer, but for our first number.
fn request_of(
    parts: &Parts<'_, '_>,
    listener: SockId,
    ends: &Tuple,
    segment: &Segment<'_>,
) -> Option<Request> {
    let sock = parts.socks.get(listener)?;
    let global = &parts.cx.global;
    let agreed = agree(&global.config, &segment.options);
    let offer = Offer::of(sock, &global.config, ends.remote, Scaling::of(&agreed));
    let window = segment.header.window;
    let mut request = Request::new(ends, segment.seq(), &agreed, window, offer);
    request.listener = listener;
    Some(request)
}

/// The options of a SYN that the settings allow, too.
fn agree(config: &Config, options: &Options) -> Options {
    Options {
        mss: options.mss,
        window_scale: options.window_scale.filter(|_| config.window_scaling != 0),
        sack_permitted: options.sack_permitted && config.sack != 0,
        timestamps: options.timestamps.filter(|_| config.timestamps != 0),
        ..Options::default()
    }
}

/// Answers a SYN and keeps a record of it. `false`: there is no room.
fn keep(parts: &mut Parts<'_, '_>, mut request: Request, iss: Option<Seq>) -> bool {
    let now = parts.cx.now;
    let (local, remote) = (request.local, request.remote);
    request.iss = iss.unwrap_or_else(|| initial_seq(parts.cx.global, now, local, remote));
    request.sent_at = now;
    let Some(id) = request::add(parts, request) else {
        return false;
    };
    let timeout_ns = RTO_INITIAL_NS.min(parts.cx.global.config.rto_max_ns());
    parts.tcp.requests.arm(id, now.plus_nanos(timeout_ns));
    if let Some(sock) = parts.socks.get(request.listener) {
        syn_ack::send(parts.cx, sock, &request, Kept::Record);
    }
    true
}
