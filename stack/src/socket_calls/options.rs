//! `setsockopt` and `getsockopt`: the options every endpoint has.

use crate::config::CcKind;
use crate::context::Parts;
use crate::error::Error;
use crate::sock::{SockFlags, SockId, SockKind};
use crate::stack::Stack;
use crate::tcp;
use crate::time::Instant;

/// An option and its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SockOpt {
    /// `TCP_NODELAY`.
    NoDelay(bool),
    /// `TCP_CORK`.
    Cork(bool),
    /// `SO_REUSEADDR`.
    ReuseAddr(bool),
    /// `SO_REUSEPORT`.
    ReusePort(bool),
    /// `SO_KEEPALIVE`.
    KeepAlive(bool),
    /// `TCP_KEEPIDLE`, seconds.
    KeepIdle(u32),
    /// `TCP_KEEPINTVL`, seconds.
    KeepInterval(u32),
    /// `TCP_KEEPCNT`.
    KeepCount(u32),
    /// `SO_LINGER`: `None` off, else seconds.
    Linger(Option<u32>),
    /// `SO_SNDBUF`, bytes, as the program gave it (before doubling).
    SendBuffer(u64),
    /// `SO_RCVBUF`, bytes, as the program gave it (before doubling).
    ReceiveBuffer(u64),
    /// `TCP_MAXSEG`, bytes.
    MaxSegment(u16),
    /// `TCP_CONGESTION`.
    Congestion(CcKind),
    /// `TCP_USER_TIMEOUT`, milliseconds.
    UserTimeout(u32),
    /// `TCP_QUICKACK`.
    QuickAck(bool),
    /// `TCP_SYNCNT`.
    SynCount(u8),
    /// `TCP_DEFER_ACCEPT`, seconds.
    DeferAccept(u32),
    /// `TCP_WINDOW_CLAMP`, bytes.
    WindowClamp(u32),
    /// `SO_MAX_PACING_RATE`, bytes per second.
    MaxPacingRate(u64),
    /// `TCP_NOTSENT_LOWAT`, bytes.
    NotSentLowAt(u32),
    /// `IPV6_V6ONLY`.
    V6Only(bool),
    /// `SO_BROADCAST`.
    Broadcast(bool),
    /// `TCP_LINGER2`, seconds; negative: no FIN_WAIT_2 at all.
    Linger2(i32),
    /// `SO_RCVLOWAT`, bytes.
    ReceiveLowAt(u32),
    /// `IP_TTL`.
    Ttl(u8),
    /// `IP_TOS`.
    Tos(u8),
}

/// The name of an option. [`Stack::option`] answers with a number: booleans as 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptName {
    /// `TCP_NODELAY`.
    NoDelay,
    /// `TCP_CORK`.
    Cork,
    /// `SO_REUSEADDR`.
    ReuseAddr,
    /// `SO_REUSEPORT`.
    ReusePort,
    /// `SO_KEEPALIVE`.
    KeepAlive,
    /// `TCP_KEEPIDLE`, seconds.
    KeepIdle,
    /// `TCP_KEEPINTVL`, seconds.
    KeepInterval,
    /// `TCP_KEEPCNT`.
    KeepCount,
    /// `SO_LINGER`: the seconds plus one; 0: off.
    Linger,
    /// `SO_SNDBUF`, bytes, doubled as Linux does.
    SendBuffer,
    /// `SO_RCVBUF`, bytes, doubled as Linux does.
    ReceiveBuffer,
    /// `TCP_MAXSEG`, bytes.
    MaxSegment,
    /// `TCP_CONGESTION`: a [`CcKind`] as a number.
    Congestion,
    /// `TCP_USER_TIMEOUT`, milliseconds.
    UserTimeout,
    /// `TCP_QUICKACK`.
    QuickAck,
    /// `TCP_SYNCNT`.
    SynCount,
    /// `TCP_DEFER_ACCEPT`, seconds.
    DeferAccept,
    /// `TCP_WINDOW_CLAMP`, bytes.
    WindowClamp,
    /// `SO_MAX_PACING_RATE`, bytes per second; `u64::MAX`: none.
    MaxPacingRate,
    /// `TCP_NOTSENT_LOWAT`, bytes.
    NotSentLowAt,
    /// `IPV6_V6ONLY`.
    V6Only,
    /// `SO_BROADCAST`.
    Broadcast,
    /// `TCP_LINGER2`, seconds, as the two's complement of a signed number.
    Linger2,
    /// `SO_RCVLOWAT`, bytes.
    ReceiveLowAt,
    /// `IP_TTL`.
    Ttl,
    /// `IP_TOS`.
    Tos,
}

