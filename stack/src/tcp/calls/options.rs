//! `setsockopt` and `getsockopt` of TCP's own options, tcp(7).

use crate::error::Error;
use crate::sock::SockId;
use crate::sock::{OptName, SockOpt};
use crate::stack::Stack;
use crate::tcp::congestion::{CcBlock, CongestionControl};
use crate::tcp::parts::Parts;
use crate::tcp::settings::LINGER2_MAX_S;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::{TcpSock, with_tcp_sock};
use crate::time::Instant;

/// Ranges Linux accepts (MAX_TCP_KEEPIDLE and others).
const KEEP_TIME_MAX_S: u32 = 32_767;
const KEEP_COUNT_MAX: u32 = 127;
const SYN_COUNT_MAX: u8 = 127;
const MSS_MIN: u16 = 88;
const MSS_MAX: u16 = 32_767;
/// Least `TCP_WINDOW_CLAMP` (Linux: SOCK_MIN_RCVBUF / 2).
const CLAMP_MIN: u32 = 1152;

/// Sets an option, after what concerns all sockets has been stored.
pub(crate) fn set_option(parts: &mut Parts<'_, '_>, id: SockId, opt: SockOpt) -> Result<(), Error> {
    with_tcp_sock(parts, id, |tcp_sock| tcp_sock.set_option(opt))
        .unwrap_or(Err(Error::BadDescriptor))
}

/// Reads an option.
pub(crate) fn option(stack: &Stack, id: SockId, name: OptName) -> Result<u64, Error> {
    let conn = &stack.socks.get(id).ok_or(Error::BadDescriptor)?.tcp;
    let settings = &conn.settings;
    Ok(match name {
        OptName::NoDelay => u64::from(settings.no_delay),
        OptName::Cork => u64::from(settings.cork),
        OptName::KeepIdle => u64::from(settings.keep_idle_s),
        OptName::KeepInterval => u64::from(settings.keep_interval_s),
        OptName::KeepCount => u64::from(settings.keep_count),
        OptName::MaxSegment => match conn.state() {
            State::Closed | State::Listen if settings.max_segment != 0 => {
                u64::from(settings.max_segment)
            }
            State::Closed | State::Listen => DEFAULT_MSS,
            State::SynSent | State::SynReceived | State::Open(_) => u64::from(conn.snd.mss),
        },
        OptName::Congestion => conn.cc.kind() as u64,
        OptName::UserTimeout => u64::from(settings.user_timeout_ms),
        OptName::QuickAck => u64::from(!conn.ack.is_interactive()),
        OptName::SynCount => u64::from(settings.syn_retries(stack.config())),
        OptName::DeferAccept => u64::from(settings.defer_accept_s),
        OptName::WindowClamp => u64::from(conn.rcv.clamp.max(settings.window_clamp)),
        OptName::NotSentLowat => u64::from(settings.notsent_lowat),
        OptName::Linger2 => settings
            .fin_wait_2_s(stack.config())
            .map_or(-1, i64::from)
            .cast_unsigned(),
        OptName::ReuseAddr
        | OptName::ReusePort
        | OptName::KeepAlive
        | OptName::V6Only
        | OptName::Broadcast
        | OptName::Linger
        | OptName::SendBuffer
        | OptName::ReceiveBuffer
        | OptName::MaxPacingRate
        | OptName::RcvLowat
        | OptName::Ttl
        | OptName::Tos
        | OptName::RecvPktInfo
        | OptName::RecvTtl
        | OptName::RecvTos => return Err(Error::NoProtocolOption),
    })
}

/// What an unconnected socket says.
const DEFAULT_MSS: u64 = 536;

