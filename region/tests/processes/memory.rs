//! Memory of buffers that goes back to the system.

use nstk_region::{Array, CHUNK_BYTES, Region};

use crate::child::in_a_child;

const BLOCK: usize = 64 * 1024;
const BLOCKS: usize = 400;

/// Bytes of this process's regions that are in memory.
fn resident() -> usize {
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
    let mut is_region = false;
    let mut sum = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Rss:"), Some(kilobytes)) if is_region => {
                sum += kilobytes.parse::<usize>().expect("a number") * 1024;
            }
            (Some(first), _) if !first.ends_with(':') => is_region = line.contains("memfd:"),
            _ => {}
        }
    }
    sum
}

#[test]
fn a_burst_leaves_no_memory_behind() {
    in_a_child(|| {
        let region = Region::create(256 << 20).expect("memfd");
        let mut pool = region.buffers(0, BLOCK as u32, 1000).expect("pool");
        let before = resident();
        let ids: Vec<_> = (0..BLOCKS).map(|_| pool.alloc().expect("room")).collect();
        for &id in &ids {
            assert!(pool.write(id, 0, &[0x5a; BLOCK]));
        }
        let (kept, rest) = ids.split_last().expect("some");
        for &id in rest {
            pool.release(id);
        }
        assert!(resident() >= before + BLOCKS * BLOCK);
        while !pool.give_back_idle(8) || pool.is_slack() {}
        assert!(resident() < before + 2 * CHUNK_BYTES, "{}", resident());
        let mut byte = [0];
        assert!(pool.read(*kept, 0, &mut byte) && byte == [0x5a]);
        let again = pool.alloc().expect("room");
        assert!(pool.write(again, 0, &[7; BLOCK]) && pool.read(again, 0, &mut byte));
        assert_eq!(byte, [7]);
    });
}

#[test]
fn an_array_that_was_cleared_is_zero_and_a_large_one_needs_no_memory() {
    in_a_child(|| {
        for len in [5, 1_000_000] {
            for region in [
                Region::create(256 << 20).expect("memfd"),
                Region::on_heap(256 << 20),
            ] {
                let mut array = region.array::<u64>(0, len).expect("array");
                let mut beside = region.array::<u64>(1, 10).expect("array");
                let fill = |array: &mut Array<u64>| {
                    for index in 0..array.len() {
                        *array.get_mut(index).expect("in range") = u64::MAX;
                    }
                };
                fill(&mut beside);
                let before = resident();
                fill(&mut array);
                array.clear();
                assert!(resident() < before + 2 * CHUNK_BYTES);
                assert!((0..len).all(|index| array.get(index) == Some(&0)));
                assert!((0..10).all(|index| beside.get(index) == Some(&u64::MAX)));
            }
        }
    });
}
