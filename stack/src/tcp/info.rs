//! `TCP_INFO`, with the layout of Linux's `struct tcp_info`.

use super::connection::{Connection, Flags};
use super::narrow::low32;
use super::state::State;
use crate::sock::Sock;
use crate::time::Instant;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// `struct tcp_info` of `linux/tcp.h`; a program that knows an older one takes the front of it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TcpInfo {
    /// State, Linux's number.
    pub state: u8,
    /// Loss recovery state: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss.
    pub ca_state: u8,
    /// Retransmission timeouts in a row.
    pub retransmits: u8,
    /// Unanswered probes.
    pub probes: u8,
    /// Doublings of the timeout.
    pub backoff: u8,
    /// 1 timestamps, 2 SACK, 4 window scale.
    pub options: u8,
    /// Low half: the peer's scale; high half: ours.
    pub wscales: u8,
    /// Bit 0: `delivery_rate` was limited by the program.
    pub delivery_flags: u8,
    /// Retransmission timeout, us.
    pub rto: u32,
    /// Delayed-ACK estimate, us.
    pub ato: u32,
    /// Payload of a full segment we send, bytes.
    pub snd_mss: u32,
    /// Of the peer's, bytes.
    pub rcv_mss: u32,
    /// Packets sent and not acknowledged; of a listener: connections waiting for `accept`.
    pub unacked: u32,
    /// Packets reported by SACK; of a listener: its backlog.
    pub sacked: u32,
    /// Packets taken for lost.
    pub lost: u32,
    /// Packets sent again and not acknowledged.
    pub retrans: u32,
    /// 0, as in Linux.
    pub fackets: u32,
    /// Since data was sent last, ms.
    pub last_data_sent: u32,
    /// 0, as in Linux.
    pub last_ack_sent: u32,
    /// Since data came last, ms.
    pub last_data_recv: u32,
    /// Since an ACK came last, ms.
    pub last_ack_recv: u32,
    /// Path MTU, bytes.
    pub pmtu: u32,
    /// Most that is advertised now, bytes.
    pub rcv_ssthresh: u32,
    /// Smoothed round trip, us.
    pub rtt: u32,
    /// Its mean deviation, us.
    pub rttvar: u32,
    /// Slow start threshold, packets.
    pub snd_ssthresh: u32,
    /// Congestion window, packets.
    pub snd_cwnd: u32,
    /// MSS we announced.
    pub advmss: u32,
    /// Reordering assumed, packets.
    pub reordering: u32,
    /// Round trip as the receiver sees it, us.
    pub rcv_rtt: u32,
    /// What was read in a round trip, bytes.
    pub rcv_space: u32,
    /// Packets sent again in all.
    pub total_retrans: u32,
    /// Bytes per second; all ones: not paced.
    pub pacing_rate: u64,
    /// `SO_MAX_PACING_RATE`.
    pub max_pacing_rate: u64,
    /// Bytes acknowledged to us.
    pub bytes_acked: u64,
    /// Bytes received in order.
    pub bytes_received: u64,
    /// Packets sent, and received.
    pub segs_out: u32,
    /// See `segs_out`.
    pub segs_in: u32,
    /// Bytes written and not sent.
    pub notsent_bytes: u32,
    /// Least round trip, us.
    pub min_rtt: u32,
    /// Packets with data received.
    pub data_segs_in: u32,
    /// Packets with data sent.
    pub data_segs_out: u32,
    /// Latest delivery rate, bytes per second.
    pub delivery_rate: u64,
    /// Time with data to send, us.
    pub busy_time: u64,
    /// Of it, limited by the peer's window, us.
    pub rwnd_limited: u64,
    /// Of it, limited by the send buffer, us.
    pub sndbuf_limited: u64,
    /// Packets delivered.
    pub delivered: u32,
    /// Of them, with a congestion mark.
    pub delivered_ce: u32,
    /// Payload bytes sent, retransmissions included.
    pub bytes_sent: u64,
    /// Payload bytes sent again.
    pub bytes_retrans: u64,
    /// Duplicates the peer reported.
    pub dsack_dups: u32,
    /// Times reordering was seen.
    pub reord_seen: u32,
    /// Packets that came out of order.
    pub rcv_ooopack: u32,
    /// Window the peer offers, bytes.
    pub snd_wnd: u32,
    /// Window we offer, bytes.
    pub rcv_wnd: u32,
    /// 0: there are no paths to choose from.
    pub rehash: u32,
    /// Retransmission timeouts in all.
    pub total_rto: u16,
    /// Recoveries from them; not counted.
    pub total_rto_recoveries: u16,
    /// Time spent in them; not counted.
    pub total_rto_time: u32,
}

const _: () = assert!(size_of::<TcpInfo>() == 248);

