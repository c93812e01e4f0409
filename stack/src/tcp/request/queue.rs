//! The half-open connections of one listener.

use super::Requests;
use super::record::{Request, RequestId};
use crate::sock::{Sock, SockId};
use crate::tcp::parts::Parts;

/// Adds a half-open connection to those of its listener. `None`: the table is full.
pub(crate) fn add(parts: &mut Parts<'_, '_>, request: Request) -> Option<RequestId> {
    let mut listener = parts.socks.get_mut(request.listener)?;
    let requests = &mut parts.tcp.requests;
    let id = requests.insert(&parts.cx.global.hash_key, request)?;
    enlist(&mut listener, requests, id, &request);
    Some(id)
}

/// Appends a half-open connection to those of its listener.
pub(crate) fn enlist(
    listener: &mut Sock,
    requests: &mut Requests,
    id: RequestId,
    request: &Request,
) {
    let accept = &mut listener.tcp.accept;
    accept.requests.push(&mut requests.table, id);
    accept.pending += 1;
    accept.young += u32::from(!request.is_old());
}

/// Forgets a half-open connection.
pub(crate) fn forget(parts: &mut Parts<'_, '_>, id: RequestId) {
    let requests = &mut parts.tcp.requests;
    let Some(request) = requests.get(id).copied() else {
        return;
    };
    if let Some(mut listener) = parts.socks.get_mut(request.listener) {
        let accept = &mut listener.tcp.accept;
        accept.requests.remove(&mut requests.table, id);
        accept.pending = accept.pending.saturating_sub(1);
        if !request.is_old() {
            accept.young = accept.young.saturating_sub(1);
        }
    }
    requests.remove(&parts.cx.global.hash_key, id);
}

/// Forgets all half-open connections of a listener.
pub(crate) fn forget_all(parts: &mut Parts<'_, '_>, listener: SockId) {
    while let Some(oldest) = oldest(parts, listener) {
        forget(parts, oldest);
    }
}

/// The half-open connection of a listener that came first.
pub(crate) fn oldest(parts: &Parts<'_, '_>, listener: SockId) -> Option<RequestId> {
    let id = parts.socks.get(listener)?.tcp.accept.requests.first();
    parts.tcp.requests.get(id).map(|_| id)
}