impl TcpSock<'_, '_> {
    fn set_option(&mut self, opt: SockOpt) -> Result<(), Error> {
        let settings = &mut self.sock.tcp.settings;
        match opt {
            SockOpt::NoDelay(on) => {
                settings.no_delay = u8::from(on);
                self.push_if(on);
            }
            SockOpt::Cork(on) => {
                settings.cork = u8::from(on);
                self.push_if(!on);
            }
            SockOpt::KeepAlive(on) => self.set_keepalive(on),
            SockOpt::KeepIdle(seconds) => {
                settings.keep_idle_s = within(seconds, 1, KEEP_TIME_MAX_S)?;
                self.arm_keepalive();
            }
            SockOpt::KeepInterval(seconds) => {
                settings.keep_interval_s = within(seconds, 1, KEEP_TIME_MAX_S)?;
            }
            SockOpt::KeepCount(count) => settings.keep_count = within(count, 1, KEEP_COUNT_MAX)?,
            SockOpt::MaxSegment(0) => settings.max_segment = 0,
            SockOpt::MaxSegment(mss) => {
                settings.max_segment = if (MSS_MIN..=MSS_MAX).contains(&mss) {
                    mss
                } else {
                    return Err(Error::InvalidArgument);
                };
            }
            SockOpt::Congestion(kind) => {
                self.sock.tcp.cc = CcBlock::new(kind);
                self.restart_control();
            }
            SockOpt::UserTimeout(ms) => settings.user_timeout_ms = ms,
            SockOpt::QuickAck(on) => self.set_quick_ack(on),
            SockOpt::SynCount(count) => {
                settings.syn_count =
                    within(u32::from(count), 1, u32::from(SYN_COUNT_MAX)).map(|_| count)?;
            }
            SockOpt::DeferAccept(seconds) => settings.defer_accept_s = seconds,
            SockOpt::WindowClamp(bytes) => self.clamp_window(bytes),
            SockOpt::NotSentLowat(bytes) => {
                settings.notsent_lowat = match bytes {
                    0 => self.cx.global.config.notsent_lowat,
                    bytes => bytes,
                };
            }
            SockOpt::Linger2(seconds) => settings.linger2_s = seconds.clamp(-1, LINGER2_MAX_S),
            SockOpt::MaxPacingRate(rate) => {
                let pacing = &mut self.sock.tcp.snd.pacing_rate;
                *pacing = (*pacing).min(rate);
            }
            SockOpt::ReuseAddr(_)
            | SockOpt::ReusePort(_)
            | SockOpt::Linger(_)
            | SockOpt::SendBuffer(_)
            | SockOpt::ReceiveBuffer(_)
            | SockOpt::V6Only(_)
            | SockOpt::Broadcast(_)
            | SockOpt::RcvLowat(_)
            | SockOpt::Ttl(_)
            | SockOpt::Tos(_)
            | SockOpt::RecvPktInfo(_)
            | SockOpt::RecvTtl(_)
            | SockOpt::RecvTos(_) => {}
        }
        Ok(())
    }

    fn push_if(&mut self, push: bool) {
        if push && self.state().is_synchronized() {
            self.wake_output();
        }
    }

    fn set_keepalive(&mut self, on: bool) {
        if on {
            self.arm_keepalive();
        } else if !self.is_orphan() {
            self.conn().due.keep = Instant::ZERO;
        }
    }

    /// `TCP_QUICKACK`: the mode until the stack decides otherwise; turning it on sends what is owed.
    fn set_quick_ack(&mut self, on: bool) {
        use crate::tcp::connection::{Owed, PINGPONG};
        let ack = &mut self.sock.tcp.ack;
        ack.pingpong = if on { 0 } else { PINGPONG };
        if on && ack.owed().contains(Owed::SCHEDULED) {
            self.acknowledge_now();
        }
    }

    fn restart_control(&mut self) {
        if self.state().is_synchronized() {
            let view = self.cc_view();
            let decision = self.sock.tcp.cc.init(&view);
            self.apply(decision);
        }
    }

    fn clamp_window(&mut self, bytes: u32) {
        let bytes = if bytes == 0 { 0 } else { bytes.max(CLAMP_MIN) };
        self.sock.tcp.settings.window_clamp = bytes;
        if bytes > 0 && self.state().is_synchronized() {
            let rcv = &mut self.sock.tcp.rcv;
            rcv.clamp = bytes;
            rcv.ssthresh = rcv.ssthresh.min(bytes);
        }
    }
}

fn within(value: u32, low: u32, high: u32) -> Result<u32, Error> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(Error::InvalidArgument)
    }
}
