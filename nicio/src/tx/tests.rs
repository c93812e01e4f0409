use super::*;
use crate::testing::{Pools, Sent, noise, plain_header, tcp_frame};

fn frame(seed: u8) -> Sent {
    Sent {
        header: plain_header(),
        payload: noise(100, seed),
        ..Sent::default()
    }
}

#[test]
fn frames_keep_their_order_across_the_ring_s_end() {
    let mut pools = Pools::new();
    let mut burst = TxBurst::new();
    let mut queued = 0_u8;
    let mut sent = 0_u8;
    for round in 0..20 {
        while !burst.is_full() {
            let mut header = plain_header();
            header[0] = queued;
            pools.queue(&mut burst, &Sent { header, ..frame(0) }, 1);
            queued = queued.wrapping_add(1);
        }
        for i in 0..burst.len() {
            let slot = burst.frame(i).expect("within the length");
            assert_eq!(slot.head()[VNET_HEADER_BYTES], sent.wrapping_add(i as u8));
        }
        let count = 1 + round % 7;
        burst.sent(count);
        sent = sent.wrapping_add(count as u8);
        pools.give_back(&mut burst);
    }
    assert!(burst.frame(burst.len()).is_none());
}

#[test]
fn counts_move_from_waiting_to_done_and_out_once() {
    let mut pools = Pools::new();
    let mut burst = TxBurst::new();
    for seed in 0..3 {
        pools.queue(&mut burst, &frame(seed), 4);
    }
    assert_eq!(burst.pins().count(), 12);
    burst.sent(2);
    assert_eq!(
        (burst.len(), burst.pins().count()),
        (1, 12),
        "sent is not yet given back"
    );
    assert_eq!(burst.take_done().count(), 8);
    assert_eq!((burst.take_done().count(), burst.pins().count()), (0, 4));
    burst.sent(usize::MAX);
    assert!(burst.is_empty());
    assert_eq!(burst.take_done().count(), 4);
}

#[test]
fn a_burst_is_full_while_too_many_counts_wait_to_be_given_back() {
    let mut pools = Pools::new();
    let mut burst = TxBurst::new();
    for round in 0.. {
        while !burst.is_full() {
            pools.queue(&mut burst, &frame(0), 4);
        }
        if burst.is_empty() {
            assert_eq!(round, 2, "two bursts' worth of counts fit");
            break;
        }
        burst.sent(TX_BURST_MAX);
    }
    pools.give_back(&mut burst);
    assert!(!burst.is_full());
    assert_eq!(pools.send.in_use(), 0);
}

#[test]
fn the_head_is_a_virtio_header_and_the_frame_s_own() {
    let mut pools = Pools::new();
    let mut burst = TxBurst::new();
    let sent = tcp_frame(noise(3000, 1), Some(1460));
    pools.queue(&mut burst, &sent, 2);
    let slot = burst.frame(0).expect("a frame was queued");
    let (vnet, header) = slot.head().split_at(VNET_HEADER_BYTES);
    let word = u16::to_ne_bytes;
    let fields = [word(54), word(1460), word(34), word(16)];
    assert_eq!(
        vnet,
        [&[1, 1], fields.concat().as_slice()].concat(),
        "flags, type, four words"
    );
    assert_eq!(header, sent.header);
    assert_eq!(slot.bytes(), VNET_HEADER_BYTES + sent.bytes().len());
}
