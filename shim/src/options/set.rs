//! setsockopt(2)

use core::ffi::{c_int, c_void};

use family::FileId;
use libc::socklen_t;
use stack::{CcKind, Domain, SockOpt};

use super::{CONGESTION_NAME_MAX, UNKNOWN, is_hint};
use crate::errno::Errno;
use crate::opening::on_socket;
use crate::{descriptors, replay, start};

/// What an option comes to.
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
    // SAFETY: the caller's promise.
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
        state
            .stack
            .set_option(now, sock, option)
            .map_err(Errno::from)
    })?
}

fn set_timeout(file: FileId, change: impl FnOnce(&mut family::FileRecord)) -> Result<(), Errno> {
    start::enter(|state, _| {
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
            SockOpt::ReceiveLowAt(u32::try_from(value.int()?).unwrap_or(c_int::MAX as u32))
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
        // 0 takes the limit away; else TCP_MIN_MSS and MAX_TCP_WINDOW bound it.
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
        libc::TCP_NOTSENT_LOWAT => SockOpt::NotSentLowAt(value.int()?.cast_unsigned()),
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

/// A value as the program gave it, as much of it as any option has.
struct Value {
    bytes: [u8; replay::VALUE_MAX],
    len: usize,
}

impl Value {
    /// # Safety
    /// `from` must be null or readable for `len` bytes.
    unsafe fn read(from: *const c_void, len: socklen_t) -> Result<Self, Errno> {
        let len = c_int::try_from(len).map_err(|_| Errno(libc::EINVAL))?;
        let len = (len.unsigned_abs() as usize).min(replay::VALUE_MAX);
        if from.is_null() && len > 0 {
            return Err(Errno(libc::EFAULT));
        }
        let mut bytes = [0; replay::VALUE_MAX];
        if len > 0 {
            // SAFETY: the caller's promise; the array is longer.
            unsafe { core::ptr::copy_nonoverlapping(from.cast(), bytes.as_mut_ptr(), len) };
        }
        Ok(Self { bytes, len })
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn part<const N: usize>(&self, at: usize) -> Result<[u8; N], Errno> {
        let part = self.as_bytes().get(at..at + N).ok_or(Errno(libc::EINVAL))?;
        part.try_into().map_err(|_| Errno(libc::EINVAL))
    }

    fn int(&self) -> Result<c_int, Errno> {
        Ok(c_int::from_ne_bytes(self.part(0)?))
    }

    fn ints(&self) -> Result<[c_int; 2], Errno> {
        Ok([
            c_int::from_ne_bytes(self.part(0)?),
            c_int::from_ne_bytes(self.part(4)?),
        ])
    }

    fn flag(&self) -> Result<bool, Errno> {
        Ok(self.int()? != 0)
    }

    fn within(&self, lowest: c_int, highest: c_int) -> Result<u32, Errno> {
        let value = self.int()?;
        if !(lowest..=highest).contains(&value) {
            return Err(Errno(libc::EINVAL));
        }
        Ok(value.cast_unsigned())
    }

    /// ip(7) options may be given as one byte.
    fn byte_or_int(&self) -> Result<c_int, Errno> {
        match self.as_bytes() {
            [byte, rest @ ..] if rest.len() < 3 => Ok(c_int::from(*byte)),
            _ => self.int(),
        }
    }

    /// `SO_MAX_PACING_RATE`: 4 or 8 bytes, all ones for no limit.
    fn rate(&self) -> Result<u64, Errno> {
        if let Ok(wide) = self.part(0) {
            return Ok(u64::from_ne_bytes(wide));
        }
        let narrow = self.int()?.cast_unsigned();
        Ok(if narrow == u32::MAX {
            u64::MAX
        } else {
            u64::from(narrow)
        })
    }

    /// A timeval in nanoseconds; 0: no timeout. Negative times have passed already.
    fn timeout_ns(&self) -> Result<u64, Errno> {
        let seconds = i64::from_ne_bytes(self.part(0)?);
        let micros = i64::from_ne_bytes(self.part(8)?);
        if !(0..1_000_000).contains(&micros) {
            return Err(Errno(libc::EDOM));
        }
        let Ok(seconds) = u64::try_from(seconds) else {
            return Ok(1);
        };
        let ns = micros.unsigned_abs() * 1000;
        Ok(seconds.saturating_mul(1_000_000_000).saturating_add(ns))
    }

    /// Text, with or without a zero byte.
    fn name(&self) -> Result<&str, Errno> {
        let bytes = self.as_bytes();
        let bytes = &bytes[..bytes.len().min(CONGESTION_NAME_MAX - 1)];
        let end = bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(bytes.len());
        match core::str::from_utf8(&bytes[..end]) {
            Ok("") => Err(Errno(libc::EINVAL)),
            Ok(name) => Ok(name),
            Err(_) => Err(Errno(libc::ENOENT)),
        }
    }
}
