//! Segments for half-open connections: RFC 9293 §3.10.7.4 in SYN-RECEIVED, RFC 5961 (Linux: tcp_check_req).

use super::{Segment, child};
use crate::config::Config;
use crate::sock::Sock;
use crate::tcp::header;
use crate::tcp::output::{reply, syn_ack};
use crate::tcp::parts::Parts;
use crate::tcp::request::{self, Flags, Request, RequestId};
use crate::tcp::seq::Seq;

/// What is to be done with a segment; nothing has changed when this is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It completes the handshake.
    Complete,
    /// The SYN came again.
    Repeat,
    /// It acknowledges something else: the sender gets a RST.
    Stranger,
    /// An old clock, outside the window, or it may be a stranger's: the peer is told where we stand.
    Answer,
    /// The peer gives up.
    Reset,
    /// Dropped in silence.
    Drop,
}

/// A segment between the ends of `id`.
pub(super) fn receive(parts: &mut Parts<'_, '_>, id: RequestId, segment: &Segment<'_>) {
    let Some(request) = parts.tcp.requests.get(id).copied() else {
        return;
    };
    match judge(&request, segment) {
        Verdict::Complete => complete(parts, id, &request, segment),
        Verdict::Repeat => {
            if may_answer(parts, id) {
                repeat(parts, id);
            }
        }
        Verdict::Stranger => {
            reply::reset_stranger(parts.cx, request.local, request.remote, segment);
        }
        Verdict::Answer => {
            if may_answer(parts, id)
                && let Some(listener) = parts.socks.get(request.listener)
            {
                syn_ack::acknowledge(parts.cx, listener, &request);
            }
        }
        Verdict::Reset => {
            parts.cx.global.mib.tcp_attempt_fails += 1;
            parts.cx.global.mib.tcp_embryonic_rsts += 1;
            request::forget(parts, id);
        }
        Verdict::Drop => {}
    }
}

fn judge(request: &Request, segment: &Segment<'_>) -> Verdict {
    let has = |flags| segment.has(flags);
    let (is_reset, is_syn, is_ack) = (
        has(header::Flags::RST),
        has(header::Flags::SYN),
        has(header::Flags::ACK),
    );
    let clock = segment
        .options
        .timestamps
        .filter(|_| request.has(Flags::TIMESTAMPS));
    let is_old = clock.is_some_and(|stamps| {
        request.ts_recent != 0 && Seq::new(stamps.value).before(Seq::new(request.ts_recent))
    });
    if is_syn && !is_ack && !is_reset && segment.seq() == request.irs && !is_old {
        return Verdict::Repeat;
    }
    if is_ack && segment.header.ack != request.iss.add(1) {
        return if is_reset {
            Verdict::Drop
        } else {
            Verdict::Stranger
        };
    }
    let first = request.irs.add(1);
    let limit = first.add(request.offer.window);
    let is_in_window = segment.end().at_or_after(first) && segment.seq().at_or_before(limit);
    if is_reset {
        // RFC 5961 §3: the exact number, or a true peer has to say it again.
        return match (is_in_window, segment.seq() == first) {
            (_, true) => Verdict::Reset,
            (true, false) => Verdict::Answer,
            (false, false) => Verdict::Drop,
        };
    }
    if is_old || is_syn || !is_in_window {
        Verdict::Answer
    } else if is_ack {
        Verdict::Complete
    } else {
        Verdict::Drop
    }
}

fn complete(parts: &mut Parts<'_, '_>, id: RequestId, request: &Request, segment: &Segment<'_>) {
    let Some(listener) = parts.socks.get(request.listener) else {
        request::forget(parts, id);
        return;
    };
    if defers_accept(&parts.cx.global.config, listener, request, segment) {
        mark_acked(parts, id);
    } else if listener.tcp.accept.is_full() {
        let mib = &mut parts.cx.global.mib;
        mib.tcp_listen_overflows += 1;
        mib.tcp_listen_drops += 1;
        if parts.cx.global.config.abort_on_overflow != 0 {
            reply::reset_stranger(parts.cx, request.local, request.remote, segment);
            request::forget(parts, id);
        } else {
            // The peer repeats itself when our SYN-ACK is repeated; there may be room then.
            mark_acked(parts, id);
        }
    } else if child::establish(parts, request.listener, request, segment) {
        request::forget(parts, id);
    } else {
        parts.cx.global.mib.tcp_listen_drops += 1;
    }
}

/// `TCP_DEFER_ACCEPT`: the handshake counts as complete only when data has come, for a number of timeouts.
fn defers_accept(
    config: &Config,
    listener: &Sock,
    request: &Request,
    segment: &Segment<'_>,
) -> bool {
    let patience = listener.tcp.settings.defer_accept_timeouts(config);
    request.timeouts < patience && segment.end() == request.irs.add(1)
}

fn mark_acked(parts: &mut Parts<'_, '_>, id: RequestId) {
    if let Some(mut request) = parts.tcp.requests.get_mut(id) {
        request.set(Flags::ACKED);
    }
}

/// What does not fit is answered now and then (`net.ipv4.tcp_invalid_ratelimit`).
fn may_answer(parts: &mut Parts<'_, '_>, id: RequestId) -> bool {
    let now = parts.cx.now;
    let Some(mut request) = parts.tcp.requests.get_mut(id) else {
        return false;
    };
    let config = &parts.cx.global.config;
    if config.has_answered_lately(request.answered_at, now) {
        return false;
    }
    request.answered_at = now;
    true
}

/// Sends the SYN-ACK of `id` again.
pub(crate) fn repeat(parts: &mut Parts<'_, '_>, id: RequestId) {
    let Some(mut request) = parts.tcp.requests.get_mut(id) else {
        return;
    };
    request.set(Flags::REPEATED);
    let request = *request;
    if let Some(listener) = parts.socks.get(request.listener) {
        parts.cx.global.mib.tcp_retrans_segs += 1;
        syn_ack::send(parts.cx, listener, &request, syn_ack::Kept::Record);
    }
}
