//! From a segment to a frame: header, options, pieces of the send chain.

use super::super::header::{self, HEADER_LEN, HEADER_LEN_MAX, Header};
use super::super::options::{
    OPTIONS_LEN_MAX, Options, SACK_BLOCKS_MAX, SackBlock, TIMESTAMPS_LEN, Timestamps,
};
use crate::frame::{BufRange, FrameSink, MAX_PIECES, PoolKind};
use crate::ip::ResolvedRoute;
use crate::ip::output::{self, Outgoing};
use crate::tcp::buffer::send::{Cursor, SendChain};
use crate::tcp::connection::Flags;
use crate::tcp::narrow::low32;
use crate::tcp::seq::Seq;
use crate::tcp::state::State;
use crate::tcp::tcp_sock::TcpSock;
use crate::time::Instant;
use crate::wire::ipv4;
use arrayvec::ArrayVec;
use zerocopy::IntoBytes;

/// The way out: where the next hop is and what takes the frames.
pub(crate) struct TxContext<'a, S> {
    pub(crate) route: &'a ResolvedRoute,
    pub(crate) sink: &'a mut S,
}

/// A segment about to leave.
pub(crate) struct TxSegment {
    pub(crate) seq: Seq,
    pub(crate) flags: header::Flags,
    /// Payload bytes, and where they lie.
    pub(crate) len: u32,
    pub(crate) from: Cursor,
    /// Packets it makes, each of `mss` bytes at most.
    pub(crate) packets: u32,
    pub(crate) mss: u16,
}

impl TxSegment {
    /// A segment without payload.
    pub(crate) fn bare(seq: Seq, flags: header::Flags) -> Self {
        Self {
            seq,
            flags,
            len: 0,
            from: Cursor::default(),
            packets: 1,
            mss: 0,
        }
    }
}

/// Bytes of the SACK option without blocks, padded.
const SACK_BASE_LEN: usize = 4;
const SACK_BLOCK_LEN: usize = 8;
/// IP's number for TCP.
pub(crate) const PROTOCOL: u8 = ipv4::TCP;

impl TcpSock<'_, '_> {
    /// Bytes of the SACK option the next segment carries.
    pub(crate) fn sack_option_len(&self) -> u16 {
        let conn = &self.sock.tcp;
        if !conn.has(Flags::SACK) {
            return 0;
        }
        let dup = usize::from(self.duplicate().is_some());
        let blocks = (dup + conn.rcv.ahead.ranges() as usize).min(self.sack_room());
        if blocks == 0 {
            0
        } else {
            u16::try_from(SACK_BASE_LEN + SACK_BLOCK_LEN * blocks).unwrap_or(0)
        }
    }

    /// What arrived twice and has not been reported (RFC 2883).
    fn duplicate(&self) -> Option<SackBlock> {
        let rcv = &self.sock.tcp.rcv;
        let is_wanted = rcv.dup_start != rcv.dup_end && self.cx.global.config.dsack != 0;
        is_wanted.then_some(SackBlock {
            start: rcv.dup_start,
            end: rcv.dup_end,
        })
    }

    /// SACK blocks that fit beside the other options.
    fn sack_room(&self) -> usize {
        let has_clock = self.sock.tcp.has(Flags::TIMESTAMPS);
        let taken = SACK_BASE_LEN + if has_clock { TIMESTAMPS_LEN } else { 0 };
        ((OPTIONS_LEN_MAX - taken) / SACK_BLOCK_LEN).min(SACK_BLOCKS_MAX)
    }

    /// Our clock for the timestamps option: milliseconds (RFC 7323 §5.4), offset per connection.
    pub(crate) fn clock(&self) -> u32 {
        clock_of(self.cx.now).wrapping_add(self.sock.tcp.rcv.ts_offset)
    }

    fn options(&mut self, is_syn: bool) -> Options {
        if is_syn {
            return self.syn_options();
        }
        let mut options = Options::default();
        let clock = self.clock();
        let room = self.sack_room();
        let duplicate = self.duplicate();
        let conn = &mut self.sock.tcp;
        if conn.has(Flags::TIMESTAMPS) {
            options.timestamps = Some(Timestamps {
                value: clock,
                echo: conn.rcv.ts_recent,
            });
        }
        if conn.has(Flags::SACK) {
            options.sack.extend(duplicate);
            conn.rcv.dup_end = conn.rcv.dup_start;
            let left = room.saturating_sub(options.sack.len());
            conn.rcv
                .ahead
                .sack_blocks(&self.tcp.ranges, left, &mut options.sack);
        }
        options
    }

