//! getsockopt(2)

use core::ffi::{c_int, c_void};

use family::{FileId, SharedState};
use libc::socklen_t;
use stack::{Domain, Instant, OptName, SockId, SockKind};
use sys::Errno;

use super::answer::{Answer, Form, byte_or_int, congestion, int, linger, time};
use super::{UNKNOWN, is_hint};
use crate::errno;
use crate::{descriptors, user};

/// Copies an option's value to the program, as much as fits.
///
/// # Safety
/// `len` must be null or writable, and `value` null or writable for `*len` bytes.
pub(crate) unsafe fn get(
    file: FileId,
    (level, name): (c_int, c_int),
    value: *mut c_void,
    len: *mut socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the hook passes on the program's own pointers.
    let room = unsafe { user::get(len) }?;
    let room = c_int::try_from(room)
        .map_err(|_| Errno(libc::EINVAL))?
        .unsigned_abs() as usize;
    let answer = crate::entering::enter(|state, now| look(state, now, file, level, name))??;
    let bytes = answer.bytes(room);
    let fits = bytes.len().min(room);
    if value.is_null() && fits > 0 {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: the program has said by `*len` that there are `room` bytes, and `fits` is no more.
    unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), value.cast::<u8>(), fits) };
    // SAFETY: the hook passes on the program's own pointers.
    unsafe { user::put(len, fits as socklen_t) }
}

fn look(
    state: &mut SharedState,
    now: Instant,
    file: FileId,
    level: c_int,
    name: c_int,
) -> Result<Answer, Errno> {
    let record = *state
        .files
        .get(file)
        .ok_or_else(|| descriptors::gone(file))?;
    let sock = record.sock;
    if is_foreign(state, sock, level) {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    match (level, name) {
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO) => return Ok(time(record.recv_timeout_ns)),
        (libc::SOL_SOCKET, libc::SO_SNDTIMEO) => return Ok(time(record.send_timeout_ns)),
        (libc::SOL_SOCKET, libc::SO_ERROR) => {
            let error = state
                .stack
                .take_error(sock)
                .map_or(0, |error| errno::of(error).0);
            return Ok(Answer::Int(error));
        }
        (libc::IPPROTO_TCP, libc::TCP_INFO) => {
            let info = state.stack.tcp_info(now, sock);
            return info.map(Answer::Info).ok_or(UNKNOWN);
        }
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER)
        | (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER) => {
            return Ok(Answer::Int(libc::IP_PMTUDISC_WANT));
        }
        (libc::IPPROTO_IP, libc::IP_MTU) | (libc::IPPROTO_IPV6, libc::IPV6_MTU) => {
            let connected = state.stack.peer(sock).is_some_and(|peer| peer.port != 0);
            let mtu = c_int::from(state.stack.config().mtu);
            return if connected {
                Ok(Answer::Int(mtu))
            } else {
                Err(Errno(libc::ENOTCONN))
            };
        }
        // Bound to none.
        (libc::SOL_SOCKET, libc::SO_BINDTODEVICE) => return Ok(Answer::Nothing),
        _ if is_hint(level, name) => return Ok(Answer::Int(0)),
        (libc::SOL_SOCKET, _) => {
            if let Some(answer) = about(state, sock, name) {
                return Ok(Answer::Int(answer));
            }
        }
        _ => {}
    }
    let (option, form) = find(level, name).ok_or(UNKNOWN)?;
    let value = state.stack.option(sock, option).map_err(errno::of)?;
    form(value).map_err(errno::of)
}

/// Whether this is an IPv4 socket that has no options of this level; Linux answers that with an error of its own.
fn is_foreign(state: &SharedState, sock: SockId, level: c_int) -> bool {
    let known = match level {
        libc::SOL_SOCKET | libc::IPPROTO_IP => true,
        libc::IPPROTO_TCP => state.stack.kind(sock) == Some(SockKind::Stream),
        _ => false,
    };
    !known && state.stack.domain(sock) == Some(Domain::Inet)
}

