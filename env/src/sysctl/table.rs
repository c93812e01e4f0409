//! Every key that the stack obeys. Defaults are [`stack::Config`]'s: Linux's, but for those that
//! [`Row::linux_default`] knows. Ranges are Linux's where it has any, as its `/proc/sys` takes them.

use super::row::{Field, Row};
use super::value::{Range, Unit};

/// The kernel keeps these in an `int`.
const INT_MAX: u64 = i32::MAX as u64;
/// RFC 7323 section 2.3: no window is larger than 1 GiB.
const WINDOW_MAX: u64 = 1 << 30;
/// 64 GiB of TCP memory.
const PAGES_MAX: u64 = 1 << 24;
/// The kernel's `MAX_TCP_KEEPIDLE` and `MAX_TCP_KEEPINTVL`.
const KEEPALIVE_MAX: u64 = 32_767;

/// The longest time in seconds that the kernel can count in its ticks.
const TICKS_MAX: u64 = 4_194_304;

const SWITCH: Range = Range::new(0, 1, Unit::Switch);
/// The kernel's `SOCK_MIN_SNDBUF`.
const SEND_BUFFER: Range = Range::new(4608, INT_MAX, Unit::Bytes);
/// The kernel's `SOCK_MIN_RCVBUF`.
const RECEIVE_BUFFER: Range = Range::new(2304, INT_MAX, Unit::Bytes);
/// The receive buffers beside TCP's are 64 MiB, and devices need some.
const FRAGMENT_MEMORY: Range = Range::new(0, 32 << 20, Unit::Bytes);
const PACING: Range = Range::new(0, 1000, Unit::Percent);

