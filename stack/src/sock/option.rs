//! Socket options: their names, and new values for them.

use crate::config::CcKind;

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
    NotSentLowat(u32),
    /// `IPV6_V6ONLY`.
    V6Only(bool),
    /// `SO_BROADCAST`.
    Broadcast(bool),
    /// `TCP_LINGER2`, seconds; negative: no FIN_WAIT_2 at all.
    Linger2(i32),
    /// `SO_RCVLOWAT`, bytes.
    RcvLowat(u32),
    /// `IP_TTL`.
    Ttl(u8),
    /// `IP_TOS`.
    Tos(u8),
    /// `IP_PKTINFO`, `IPV6_RECVPKTINFO`: a datagram comes with the own address that it was sent to.
    RecvPktInfo(bool),
    /// `IP_RECVTTL`, `IPV6_RECVHOPLIMIT`.
    RecvTtl(bool),
    /// `IP_RECVTOS`, `IPV6_RECVTCLASS`.
    RecvTos(bool),
}

/// The name of an option. [`crate::Stack::option`] answers with a number: booleans as 0 and 1.
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
    NotSentLowat,
    /// `IPV6_V6ONLY`.
    V6Only,
    /// `SO_BROADCAST`.
    Broadcast,
    /// `TCP_LINGER2`, seconds, as the two's complement of a signed number.
    Linger2,
    /// `SO_RCVLOWAT`, bytes.
    RcvLowat,
    /// `IP_TTL`.
    Ttl,
    /// `IP_TOS`.
    Tos,
    /// `IP_PKTINFO`, `IPV6_RECVPKTINFO`: a datagram comes with the own address that it was sent to.
    RecvPktInfo,
    /// `IP_RECVTTL`, `IPV6_RECVHOPLIMIT`.
    RecvTtl,
    /// `IP_RECVTOS`, `IPV6_RECVTCLASS`.
    RecvTos,
}
