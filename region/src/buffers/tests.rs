use std::collections::HashMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::Region;

const MIB: usize = 1 << 20;

fn pool(size: u32, max_count: u32) -> Buffers {
    let region = Region::on_heap(8 * MIB);
    region.buffers(0, size, max_count).expect("pool")
}

#[test]
fn a_buffer_lives_until_its_last_holder_lets_go() {
    let mut pool = pool(4096, 2);
    let id = pool.alloc().expect("room");
    assert!(pool.retain(id));
    pool.release(id);
    assert!(pool.write(id, 0, b"still there"));
    pool.release(id);
    assert!(!pool.write(id, 0, b"gone") && !pool.retain(id));
    pool.release(id);
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn bytes_are_copied_from_one_pool_to_another() {
    let region = Region::on_heap(8 * MIB);
    let blocks = region.buffers(0, 65536, 2).expect("pool");
    let (mut blocks, mut pool) = (blocks, region.buffers(1, 4096, 2).expect("pool"));
    let (from, to) = (blocks.alloc().expect("room"), pool.alloc().expect("room"));
    assert!(blocks.write(from, 60_000, b"across"));
    assert!(pool.copy_from(&blocks, from, 60_000, to, 4090, 6));
    let mut copied = [0; 6];
    assert!(pool.read(to, 4090, &mut copied));
    assert_eq!(&copied, b"across");
    assert!(
        !pool.copy_from(&blocks, from, 60_000, to, 4090, 7),
        "beyond the end"
    );
    assert!(
        !pool.copy_from(&blocks, from, 65_535, to, 0, 2),
        "beyond the end"
    );
    blocks.release(from);
    assert!(!pool.copy_from(&blocks, from, 0, to, 0, 1), "gone");
}

#[test]
fn a_pool_hands_out_its_maximum_and_no_more() {
    let mut pool = pool(65536, 5);
    let ids: Vec<_> = (0..5).map(|_| pool.alloc().expect("room")).collect();
    assert_eq!(
        (pool.alloc(), pool.in_use(), pool.max_count()),
        (None, 5, 5)
    );
    pool.release(ids[2]);
    assert_eq!(pool.alloc().map(Id::slot), Some(ids[2].slot()));
}

#[test]
fn a_pool_in_a_full_region_answers_none_and_goes_on_working() {
    let region = Region::on_heap(4 * CHUNK_BYTES);
    let mut pool = region.buffers(0, 65536, 100).expect("pool");
    // One chunk each for the header and the counts.
    let ids: Vec<_> = std::iter::from_fn(|| pool.alloc()).collect();
    assert_eq!((ids.len(), pool.in_use()), (8, 8));
    pool.release(ids[0]);
    assert!(pool.alloc().is_some() && pool.alloc().is_none());
}

#[test]
fn a_piece_may_be_empty_and_lies_within_its_buffer() {
    let mut pool = pool(4096, 1);
    let id = pool.alloc().expect("room");
    for (at, len) in [(0, 4096), (4095, 1), (4096, 0), (7, 0)] {
        let piece = pool.piece(id, at, len).expect("within the buffer");
        assert_eq!((piece.len(), piece.is_empty()), (len as usize, len == 0));
    }
    for (at, len) in [(0, 4097), (4096, 1), (4097, 0), (u32::MAX, u32::MAX)] {
        assert!(pool.piece(id, at, len).is_none());
    }
}

#[test]
fn neighbours_do_not_touch_each_other() {
    let mut pool = pool(4096, 200);
    let ids: Vec<_> = (0..200).map(|_| pool.alloc().expect("room")).collect();
    for (fill, id) in ids.iter().enumerate() {
        assert!(pool.write(*id, 0, &[fill as u8; 4096]));
    }
    for (fill, id) in ids.iter().enumerate() {
        let mut content = [0; 4096];
        assert!(pool.read(*id, 0, &mut content));
        assert_eq!(content, [fill as u8; 4096]);
    }
}

#[test]
fn ranges_beyond_the_end_are_refused() {
    let mut pool = pool(4096, 1);
    let id = pool.alloc().expect("room");
    assert!(pool.write(id, 4090, &[1; 6]) && !pool.write(id, 4091, &[1; 6]));
    assert!(!pool.write(id, u32::MAX, &[1; 6]) && !pool.read(id, 4096, &mut [0]));
    assert!(pool.read(id, 4096, &mut []));
    assert_eq!(pool.checksum(id, 4000, 97, 0), None);
    assert!(pool.piece(id, 1, u32::MAX).is_none());
    assert!(!pool.copy(id, 0, id, 4000, 97));
}

#[test]
fn sizes_other_than_powers_of_two_up_to_a_chunk_are_refused() {
    let region = Region::on_heap(MIB);
    for size in [0, 3, 1500, 2 * CHUNK_BYTES as u32] {
        assert_eq!(
            region.buffers(0, size, 10).err(),
            Some(RegionError::Mismatch)
        );
    }
    assert!(region.buffers(0, 4096, 10).is_ok());
}

#[test]
fn the_checksum_of_the_rfc_s_example_comes_out() {
    // RFC 1071 section 3.
    let mut pool = pool(4096, 1);
    let id = pool.alloc().expect("room");
    assert!(pool.write(id, 0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]));
    assert_eq!(pool.checksum(id, 0, 8, 0), Some(0xddf2));
}

