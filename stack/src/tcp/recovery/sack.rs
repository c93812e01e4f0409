//! Selective acknowledgements: which segments beyond a gap have arrived.

use super::ack_work::AckWork;
use crate::tcp::options::{SackBlock, SackBlocks};
use crate::tcp::segment::{Fate, TxSeg, TxSegId};
use crate::tcp::seq::Seq;
use crate::tcp::tcp_sock::TcpSock;

/// Most segments looked at for one ACK; a block beyond that is looked at with a later ACK.
const STEPS_MAX: u32 = 4096;

impl TcpSock<'_, '_> {
    /// Takes the blocks of an ACK for `ack`. `true`: something new was in them.
    pub(crate) fn take_sack(&mut self, blocks: &SackBlocks, ack: Seq, work: &mut AckWork) {
        let is_duplicate = self.take_dsack(blocks, ack);
        work.is_dsack = is_duplicate;
        let mut steps = STEPS_MAX;
        for &block in blocks.iter().skip(usize::from(is_duplicate)) {
            let snd = &self.sock.tcp.snd;
            let is_fresh = is_sane(block)
                && block.start.at_or_after(snd.una)
                && block.end.at_or_before(snd.nxt);
            if is_fresh && block.end.after(ack) {
                self.mark_sacked(block, work, &mut steps);
            }
        }
    }

    /// Counts what the first block reports as received twice, if it does.
    fn take_dsack(&mut self, blocks: &SackBlocks, ack: Seq) -> bool {
        let Some(twice) = duplicate(blocks, ack) else {
            return false;
        };
        let conn = &mut self.sock.tcp;
        conn.stats.dsack_dups = conn.stats.dsack_dups.saturating_add(1);
        let mss = u32::from(conn.snd.mss).max(1);
        let packets = twice.end.distance(twice.start).div_ceil(mss);
        conn.loss.undo.on_dsack(twice.end, packets);
        conn.loss.rack.on_dsack();
        true
    }

    fn mark_sacked(&mut self, block: SackBlock, work: &mut AckWork, steps: &mut u32) {
        let mut id = self.first_ending_after(block.start, steps);
        while *steps > 0
            && let Some(seg) = self.tcp.tx_segs.get(id).copied()
            && seg.seq.before(block.end)
        {
            *steps -= 1;
            if seg.fate() == Fate::Sacked {
                id = seg.next;
                continue;
            }
            let mss = u32::from(seg.mss).max(1);
            if seg.seq.before(block.start) {
                // Only whole packets can have been received: cut at the first inside the block.
                let skip = block.start.distance(seg.seq).next_multiple_of(mss);
                match self.sock.tcp.snd.queue.split(&mut self.tcp.tx(), id, skip) {
                    Some(rest) => id = rest,
                    None => id = seg.next,
                }
                continue;
            }
            if seg.end().after(block.end) {
                let inside = block.end.distance(seg.seq);
                let inside = inside - inside % mss;
                if self
                    .sock
                    .tcp
                    .snd
                    .queue
                    .split(&mut self.tcp.tx(), id, inside)
                    .is_none()
                {
                    return;
                }
            }
            id = self.sack_one(id, work);
        }
    }

    /// Marks one whole segment; returns the next.
    fn sack_one(&mut self, id: TxSegId, work: &mut AckWork) -> TxSegId {
        let Some(seg) = self.tcp.tx_segs.get(id).copied() else {
            return TxSegId::NONE;
        };
        let now = self.cx.now;
        let packets = seg.packets();
        let conn = &mut self.sock.tcp;
        let is_highest = conn.loss.board.sacked(seg.fate(), packets, seg.end());
        work.sacked += packets;
        if !seg.was_resent() {
            let rtt = now.nanos_since(seg.sent_at).max(1);
            work.sack_first_ns.get_or_insert(rtt);
            work.sack_last_ns = Some(rtt);
            work.note_order(seg.seq);
            work.is_original |= seg.end().at_or_before(conn.loss.high_seq);
        }
        conn.note_delivered(&mut work.sample, &seg, packets);
        conn.snd
            .queue
            .set_fate(&mut self.tcp.tx_segs, id, Fate::Sacked);
        self.rack_delivered(&seg);
        let segs = &mut self.tcp.tx_segs;
        let (queue, board) = (&mut self.sock.tcp.snd.queue, &mut self.sock.tcp.loss.board);
        // With both neighbours: a range that the peer reports as one is one here, or every report walks through its pieces.
        let id = queue.join_sacked(segs, id);
        let next = segs.get(id).map_or(TxSegId::NONE, |seg| seg.next);
        let is_joined = next.is_some() && queue.join_sacked(segs, next) == id;
        if is_highest || (is_joined && board.sack_high_hint == next) {
            board.sack_high_hint = id;
        }
        if !is_highest {
            board.sack_hint = id;
        }
        self.tcp
            .tx_segs
            .get(id)
            .map_or(TxSegId::NONE, |seg| seg.next)
    }

