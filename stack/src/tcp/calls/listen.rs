//! `listen` and `accept`.

use crate::addr::Endpoint;
use crate::context::Context;
use crate::error::Error;
use crate::ports::PortRange;
use crate::sock::{SockFlags, SockId, SockKind};
use crate::tcp::connection::Flags;
use crate::tcp::parts::Parts;
use crate::tcp::state::State;

/// `listen(2)`: the backlog is bounded by `net.core.somaxconn`; a second call changes it.
pub(crate) fn listen(parts: &mut Parts<'_, '_>, id: SockId, backlog: u32) -> Result<(), Error> {
    let Parts { socks, tcp, cx, .. } = parts;
    let Context { ports, global, .. } = cx;
    let mut sock = socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let backlog = backlog.min(global.config.somaxconn);
    match sock.tcp.state() {
        State::Listen => {
            sock.tcp.accept.backlog = backlog;
            return Ok(());
        }
        State::Closed if !sock.tcp.has(Flags::WAS_OPEN) => {}
        State::Closed | State::SynSent | State::SynReceived | State::Open(_) => {
            return Err(Error::InvalidArgument);
        }
    }
    if sock.local.port == 0 {
        let range = PortRange::of(&global.config);
        let claim = (sock.flags(), sock.families(sock.local.addr));
        let (port, hold) = ports.bind_any(SockKind::Stream, claim, range, &mut global.rng)?;
        sock.local = Endpoint::new(sock.local.addr, port);
        sock.port_hold = hold;
        sock.set(SockFlags::BOUND, true);
    }
    let port = sock.local.port;
    ports.listen(SockKind::Stream, port, &mut sock.port_hold)?;
    if !tcp.listeners.insert(global.hash_key.port(port), id) {
        ports.unlisten(SockKind::Stream, port, &mut sock.port_hold);
        return Err(Error::NoBuffers);
    }
    sock.tcp.set_state(State::Listen);
    sock.tcp.accept.backlog = backlog;
    global.live += 1;
    Ok(())
}

/// `accept(2)`: the connection that has waited longest.
pub(crate) fn accept(parts: &mut Parts<'_, '_>, id: SockId) -> Result<SockId, Error> {
    let mut listener = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    if listener.tcp.state() != State::Listen {
        return Err(Error::InvalidArgument);
    }
    let child = listener.tcp.accept.head;
    if child.is_none() {
        return Err(Error::WouldBlock);
    }
    drop(listener);
    let next = parts.socks.get_mut(child).map(|mut sock| {
        sock.tcp.clear(Flags::UNACCEPTED);
        core::mem::take(&mut sock.tcp.accept.next)
    });
    listener = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let accept = &mut listener.tcp.accept;
    accept.ready = accept.ready.saturating_sub(1);
    accept.head = next.unwrap_or(SockId::NONE);
    if accept.head.is_none() {
        accept.tail = SockId::NONE;
    }
    next.map(|_| child).ok_or(Error::WouldBlock)
}
