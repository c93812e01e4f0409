//! Settings of a stack. A plain record in the region; every value governs.

use crate::addr::Addr;
use crate::time::Instant;
use bitflags::bitflags;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Every setting of one stack. The defaults are Linux's, but for `tw_reuse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Config {
    /// `net.ipv4.tcp_wmem`: smallest, initial and largest send buffer of a connection, bytes.
    pub tcp_wmem: [u64; 3],
    /// `net.ipv4.tcp_rmem`: smallest, initial and largest receive buffer of a connection, bytes.
    pub tcp_rmem: [u64; 3],
    /// `net.ipv4.tcp_mem`: low, pressure and high mark of all TCP memory, pages of 4096 bytes.
    pub tcp_mem: [u64; 3],
    /// `net.core.wmem_default`: send buffer of a UDP socket, bytes.
    pub wmem_default: u64,
    /// `net.core.wmem_max`: largest `SO_SNDBUF`, bytes before doubling.
    pub wmem_max: u64,
    /// `net.core.rmem_default`: receive buffer of a UDP socket, bytes.
    pub rmem_default: u64,
    /// `net.core.rmem_max`: largest `SO_RCVBUF`, bytes before doubling.
    pub rmem_max: u64,
    /// `net.ipv4.ipfrag_high_thresh`: most memory that fragments of IPv4 hold, bytes.
    pub ipfrag_high_thresh: u64,
    /// `net.ipv6.ip6frag_high_thresh`: most memory that fragments of IPv6 hold, bytes.
    pub ip6frag_high_thresh: u64,
    /// The stack's own IPv4 address; unspecified: none.
    pub addr: Addr,
    /// Next hop for every IPv4 address outside the own prefix; unspecified: none.
    pub gateway: Addr,
    /// The stack's own IPv6 address; unspecified: none. A link-local one comes with it ([`Self::link_local`]).
    pub addr6: Addr,
    /// Next hop for every IPv6 address outside the own prefix; unspecified: none.
    pub gateway6: Addr,
    /// `net.ipv4.tcp_max_tw_buckets`: most connections in TIME_WAIT.
    pub max_tw_buckets: u32,
    /// `net.ipv4.tcp_max_orphans`: most connections that no program holds and that are not in TIME_WAIT; more are reset.
    pub max_orphans: u32,
    /// `net.core.somaxconn`: largest backlog of a listener.
    pub somaxconn: u32,
    /// `net.core.busy_poll`: how long a waiter spins before it sleeps, microseconds.
    pub busy_poll_us: u32,
    /// `net.ipv4.tcp_pacing_ss_ratio`: pacing rate in slow start, percent of cwnd per RTT.
    pub pacing_ss_ratio: u32,
    /// `net.ipv4.tcp_pacing_ca_ratio`: pacing rate in congestion avoidance, percent of cwnd per RTT.
    pub pacing_ca_ratio: u32,
    /// `net.ipv4.tcp_fin_timeout`: how long an orphan stays in FIN_WAIT_2, seconds.
    pub fin_timeout_s: u32,
    /// `net.ipv4.tcp_keepalive_time`: idle time before the first probe, seconds.
    pub keepalive_time_s: u32,
    /// `net.ipv4.tcp_keepalive_intvl`: between probes, seconds.
    pub keepalive_intvl_s: u32,
    /// `net.ipv4.tcp_challenge_ack_limit`: challenge ACKs of the whole stack in a second.
    pub challenge_ack_limit: u32,
    /// `net.ipv4.tcp_invalid_ratelimit`: time between two answers to segments out of the window, ms.
    pub invalid_ratelimit_ms: u32,
    /// `net.ipv4.tcp_reordering`: reordering assumed before any is seen, packets.
    pub reordering: u32,
    /// `net.ipv4.tcp_max_reordering`: greatest reordering believed, packets.
    pub max_reordering: u32,
    /// `net.ipv4.tcp_max_syn_backlog`: most half-open connections of a listener.
    pub max_syn_backlog: u32,
    /// `net.ipv4.tcp_min_rtt_wlen`: how long a least round trip is believed, seconds.
    pub min_rtt_wlen_s: u32,
    /// `net.ipv4.tcp_notsent_lowat`: most unsent bytes of a writable connection; `u32::MAX`: no bound.
    pub notsent_lowat: u32,
    /// `net.ipv4.tcp_rto_min_us`: least retransmission timeout beyond the round trip, microseconds.
    pub rto_min_us: u32,
    /// `net.ipv4.tcp_rto_max_ms`: greatest retransmission timeout, milliseconds.
    pub rto_max_ms: u32,
    /// `net.ipv4.tcp_tw_reuse_delay`: least age of a TIME_WAIT that an own connection takes over, ms.
    pub tw_reuse_delay_ms: u32,
    /// `net.ipv4.ipfrag_time`: how long fragments of IPv4 wait for the rest, seconds.
    pub ipfrag_time_s: u32,
    /// `net.ipv6.ip6frag_time`: how long fragments of IPv6 wait for the rest, seconds.
    pub ip6frag_time_s: u32,
    /// `net.ipv4.ipfrag_max_dist`: most fragments from one address between two of a datagram; 0: any number.
    pub ipfrag_max_dist: u32,
    /// `net.ipv4.icmp_msgs_per_sec`: ICMP errors in a second.
    pub icmp_msgs_per_sec: u32,
    /// `net.ipv4.icmp_msgs_burst`: ICMP errors at once.
    pub icmp_msgs_burst: u32,
    /// `net.ipv4.icmp_ratelimit`: between two ICMP errors to one peer, after the first six, ms; 0: no bound.
    pub icmp_ratelimit_ms: u32,
    /// `net.ipv6.icmp.ratelimit`: the same for ICMPv6.
    pub icmp6_ratelimit_ms: u32,
    /// What the device does for us: bits of [`DeviceOffload`].
    pub offload: u32,
    /// `net.ipv4.ip_local_port_range`, first.
    pub port_first: u16,
    /// `net.ipv4.ip_local_port_range`, last.
    pub port_last: u16,
    /// Largest IP packet the device takes, bytes.
    pub mtu: u16,
    /// The own Ethernet address.
    pub mac: [u8; 6],
    /// Bits of `addr` that name the local network.
    pub prefix_len: u8,
    /// Bits of `addr6` that name the local network.
    pub prefix_len6: u8,
    /// `net.ipv4.tcp_congestion_control`: a [`CcKind`].
    pub congestion: u8,
    /// `net.ipv4.tcp_sack`: offer and accept selective acknowledgements (RFC 2018).
    pub sack: u8,
    /// `net.ipv4.tcp_timestamps`: offer and accept timestamps (RFC 7323).
    pub timestamps: u8,
    /// `net.ipv4.tcp_window_scaling`: offer and accept window scaling (RFC 7323).
    pub window_scaling: u8,
    /// `net.ipv4.tcp_syn_retries`: retransmissions of a SYN.
    pub syn_retries: u8,
    /// `net.ipv4.tcp_synack_retries`: retransmissions of a SYN-ACK.
    pub synack_retries: u8,
    /// `net.ipv4.tcp_retries2`: retransmissions before a connection is given up.
    pub retries2: u8,
    /// `net.ipv4.tcp_keepalive_probes`: unanswered probes before a connection is given up.
    pub keepalive_probes: u8,
    /// `net.ipv4.tcp_slow_start_after_idle` (RFC 2861).
    pub slow_start_after_idle: u8,
    /// `net.ipv4.tcp_moderate_rcvbuf`: grow the receive buffer with the flow.
    pub moderate_rcvbuf: u8,
    /// `net.ipv4.tcp_min_tso_segs`: least segments in a super-segment.
    pub min_tso_segs: u8,
    /// `net.ipv4.tcp_tso_win_divisor`: largest part of the window in one super-segment.
    pub tso_win_divisor: u8,
    /// `net.ipv4.tcp_abort_on_overflow`: reset who completes a handshake when the accept queue is full.
    pub abort_on_overflow: u8,
    /// `net.ipv4.tcp_autocorking`: small writes wait a moment for more.
    pub autocorking: u8,
    /// `net.ipv4.tcp_dsack`: report duplicates (RFC 2883).
    pub dsack: u8,
    /// `net.ipv4.tcp_early_retrans`: 3 and 4: tail loss probes; below: none.
    pub early_retrans: u8,
    /// `net.ipv4.tcp_frto`: look for spurious timeouts (RFC 5682).
    pub frto: u8,
    /// `net.ipv4.tcp_orphan_retries`: retransmissions of a connection that no program holds; 0: 8.
    pub orphan_retries: u8,
    /// `net.ipv4.tcp_rfc1337`: resets do not end TIME_WAIT.
    pub rfc1337: u8,
    /// `net.ipv4.tcp_syn_linear_timeouts`: timeouts of a SYN before they double.
    pub syn_linear_timeouts: u8,
    /// `net.ipv4.tcp_thin_linear_timeouts`: the first timeouts of thin streams do not double.
    pub thin_linear_timeouts: u8,
    /// `net.ipv4.tcp_tso_rtt_log`: round trips below 2 to this power, us, allow larger bursts; 0: off.
    pub tso_rtt_log: u8,
    /// `net.ipv4.tcp_tw_reuse`: 1: own connections take TIME_WAIT records over.
    pub tw_reuse: u8,
    /// `net.ipv4.ip_default_ttl`: time to live or hop limit of packets whose socket says none.
    pub default_ttl: u8,
    /// `net.ipv4.icmp_echo_ignore_all`: no answer to a ping over IPv4.
    pub icmp_echo_ignore_all: u8,
    /// `net.ipv4.tcp_syncookies`: 1: SYNs beyond the backlog are answered by cookies, 2: all are, 0: none is.
    pub syncookies: u8,
    /// 1: loopback addresses (127.0.0.0/8 and `::1`) are own addresses. 0: they are nobody's.
    pub loopback: u8,
    /// Means nothing; makes the size a multiple of the alignment, as a record's must be.
    pub reserved: [u8; 3],
}

