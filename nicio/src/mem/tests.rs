use super::*;
use crate::conformance;
use crate::testing::{Pools, Sent, noise, plain_header};

#[test]
fn a_pair_in_memory_does_what_every_device_must() {
    let (mut one, mut other) = pair();
    conformance::run(&mut one, &mut other);
}

#[test]
fn a_full_wire_is_a_short_count_and_loses_nothing() {
    let (mut one, mut other) = pair();
    let mut pools = Pools::new();
    let mut sent = 0;
    let mut burst = TxBurst::new();
    loop {
        while !burst.is_full() {
            let payload = noise(60, burst.len() as u8);
            pools.queue(
                &mut burst,
                &Sent {
                    header: plain_header(),
                    payload,
                    ..Sent::default()
                },
                1,
            );
        }
        let count = one.tx_burst(&mut burst).expect("the other end is there");
        pools.give_back(&mut burst);
        sent += count;
        if count == 0 {
            break;
        }
    }
    assert_eq!(sent, RING_FRAMES);
    assert_eq!(burst.len(), TX_BURST_MAX, "what was not sent stays queued");
    let all = |got: &[crate::testing::Got]| got.len() == sent;
    assert_eq!(
        pools
            .receive_until(&mut other, all)
            .expect("the wire is whole")
            .len(),
        sent
    );
    assert_eq!(
        one.tx_burst(&mut burst),
        Ok(TX_BURST_MAX),
        "there is room again"
    );
}

#[test]
fn a_dropped_end_is_a_device_that_has_gone_once_all_is_received() {
    let (mut one, mut other) = pair();
    let mut pools = Pools::new();
    let frame = Sent {
        header: plain_header(),
        payload: noise(60, 1),
        ..Sent::default()
    };
    pools.send_all(&mut one, std::slice::from_ref(&frame), 1);
    drop(one);
    let got = pools
        .receive_until(&mut other, |got| !got.is_empty())
        .expect("one frame is left");
    assert_eq!(got[0].bytes, frame.bytes());
    assert_eq!(
        other.rx_burst(&mut full_burst(&mut pools)),
        Err(NicError::Gone)
    );
    assert_eq!(other.tx_burst(&mut TxBurst::new()), Err(NicError::Gone));
}

fn full_burst(pools: &mut Pools) -> RxBurst {
    let mut burst = RxBurst::new();
    pools.supply(&mut burst, usize::MAX);
    burst
}
