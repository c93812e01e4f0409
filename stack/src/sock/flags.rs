//! Flags that all kinds of endpoints share.

use bitflags::bitflags;

bitflags! {
    /// What holds of an endpoint of any kind.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct SockFlags: u32 {
        /// `SO_REUSEADDR`.
        const REUSE_ADDR = 1;
        /// `SO_REUSEPORT`.
        const REUSE_PORT = 1 << 1;
        /// `SO_BROADCAST`.
        const BROADCAST = 1 << 2;
        /// `IPV6_V6ONLY`.
        const V6_ONLY = 1 << 3;
        /// `SO_KEEPALIVE`.
        const KEEP_ALIVE = 1 << 4;
        /// `SO_LINGER` is on; the time is in `linger_s`.
        const LINGER = 1 << 5;
        /// `SO_SNDBUF` was set: no autotuning.
        const SEND_BUFFER_SET = 1 << 6;
        /// `SO_RCVBUF` was set: no autotuning.
        const RECEIVE_BUFFER_SET = 1 << 7;
        /// The program has closed it; no caller holds its id.
        const ORPHAN = 1 << 8;
        /// `bind` was called.
        const BOUND = 1 << 9;
        /// `shutdown(SHUT_RD)`.
        const READ_SHUT = 1 << 10;
        /// `shutdown(SHUT_WR)`.
        const WRITE_SHUT = 1 << 11;
        /// `bind` named an address, not only a port.
        const ADDRESS_BOUND = 1 << 12;
        /// A UDP endpoint has a peer.
        const CONNECTED = 1 << 13;
        /// `IP_PKTINFO`, `IPV6_RECVPKTINFO`.
        const RECV_PKTINFO = 1 << 14;
        /// `IP_RECVTTL`, `IPV6_RECVHOPLIMIT`.
        const RECV_TTL = 1 << 15;
        /// `IP_RECVTOS`, `IPV6_RECVTCLASS`.
        const RECV_TOS = 1 << 16;
    }
}