#[test]
fn a_piece_reaches_the_bytes_of_its_buffer() {
    let mut pool = pool(4096, 1);
    let id = pool.alloc().expect("room");
    let piece = pool.piece(id, 100, 5).expect("in range");
    // SAFETY: five bytes fit, and the pool keeps the region mapped.
    unsafe { piece.copy_from(0, b"hello".as_ptr(), 5) };
    let mut seen = [0; 7];
    assert!(pool.read(id, 99, &mut seen));
    assert_eq!(&seen, b"\0hello\0");
    let mut back = [0; 3];
    // SAFETY: three bytes from the second on are within the piece.
    unsafe { piece.copy_to(1, back.as_mut_ptr(), 3) };
    assert_eq!(&back, b"ell");
}

/// RFC 1071 section 1, word by word.
fn plain_sum(bytes: &[u8], seed: u32) -> u32 {
    let mut sum = seed;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (sum & 0xffff) + (sum >> 16)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_checksum_is_that_of_the_plain_definition(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        at in 0u32..600,
        seed in 0u32..0x1_0000,
        cut in 0usize..300,
    ) {
        let mut pool = pool(4096, 1);
        let id = pool.alloc().expect("room");
        prop_assert!(pool.write(id, at, &bytes));
        let sum = pool.checksum(id, at, bytes.len() as u32, seed).expect("in range");
        prop_assert_eq!(sum, plain_sum(&bytes, seed));
        let cut = (2 * cut).min(bytes.len() & !1) as u32;
        let first = pool.checksum(id, at, cut, seed).expect("in range");
        let both = pool.checksum(id, at + cut, bytes.len() as u32 - cut, first);
        prop_assert_eq!(both, Some(sum));
    }

    #[test]
    fn copies_are_those_of_a_plain_array(
        steps in proptest::collection::vec((0usize..3, 0u32..90, 0usize..3, 0u32..90, 0u32..90), 1..40)
    ) {
        let mut pool = pool(64, 3);
        let ids: Vec<_> = (0..3).map(|_| pool.alloc().expect("room")).collect();
        let mut model: Vec<Vec<u8>> = (0..3u8).map(|which| (0..64).map(|at| at * 3 + which).collect()).collect();
        for (id, content) in ids.iter().zip(&model) {
            prop_assert!(pool.write(*id, 0, content));
        }
        for (from, from_at, to, to_at, len) in steps {
            let fits = from_at + len <= 64 && to_at + len <= 64;
            prop_assert_eq!(pool.copy(ids[from], from_at, ids[to], to_at, len), fits);
            if fits {
                let moved = model[from][from_at as usize..][..len as usize].to_vec();
                model[to][to_at as usize..][..len as usize].copy_from_slice(&moved);
            }
        }
        for (id, content) in ids.iter().zip(&model) {
            let mut seen = vec![0; 64];
            prop_assert!(pool.read(*id, 0, &mut seen));
            prop_assert_eq!(&seen, content);
        }
    }

    #[test]
    fn holders_are_counted(steps in proptest::collection::vec((0u8..3, any::<usize>()), 1..200)) {
        let mut pool = pool(64, 8);
        let mut model: HashMap<BufId, u32> = HashMap::new();
        for (step, which) in steps {
            let mut ids: Vec<_> = model.keys().copied().collect();
            ids.sort_by_key(|id| id.slot());
            match (step, ids.get(which % ids.len().max(1))) {
                (0, _) => match pool.alloc() {
                    Some(id) => prop_assert_eq!(model.insert(id, 1), None),
                    None => prop_assert_eq!(model.len(), 8),
                },
                (1, Some(id)) => {
                    prop_assert!(pool.retain(*id));
                    model.entry(*id).and_modify(|holders| *holders += 1);
                }
                (_, Some(id)) => {
                    pool.release(*id);
                    let holders = model[id] - 1;
                    model.insert(*id, holders);
                    model.retain(|_, holders| *holders > 0);
                }
                (_, None) => {}
            }
            prop_assert_eq!(pool.in_use() as usize, model.len());
        }
    }
}

