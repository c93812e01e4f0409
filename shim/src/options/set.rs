//! setsockopt(2)

use core::ffi::{c_int, c_void};

use family::FileId;
use libc::socklen_t;
use stack::{CcKind, Domain, SockOpt};
use sys::Errno;

use super::value::Value;
use super::{UNKNOWN, is_hint};
use crate::entering::{self, on_socket};
use crate::errno;
use crate::{descriptors, replay};

/// What an option sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Stack(SockOpt),
    /// `SO_RCVTIMEO`, nanoseconds.
    ReceiveTimeout(u64),
    /// `SO_SNDTIMEO`, nanoseconds.
    SendTimeout(u64),
    Hint,
}

/// Sets an option. `ENOPROTOOPT`: not one of those that the stack has.
///
/// # Safety
/// `value` must be null or readable for `len` bytes.
pub(crate) unsafe fn set(
    fd: c_int,
    file: FileId,
    (level, name): (c_int, c_int),
    value: *const c_void,
    len: socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the hook passes on the program's own pointer and length.
    let value = unsafe { Value::read(value, len) }?;
    match parse(level, name, &value)? {
        Setting::Hint => {}
        Setting::Stack(option) => set_on_stack(file, level, option)?,
        Setting::ReceiveTimeout(ns) => set_timeout(file, |record| record.recv_timeout_ns = ns)?,
        Setting::SendTimeout(ns) => set_timeout(file, |record| record.send_timeout_ns = ns)?,
    }
    if descriptors::is_undecided(fd) {
        replay::remember(file, level, name, value.as_bytes());
    }
    Ok(())
}

fn set_on_stack(file: FileId, level: c_int, option: SockOpt) -> Result<(), Errno> {
    on_socket(file, |state, now, sock| {
        if level == libc::IPPROTO_IPV6 && state.stack.domain(sock) != Some(Domain::Inet6) {
            return Err(UNKNOWN);
        }
        state.stack.set_option(now, sock, option).map_err(errno::of)
    })?
}

fn set_timeout(file: FileId, change: impl FnOnce(&mut family::FileRecord)) -> Result<(), Errno> {
    entering::enter(|state, _| {
        let mut record = state
            .files
            .get_mut(file)
            .ok_or_else(|| descriptors::gone(file))?;
        change(&mut record);
        Ok(())
    })?
}

fn parse(level: c_int, name: c_int, value: &Value) -> Result<Setting, Errno> {
    if is_hint(level, name) {
        return value.int().map(|_| Setting::Hint);
    }
    match level {
        libc::SOL_SOCKET => socket_level(name, value),
        libc::IPPROTO_TCP => tcp_level(name, value).map(Setting::Stack),
        libc::IPPROTO_IP => ip_level(name, value).map(Setting::Stack),
        libc::IPPROTO_IPV6 => ipv6_level(name, value).map(Setting::Stack),
        _ => Err(UNKNOWN),
    }
}

fn socket_level(name: c_int, value: &Value) -> Result<Setting, Errno> {
    Ok(Setting::Stack(match name {
        // To no interface in particular.
        libc::SO_BINDTODEVICE if value.as_bytes().first().is_none_or(|first| *first == 0) => {
            return Ok(Setting::Hint);
        }
        libc::SO_REUSEADDR => SockOpt::ReuseAddr(value.flag()?),
        libc::SO_REUSEPORT => SockOpt::ReusePort(value.flag()?),
        libc::SO_BROADCAST => SockOpt::Broadcast(value.flag()?),
        libc::SO_KEEPALIVE => SockOpt::KeepAlive(value.flag()?),
        // The stack's limits hold for the forced forms too. Negative sizes are large ones, as in Linux.
        libc::SO_SNDBUF | libc::SO_SNDBUFFORCE => {
            SockOpt::SendBuffer(u64::from(value.int()?.cast_unsigned()))
        }
        libc::SO_RCVBUF | libc::SO_RCVBUFFORCE => {
            SockOpt::ReceiveBuffer(u64::from(value.int()?.cast_unsigned()))
        }
        libc::SO_RCVLOWAT => {
            SockOpt::RcvLowat(u32::try_from(value.int()?).unwrap_or(c_int::MAX as u32))
        }
        libc::SO_LINGER => {
            let [on, seconds] = value.ints()?;
            SockOpt::Linger((on != 0).then_some(seconds.cast_unsigned()))
        }
        libc::SO_MAX_PACING_RATE => SockOpt::MaxPacingRate(value.rate()?),
        libc::SO_RCVTIMEO => return Ok(Setting::ReceiveTimeout(value.timeout_ns()?)),
        libc::SO_SNDTIMEO => return Ok(Setting::SendTimeout(value.timeout_ns()?)),
        _ => return Err(UNKNOWN),
    }))
}

