//! `setsockopt` and `getsockopt`: the options every endpoint has.

use crate::error::Error;
use crate::layers::Layers;
use crate::sock::{OptName, SockFlags, SockId, SockKind, SockOpt};
use crate::stack::Stack;
use crate::tcp;
use crate::time::Instant;

impl Stack {
    /// `setsockopt(2)`.
    ///
    /// # Errors
    /// `BadDescriptor`; `NoProtocolOption` for a TCP option on a UDP endpoint; `InvalidArgument` for a value out of range.
    pub fn set_option(&mut self, now: Instant, id: SockId, opt: SockOpt) -> Result<(), Error> {
        let mut layers = self.layers(now);
        set_common(&mut layers, id, opt)?;
        match layers.socks.get(id).ok_or(Error::BadDescriptor)?.kind() {
            SockKind::Stream => tcp::calls::set_option(&mut layers.tcp_parts(), id, opt),
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
            OptName::RcvLowat => u64::from(sock.rcv_lowat),
            OptName::Ttl => u64::from(sock.ttl),
            OptName::Tos => u64::from(sock.tos),
            OptName::RecvPktInfo => flag(SockFlags::RECV_PKTINFO),
            OptName::RecvTtl => flag(SockFlags::RECV_TTL),
            OptName::RecvTos => flag(SockFlags::RECV_TOS),
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
            | OptName::NotSentLowat
            | OptName::Linger2 => match sock.kind() {
                SockKind::Stream => return tcp::calls::option(self, id, name),
                SockKind::Datagram => return Err(Error::NoProtocolOption),
            },
        })
    }
}

/// Stores the options that do not depend on the protocol. TCP hears of them afterwards, to act on the change.
fn set_common(layers: &mut Layers<'_>, id: SockId, opt: SockOpt) -> Result<(), Error> {
    let mut sock = layers.socks.get_mut(id).ok_or(Error::BadDescriptor)?;
    let config = &layers.cx.global.config;
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
        SockOpt::RcvLowat(bytes) => sock.rcv_lowat = bytes.max(1),
        SockOpt::Ttl(0) => return Err(Error::InvalidArgument),
        SockOpt::Ttl(ttl) => sock.ttl = ttl,
        SockOpt::Tos(tos) => sock.tos = tos,
        SockOpt::RecvPktInfo(on) => sock.set(SockFlags::RECV_PKTINFO, on),
        SockOpt::RecvTtl(on) => sock.set(SockFlags::RECV_TTL, on),
        SockOpt::RecvTos(on) => sock.set(SockFlags::RECV_TOS, on),
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
        | SockOpt::NotSentLowat(_)
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
            | SockOpt::RcvLowat(_)
            | SockOpt::Ttl(_)
            | SockOpt::Tos(_)
            | SockOpt::RecvPktInfo(_)
            | SockOpt::RecvTtl(_)
            | SockOpt::RecvTos(_)
    )
}

/// `SOCK_MIN_SNDBUF`.
const SEND_BUFFER_MIN: u64 = 4608;
/// `SOCK_MIN_RCVBUF`.
const RECEIVE_BUFFER_MIN: u64 = 2304;
