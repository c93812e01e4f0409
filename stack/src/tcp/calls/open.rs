//! `socket` and `connect`.

use crate::addr::{Addr, Endpoint};
use crate::context::Context;
use crate::error::Error;
use crate::ip::route;
use crate::ports::{Families, PortRange};
use crate::sock::{SockFlags, SockId};
use crate::tcp::connection::{Connection, Flags};
use crate::tcp::isn::initial_seq;
use crate::tcp::offer::{Offer, Scaling};
use crate::tcp::parts::Parts;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::with_tcp_sock;
use crate::tcp::time_wait;

/// A fresh endpoint gets what the settings say.
pub(crate) fn open(parts: &mut Parts<'_, '_>, id: SockId) {
    let config = &parts.cx.global.config;
    if let Some(mut sock) = parts.socks.get_mut(id) {
        sock.tcp = Connection::new(config, config.congestion_kind());
    }
}

/// `connect(2)`. The SYN is queued: `InProgress`.
pub(crate) fn connect(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    remote: Endpoint,
) -> Result<(), Error> {
    may_connect(parts, id)?;
    let bound = parts
        .socks
        .get(id)
        .map_or(Addr::UNSPECIFIED, |sock| sock.local.addr);
    let addr = route::destination(&parts.cx.global.config, bound, remote.addr);
    let remote = Endpoint::new(addr, remote.port);
    let own = choose_source(parts, id, remote.addr)?;
    let local = choose_local(parts, id, own, remote)?;
    let tuple = parts.cx.global.hash_key.tuple(local, remote);
    let iss = time_wait::take_over(parts, &tuple);
    let is_found = with_tcp_sock(parts, id, |tcp_sock| {
        (tcp_sock.sock.local, tcp_sock.sock.remote) = (local, remote);
        let config = &tcp_sock.cx.global.config;
        let scaling = match config.window_scaling {
            0 => Scaling::No,
            _ => Scaling::Yes,
        };
        let offer = Offer::of(tcp_sock.sock, config, remote, scaling);
        let iss =
            iss.unwrap_or_else(|| initial_seq(tcp_sock.cx.global, tcp_sock.cx.now, local, remote));
        tcp_sock.prepare(iss, &offer);
        if !tcp_sock.hash() {
            return false;
        }
        tcp_sock.conn().set_state(State::SynSent);
        tcp_sock.cx.global.live += 1;
        tcp_sock.cx.global.mib.tcp_active_opens += 1;
        tcp_sock.wake_output();
        true
    });
    match is_found {
        Some(true) => Err(Error::InProgress),
        Some(false) => Err(Error::NoBuffers),
        None => Err(Error::BadDescriptor),
    }
}

/// What became of the attempt.
pub(crate) fn connect_result(parts: &mut Parts<'_, '_>, id: SockId) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if let Some(error) = sock.take_error() {
        return Err(error);
    }
    match sock.tcp.state() {
        State::SynSent | State::SynReceived => Err(Error::InProgress),
        State::Closed if !sock.tcp.has(Flags::WAS_OPEN) => Err(Error::NotConnected),
        State::Closed | State::Listen | State::Open(_) => Ok(()),
    }
}

fn may_connect(parts: &mut Parts<'_, '_>, id: SockId) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    match sock.tcp.state() {
        State::SynSent | State::SynReceived => Err(Error::Already),
        // The result of an attempt that failed, if nobody has taken it yet.
        State::Closed => match sock.take_error() {
            Some(error) => Err(error),
            None if sock.tcp.has(Flags::WAS_OPEN) => Err(Error::IsConnected),
            None => Ok(()),
        },
        State::Listen | State::Open(_) => Err(Error::IsConnected),
    }
}

/// The own address for a connection to `addr`: what was bound, or the one that goes with it.
fn choose_source(parts: &Parts<'_, '_>, id: SockId, addr: Addr) -> Result<Addr, Error> {
    let config = &parts.cx.global.config;
    let sock = parts.socks.get(id).ok_or(Error::BadDescriptor)?;
    let is_one_host = !addr.is_unspecified() && !route::is_group(config, addr);
    if !is_one_host || !sock.may_reach(addr) || !route::is_reachable(config, addr) {
        return Err(Error::NetworkUnreachable);
    }
    route::source(config, sock.local.addr, addr)
}

/// The own end: the address, and the port that was bound or one that makes the pair of ends unique.
fn choose_local(
    parts: &mut Parts<'_, '_>,
    id: SockId,
    own: Addr,
    remote: Endpoint,
) -> Result<Endpoint, Error> {
    let sock = parts.socks.get(id).ok_or(Error::BadDescriptor)?;
    let (bound, flags) = (sock.local, sock.flags());
    let Parts { socks, tcp, cx, .. } = parts;
    let Context {
        ports, global, now, ..
    } = cx;
    let key = global.hash_key;
    let reusable = time_wait::reusable(&global.config, *now);
    let is_free = |port: u16| {
        let tuple = key.tuple(Endpoint::new(own, port), remote);
        tcp.find(socks, &tuple).is_none()
            && tcp.requests.find(&tuple).is_none()
            && tcp.time_wait.allows(reusable, &tuple)
    };
    if bound.port != 0 {
        return if is_free(bound.port) {
            Ok(Endpoint::new(own, bound.port))
        } else {
            Err(Error::AddressNotAvailable)
        };
    }
    let range = PortRange::of(&global.config);
    let families = if remote.addr.is_v4() {
        Families::V4
    } else {
        Families::V6
    };
    let (port, hold) = ports.choose((flags, families), range, &mut global.rng, is_free)?;
    let mut sock = socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    sock.port_hold = hold;
    sock.set(SockFlags::BOUND, true);
    Ok(Endpoint::new(own, port))
}