    /// The first segment that ends after `start`: walks from the nearest of the places known.
    fn first_ending_after(&self, start: Seq, steps: &mut u32) -> TxSegId {
        let segs = &self.tcp.tx_segs;
        let mut id = self.nearest_known(start);
        while *steps > 0
            && let Some(seg) = segs.get(id)
            && seg.seq.after(start)
            && seg.prev().is_some()
        {
            *steps -= 1;
            id = seg.prev();
        }
        while *steps > 0
            && let Some(seg) = segs.get(id)
            && seg.end().at_or_before(start)
        {
            *steps -= 1;
            id = seg.next;
        }
        id
    }

    /// Reports alternate between two places while repairs are under way: new data and filled holes.
    fn nearest_known(&self, start: Seq) -> TxSegId {
        let conn = &self.sock.tcp;
        let (queue, board) = (&conn.snd.queue, &conn.loss.board);
        let known = [
            queue.head(),
            queue.tail(),
            board.sack_high_hint,
            board.sack_hint,
        ];
        let candidates = known.map(|id| {
            let seg = self.tcp.tx_segs.get(id);
            (seg.map_or(u32::MAX, |seg| gap(seg, start)), id)
        });
        let nearest = candidates.into_iter().min_by_key(|(gap, _)| *gap);
        nearest.map_or(TxSegId::NONE, |(_, id)| id)
    }

    /// Later segments arrived before earlier ones: remembers by how much (Linux:
    /// tcp_check_sack_reordering).
    pub(crate) fn note_reordering(&mut self, work: &AckWork) {
        let Some(low) = work.reordered else { return };
        let max = self.cx.global.config.max_reordering;
        let conn = &mut self.sock.tcp;
        let loss = &mut conn.loss;
        let mss = u32::from(conn.snd.mss).max(1);
        let distance = work.prior_high.saturating_distance(low).div_ceil(mss);
        if distance > loss.reordering {
            loss.reordering = distance.min(max);
        }
        conn.stats.reord_seen = conn.stats.reord_seen.saturating_add(1);
        conn.loss.rack.on_reordering();
    }
}

/// From `start` to the nearer end of a segment, which may be long: those reported one by one are joined.
fn gap(seg: &TxSeg, start: Seq) -> u32 {
    if start.before(seg.seq) {
        seg.seq.distance(start)
    } else {
        start.saturating_distance(seg.end())
    }
}

/// The block that reports a duplicate (RFC 2883 §4): the first, if it lies below the ACK or within the
/// second.
fn duplicate(blocks: &SackBlocks, ack: Seq) -> Option<SackBlock> {
    let &first = blocks.first()?;
    let is_inside = blocks.get(1).is_some_and(|outer| {
        first.start.at_or_after(outer.start) && first.end.at_or_before(outer.end)
    });
    (is_sane(first) && (first.start.before(ack) || is_inside)).then_some(first)
}

/// A SACK block with `start < end`.
fn is_sane(block: SackBlock) -> bool {
    block.start.before(block.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_reports_a_duplicate_below_the_ack_or_within_the_second() {
        // RFC 2883 §4; the ACK is 2000.
        let table: [(&[(u32, u32)], bool); 8] = [
            (&[], false),
            (&[(1000, 2000)], true),
            (&[(1500, 2500)], true),
            (&[(3000, 4000)], false),
            (&[(3000, 4000), (3000, 5000)], true),
            (&[(3000, 4000), (3500, 5000)], false),
            (&[(4000, 3000), (2500, 5000)], false),
            (&[(1000, 1000)], false),
        ];
        for (numbers, is_duplicate) in table {
            let blocks: SackBlocks = numbers
                .iter()
                .map(|&(start, end)| SackBlock {
                    start: Seq::new(start),
                    end: Seq::new(end),
                })
                .collect();
            let found = duplicate(&blocks, Seq::new(2000)).is_some();
            assert_eq!(found, is_duplicate, "{numbers:?}");
        }
    }
}
