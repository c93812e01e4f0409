use super::*;
use crate::testing::Pools;

fn meta(len: u32) -> RxMeta {
    RxMeta {
        start: RX_FRAME_START,
        len,
        checksum: RxChecksum::Good,
        gso_size: 0,
    }
}

#[test]
fn a_frame_takes_as_many_buffers_as_it_fills() {
    let mut pools = Pools::new();
    let first_room = 4096 - u32::from(RX_FRAME_START);
    for (len, bufs) in [(1, 1), (first_room, 1), (first_room + 1, 2), (65_549, 17)] {
        let mut burst = RxBurst::new();
        pools.supply(&mut burst, usize::MAX);
        assert!(burst.received(meta(len)));
        burst.take_frames(|mut frames| {
            let frame = frames.next().expect("a frame was received");
            assert_eq!((frame.len, frame.bufs.len()), (len, bufs));
        });
        let empty = burst.reserve_ids().count();
        assert_eq!(empty, RESERVE_MAX - bufs, "the others stay in the reserve");
    }
}

#[test]
fn places_of_taken_frames_are_wanted_again_after_the_last_one() {
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    pools.supply(&mut burst, usize::MAX);
    assert!(burst.received(meta(60)) && burst.received(meta(5000)));
    assert_eq!((burst.frames(), burst.wants()), (2, 0));
    assert_eq!(pools.take_all(&mut burst).len(), 2);
    assert_eq!((burst.frames(), burst.wants()), (0, 3));
}

#[test]
fn each_buffer_is_handed_out_once() {
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    pools.supply(&mut burst, usize::MAX);
    let mut ids: Vec<_> = burst.reserve_ids().collect();
    let mut handed = Vec::new();
    while burst.has_room() {
        assert!(burst.received(meta(4096)));
    }
    burst.take_frames(|frames| {
        frames.for_each(|frame| handed.extend_from_slice(frame.bufs));
    });
    handed.extend(burst.reserve_ids());
    ids.sort_by_key(|id| id.to_bits());
    handed.sort_by_key(|id| id.to_bits());
    assert_eq!(ids, handed);
}

#[test]
fn what_cannot_be_a_frame_leaves_its_buffers_in_the_reserve() {
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    pools.supply(&mut burst, RX_FRAME_BUFS);
    assert!(!burst.received(meta(0)), "an empty frame");
    assert!(
        !burst.received(meta(u32::MAX)),
        "more than there is room for"
    );
    assert_eq!(
        (burst.frames(), burst.reserve_ids().count()),
        (0, RX_FRAME_BUFS)
    );
}

#[test]
fn a_full_reserve_refuses_a_buffer() {
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    pools.supply(&mut burst, usize::MAX);
    let id = pools.receive.alloc().expect("the pool has more");
    let piece = pools
        .receive
        .piece(id, 0, 4096)
        .expect("the buffer is live");
    assert!(!burst.supply(id, piece));
    burst.clear_reserve();
    assert_eq!(burst.wants(), RESERVE_MAX);
}
