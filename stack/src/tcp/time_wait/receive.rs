//! What happens to a connection in TIME_WAIT.

use super::table::{LIFE_NS, TimeWait, TimeWaitId};
use crate::config::Config;
use crate::context::Context;
use crate::index::Tuple;
use crate::list::Links;
use crate::ports::PortHold;
use crate::sock::SockKind;
use crate::tcp::connection::Flags;
use crate::tcp::header;
use crate::tcp::input::Segment;
use crate::tcp::options::Timestamps;
use crate::tcp::output::clock_of;
use crate::tcp::output::reply::Reply;
use crate::tcp::parts::Parts;
use crate::tcp::seq::Seq;
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;

/// The value of `net.ipv4.tcp_tw_reuse` that lets own connections take records over.
const REUSE: u8 = 1;
/// Records looked at in one sweep.
const SWEEP_MAX: u32 = 64;
/// Distance of a taking-over connection's numbers from the old ones.
const ISS_GAP: u32 = 65_537;

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was for a connection in TIME_WAIT and has been dealt with.
    Taken,
    /// There is no such record.
    Unknown,
    /// A SYN that may open the connection anew (RFC 6191) if somebody listens: [`take_over`], else [`answer`].
    Reopen,
}

/// Connections of our own may take over a record whose clock was last read before this moment
/// (RFC 6191 §2; `net.ipv4.tcp_tw_reuse`).
pub(crate) fn reusable(config: &Config, now: Instant) -> Instant {
    if config.tw_reuse != REUSE {
        return Instant::ZERO;
    }
    let delay_ns = u64::from(config.tw_reuse_delay_ms) * 1_000_000;
    Instant::from_nanos(now.as_nanos().saturating_sub(delay_ns))
}

/// Frees what has expired, a bounded number at a time.
pub(crate) fn sweep(parts: &mut Parts<'_, '_>) {
    for _ in 0..SWEEP_MAX {
        let Some((first, rest)) = parts.tcp.time_wait.oldest() else {
            return;
        };
        if rest.expires > parts.cx.now {
            return;
        }
        remove(parts, first);
    }
}

fn remove(parts: &mut Parts<'_, '_>, id: TimeWaitId) {
    if let Some(rest) = parts.tcp.time_wait.remove(&parts.cx.global.hash_key, id) {
        parts
            .cx
            .ports
            .release(SockKind::Stream, rest.local.port, rest.port_hold);
    }
}

/// A connection between these ends is about to be opened: frees the record that allowed it.
pub(crate) fn take_over(parts: &mut Parts<'_, '_>, tuple: &Tuple) -> Option<Seq> {
    let id = parts.tcp.time_wait.find(tuple)?;
    let iss = parts
        .tcp
        .time_wait
        .table
        .get(id)
        .map(|rest| rest.snd_nxt.add(ISS_GAP));
    remove(parts, id);
    parts.cx.global.mib.tcp_time_wait_recycled += 1;
    iss
}

/// A segment between ends without a connection (RFC 9293 §3.10.7.4, RFC 6191; Linux:
/// tcp_timewait_state_process).
pub(crate) fn receive(parts: &mut Parts<'_, '_>, tuple: &Tuple, segment: &Segment<'_>) -> Verdict {
    if parts.tcp.time_wait.len() == 0 {
        return Verdict::Unknown;
    }
    let Some(id) = parts.tcp.time_wait.find(tuple) else {
        return Verdict::Unknown;
    };
    let Some(rest) = parts.tcp.time_wait.table.get(id).copied() else {
        return Verdict::Unknown;
    };
    let now = parts.cx.now;
    if rest.expires <= now {
        remove(parts, id);
        return Verdict::Unknown;
    }
    let clock = segment.options.timestamps.filter(|_| rest.has_clock != 0);
    let is_old =
        clock.is_some_and(|stamps| Seq::new(stamps.value).before(Seq::new(rest.ts_recent)));
    let is_reset = segment.has(header::Flags::RST);
    let is_next = !is_old && segment.seq() == rest.rcv_nxt;
    if is_next && is_reset {
        if parts.cx.global.config.rfc1337 == 0 {
            remove(parts, id);
        }
        return Verdict::Taken;
    }
    // All that we sent was acknowledged: an ACK of anything else is a stranger's guess, and must move
    // neither the clock nor the end of the minute.
    let is_peer = segment.has(header::Flags::ACK) && segment.header.ack == rest.snd_nxt;
    if is_next && is_peer && segment.end() == segment.seq() {
        if let (Some(stamps), Some(mut entry)) = (clock, parts.tcp.time_wait.table.get_mut(id)) {
            entry.ts_recent = stamps.value;
            entry.ts_recent_at = now;
        }
        parts.tcp.time_wait.restart(id, now);
        return Verdict::Taken;
    }
    let is_syn = segment.has(header::Flags::SYN) && !is_reset && !segment.has(header::Flags::ACK);
    let is_newer = segment.seq().after(rest.rcv_nxt)
        || clock.is_some_and(|stamps| Seq::new(stamps.value).after(Seq::new(rest.ts_recent)));
    if is_syn && !is_old && is_newer {
        return Verdict::Reopen;
    }
    if is_peer {
        parts.tcp.time_wait.restart(id, now);
    }
    if !is_reset {
        answer(parts, tuple, segment);
    }
    Verdict::Taken
}

