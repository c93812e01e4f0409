//! Spans of callers that are gone.

use crate::caller::Caller;
use crate::layout;
use crate::sock::Sock;
use crate::span::SendFlags;
use crate::tcp::parts::Parts;
use crate::tcp::tcp_sock::with_tcp_sock;

/// Ends all spans of a caller, as if nothing had been copied.
pub(crate) fn release_caller(parts: &mut Parts<'_, '_>, caller: Caller) {
    let is_pinned = |sock: &Sock| sock.tcp.writing.is_of(caller) || sock.tcp.reading.is_of(caller);
    for _ in 0..layout::MAX_SOCKS {
        let pinned = parts.socks.iter().find(|(_, sock)| is_pinned(sock));
        let Some(id) = pinned.map(|(id, _)| id) else {
            return;
        };
        with_tcp_sock(parts, id, |tcp_sock| {
            if tcp_sock.sock.tcp.writing.is_of(caller) {
                // Whether the connection still takes anything does not matter.
                let _ = tcp_sock.commit(0, SendFlags::empty());
            }
            if tcp_sock.sock.tcp.reading.is_of(caller) {
                tcp_sock.commit_received(0);
            }
        });
    }
}