/// A pool of 16 pages to a chunk's buffer count, with this many buffers taken and given back.
fn used_and_freed(count: u32) -> Buffers {
    let mut pool = pool(65536, 200);
    let ids: Vec<_> = (0..count).map(|_| pool.alloc().expect("room")).collect();
    for id in ids {
        pool.release(id);
    }
    pool
}

#[test]
fn memory_that_nobody_used_between_two_looks_goes_back_to_the_system() {
    let mut pool = used_and_freed(100);
    assert_eq!(pool.resident_bytes(), 25 * CHUNK_BYTES as u64);
    assert!(pool.is_slack());
    assert!(pool.give_back_idle(100));
    assert_eq!(pool.resident_bytes(), 25 * CHUNK_BYTES as u64);
    assert!(pool.give_back_idle(100));
    assert_eq!(pool.resident_bytes(), 0);
    assert!(!pool.is_slack());
    let id = pool.alloc().expect("room");
    assert_eq!(pool.resident_bytes(), CHUNK_BYTES as u64);
    assert!(pool.write(id, 0, b"as good as new"));
}

#[test]
fn memory_in_use_or_used_since_the_last_look_stays() {
    let mut pool = used_and_freed(100);
    let kept = pool.alloc().expect("room");
    assert!(pool.write(kept, 0, b"kept"));
    pool.give_back_idle(100);
    let again: Vec<_> = (0..9).map(|_| pool.alloc().expect("room")).collect();
    for id in again {
        pool.release(id);
    }
    pool.give_back_idle(100);
    // The chunk of what is kept, and two or three of what was used in between.
    let left = pool.resident_bytes() / CHUNK_BYTES as u64;
    assert!((3..=4).contains(&left), "{left}");
    let mut bytes = [0; 4];
    assert!(pool.read(kept, 0, &mut bytes) && &bytes == b"kept");
}

#[test]
fn little_is_given_back_at_once_if_little_is_asked_for() {
    let mut pool = used_and_freed(100);
    pool.give_back_idle(100);
    assert!(!pool.give_back_idle(10));
    assert_eq!(pool.resident_bytes(), 15 * CHUNK_BYTES as u64);
    assert!(!pool.give_back_idle(10));
    assert!(pool.give_back_idle(10));
    assert_eq!(pool.resident_bytes(), 0);
}
