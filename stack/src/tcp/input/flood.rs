//! Telling of a flood of SYNs.

use crate::sock::SockId;
use crate::tcp::parts::Parts;

/// Says `what` becomes of SYNs to a listener beyond its backlog, once for each listener (Linux: tcp_syn_flood_action).
pub(super) fn warn(parts: &mut Parts<'_, '_>, listener: SockId, what: &str) {
    let Some(mut sock) = parts.socks.get_mut(listener) else {
        return;
    };
    if sock.tcp.accept.is_flooded == 0 {
        sock.tcp.accept.is_flooded = 1;
        let port = sock.local.port;
        tracing::warn!("possible SYN flooding on port {port}: {what}");
    }
}
