//! The lists of sent segments against a model: a vector in sequence order, with fates.

use super::*;
use proptest::prelude::*;
use region::Region;
use std::vec::Vec;

const MSS: u32 = 100;

struct Fixture {
    segs: Table<TxSeg>,
    blocks: Table<SendBlock>,
    queue: TxQueue,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

impl Fixture {
    fn new() -> Self {
        let region = Region::on_heap(8 << 20);
        Self {
            segs: region.table(0, 4096).expect("room"),
            blocks: region.table(1, 16).expect("room"),
            queue: TxQueue::default(),
            _region: region,
        }
    }

    fn push(&mut self, seq: u32, len: u32) {
        let seg = TxSeg::new(Seq::new(seq), len, 100, Cursor::default());
        self.queue.push(&mut self.segs, seg).expect("room");
    }

    fn all(&self) -> Vec<TxSegId> {
        let mut id = self.queue.head();
        core::iter::from_fn(|| {
            let seg = self.segs.get(id)?;
            Some(core::mem::replace(&mut id, seg.next))
        })
        .collect()
    }

    /// Everything that must hold of the lists.
    fn check(&self) {
        let all = self.all();
        let mut next = None;
        let mut previous = TxSegId::NONE;
        for &id in &all {
            let seg = self.segs.get(id).expect("linked");
            assert!(
                next.is_none_or(|next| next == seg.seq),
                "no gap, no overlap"
            );
            assert_eq!(seg.prev(), previous);
            next = Some(seg.end());
            previous = id;
        }
        assert_eq!(self.queue.tail(), previous);
        let mut sent = 0;
        let mut id = self.queue.first_sent();
        while let Some(seg) = self.segs.get(id) {
            assert!(matches!(seg.fate(), Fate::InFlight | Fate::Resent));
            sent += 1;
            id = TxQueue::next_sent(&self.segs, id);
        }
        let mut lost = 0;
        let mut id = self.queue.first_lost();
        while let Some(seg) = self.segs.get(id) {
            assert_eq!(seg.fate(), Fate::Lost);
            lost += 1;
            id = TxQueue::next_sent(&self.segs, id);
        }
        let count = |fates: &[Fate]| {
            let fate = |id: &&TxSegId| self.segs.get(**id).map(TxSeg::fate);
            all.iter()
                .filter(|id| fate(id).is_some_and(|fate| fates.contains(&fate)))
                .count()
        };
        assert_eq!(sent, count(&[Fate::InFlight, Fate::Resent]));
        assert_eq!(lost, count(&[Fate::Lost]));
        assert_eq!(self.segs.len() as usize, all.len());
    }
}

proptest! {
    #[test]
    fn the_lists_stay_sound_whatever_happens(
        steps in proptest::collection::vec((0u8..7, any::<u16>(), 1u32..2000), 1..120),
    ) {
        let mut fixture = Fixture::new();
        let mut next = u32::MAX - 5000;
        for (step, pick, len) in steps {
            let all = fixture.all();
            let id = all.get(usize::from(pick) % all.len().max(1)).copied().unwrap_or_default();
            let fate = [Fate::InFlight, Fate::Lost, Fate::Resent, Fate::Sacked][usize::from(pick) % 4];
            let Fixture { segs, blocks, queue, .. } = &mut fixture;
            match step {
                0 | 1 => {
                    fixture.push(next, len);
                    next = next.wrapping_add(len);
                }
                2 => drop(queue.pop(segs)),
                3 => queue.set_fate(segs, id, fate),
                4 => drop(queue.split(&mut TxStore { segs, blocks }, id, len / MSS * MSS)),
                5 => drop(queue.join_sacked(segs, id)),
                _ => queue.forgive_lost(segs),
            }
            fixture.check();
        }
        fixture.queue.clear(&mut fixture.segs);
        prop_assert_eq!(fixture.segs.len(), 0);
    }
}

#[test]
fn the_first_hole_is_the_first_to_be_sent_again() {
    let mut fixture = Fixture::new();
    for number in 0..3 {
        fixture.push(number * 100, 100);
    }
    let [first, second, third] = fixture.all()[..] else {
        panic!("three")
    };
    for id in [third, second, first] {
        fixture.queue.set_fate(&mut fixture.segs, id, Fate::Lost);
    }
    assert_eq!(fixture.queue.first_lost(), first);
    fixture
        .queue
        .set_fate(&mut fixture.segs, first, Fate::Resent);
    assert_eq!(fixture.queue.first_lost(), second);
}

#[test]
fn syn_and_fin_take_a_number_each() {
    let seg = TxSeg::new(Seq::new(5), 10, 4, Cursor::default());
    assert_eq!((seg.seq_len(), seg.packets()), (10, 3));
    assert_eq!(seg.with_syn().with_fin().end(), Seq::new(17));
    assert_eq!(
        TxSeg::new(Seq::new(5), 0, 4, Cursor::default())
            .with_fin()
            .packets(),
        1
    );
}
