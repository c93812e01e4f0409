//! Out-of-order data against a model: a plain array of bytes with holes.

use super::super::receive::{Part, Run, RxStore};
use super::*;
use proptest::prelude::*;
use region::{Buffers, Region};
use std::vec::Vec;

const LEN: u32 = 6000;
const START: u32 = u32::MAX - 2000;

struct Fixture {
    ranges: Table<RxRange>,
    segs: Table<RxSeg>,
    buffers: Buffers,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

impl Fixture {
    fn new() -> Self {
        let region = Region::on_heap(16 << 20);
        Self {
            ranges: region.table(0, 10_000).expect("room"),
            segs: region.table(1, 10_000).expect("room"),
            buffers: region.buffers(2, 4096, 1024).expect("room"),
            _region: region,
        }
    }

    fn store(&mut self) -> OooStore<'_> {
        OooStore {
            ranges: &mut self.ranges,
            segs: &mut self.segs,
            buffers: &mut self.buffers,
        }
    }

    /// Inserts the bytes `from..to`, each with the low byte of its place as content.
    fn insert(&mut self, ahead: &mut OutOfOrder, from: u32, to: u32) -> Inserted {
        let buf = self.buffers.alloc().expect("room");
        let bytes: Vec<u8> = (from..to).map(|n| n as u8).collect();
        assert!(self.buffers.write(buf, 7, &bytes));
        let part = Part {
            seq: Seq::new(START).add(from),
            buf,
            at: 7,
            len: to - from,
        };
        let inserted = ahead.insert(&mut self.store(), part);
        self.buffers.release(buf);
        inserted
    }
}

proptest! {
    #[test]
    fn what_is_pulled_is_what_was_inserted(
        arrivals in proptest::collection::vec((1..LEN, 1u32..900), 1..60),
    ) {
        let mut fixture = Fixture::new();
        let mut ahead = OutOfOrder::default();
        let mut model = std::vec![false; LEN as usize];
        for (from, len) in arrivals {
            let to = (from + len).min(LEN);
            if from >= to {
                continue;
            }
            let held = model[from as usize..to as usize].iter().all(|&held| held);
            let inserted = fixture.insert(&mut ahead, from, to);
            prop_assert_eq!(inserted == Inserted::Duplicate, held);
            model[from as usize..to as usize].fill(true);
            let holes = model.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            prop_assert_eq!(ahead.ranges() as usize, holes);
            let bytes = model.iter().filter(|&&held| held).count() as u64;
            prop_assert_eq!(ahead.bytes(&fixture.ranges), bytes);
            let mut blocks = SackBlocks::new();
            ahead.sack_blocks(&fixture.ranges, 4, &mut blocks);
            prop_assert_eq!(blocks.len(), holes.min(4));
            let newest = blocks[0];
            prop_assert!(newest.start.at_or_before(Seq::new(START).add(from)));
            prop_assert!(newest.end.at_or_after(Seq::new(START).add(to)));
        }
        // Byte 0 arrives: everything up to the next hole is in order.
        let first_hole = model[1..].iter().position(|&held| !held).map_or(LEN, |at| at as u32 + 1);
        let mut queue = Run::default();
        let next = ahead.pull(&mut fixture.store(), &mut queue, Seq::new(START).add(1));
        prop_assert_eq!(next.distance(Seq::new(START)), first_hole);
        let mut pulled = Vec::new();
        let (segs, buffers) = (&fixture.segs, &fixture.buffers);
        queue.read(segs, Seq::new(START).add(1), LEN, |buf, at, len| {
            let mut bytes = std::vec![0; len as usize];
            assert!(buffers.read(buf, at, &mut bytes));
            pulled.extend(bytes);
            true
        });
        prop_assert!(pulled.iter().copied().eq((1..first_hole).map(|n| n as u8)));
        ahead.clear(&mut fixture.store());
        let mut rx = RxStore { segs: &mut fixture.segs, buffers: &mut fixture.buffers };
        queue.clear(&mut rx);
        prop_assert_eq!(fixture.ranges.len(), 0);
        prop_assert_eq!(fixture.segs.len(), 0);
        prop_assert_eq!(fixture.buffers.in_use(), 0);
    }
}

#[test]
fn the_number_of_ranges_is_bounded() {
    let mut fixture = Fixture::new();
    let mut ahead = OutOfOrder::default();
    let buf = fixture.buffers.alloc().expect("room");
    let part = |number: u32| Part {
        seq: Seq::new(START).add(10 * number),
        buf,
        at: 0,
        len: 5,
    };
    for number in 1..RANGES_MAX + 10 {
        let inserted = ahead.insert(&mut fixture.store(), part(number));
        assert_eq!(inserted == Inserted::New, number <= RANGES_MAX);
    }
    let last = ahead.highest_end(&fixture.ranges);
    assert_eq!(ahead.insert(&mut fixture.store(), part(0)), Inserted::New);
    assert_eq!(ahead.ranges(), RANGES_MAX);
    assert_ne!(
        ahead.highest_end(&fixture.ranges),
        last,
        "the last made way for the first"
    );
    ahead.clear(&mut fixture.store());
    fixture.buffers.release(buf);
    assert_eq!(fixture.buffers.in_use(), 0);
}
