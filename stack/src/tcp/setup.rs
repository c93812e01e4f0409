//! Starting values of a connection: options, windows, buffers.

use super::congestion::{CcBlock, CongestionControl, CongestionWindow, INITIAL_WINDOW};
use super::connection::{Connection, Flags};
use super::isn::clock_offset;
use super::offer::{FILL_DEFAULT, FIRST_WINDOW_MAX, MSS_DEFAULT, MSS_MIN, Offer, headers};
use super::options::{Options, Scale, TIMESTAMPS_LEN};
use super::rate::RateState;
use super::recovery::Recovery;
use super::rtt::Rtt;
use super::seq::Seq;
use super::settings::Settings;
use super::state::{HalfClose, State};
use super::tcp_sock::TcpSock;
use crate::config::{CcKind, Config};
use crate::sock::SockFlags;
use crate::time::Instant;
use zerocopy::FromZeros;

/// Bytes Linux charges a queued full segment for beyond its payload.
const SEGMENT_OVERHEAD: u64 = 1024;
/// Bytes of the timestamps option, padded.
const TIMESTAMPS_ROOM: u16 = 12;
const _: () = assert!(TIMESTAMPS_ROOM as usize == TIMESTAMPS_LEN);

impl Connection {
    /// A fresh endpoint with what the settings say.
    pub(crate) fn new(config: &Config, kind: CcKind) -> Self {
        let mut conn = Self::new_zeroed();
        conn.settings = Settings::new(config);
        conn.cc = CcBlock::new(kind);
        conn.rtt = Rtt::new(config);
        conn
    }
}

impl TcpSock<'_, '_> {
    /// Makes ready to open with the first number `iss`. The ends must be known.
    pub(crate) fn prepare(&mut self, iss: Seq, offer: &Offer) {
        let now = self.cx.now;
        let (local, remote) = (self.sock.local, self.sock.remote);
        let config = self.cx.global.config;
        let conn = &mut self.sock.tcp;
        let Connection {
            cc,
            settings,
            accept,
            ..
        } = *conn;
        // Nothing of an earlier attempt counts.
        *conn = Connection::new_zeroed();
        (conn.cc, conn.settings, conn.accept) = (cc, settings, accept);
        conn.put(Flags::TIMESTAMPS, config.timestamps != 0);
        conn.put(Flags::SACK, config.sack != 0);
        conn.put(Flags::SCALING, config.window_scaling != 0);
        conn.rate = RateState::new(now);
        conn.rtt = Rtt::new(&config);
        conn.rcv.mss_announced = offer.mss;
        (conn.rcv.wnd, conn.rcv.ssthresh) = (offer.window, offer.window);
        (conn.rcv.clamp, conn.rcv.scale) = (offer.clamp, offer.scale);
        conn.snd.mtu = config.mtu;
        conn.snd.mss_clamp = offer.mss;
        conn.snd.mss = offer.mss;
        (conn.snd.iss, conn.snd.una, conn.snd.nxt) = (iss, iss, iss);
        conn.snd.written = iss.add(1);
        conn.snd.small_end = iss;
        conn.window = CongestionWindow::new(iss);
        conn.loss = Recovery::new(iss, config.reordering);
        conn.rcv.fill = FILL_DEFAULT;
        conn.rcv.ts_offset = clock_offset(self.cx.global, local, remote);
    }

    /// Takes the peer's SYN options (RFC 9293 §3.7.1, RFC 7323 §2.2, RFC 2018 §2).
    pub(crate) fn agree(&mut self, options: &Options, irs: Seq, window: u16) {
        let now = self.cx.now;
        let conn = &mut self.sock.tcp;
        conn.rcv.irs = irs;
        let first = irs.add(1);
        (conn.rcv.nxt, conn.rcv.wup, conn.rcv.copied) = (first, first, first);
        (conn.rcv.tune_start, conn.rcv.rtt_end) = (first, first);
        (conn.rcv.dup_start, conn.rcv.dup_end) = (first, first);
        match options.timestamps {
            Some(stamps) if conn.has(Flags::TIMESTAMPS) => {
                conn.rcv.ts_recent = stamps.value;
                conn.rcv.ts_recent_at = now;
            }
            Some(_) | None => conn.clear(Flags::TIMESTAMPS),
        }
        if !options.sack_permitted {
            conn.clear(Flags::SACK);
        }
        match options.window_scale {
            Some(scale) if conn.has(Flags::SCALING) => conn.snd.scale = Scale::new(scale),
            Some(_) | None => {
                conn.clear(Flags::SCALING);
                conn.snd.scale = Scale::NONE;
                conn.rcv.scale = Scale::NONE;
                conn.rcv.clamp = conn.rcv.clamp.min(FIRST_WINDOW_MAX);
            }
        }
        let peer = options
            .mss
            .filter(|&mss| mss > 0)
            .unwrap_or(MSS_DEFAULT)
            .max(MSS_MIN);
        conn.snd.mss_clamp = conn.snd.mss_clamp.min(peer);
        conn.snd.wnd = u32::from(window);
        conn.snd.wnd_max = conn.snd.wnd;
        conn.snd.wl1 = irs;
        self.sync_mss();
    }