/// What is to be told of an endpoint.
pub(crate) fn of(sock: &Sock, now: Instant) -> TcpInfo {
    let conn = &sock.tcp;
    let mut info = TcpInfo::new_zeroed();
    info.state = conn.state().to_byte();
    if conn.state() == State::Listen {
        info.unacked = conn.accept.ready;
        info.sacked = conn.accept.backlog;
        return info;
    }
    fill_loss(&mut info, conn);
    fill_sending(&mut info, conn, now);
    fill_receiving(&mut info, conn, now);
    info.max_pacing_rate = sock.max_pacing_rate;
    info
}

fn fill_loss(info: &mut TcpInfo, conn: &Connection) {
    let loss = &conn.loss;
    info.ca_state = loss.ca_state() as u8;
    info.retransmits = loss.retransmits;
    info.probes = loss.probes;
    info.backoff = loss.backoff;
    info.unacked = loss.board.packets_out;
    info.sacked = loss.board.sacked_out;
    info.lost = loss.board.lost_out;
    info.retrans = loss.board.retrans_out;
    info.snd_ssthresh = conn.window.ssthresh;
    info.snd_cwnd = conn.window.cwnd;
    info.reordering = loss.reordering;
    info.total_retrans = conn.stats.total_retrans;
    info.dsack_dups = conn.stats.dsack_dups;
    info.reord_seen = conn.stats.reord_seen;
    info.total_rto = u16::try_from(conn.stats.rto_count).unwrap_or(u16::MAX);
}

fn fill_sending(info: &mut TcpInfo, conn: &Connection, now: Instant) {
    let (snd, stats) = (&conn.snd, &conn.stats);
    info.rto = us(conn.rtt.rto_after_ns(conn.loss.backoff));
    info.rtt = us(conn.rtt.srtt_ns());
    info.rttvar = us(conn.rtt.deviation_ns());
    info.min_rtt = conn.rtt.min_ns().map_or(u32::MAX, us);
    info.snd_mss = u32::from(snd.mss);
    info.pmtu = u32::from(snd.mtu);
    info.snd_wnd = snd.wnd;
    info.last_data_sent = ms_since(now, snd.last_sent);
    info.last_ack_recv = ms_since(now, stats.acked_at);
    info.pacing_rate = if snd.pacing_rate == 0 {
        u64::MAX
    } else {
        snd.pacing_rate
    };
    info.notsent_bytes = snd.written.saturating_distance(snd.nxt);
    info.bytes_acked = stats.bytes_acked;
    info.bytes_sent = stats.bytes_sent;
    info.bytes_retrans = stats.bytes_retrans;
    info.segs_out = low32(stats.segs_out);
    info.segs_in = low32(stats.segs_in);
    info.data_segs_out = low32(stats.data_segs_out);
    info.data_segs_in = low32(stats.data_segs_in);
    info.delivered = low32(conn.rate.delivered());
    let (rate, is_limited) = conn.rate.delivery_rate(u32::from(snd.mss));
    info.delivery_rate = rate;
    info.delivery_flags = u8::from(is_limited);
    let (busy, window, buffer) = stats.times(now);
    (info.busy_time, info.rwnd_limited, info.sndbuf_limited) =
        (busy / 1000, window / 1000, buffer / 1000);
}

fn fill_receiving(info: &mut TcpInfo, conn: &Connection, now: Instant) {
    let rcv = &conn.rcv;
    for (flag, bit) in [
        (Flags::TIMESTAMPS, 1),
        (Flags::SACK, 2),
        (Flags::SCALING, 4),
    ] {
        if conn.has(flag) {
            info.options |= bit;
        }
    }
    if conn.has(Flags::SCALING) {
        info.wscales = conn.snd.scale.get() | rcv.scale.get() << 4;
    }
    info.ato = us(conn.ack.ato_ns);
    info.rcv_mss = u32::from(rcv.mss);
    info.advmss = u32::from(rcv.mss_announced);
    info.rcv_ssthresh = rcv.ssthresh;
    info.rcv_rtt = us(rcv.rtt_ns);
    info.rcv_space = u32::try_from(rcv.tune_space).unwrap_or(u32::MAX);
    info.rcv_wnd = rcv.wnd;
    info.rcv_ooopack = conn.stats.rcv_ooopack;
    info.bytes_received = conn.stats.bytes_received;
    info.last_data_recv = ms_since(now, conn.ack.received_at);
}

/// Microseconds; what is measured but shorter than one counts as one.
fn us(ns: u64) -> u32 {
    u32::try_from(ns / 1000)
        .unwrap_or(u32::MAX)
        .max(u32::from(ns > 0))
}

fn ms_since(now: Instant, then: Instant) -> u32 {
    low32(now.nanos_since(then) / 1_000_000)
}