    fn syn_options(&self) -> Options {
        let conn = &self.sock.tcp;
        let timestamps = conn.has(Flags::TIMESTAMPS).then(|| Timestamps {
            value: self.clock(),
            echo: conn.rcv.ts_recent,
        });
        Options {
            mss: Some(conn.rcv.mss_announced),
            window_scale: conn.has(Flags::SCALING).then_some(conn.rcv.scale.get()),
            sack_permitted: conn.has(Flags::SACK),
            timestamps,
            sack: ArrayVec::new(),
        }
    }

    /// Hands a segment to the device. Returns the bytes of the frame.
    pub(crate) fn emit<S: FrameSink>(
        &mut self,
        tx: &mut TxContext<'_, S>,
        segment: TxSegment,
    ) -> u32 {
        let is_syn = segment.flags.contains(header::Flags::SYN);
        let options = self.options(is_syn);
        let window = if is_syn {
            self.syn_window()
        } else {
            self.offer_window()
        };
        let has_ack = segment.flags.contains(header::Flags::ACK);
        let header = Header {
            src_port: self.sock.local.port,
            dst_port: self.sock.remote.port,
            seq: segment.seq,
            ack: if has_ack {
                self.sock.tcp.rcv.nxt
            } else {
                Seq::default()
            },
            flags: segment.flags,
            window,
        };
        let head = head_bytes(&header, &options);
        let mut payload = ArrayVec::<BufRange, MAX_PIECES>::new();
        let mut cursor = segment.from;
        let mut left = segment.len;
        while left > 0
            && let Some(stretch) = SendChain::stretch(&self.tcp.blocks, &mut cursor, left)
        {
            left -= stretch.len;
            let piece = BufRange {
                pool: PoolKind::Send,
                buf: stretch.buf,
                at: stretch.at,
                len: stretch.len,
            };
            if payload.try_push(piece).is_err() {
                break;
            }
        }
        let ident = self.next_ident();
        self.note_leaving(&segment, has_ack);
        let gso_size = if segment.packets > 1 { segment.mss } else { 0 };
        let outgoing = Outgoing {
            protocol: PROTOCOL,
            ttl: self.sock.ttl,
            tos: self.sock.tos,
            ident,
            head: &head,
            payload: &payload,
            gso_size,
        };
        output::emit(self.cx, tx.route, &outgoing, tx.sink)
    }

    /// The identification of the next packet, which means nothing as it must not be cut (RFC 6864 section 4.1). As in Linux it
    /// is zero until somebody has completed a handshake; then the connection counts its own from an unknown start, for the
    /// sake of routers that cut all the same.
    fn next_ident(&self) -> u16 {
        let conn = &self.sock.tcp;
        if conn.state() == State::SynReceived {
            return 0;
        }
        let [low, high, ..] = (u64::from(conn.snd.iss.raw()) + conn.stats.segs_out).to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    fn note_leaving(&mut self, segment: &TxSegment, has_ack: bool) {
        if has_ack {
            self.ack_leaves(1);
        }
        let packets = u64::from(segment.packets);
        self.cx.global.mib.tcp_out_segs += packets;
        let stats = &mut self.sock.tcp.stats;
        stats.segs_out += packets;
        if segment.len > 0 {
            stats.data_segs_out += packets;
            stats.bytes_sent += u64::from(segment.len);
        }
    }
}

/// Header and options as they go on the wire, checksum field zero.
pub(crate) fn head_bytes(header: &Header, options: &Options) -> ArrayVec<u8, HEADER_LEN_MAX> {
    let mut room = [0; OPTIONS_LEN_MAX];
    let options_len = options.emit(&mut room);
    let mut head = ArrayVec::new();
    let fixed = header.emit(options_len, 0);
    // Fits: HEADER_LEN + OPTIONS_LEN_MAX is the capacity.
    let _ = head.try_extend_from_slice(fixed.as_bytes());
    let _ = head.try_extend_from_slice(room.get(..options_len).unwrap_or_default());
    debug_assert_eq!(head.len(), HEADER_LEN + options_len);
    head
}

/// Milliseconds of a moment, modulo 2^32.
pub(crate) fn clock_of(at: Instant) -> u32 {
    low32(at.as_nanos() / 1_000_000)
}