    /// The segment size from clamp, path MTU and options.
    pub(crate) fn sync_mss(&mut self) {
        let headers = headers(self.sock.remote);
        let conn = &mut self.sock.tcp;
        let by_path = conn.snd.mtu.saturating_sub(headers);
        let options = if conn.has(Flags::TIMESTAMPS) {
            TIMESTAMPS_ROOM
        } else {
            0
        };
        let mut mss = conn.snd.mss_clamp.min(by_path).saturating_sub(options);
        // Never larger than half of what the peer ever offered (RFC 9293 §3.8.6.2.1; Linux:
        // tcp_bound_to_half_wnd), unless that would be very small.
        let half = conn.snd.wnd_max / 2;
        if conn.snd.wnd_max > u32::from(MSS_DEFAULT) && u32::from(mss) > half {
            mss = u16::try_from(half).unwrap_or(mss);
        }
        conn.snd.mss = mss.max(MSS_MIN - TIMESTAMPS_ROOM);
    }

    /// The handshake is complete.
    pub(crate) fn establish(&mut self) {
        let now = self.cx.now;
        let mib = &mut self.cx.global.mib;
        mib.tcp_curr_estab += 1;
        let conn = &mut self.sock.tcp;
        conn.set_state(State::Open(HalfClose::Established));
        conn.set(Flags::WAS_OPEN);
        let hint = u32::from(conn.rcv.mss_announced.min(conn.snd.mss));
        let hint = hint.min(conn.rcv.wnd / 2).min(u32::from(MSS_DEFAULT));
        conn.rcv.mss = u16::try_from(hint.max(u32::from(MSS_MIN))).unwrap_or(MSS_MIN);
        conn.rcv.tune_since = now;
        let first = conn.rcv.ssthresh.min(conn.rcv.wnd);
        conn.rcv.tune_space =
            u64::from(first.min(INITIAL_WINDOW * u32::from(conn.rcv.mss_announced)));
        conn.stats.acked_at = now;
        conn.ack.received_at = now;
        conn.loss.retransmits = 0;
        conn.window.usage_checked = now;
        conn.loss.retrans_since = Instant::ZERO;
        let clamp = self.payload_of(self.sock.receive_buffer);
        let rcv = &mut self.sock.tcp.rcv;
        rcv.clamp = rcv.clamp.min(clamp);
        rcv.ssthresh = rcv.ssthresh.min(rcv.clamp);
        self.expand_send_buffer();
        let view = self.cc_view();
        let decision = self.sock.tcp.cc.init(&view);
        self.apply(decision);
        self.arm_keepalive();
        self.raise(crate::sock::Ready::OUT);
    }

    /// The send buffer holds some windows (Linux: tcp_sndbuf_expand).
    pub(crate) fn expand_send_buffer(&mut self) {
        if self.sock.has(SockFlags::SEND_BUFFER_SET) {
            return;
        }
        let conn = &self.sock.tcp;
        let packets = conn
            .window
            .cwnd
            .max(INITIAL_WINDOW)
            .max(conn.loss.reordering + 1);
        let each = u64::from(conn.snd.mss_clamp) + SEGMENT_OVERHEAD;
        let windows = u64::from(conn.cc.send_buffer_windows());
        let wanted = windows * u64::from(packets) * each;
        let max = self.cx.global.config.tcp_wmem[2];
        self.sock.send_buffer = self.sock.send_buffer.max(wanted.min(max));
    }
}
