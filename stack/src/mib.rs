//! Counters, named as in `/proc/net/snmp` and `/proc/net/netstat`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident = $name:literal;)*) => {
        /// The stack's counters since it was created.
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
        #[repr(C)]
        pub struct Mib { $($(#[$doc])* pub $field: u64),* }

        impl Mib {
            /// Every counter with Linux's name for it, in the order of the record.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($name, self.$field)),*].into_iter()
            }
        }
    };
}

counters! {
    /// Bytes of received IP packets. Segments that came as one have one header.
    ip_in_octets = "IpExtInOctets";
    /// Bytes of IP packets sent. Segments that leave as one have one header.
    ip_out_octets = "IpExtOutOctets";
    /// Received IP packets.
    ip_in_receives = "IpInReceives";
    /// Dropped for a bad header.
    ip_in_hdr_errors = "IpInHdrErrors";
    /// Not for this stack.
    ip_in_addr_errors = "IpInAddrErrors";
    /// For a protocol that is not here.
    ip_in_unknown_protos = "IpInUnknownProtos";
    /// Dropped because a pool or table was used up.
    ip_in_discards = "IpInDiscards";
    /// Handed to a protocol.
    ip_in_delivers = "IpInDelivers";
    /// Packets handed to the device.
    ip_out_requests = "IpOutRequests";
    /// Dropped because the table of waiting packets was full or a neighbour's queue was.
    ip_out_discards = "IpOutDiscards";
    /// Dropped for want of a route.
    ip_out_no_routes = "IpOutNoRoutes";
    /// Fragments received.
    ip_reasm_reqds = "IpReasmReqds";
    /// Datagrams put together.
    ip_reasm_oks = "IpReasmOKs";
    /// Datagrams given up: timed out, overlapping, or no room.
    ip_reasm_fails = "IpReasmFails";
    /// Fragments sent.
    ip_frag_creates = "IpFragCreates";
    /// ICMP messages received.
    icmp_in_msgs = "IcmpInMsgs";
    /// ICMP messages with a bad length or checksum.
    icmp_in_errors = "IcmpInErrors";
    /// ICMP messages sent.
    icmp_out_msgs = "IcmpOutMsgs";
    /// Unreachable messages that the rate limit held back.
    icmp_out_rate_limit = "IcmpOutRateLimitGlobal";
    /// Datagrams delivered.
    udp_in_datagrams = "UdpInDatagrams";
    /// Datagrams to a port without a socket.
    udp_no_ports = "UdpNoPorts";
    /// Datagrams dropped for a bad header or length.
    udp_in_errors = "UdpInErrors";
    /// Datagrams sent.
    udp_out_datagrams = "UdpOutDatagrams";
    /// Datagrams dropped because the receive buffer was full.
    udp_rcvbuf_errors = "UdpRcvbufErrors";
    /// Datagrams not sent because the send buffer was full.
    udp_sndbuf_errors = "UdpSndbufErrors";
    /// Datagrams with a bad checksum.
    udp_in_csum_errors = "UdpInCsumErrors";
    /// `connect` calls that sent a SYN.
    tcp_active_opens = "TcpActiveOpens";
    /// Connections accepted from a SYN.
    tcp_passive_opens = "TcpPassiveOpens";
    /// Openings that failed.
    tcp_attempt_fails = "TcpAttemptFails";
    /// Established connections that were reset.
    tcp_estab_resets = "TcpEstabResets";
    /// Connections now established or in CLOSE_WAIT.
    tcp_curr_estab = "TcpCurrEstab";
    /// Segments received, those of coalesced frames counted one by one.
    tcp_in_segs = "TcpInSegs";
    /// Segments sent, retransmissions included, as Linux counts them.
    tcp_out_segs = "TcpOutSegs";
    /// Segments sent again.
    tcp_retrans_segs = "TcpRetransSegs";
    /// Segments with a bad header.
    tcp_in_errs = "TcpInErrs";
    /// Resets sent.
    tcp_out_rsts = "TcpOutRsts";
    /// Segments with a bad checksum.
    tcp_in_csum_errors = "TcpInCsumErrors";
    /// Connections dropped because the accept queue was full.
    tcp_listen_overflows = "TcpExtListenOverflows";
    /// SYNs and connections that a listener dropped for any reason.
    tcp_listen_drops = "TcpExtListenDrops";
    /// SYNs answered by cookies.
    syncookies_sent = "TcpExtSyncookiesSent";
    /// ACKs of cookies.
    syncookies_recv = "TcpExtSyncookiesRecv";
    /// ACKs to a listener that sends cookies which are of none of them.
    syncookies_failed = "TcpExtSyncookiesFailed";
    /// Half-open connections that the peer reset.
    tcp_embryonic_rsts = "TcpExtEmbryonicRsts";
    /// SYNs answered by cookies because the listener had too many half-open connections.
    tcp_req_q_full_do_cookies = "TcpExtTCPReqQFullDoCookies";
    /// Half-open connections, or SYNs, dropped because the listener had too many.
    tcp_req_q_full_drop = "TcpExtTCPReqQFullDrop";
    /// Connections that went through TIME_WAIT.
    tcp_time_wait = "TcpExtTW";
    /// TIME_WAIT connections taken over by a new one.
    tcp_time_wait_recycled = "TcpExtTWRecycled";
    /// TIME_WAIT connections dropped because of `tcp_max_tw_buckets`.
    tcp_time_wait_overflow = "TcpExtTCPTimeWaitOverflow";
    /// Retransmission timeouts.
    tcp_timeouts = "TcpExtTCPTimeouts";
    /// Fast retransmissions.
    tcp_fast_retrans = "TcpExtTCPFastRetrans";
    /// Segments marked lost.
    tcp_lost_retransmit = "TcpExtTCPLostRetransmit";
    /// Times SACK recovery started.
    tcp_sack_recovery = "TcpExtTCPSackRecovery";
    /// Tail loss probes sent.
    tcp_loss_probes = "TcpExtTCPLossProbes";
    /// Reductions undone after a spurious timeout or retransmission.
    tcp_undo = "TcpExtTCPFullUndo";
    /// Segments dropped by the timestamp check (RFC 7323 PAWS).
    tcp_paws_estab = "TcpExtPAWSEstab";
    /// Challenge ACKs sent (RFC 5961).
    tcp_challenge_ack = "TcpExtTCPChallengeACK";
    /// Delayed ACKs sent.
    tcp_delayed_acks = "TcpExtDelayedACKs";
    /// Segments put into the out-of-order queue.
    tcp_ofo_queue = "TcpExtTCPOFOQueue";
    /// Segments of a burst that were taken in together with the one before.
    tcp_rcv_coalesce = "TcpExtTCPRcvCoalesce";
    /// Segments dropped for want of receive memory.
    tcp_rcvq_drop = "TcpExtTCPRcvQDrop";
    /// Connections reset because memory was used up.
    tcp_abort_on_memory = "TcpExtTCPAbortOnMemory";
    /// Connections given up after too many retransmissions.
    tcp_abort_on_timeout = "TcpExtTCPAbortOnTimeout";
    /// Connections reset because they were closed with unread data.
    tcp_abort_on_close = "TcpExtTCPAbortOnClose";
    /// Keepalive probes sent.
    tcp_keep_alive = "TcpExtTCPKeepAlive";
}