/// All rows, sorted by name.
pub static ROWS: &[Row] = &[
    Row {
        name: "net.core.busy_poll",
        doc: "how long a waiting thread polls before it sleeps; 0: as the stack sees fit",
        field: Field::Word(
            |c| &mut c.busy_poll_us,
            Range::new(0, 1_000_000, Unit::Microseconds),
        ),
    },
    Row {
        name: "net.core.rmem_default",
        doc: "receive buffer of a new UDP socket",
        field: Field::Long(|c| &mut c.rmem_default, RECEIVE_BUFFER),
    },
    Row {
        name: "net.core.rmem_max",
        doc: "largest receive buffer that SO_RCVBUF can ask for, before doubling",
        field: Field::Long(|c| &mut c.rmem_max, RECEIVE_BUFFER),
    },
    Row {
        name: "net.core.somaxconn",
        doc: "largest backlog that listen can ask for",
        field: Field::Word(|c| &mut c.somaxconn, Range::new(0, INT_MAX, Unit::Count)),
    },
    Row {
        name: "net.core.wmem_default",
        doc: "send buffer of a new UDP socket",
        field: Field::Long(|c| &mut c.wmem_default, SEND_BUFFER),
    },
    Row {
        name: "net.core.wmem_max",
        doc: "largest send buffer that SO_SNDBUF can ask for, before doubling",
        field: Field::Long(|c| &mut c.wmem_max, SEND_BUFFER),
    },
    Row {
        name: "net.ipv4.icmp_echo_ignore_all",
        doc: "no answer to pings over IPv4",
        field: Field::Byte(|c| &mut c.icmp_echo_ignore_all, SWITCH),
    },
    Row {
        name: "net.ipv4.icmp_msgs_burst",
        doc: "ICMP errors that may be sent at once",
        field: Field::Word(
            |c| &mut c.icmp_msgs_burst,
            Range::new(0, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.icmp_msgs_per_sec",
        doc: "ICMP errors that may be sent in a second",
        field: Field::Word(
            |c| &mut c.icmp_msgs_per_sec,
            Range::new(0, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.icmp_ratelimit",
        doc: "time between two ICMP errors to one IPv4 peer, after the first six; 0: no bound",
        field: Field::Word(
            |c| &mut c.icmp_ratelimit_ms,
            Range::new(0, INT_MAX, Unit::Milliseconds),
        ),
    },
    Row {
        name: "net.ipv4.ip_default_ttl",
        doc: "time to live of IPv4 packets and hop limit of IPv6 ones, where the socket does not say (IP_TTL)",
        field: Field::Byte(|c| &mut c.default_ttl, Range::new(1, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.ip_local_port_range",
        doc: "first and last port that connect and bind choose from",
        field: Field::Ports(Range::new(1, 65_535, Unit::Ports)),
    },
    Row {
        name: "net.ipv4.ipfrag_high_thresh",
        doc: "memory for fragments of IPv4 packets that wait for the others",
        field: Field::Long(|c| &mut c.ipfrag_high_thresh, FRAGMENT_MEMORY),
    },
    Row {
        name: "net.ipv4.ipfrag_max_dist",
        doc: "fragments from one address between two of a packet before it is given up; 0: any number",
        field: Field::Word(
            |c| &mut c.ipfrag_max_dist,
            Range::new(0, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.ipfrag_time",
        doc: "how long fragments of an IPv4 packet wait for the others",
        field: Field::Word(
            |c| &mut c.ipfrag_time_s,
            Range::new(0, TICKS_MAX, Unit::Seconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_abort_on_overflow",
        doc: "reset who connects while the accept queue is full, instead of letting it try again",
        field: Field::Byte(|c| &mut c.abort_on_overflow, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_autocorking",
        doc: "let small writes wait a moment for more while much is under way",
        field: Field::Byte(|c| &mut c.autocorking, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_challenge_ack_limit",
        doc: "challenge ACKs (RFC 5961) of the whole stack in a second",
        field: Field::Word(
            |c| &mut c.challenge_ack_limit,
            Range::new(0, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: super::CONGESTION,
        doc: "congestion control of new sockets",
        field: Field::Congestion,
    },
    Row {
        name: "net.ipv4.tcp_dsack",
        doc: "report segments that arrived twice (RFC 2883)",
        field: Field::Byte(|c| &mut c.dsack, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_early_retrans",
        doc: "3 or 4: tail loss probes (RFC 8985); below: none",
        field: Field::Byte(|c| &mut c.early_retrans, Range::new(0, 4, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_fin_timeout",
        doc: "how long a closed connection waits for the peer's FIN",
        field: Field::Word(
            |c| &mut c.fin_timeout_s,
            Range::new(1, KEEPALIVE_MAX, Unit::Seconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_frto",
        doc: "1 or 2: undo what a spurious timeout did (RFC 5682); 0: no",
        field: Field::Byte(|c| &mut c.frto, Range::new(0, 2, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_invalid_ratelimit",
        doc: "time between two answers to segments that fit no window",
        field: Field::Word(
            |c| &mut c.invalid_ratelimit_ms,
            Range::new(0, INT_MAX, Unit::Milliseconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_keepalive_intvl",
        doc: "time between two keepalive probes",
        field: Field::Word(
            |c| &mut c.keepalive_intvl_s,
            Range::new(1, KEEPALIVE_MAX, Unit::Seconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_keepalive_probes",
        doc: "unanswered keepalive probes before a connection is given up",
        field: Field::Byte(|c| &mut c.keepalive_probes, Range::new(1, 127, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_keepalive_time",
        doc: "idle time before the first keepalive probe",
        field: Field::Word(
            |c| &mut c.keepalive_time_s,
            Range::new(1, KEEPALIVE_MAX, Unit::Seconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_max_orphans",
        doc: "most connections that no program holds and that are not in TIME_WAIT; more are reset",
        field: Field::Word(|c| &mut c.max_orphans, Range::new(0, INT_MAX, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_max_reordering",
        doc: "greatest reordering of packets that is believed",
        field: Field::Word(
            |c| &mut c.max_reordering,
            Range::new(1, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.tcp_max_syn_backlog",
        doc: "half-open connections that a listener remembers",
        field: Field::Word(
            |c| &mut c.max_syn_backlog,
            Range::new(0, INT_MAX, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.tcp_max_tw_buckets",
        doc: "most connections in TIME_WAIT; older ones make room",
        field: Field::Word(
            |c| &mut c.max_tw_buckets,
            Range::new(1, 1 << 22, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.tcp_mem",
        doc: "memory of all TCP sockets: no pressure below the first, pressure above the second, \
              nothing above the third",
        field: Field::Triple(|c| &mut c.tcp_mem, Range::new(64, PAGES_MAX, Unit::Pages)),
    },
    Row {
        name: "net.ipv4.tcp_min_rtt_wlen",
        doc: "how long the least round-trip time is believed",
        field: Field::Word(
            |c| &mut c.min_rtt_wlen_s,
            Range::new(0, 86_400, Unit::Seconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_min_tso_segs",
        doc: "fewest segments in a super-segment, however slow the flow",
        field: Field::Byte(|c| &mut c.min_tso_segs, Range::new(1, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_moderate_rcvbuf",
        doc: "let receive buffers grow with their flows, up to tcp_rmem",
        field: Field::Byte(|c| &mut c.moderate_rcvbuf, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_notsent_lowat",
        doc: "unsent bytes above which a connection is not writable, where the socket does not say (TCP_NOTSENT_LOWAT)",
        field: Field::Word(
            |c| &mut c.notsent_lowat,
            Range::new(1, u32::MAX as u64, Unit::Bytes),
        ),
    },
    Row {
        name: "net.ipv4.tcp_orphan_retries",
        doc: "retransmissions before a connection that no program holds is given up; 0: 8",
        field: Field::Byte(|c| &mut c.orphan_retries, Range::new(0, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_pacing_ca_ratio",
        doc: "pacing rate in congestion avoidance, of a window per round trip",
        field: Field::Word(|c| &mut c.pacing_ca_ratio, PACING),
    },
    Row {
        name: "net.ipv4.tcp_pacing_ss_ratio",
        doc: "pacing rate in slow start, of a window per round trip",
        field: Field::Word(|c| &mut c.pacing_ss_ratio, PACING),
    },
    Row {
        name: "net.ipv4.tcp_reordering",
        doc: "reordering of packets that is assumed at first: later ones than this point to a loss",
        field: Field::Word(|c| &mut c.reordering, Range::new(1, INT_MAX, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_retries2",
        doc: "retransmissions before an established connection is given up",
        field: Field::Byte(|c| &mut c.retries2, Range::new(0, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_rfc1337",
        doc: "resets do not end TIME_WAIT (RFC 1337)",
        field: Field::Byte(|c| &mut c.rfc1337, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_rmem",
        doc: "receive buffer of a connection: least, at first, and at most by its own growth",
        field: Field::Triple(
            |c| &mut c.tcp_rmem,
            Range::new(4096, WINDOW_MAX, Unit::Bytes),
        ),
    },
    Row {
        name: "net.ipv4.tcp_rto_max_ms",
        doc: "greatest retransmission timeout",
        field: Field::Word(
            |c| &mut c.rto_max_ms,
            Range::new(1000, 120_000, Unit::Milliseconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_rto_min_us",
        doc: "least retransmission timeout beyond the round-trip time",
        field: Field::Word(
            |c| &mut c.rto_min_us,
            Range::new(1, INT_MAX, Unit::Microseconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_sack",
        doc: "selective acknowledgements (RFC 2018)",
        field: Field::Byte(|c| &mut c.sack, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_slow_start_after_idle",
        doc: "begin anew with a small window after an idle time (RFC 2861)",
        field: Field::Byte(|c| &mut c.slow_start_after_idle, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_syn_linear_timeouts",
        doc: "timeouts of a SYN before they double",
        field: Field::Byte(
            |c| &mut c.syn_linear_timeouts,
            Range::new(0, 127, Unit::Count),
        ),
    },
    Row {
        name: "net.ipv4.tcp_syn_retries",
        doc: "retransmissions of a SYN before connect gives up",
        field: Field::Byte(|c| &mut c.syn_retries, Range::new(1, 127, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_synack_retries",
        doc: "retransmissions of a SYN-ACK before the half-open connection is dropped",
        field: Field::Byte(|c| &mut c.synack_retries, Range::new(0, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_syncookies",
        doc: "1: SYNs beyond the backlog are answered by cookies, of which nothing is kept; 2: all are; 0: the oldest half-open connection gives way",
        field: Field::Byte(|c| &mut c.syncookies, Range::new(0, 2, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_thin_linear_timeouts",
        doc: "the first six timeouts of a connection with few packets in flight do not double",
        field: Field::Byte(|c| &mut c.thin_linear_timeouts, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_timestamps",
        doc: "timestamps (RFC 7323)",
        field: Field::Byte(|c| &mut c.timestamps, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_tso_rtt_log",
        doc: "nearer than 2 to this power microseconds, super-segments grow beyond the pacing rate; 0: never",
        field: Field::Byte(|c| &mut c.tso_rtt_log, Range::new(0, 63, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_tso_win_divisor",
        doc: "largest share of the window in one super-segment, as a divisor; 0: no such bound",
        field: Field::Byte(|c| &mut c.tso_win_divisor, Range::new(0, 255, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_tw_reuse",
        doc: "1: new connections may take those in TIME_WAIT over; 0 and 2 (on loopback only): no",
        field: Field::Byte(|c| &mut c.tw_reuse, Range::new(0, 2, Unit::Count)),
    },
    Row {
        name: "net.ipv4.tcp_tw_reuse_delay",
        doc: "how old a connection in TIME_WAIT must be for that",
        field: Field::Word(
            |c| &mut c.tw_reuse_delay_ms,
            Range::new(1, INT_MAX, Unit::Milliseconds),
        ),
    },
    Row {
        name: "net.ipv4.tcp_window_scaling",
        doc: "windows above 64 KB (RFC 7323)",
        field: Field::Byte(|c| &mut c.window_scaling, SWITCH),
    },
    Row {
        name: "net.ipv4.tcp_wmem",
        doc: "send buffer of a connection: least, at first, and at most by its own growth",
        field: Field::Triple(|c| &mut c.tcp_wmem, Range::new(4096, INT_MAX, Unit::Bytes)),
    },
    Row {
        name: "net.ipv6.icmp.ratelimit",
        doc: "time between two ICMPv6 errors to one peer, after the first six; 0: no bound",
        field: Field::Word(
            |c| &mut c.icmp6_ratelimit_ms,
            Range::new(0, INT_MAX, Unit::Milliseconds),
        ),
    },
    Row {
        name: "net.ipv6.ip6frag_high_thresh",
        doc: "memory for fragments of IPv6 packets that wait for the others",
        field: Field::Long(|c| &mut c.ip6frag_high_thresh, FRAGMENT_MEMORY),
    },
    Row {
        name: "net.ipv6.ip6frag_time",
        doc: "how long fragments of an IPv6 packet wait for the others",
        field: Field::Word(
            |c| &mut c.ip6frag_time_s,
            Range::new(0, TICKS_MAX, Unit::Seconds),
        ),
    },
];