impl Config {
    /// Whether the stack has an IPv4 address.
    #[must_use]
    pub const fn has_v4(&self) -> bool {
        self.addr.is_v4()
    }

    /// Whether the stack has IPv6 addresses.
    #[must_use]
    pub fn has_v6(&self) -> bool {
        self.addr6 != Addr::UNSPECIFIED
    }

    /// The own link-local IPv6 address, if the stack speaks IPv6.
    #[must_use]
    pub fn link_local(&self) -> Option<Addr> {
        self.has_v6().then(|| Addr::v6_link_local(self.mac))
    }

    /// Whether an address is in the own prefix of its family, or link-local: its holder is a neighbour.
    #[must_use]
    pub fn is_on_link(&self, addr: Addr) -> bool {
        let bits = |addr: Addr| u128::from_be_bytes(addr.octets());
        let (own, host_bits) = if addr.is_v4() {
            (self.addr, 32u32.saturating_sub(u32::from(self.prefix_len)))
        } else if !self.has_v6() {
            return false;
        } else if addr.is_v6_link_local() {
            return true;
        } else {
            (
                self.addr6,
                128u32.saturating_sub(u32::from(self.prefix_len6)),
            )
        };
        let differs = bits(own) ^ bits(addr);
        own.is_v4() == addr.is_v4() && differs.checked_shr(host_bits).unwrap_or(0) == 0
    }