/// Tells who sent a segment that does not fit where the connection ended.
pub(crate) fn answer(parts: &mut Parts<'_, '_>, tuple: &Tuple, segment: &Segment<'_>) {
    let waits = &parts.tcp.time_wait;
    let Some(id) = waits.find(tuple) else { return };
    let Some(rest) = waits.table.get(id).copied() else {
        return;
    };
    if may_answer(parts, id, segment) {
        acknowledge(parts.cx, &rest);
    }
}

/// A segment that does not fit is answered; one without data only now and then
/// (`net.ipv4.tcp_invalid_ratelimit`; Linux: tcp_timewait_check_oow_rate_limit).
fn may_answer(parts: &mut Parts<'_, '_>, id: TimeWaitId, segment: &Segment<'_>) -> bool {
    let now = parts.cx.now;
    let Some(mut rest) = parts.tcp.time_wait.table.get_mut(id) else {
        return false;
    };
    let config = &parts.cx.global.config;
    let is_early = config.has_answered_lately(rest.answered_at, now);
    if is_early && segment.len == 0 {
        return false;
    }
    rest.answered_at = now;
    true
}

fn acknowledge(cx: &mut Context<'_>, rest: &TimeWait) {
    let numbers = (rest.snd_nxt, rest.rcv_nxt);
    let value = clock_of(cx.now).wrapping_add(rest.ts_offset);
    let mut ack = Reply::bare(rest.local, rest.remote, numbers, header::Flags::ACK);
    ack.window = rest.window;
    ack.options.timestamps = (rest.has_clock != 0).then_some(Timestamps {
        value,
        echo: rest.ts_recent,
    });
    ack.send(cx);
}

impl TcpSock<'_, '_> {
    /// Both directions are closed: leaves a record and ends. The last ACK goes out from the record.
    pub(crate) fn enter_time_wait(&mut self) {
        let most = self.cx.global.config.max_tw_buckets;
        let conn = &self.sock.tcp;
        let offered = conn.rcv.scale.field(self.offered_window());
        let rest = TimeWait {
            local: self.sock.local,
            remote: self.sock.remote,
            expires: self.cx.now.plus_nanos(LIFE_NS),
            ts_recent_at: conn.rcv.ts_recent_at,
            answered_at: Instant::ZERO,
            links: Links::default(),
            snd_nxt: conn.snd.nxt,
            rcv_nxt: conn.rcv.nxt,
            ts_recent: conn.rcv.ts_recent,
            ts_offset: conn.rcv.ts_offset,
            window: offered,
            has_clock: u8::from(conn.has(Flags::TIMESTAMPS)),
            port_hold: self.sock.port_hold,
            _pad: [0; 4],
        };
        acknowledge(self.cx, &rest);
        let waits = &mut self.tcp.time_wait;
        if waits.len() < most && waits.insert(&self.cx.global.hash_key, rest) {
            self.sock.port_hold = PortHold::NONE;
            self.cx.global.mib.tcp_time_wait += 1;
        } else {
            self.cx.global.mib.tcp_time_wait_overflow += 1;
        }
        self.done();
    }
}
