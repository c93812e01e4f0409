//! The send chain against a model: a growing array of bytes, and how far it was sent and acknowledged.

use super::*;
use proptest::prelude::*;
use region::Region;

fn places(
    blocks: &Table<SendBlock>,
    mut cursor: Cursor,
    len: u32,
) -> std::vec::Vec<(BufId, u32, u32)> {
    let mut left = len;
    core::iter::from_fn(|| {
        let stretch = SendChain::stretch(blocks, &mut cursor, left)?;
        left -= stretch.len;
        Some((stretch.buf, stretch.at, stretch.len))
    })
    .collect()
}

proptest! {
    #[test]
    fn bytes_are_found_where_they_were_written_until_they_are_acknowledged(
        start: u32,
        steps in proptest::collection::vec((1u32..200_000, 0u32..200_000, 0u32..200_000), 1..30),
    ) {
        let region = Region::on_heap(32 << 20);
        let mut blocks: Table<SendBlock> = region.table(0, 1024).expect("room");
        let mut buffers = region.buffers(1, BLOCK_BYTES, 256).expect("room");
        let mut chain = SendChain::default();
        let start = Seq::new(start);
        // Every stretch written and not acknowledged: number of its first byte, and where it lies.
        let mut model = std::collections::VecDeque::new();
        let (mut una, mut sent, mut written) = (0u32, 0u32, 0u32);
        for (write, send, acknowledge) in steps {
            let mut store = SendStore { blocks: &mut blocks, buffers: &mut buffers };
            while chain.room(start.add(written)) < write {
                prop_assert!(chain.grow(&mut store, start.add(written)));
            }
            let mut at = written;
            for place in places(&blocks, chain.write_cursor(), write) {
                model.push_back((at, place));
                at += place.2;
            }
            prop_assert_eq!(at, written + write);
            chain.wrote(&blocks, write);
            written += write;

            let send = send.min(written - sent);
            let found = places(&blocks, chain.unsent_cursor(&blocks), send);
            prop_assert_eq!(found.iter().map(|place| place.2).sum::<u32>(), send);
            let mut at = sent;
            for (buf, offset, len) in found {
                let holder = model.iter().find(|(first, place)| *first <= at && at < first + place.2);
                let (first, place) = holder.expect("written and not acknowledged");
                prop_assert_eq!((place.0, place.1 + (at - first)), (buf, offset));
                at += len;
            }
            chain.sent(&blocks, send);
            sent += send;

            una += acknowledge.min(sent - una);
            let mut store = SendStore { blocks: &mut blocks, buffers: &mut buffers };
            chain.acknowledge(&mut store, start.add(una));
            model.retain(|(first, place)| first + place.2 > una);
            prop_assert!(chain.blocks() <= (written - una) / BLOCK_BYTES + 3);
            if una == written {
                chain.clear(&mut store);
                prop_assert_eq!(buffers.in_use(), 0);
            }
        }
        chain.clear(&mut SendStore { blocks: &mut blocks, buffers: &mut buffers });
        prop_assert_eq!(buffers.in_use(), 0);
        prop_assert_eq!(blocks.len(), 0);
    }
}

#[test]
fn a_pool_that_is_used_up_leaves_the_chain_as_it_was() {
    let region = Region::on_heap(8 << 20);
    let mut blocks: Table<SendBlock> = region.table(0, 16).expect("room");
    let mut buffers = region.buffers(1, BLOCK_BYTES, 1).expect("room");
    let mut chain = SendChain::default();
    let mut store = SendStore {
        blocks: &mut blocks,
        buffers: &mut buffers,
    };
    assert!(chain.grow(&mut store, Seq::new(5)));
    assert!(!chain.grow(&mut store, Seq::new(5)));
    assert_eq!(chain.room(Seq::new(5)), BLOCK_BYTES);
    chain.clear(&mut store);
    assert_eq!((store.blocks.len(), store.buffers.in_use()), (0, 0));
}