/// Options that tell what a socket is.
fn about(state: &SharedState, sock: SockId, name: c_int) -> Option<c_int> {
    let kind = state.stack.kind(sock)?;
    Some(match name {
        libc::SO_TYPE if kind == SockKind::Stream => libc::SOCK_STREAM,
        libc::SO_TYPE => libc::SOCK_DGRAM,
        libc::SO_PROTOCOL if kind == SockKind::Stream => libc::IPPROTO_TCP,
        libc::SO_PROTOCOL => libc::IPPROTO_UDP,
        libc::SO_DOMAIN => match state.stack.domain(sock)? {
            Domain::Inet => libc::AF_INET,
            Domain::Inet6 => libc::AF_INET6,
        },
        libc::SO_ACCEPTCONN => c_int::from(state.stack.is_listener(sock)),
        libc::SO_SNDLOWAT => 1,
        _ => return None,
    })
}

/// The stack's name of an option, and the form of its value.
fn find(level: c_int, name: c_int) -> Option<(OptName, Form)> {
    Some(match (level, name) {
        (libc::SOL_SOCKET, libc::SO_REUSEADDR) => (OptName::ReuseAddr, int),
        (libc::SOL_SOCKET, libc::SO_REUSEPORT) => (OptName::ReusePort, int),
        (libc::SOL_SOCKET, libc::SO_BROADCAST) => (OptName::Broadcast, int),
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE) => (OptName::KeepAlive, int),
        (libc::SOL_SOCKET, libc::SO_SNDBUF) => (OptName::SendBuffer, int),
        (libc::SOL_SOCKET, libc::SO_RCVBUF) => (OptName::ReceiveBuffer, int),
        (libc::SOL_SOCKET, libc::SO_RCVLOWAT) => (OptName::RcvLowat, int),
        (libc::SOL_SOCKET, libc::SO_LINGER) => (OptName::Linger, linger),
        (libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE) => {
            (OptName::MaxPacingRate, |rate| Ok(Answer::Wide(rate)))
        }
        (libc::IPPROTO_TCP, libc::TCP_NODELAY) => (OptName::NoDelay, int),
        (libc::IPPROTO_TCP, libc::TCP_CORK) => (OptName::Cork, int),
        (libc::IPPROTO_TCP, libc::TCP_QUICKACK) => (OptName::QuickAck, int),
        (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => (OptName::MaxSegment, int),
        (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE) => (OptName::KeepIdle, int),
        (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL) => (OptName::KeepInterval, int),
        (libc::IPPROTO_TCP, libc::TCP_KEEPCNT) => (OptName::KeepCount, int),
        (libc::IPPROTO_TCP, libc::TCP_SYNCNT) => (OptName::SynCount, int),
        (libc::IPPROTO_TCP, libc::TCP_LINGER2) => (OptName::Linger2, |seconds| {
            Ok(Answer::Int(seconds as c_int))
        }),
        (libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT) => (OptName::DeferAccept, int),
        (libc::IPPROTO_TCP, libc::TCP_WINDOW_CLAMP) => (OptName::WindowClamp, int),
        (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT) => (OptName::UserTimeout, int),
        (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT) => (OptName::NotSentLowat, |bytes| {
            Ok(Answer::Int(bytes as c_int))
        }),
        (libc::IPPROTO_TCP, libc::TCP_CONGESTION) => (OptName::Congestion, congestion),
        (libc::IPPROTO_IP, libc::IP_TOS) => (OptName::Tos, byte_or_int),
        (libc::IPPROTO_IP, libc::IP_TTL) => (OptName::Ttl, byte_or_int),
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => (OptName::RecvPktInfo, byte_or_int),
        (libc::IPPROTO_IP, libc::IP_RECVTTL) => (OptName::RecvTtl, byte_or_int),
        (libc::IPPROTO_IP, libc::IP_RECVTOS) => (OptName::RecvTos, byte_or_int),
        (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) => (OptName::RecvPktInfo, int),
        (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT) => (OptName::RecvTtl, int),
        (libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS) => (OptName::RecvTos, int),
        (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) => (OptName::V6Only, int),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => (OptName::Tos, int),
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS) => (OptName::Ttl, int),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
