//! SYNs and ACKs of which a cookie is all that is kept ([`crate::tcp::cookie`]).

use super::{Segment, child, flood};
use crate::index::Tuple;
use crate::sock::SockId;
use crate::tcp::cookie::{Cookies, VALID_NS, agreed_from};
use crate::tcp::isn::clock_offset;
use crate::tcp::offer::{MSS_DEFAULT, Offer, Scaling};
use crate::tcp::options::Options;
use crate::tcp::output::syn_ack::{self, Kept};
use crate::tcp::parts::Parts;
use crate::tcp::request::Request;
use crate::time::Instant;

/// Answers a SYN by a cookie, or drops it.
pub(super) fn send(parts: &mut Parts<'_, '_>, mut request: Request) {
    let listener = request.listener;
    if parts.cx.global.config.syncookies == 0 {
        flood::warn(parts, listener, "dropping requests");
        parts.cx.global.mib.tcp_req_q_full_drop += 1;
        parts.cx.global.mib.tcp_listen_drops += 1;
        return;
    }
    flood::warn(parts, listener, "sending cookies");
    let now = parts.cx.now;
    let mss = match request.mss {
        0 => MSS_DEFAULT,
        mss => mss,
    };
    let secret = parts.cx.global.secret;
    let cookies = Cookies::new(secret, request.local, request.remote, now);
    request.iss = cookies.number(request.irs, mss);
    let Some(mut sock) = parts.socks.get_mut(listener) else {
        return;
    };
    sock.tcp.accept.cookies_at = now;
    let mib = &mut parts.cx.global.mib;
    mib.tcp_req_q_full_do_cookies += 1;
    mib.syncookies_sent += 1;
    syn_ack::send(parts.cx, &sock, &request, Kept::Nothing);
}

/// An ACK without a record may be that of a cookie (Linux: cookie_v4_check). `false`: it is not.
pub(super) fn complete(
    parts: &mut Parts<'_, '_>,
    listener: SockId,
    ends: &Tuple,
    segment: &Segment<'_>,
) -> bool {
    let now = parts.cx.now;
    let Some(sock) = parts.socks.get(listener) else {
        return false;
    };
    let global = &parts.cx.global;
    let sent = sock.tcp.accept.cookies_at;
    if global.config.syncookies == 0 || sent == Instant::ZERO || now.nanos_since(sent) > VALID_NS {
        return false;
    }
    let (iss, irs) = (segment.header.ack.sub(1), segment.seq().sub(1));
    let (local, remote) = (ends.local, ends.remote);
    let cookies = Cookies::new(global.secret, local, remote, now);
    let mss = cookies.check(irs, iss);
    let clock = segment.options.timestamps;
    let offset = clock_offset(global, local, remote);
    let echo = clock.map(|stamps| stamps.echo.wrapping_sub(offset));
    let value = clock.map_or(0, |stamps| stamps.value);
    let agreed = agreed_from(&global.config, echo, value);
    let (Some(mss), Some(agreed)) = (mss, agreed) else {
        parts.cx.global.mib.syncookies_failed += 1;
        return false;
    };
    let is_full = sock.tcp.accept.is_full();
    let agreed = Options {
        mss: Some(mss),
        ..agreed
    };
    let offer = Offer::of(sock, &global.config, remote, Scaling::of(&agreed));
    let window = segment.header.window;
    let mut request = Request::new(ends, irs, &agreed, window, offer);
    request.iss = iss;
    let mib = &mut parts.cx.global.mib;
    mib.syncookies_recv += 1;
    if is_full {
        mib.tcp_listen_overflows += 1;
        mib.tcp_listen_drops += 1;
    } else if !child::establish(parts, listener, &request, segment) {
        parts.cx.global.mib.tcp_listen_drops += 1;
    }
    true
}