    /// Whether this is one of the stack's own addresses.
    #[must_use]
    pub fn is_own(&self, addr: Addr) -> bool {
        !addr.is_unspecified()
            && (addr == self.addr
                || (self.has_v6() && (addr == self.addr6 || Some(addr) == self.link_local()))
                || (self.has_loopback() && addr.is_loopback()))
    }

    /// Whether loopback addresses are own addresses.
    #[must_use]
    pub const fn has_loopback(&self) -> bool {
        self.loopback != 0
    }

    /// What does not fit was answered at `last` ([`Instant::ZERO`]: never), and another answer would be too early.
    #[must_use]
    pub(crate) fn has_answered_lately(&self, last: Instant, now: Instant) -> bool {
        let gap_ns = u64::from(self.invalid_ratelimit_ms) * 1_000_000;
        last != Instant::ZERO && now.nanos_since(last) < gap_ns
    }

    /// Greatest retransmission timeout, ns.
    #[must_use]
    pub(crate) fn rto_max_ns(&self) -> u64 {
        u64::from(self.rto_max_ms) * 1_000_000
    }

    /// What the device does for us; unknown bits are ignored.
    #[must_use]
    pub const fn device_offload(&self) -> DeviceOffload {
        DeviceOffload::from_bits_truncate(self.offload)
    }