impl Stack {
    /// `setsockopt(2)`.
    ///
    /// # Errors
    /// `BadDescriptor`; `NoProtocolOption` for a TCP option on a UDP endpoint; `InvalidArgument` for a value out of range.
    pub fn set_option(&mut self, now: Instant, id: SockId, opt: SockOpt) -> Result<(), Error> {
        let mut parts = self.parts(now);
        set_common(&mut parts, id, opt)?;
        match parts.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => tcp::calls::set_option(&mut parts, id, opt),
            SockKind::Datagram if is_common(opt) => Ok(()),
            SockKind::Datagram => Err(Error::NoProtocolOption),
        }
    }

    /// `getsockopt(2)`. Buffer sizes are the doubled values, as Linux answers.
    ///
    /// # Errors
    /// `BadDescriptor`; `NoProtocolOption` for a TCP option on a UDP endpoint.
    pub fn option(&self, id: SockId, name: OptName) -> Result<u64, Error> {
        let sock = self.socks.get(id).ok_or(Error::BadDescriptor)?;
        let flag = |flag| u64::from(sock.has(flag));
        Ok(match name {
            OptName::ReuseAddr => flag(SockFlags::REUSE_ADDR),
            OptName::ReusePort => flag(SockFlags::REUSE_PORT),
            OptName::KeepAlive => flag(SockFlags::KEEP_ALIVE),
            OptName::V6Only => flag(SockFlags::V6_ONLY),
            OptName::Broadcast => flag(SockFlags::BROADCAST),
            OptName::Linger if !sock.has(SockFlags::LINGER) => 0,
            OptName::Linger => u64::from(sock.linger_s) + 1,
            OptName::SendBuffer => sock.send_buffer,
            OptName::ReceiveBuffer => sock.receive_buffer,
            OptName::MaxPacingRate => sock.max_pacing_rate,
            OptName::ReceiveLowAt => u64::from(sock.receive_low_at),
            OptName::Ttl => u64::from(sock.ttl),
            OptName::Tos => u64::from(sock.tos),
            OptName::NoDelay
            | OptName::Cork
            | OptName::KeepIdle
            | OptName::KeepInterval
            | OptName::KeepCount
            | OptName::MaxSegment
            | OptName::Congestion
            | OptName::UserTimeout
            | OptName::QuickAck
            | OptName::SynCount
            | OptName::DeferAccept
            | OptName::WindowClamp
            | OptName::NotSentLowAt
            | OptName::Linger2 => match sock.kind() {
                SockKind::Stream => return tcp::calls::option(self, id, name),
                SockKind::Datagram => return Err(Error::NoProtocolOption),
            },
        })
    }
}

/// Stores the options that do not depend on the protocol. TCP hears of them afterwards, to act on the change.
fn set_common(parts: &mut Parts<'_>, id: SockId, opt: SockOpt) -> Result<(), Error> {
    let mut sock = parts.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let config = &parts.cx.global.config;
    match opt {
        SockOpt::ReuseAddr(on) => sock.set(SockFlags::REUSE_ADDR, on),
        SockOpt::ReusePort(on) => sock.set(SockFlags::REUSE_PORT, on),
        SockOpt::KeepAlive(on) => sock.set(SockFlags::KEEP_ALIVE, on),
        SockOpt::V6Only(_) if sock.has(SockFlags::BOUND) => return Err(Error::InvalidArgument),
        SockOpt::V6Only(on) => sock.set(SockFlags::V6_ONLY, on),
        SockOpt::Broadcast(on) => sock.set(SockFlags::BROADCAST, on),
        SockOpt::Linger(time) => {
            sock.set(SockFlags::LINGER, time.is_some());
            sock.linger_s = time.unwrap_or(0);
        }
        SockOpt::SendBuffer(bytes) => {
            sock.send_buffer = bytes
                .min(config.wmem_max)
                .saturating_mul(2)
                .max(SEND_BUFFER_MIN);
            sock.set(SockFlags::SEND_BUFFER_SET, true);
        }
        SockOpt::ReceiveBuffer(bytes) => {
            sock.receive_buffer = bytes
                .min(config.rmem_max)
                .saturating_mul(2)
                .max(RECEIVE_BUFFER_MIN);
            sock.set(SockFlags::RECEIVE_BUFFER_SET, true);
        }
        SockOpt::MaxPacingRate(rate) => sock.max_pacing_rate = rate,
        SockOpt::ReceiveLowAt(bytes) => sock.receive_low_at = bytes.max(1),
        SockOpt::Ttl(0) => return Err(Error::InvalidArgument),
        SockOpt::Ttl(ttl) => sock.ttl = ttl,
        SockOpt::Tos(tos) => sock.tos = tos,
        SockOpt::NoDelay(_)
        | SockOpt::Cork(_)
        | SockOpt::KeepIdle(_)
        | SockOpt::KeepInterval(_)
        | SockOpt::KeepCount(_)
        | SockOpt::MaxSegment(_)
        | SockOpt::Congestion(_)
        | SockOpt::UserTimeout(_)
        | SockOpt::QuickAck(_)
        | SockOpt::SynCount(_)
        | SockOpt::DeferAccept(_)
        | SockOpt::WindowClamp(_)
        | SockOpt::NotSentLowAt(_)
        | SockOpt::Linger2(_) => {}
    }
    Ok(())
}

/// Whether [`set_common`] knows the option.
const fn is_common(opt: SockOpt) -> bool {
    matches!(
        opt,
        SockOpt::ReuseAddr(_)
            | SockOpt::ReusePort(_)
            | SockOpt::KeepAlive(_)
            | SockOpt::V6Only(_)
            | SockOpt::Broadcast(_)
            | SockOpt::Linger(_)
            | SockOpt::SendBuffer(_)
            | SockOpt::ReceiveBuffer(_)
            | SockOpt::MaxPacingRate(_)
            | SockOpt::ReceiveLowAt(_)
            | SockOpt::Ttl(_)
            | SockOpt::Tos(_)
    )
}

/// `SOCK_MIN_SNDBUF`.
const SEND_BUFFER_MIN: u64 = 4608;
/// `SOCK_MIN_RCVBUF`.
const RECEIVE_BUFFER_MIN: u64 = 2304;
