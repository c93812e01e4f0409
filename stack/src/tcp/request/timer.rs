//! SYN-ACKs that were not answered in time (Linux: reqsk_timer_handler).

use super::{Flags, Request, RequestId};
use crate::config::Config;
use crate::sock::Sock;
use crate::tcp::input::repeat_syn_ack;
use crate::tcp::parts::Parts;
use crate::tcp::request;
use crate::tcp::rtt::RTO_INITIAL_NS;

/// Half-open connections looked at in one sweep.
const SWEEP_MAX: u32 = 1024;
/// A listener with fewer of them, twice counted, is not crowded.
const CROWD_MIN: u32 = 8;
/// Even in a crowd a SYN-ACK is repeated as often as this.
const RETRIES_MIN: u8 = 2;

/// Repeats what is due and gives up what was repeated often enough, a bounded number at a time.
pub(crate) fn sweep(parts: &mut Parts<'_, '_>) {
    for _ in 0..SWEEP_MAX {
        let Some(id) = parts.tcp.requests.pop_due(parts.cx.now) else {
            return;
        };
        fire(parts, id);
    }
}

fn fire(parts: &mut Parts<'_, '_>, id: RequestId) {
    let Some(request) = parts.tcp.requests.get(id).copied() else {
        return;
    };
    let Some(mut listener) = parts.socks.get_mut(request.listener) else {
        request::forget(parts, id);
        return;
    };
    let config = &parts.cx.global.config;
    let patience = listener.tcp.settings.defer_accept_timeouts(config);
    let is_acked = request.has(Flags::ACKED);
    let is_over = request.timeouts >= retries(&listener, config)
        && (patience == 0 || !is_acked || request.timeouts >= patience);
    let is_first = !request.is_old();
    if is_over {
        drop(listener);
        parts.cx.global.mib.tcp_attempt_fails += 1;
        request::forget(parts, id);
        return;
    }
    if is_first {
        let young = &mut listener.tcp.accept.young;
        *young = young.saturating_sub(1);
    }
    drop(listener);
    // Who waits for data only (`TCP_DEFER_ACCEPT`) has answered: it is asked again when the wait is nearly over.
    if patience == 0 || !is_acked || request.timeouts >= patience - 1 {
        repeat_syn_ack(parts, id);
    }
    rearm(parts, id);
}

/// How often a SYN-ACK is repeated: less often while the listener has more than half of the requests it may have, and most
/// of them are old. Half of the room is reserved for young ones.
fn retries(listener: &Sock, config: &Config) -> u8 {
    let accept = &listener.tcp.accept;
    let mut retries = listener.tcp.settings.syn_ack_retries(config);
    if accept.pending.saturating_mul(2) > accept.backlog.max(CROWD_MIN) {
        let mut young = accept.young.saturating_mul(2);
        while retries > RETRIES_MIN && accept.pending >= young {
            retries -= 1;
            young = young.saturating_mul(2);
        }
    }
    retries
}

fn rearm(parts: &mut Parts<'_, '_>, id: RequestId) {
    let most_ns = parts.cx.global.config.rto_max_ns();
    let Some(mut request) = parts.tcp.requests.get_mut(id) else {
        return;
    };
    request.timeouts = request.timeouts.saturating_add(1);
    let wait_ns = wait_ns(&request).min(most_ns);
    drop(request);
    let at = parts.cx.now.plus_nanos(wait_ns);
    parts.tcp.requests.arm(id, at);
}

/// Each wait is twice as long as the one before.
pub(crate) fn wait_ns(request: &Request) -> u64 {
    RTO_INITIAL_NS << request.timeouts.min(30)
}
