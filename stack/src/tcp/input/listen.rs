//! Segments for listeners: RFC 9293 §3.10.7.2.

use super::Segment;
use crate::addr::Endpoint;
use crate::context::Parts;
use crate::sock::{SockFlags, SockId, SockKind};
use crate::tcp::connection::{Connection, Flags};
use crate::tcp::flow::with_flow;
use crate::tcp::header;
use crate::tcp::seq::Seq;
use crate::tcp::state::State;

/// Most listeners that share a port by `SO_REUSEPORT` and are chosen among.
const SHARERS_MAX: usize = 64;

/// A segment that belongs to no connection. `iss`: the first number a connection that takes over a
/// TIME_WAIT must use. `false`: nobody listens, or the segment calls for a reset.
pub(super) fn receive(
    parts: &mut Parts<'_>,
    (local, remote): (Endpoint, Endpoint),
    segment: &Segment<'_>,
    iss: Option<Seq>,
) -> bool {
    let Some(listener) = find(parts, local, remote) else {
        return false;
    };
    if segment.has(header::Flags::RST) {
        return true;
    }
    if segment.has(header::Flags::ACK) {
        return false;
    }
    if segment.has(header::Flags::SYN) && !segment.has(header::Flags::FIN) {
        open(parts, listener, (local, remote), segment, iss);
    }
    true
}

/// The listener for a port: one bound to the address before one bound to all; of several that share
/// the port, one by the hash of the ends.
fn find(parts: &Parts<'_>, local: Endpoint, remote: Endpoint) -> Option<SockId> {
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
        let chosen = (key.tuple(local, remote) as usize).checked_rem(count)?;
        candidates().nth(chosen)
    })
}

/// A SYN: makes a child and sends a SYN-ACK, if the listener's queues have room.
fn open(
    parts: &mut Parts<'_>,
    listener: SockId,
    (local, remote): (Endpoint, Endpoint),
    segment: &Segment<'_>,
    iss: Option<Seq>,
) {
    let mib = &mut parts.cx.global.mib;
    let Some(mut entry) = parts.socks.get_mut(listener) else {
        return;
    };
    let accept = &mut entry.tcp.accept;
    let most = parts.cx.global.config.max_syn_backlog;
    if accept.ready > accept.backlog
        || accept.embryonic > accept.backlog
        || accept.embryonic >= most
    {
        mib.tcp_listen_overflows += 1;
        mib.tcp_listen_drops += 1;
        return;
    }
    accept.embryonic += 1;
    let mut child = *entry;
    let config = &parts.cx.global.config;
    let kind = child.tcp.cc.kind();
    let settings = child.tcp.settings;
    child.port_hold = parts
        .cx
        .ports
        .inherit(SockKind::Stream, local.port, child.port_hold);
    drop(entry);
    child.tcp = Connection::new(config, kind);
    child.tcp.settings = settings;
    child.tcp.accept.listener = listener;
    child.tcp.set(Flags::PASSIVE);
    (child.local, child.remote) = (local, remote);
    (child.tag, child.pending_edges) = (0, 0);
    child.set(SockFlags::ORPHAN, false);
    let Some(id) = parts.socks.insert(child) else {
        parts
            .cx
            .ports
            .release(SockKind::Stream, local.port, child.port_hold);
        forget(parts, listener);
        return;
    };
    let is_found = with_flow(parts, id, |flow| {
        flow.prepare(iss);
        flow.agree(&segment.options, segment.seq(), segment.header.window);
        let is_found = flow.hash();
        if is_found {
            flow.conn().set_state(State::SynReceived);
            flow.cx.global.live += 1;
            flow.wake_output();
        } else {
            flow.release();
        }
        is_found
    });
    if is_found != Some(true) {
        forget(parts, listener);
    }
}

/// As many children as the listener of `child` asked for wait for `accept` already.
pub(super) fn is_full(parts: &Parts<'_>, child: SockId) -> bool {
    let listener = parts.socks.get(child).map(|sock| sock.tcp.accept.listener);
    listener
        .and_then(|listener| parts.socks.get(listener))
        .is_some_and(|sock| sock.tcp.accept.ready > sock.tcp.accept.backlog)
}

/// The child that was counted could not be made.
fn forget(parts: &mut Parts<'_>, listener: SockId) {
    parts.cx.global.mib.tcp_listen_drops += 1;
    if let Some(mut entry) = parts.socks.get_mut(listener) {
        entry.tcp.accept.embryonic = entry.tcp.accept.embryonic.saturating_sub(1);
    }
}
