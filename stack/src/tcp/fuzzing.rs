//! TCP behind the fuzzer's doors ([`crate::fuzzing`]).

use super::Tcp;
use super::buffer::memory::{BLOCK_PAGES, RECEIVE_PAGES};
use super::connection::Connection;
use super::header::{HEADER_LEN, Header};
use super::options::{OPTIONS_LEN_MAX, Options};
use super::segment::Fate;
use core::ops::Add;
use zerocopy::IntoBytes;

/// What connections hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    send_blocks: u32,
    receive_buffers: u32,
    tx_segs: u32,
}

impl Add for Holdings {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            send_blocks: self.send_blocks + other.send_blocks,
            receive_buffers: self.receive_buffers + other.receive_buffers,
            tx_segs: self.tx_segs + other.tx_segs,
        }
    }
}

impl Tcp {
    /// What one connection holds. Looks on the way whether its counters of what is in flight are right.
    pub(crate) fn holdings(&self, conn: &Connection) -> Holdings {
        let (mut segs, mut out, mut lost) = (0, 0, 0);
        let mut next = conn.snd.queue.head();
        let mut at = conn.snd.una;
        while let Some(seg) = self.tx_segs.get(next) {
            assert!(seg.seq.at_or_before(at), "a gap in what was sent");
            at = seg.end();
            segs += 1;
            out += seg.packets();
            if matches!(seg.fate(), Fate::Lost | Fate::Resent) {
                lost += seg.packets();
            }
            next = seg.next;
        }
        if segs > 0 {
            assert_eq!(at, conn.snd.nxt, "what was sent ends at SND.NXT");
        }
        let board = &conn.loss.board;
        assert_eq!(
            (board.packets_out, board.lost_out),
            (out, lost),
            "in flight"
        );
        Holdings {
            send_blocks: conn.snd.chain.blocks(),
            receive_buffers: conn.rcv.queue.buffers() + conn.rcv.ahead.buffers(),
            tx_segs: segs,
        }
    }

    /// Compares what all connections hold with what is counted.
    pub(crate) fn check_holdings(&self, held: &Holdings) {
        let counted = Holdings {
            send_blocks: self.blocks.len(),
            receive_buffers: held.receive_buffers,
            tx_segs: self.tx_segs.len(),
        };
        assert_eq!(*held, counted, "held, counted");
        let pages = u64::from(held.send_blocks) * BLOCK_PAGES
            + u64::from(held.receive_buffers) * RECEIVE_PAGES;
        assert_eq!(pages, self.memory().pages(), "pages held, charged");
    }
}

pub(crate) fn check_header(bytes: &[u8]) {
    if let Some((header, len)) = Header::parse(bytes) {
        let again = Header::parse(header.emit(len - HEADER_LEN, 0).as_bytes());
        assert_eq!(again, Some((header, len)));
    }
}

/// SACK blocks for which there is no room beside the rest are left out.
pub(crate) fn check_options(bytes: &[u8]) {
    let options = Options::parse(bytes);
    let mut out = [0; OPTIONS_LEN_MAX];
    let len = options.emit(&mut out);
    assert_eq!(len % 4, 0);
    let again = Options::parse(&out[..len]);
    assert!(options.sack.starts_with(&again.sack));
    let expected = Options {
        sack: again.sack.clone(),
        ..options
    };
    assert_eq!(again, expected);
}