fn tcp_level(name: c_int, value: &Value) -> Result<SockOpt, Errno> {
    Ok(match name {
        libc::TCP_NODELAY => SockOpt::NoDelay(value.flag()?),
        libc::TCP_CORK => SockOpt::Cork(value.flag()?),
        libc::TCP_QUICKACK => SockOpt::QuickAck(value.flag()?),
        // 0 means no limit. Otherwise it lies between Linux's TCP_MIN_MSS and MAX_TCP_WINDOW.
        libc::TCP_MAXSEG => match value.int()? {
            0 => SockOpt::MaxSegment(0),
            _ => SockOpt::MaxSegment(value.within(88, 32767)? as u16),
        },
        libc::TCP_KEEPIDLE => SockOpt::KeepIdle(value.within(1, 32767)?),
        libc::TCP_KEEPINTVL => SockOpt::KeepInterval(value.within(1, 32767)?),
        libc::TCP_KEEPCNT => SockOpt::KeepCount(value.within(1, 127)?),
        libc::TCP_SYNCNT => SockOpt::SynCount(value.within(1, 127)? as u8),
        libc::TCP_LINGER2 => SockOpt::Linger2(value.int()?),
        libc::TCP_DEFER_ACCEPT => SockOpt::DeferAccept(u32::try_from(value.int()?).unwrap_or(0)),
        libc::TCP_WINDOW_CLAMP => SockOpt::WindowClamp(value.within(0, c_int::MAX)?),
        libc::TCP_USER_TIMEOUT => SockOpt::UserTimeout(value.within(0, c_int::MAX)?),
        libc::TCP_NOTSENT_LOWAT => SockOpt::NotSentLowat(value.int()?.cast_unsigned()),
        libc::TCP_CONGESTION => {
            SockOpt::Congestion(CcKind::from_name(value.name()?).ok_or(Errno(libc::ENOENT))?)
        }
        _ => return Err(UNKNOWN),
    })
}

fn ip_level(name: c_int, value: &Value) -> Result<SockOpt, Errno> {
    Ok(match name {
        libc::IP_TOS => SockOpt::Tos(value.byte_or_int()? as u8),
        libc::IP_TTL => hops(value.byte_or_int()?)?,
        libc::IP_PKTINFO => SockOpt::RecvPktInfo(value.byte_or_int()? != 0),
        libc::IP_RECVTTL => SockOpt::RecvTtl(value.byte_or_int()? != 0),
        libc::IP_RECVTOS => SockOpt::RecvTos(value.byte_or_int()? != 0),
        _ => return Err(UNKNOWN),
    })
}

fn ipv6_level(name: c_int, value: &Value) -> Result<SockOpt, Errno> {
    Ok(match name {
        libc::IPV6_V6ONLY => SockOpt::V6Only(value.flag()?),
        libc::IPV6_TCLASS => SockOpt::Tos(match value.int()? {
            -1 => 0,
            class => u8::try_from(class).map_err(|_| Errno(libc::EINVAL))?,
        }),
        libc::IPV6_UNICAST_HOPS => hops(value.int()?)?,
        libc::IPV6_RECVPKTINFO => SockOpt::RecvPktInfo(value.flag()?),
        libc::IPV6_RECVHOPLIMIT => SockOpt::RecvTtl(value.flag()?),
        libc::IPV6_RECVTCLASS => SockOpt::RecvTos(value.flag()?),
        _ => return Err(UNKNOWN),
    })
}

/// -1 asks for the default.
fn hops(value: c_int) -> Result<SockOpt, Errno> {
    const DEFAULT: u8 = 64;
    match value {
        -1 => Ok(SockOpt::Ttl(DEFAULT)),
        1..=255 => Ok(SockOpt::Ttl(value as u8)),
        _ => Err(Errno(libc::EINVAL)),
    }
}

#[cfg(test)]
mod tests;