    /// The congestion control of new sockets; an impossible value counts as cubic.
    #[must_use]
    pub fn congestion_kind(&self) -> CcKind {
        CcKind::from_u8(self.congestion).unwrap_or(CcKind::Cubic)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tcp_wmem: [4096, 16 * KIB, 4 * MIB],
            tcp_rmem: [4096, 128 * KIB, 6 * MIB],
            // tcp_init_mem() of a machine with 4 GiB; whoever knows the machine's memory sets better ones.
            tcp_mem: [49_152, 65_536, 98_304],
            wmem_default: 212_992,
            wmem_max: 212_992,
            rmem_default: 212_992,
            rmem_max: 212_992,
            ipfrag_high_thresh: 4 * MIB,
            ip6frag_high_thresh: 4 * MIB,
            addr: Addr::UNSPECIFIED,
            gateway: Addr::UNSPECIFIED,
            addr6: Addr::UNSPECIFIED,
            gateway6: Addr::UNSPECIFIED,
            max_tw_buckets: 131_072,
            max_orphans: 131_072,
            somaxconn: 4096,
            busy_poll_us: 0,
            pacing_ss_ratio: 200,
            pacing_ca_ratio: 120,
            fin_timeout_s: 60,
            keepalive_time_s: 7200,
            keepalive_intvl_s: 75,
            challenge_ack_limit: i32::MAX as u32,
            invalid_ratelimit_ms: 500,
            reordering: 3,
            max_reordering: 300,
            max_syn_backlog: 4096,
            min_rtt_wlen_s: 300,
            notsent_lowat: u32::MAX,
            rto_min_us: 200_000,
            rto_max_ms: 120_000,
            tw_reuse_delay_ms: 1000,
            ipfrag_time_s: 30,
            ip6frag_time_s: 60,
            ipfrag_max_dist: 64,
            icmp_msgs_per_sec: 1000,
            icmp_msgs_burst: 50,
            icmp_ratelimit_ms: 1000,
            icmp6_ratelimit_ms: 1000,
            offload: 0,
            port_first: 32_768,
            port_last: 60_999,
            mtu: 1500,
            mac: [0; 6],
            prefix_len: 0,
            prefix_len6: 0,
            congestion: CcKind::Cubic as u8,
            sack: 1,
            timestamps: 1,
            window_scaling: 1,
            syn_retries: 6,
            synack_retries: 5,
            retries2: 15,
            keepalive_probes: 9,
            slow_start_after_idle: 1,
            moderate_rcvbuf: 1,
            min_tso_segs: 2,
            tso_win_divisor: 3,
            abort_on_overflow: 0,
            autocorking: 1,
            dsack: 1,
            early_retrans: 3,
            frto: 2,
            orphan_retries: 0,
            rfc1337: 0,
            syn_linear_timeouts: 4,
            thin_linear_timeouts: 0,
            tso_rtt_log: 9,
            // Linux: 2, on its loopback only; no connection of this stack is one.
            tw_reuse: 1,
            default_ttl: 64,
            icmp_echo_ignore_all: 0,
            syncookies: 1,
            loopback: 0,
            reserved: [0; 3],
        }
    }
}

bitflags! {
    /// What a device does with frames.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DeviceOffload: u32 {
        /// Fills in transport checksums of outgoing frames.
        const TX_CSUM = 1;
        /// Cuts outgoing TCP over IPv4.
        const TSO4 = 1 << 1;
        /// Cuts outgoing TCP over IPv6.
        const TSO6 = 1 << 2;
        /// Verifies transport checksums of received frames.
        const RX_CSUM = 1 << 3;
        /// May hand up coalesced frames longer than the MTU.
        const RX_GSO = 1 << 4;
    }
}

/// A congestion control algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CcKind {
    /// RFC 9438 with HyStart, Linux's default.
    Cubic = 0,
    /// BBR version 1 as in Linux.
    Bbr = 1,
    /// RFC 5681.
    Reno = 2,
}

impl CcKind {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Cubic, Self::Bbr, Self::Reno];

    /// Decodes the byte of a record; `None` for an impossible value.
    #[must_use]
    pub const fn from_u8(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Cubic),
            1 => Some(Self::Bbr),
            2 => Some(Self::Reno),
            _ => None,
        }
    }

    /// The name that `TCP_CONGESTION` and the sysctl use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cubic => "cubic",
            Self::Bbr => "bbr",
            Self::Reno => "reno",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Every link with IPv6 carries packets of this many bytes (RFC 8200 section 5).
pub const V6_MTU_MIN: u16 = 1280;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_found_by_the_name_they_give() {
        for kind in CcKind::ALL {
            assert_eq!(CcKind::from_name(kind.name()), Some(kind));
            assert_eq!(CcKind::from_u8(kind as u8), Some(kind));
        }
        assert_eq!(CcKind::from_name("vegas"), None);
    }
}
