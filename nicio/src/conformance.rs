//! What every device must do, tried on two of them that can reach each other.
//!
//! Other frames may be under way, as on any network; those of the tests are told by their type.

use stack::RxChecksum;

use crate::testing::{Got, Pools, Sent, noise, plain_header, tcp_checksum_is_right, tcp_frame};
use crate::{Nic, RX_FRAME_BUFS, RxBurst, TX_BURST_MAX, TxBurst};

/// Runs every check in both directions. What is sent by one must arrive at the other.
///
/// # Panics
/// The device does not do what [`Nic`] promises.
pub(crate) fn run(one: &mut dyn Nic, other: &mut dyn Nic) {
    check_caps(one);
    check_caps(other);
    wait_for_the_link(one, other);
    wait_for_the_link(other, one);
    frames_arrive_whole_and_in_order(one, other);
    frames_arrive_whole_and_in_order(other, one);
    pieces_are_put_together(one, other);
    a_burst_without_room_leaves_frames_where_they_are(one, other);
    unfinished_checksums_are_finished_or_marked(one, other);
    super_segments_keep_their_bytes(one, other);
    super_segments_keep_their_bytes(other, one);
}

fn check_caps(nic: &dyn Nic) {
    let caps = nic.caps();
    assert!(caps.mtu >= 68, "RFC 791: every link carries 68 bytes");
    assert!(caps.max_burst >= 1, "a burst moves something");
    assert!(caps.queues >= 1, "there is a queue");
}

/// Whatever lies between the two may need a while to come up.
fn wait_for_the_link(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    let probe = Sent {
        header: plain_header(),
        payload: noise(46, 1),
        ..Sent::default()
    };
    for _ in 0..20 {
        pools.send_all(from, std::slice::from_ref(&probe), 1);
        let arrived = |got: &[Got]| got.iter().any(|got| got.bytes == probe.bytes());
        if arrived(&pools.receive_until(to, arrived).expect("the device works")) {
            // Let stragglers of earlier tries come in.
            let nothing = |got: &[Got]| got.is_empty();
            pools.receive_until(to, nothing).expect("the device works");
            return;
        }
    }
    panic!("no frame arrives within ten seconds");
}

fn frames_arrive_whole_and_in_order(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    let longest = usize::from(from.caps().mtu.min(to.caps().mtu));
    let frames: Vec<Sent> = (0..TX_BURST_MAX)
        .map(|i| {
            let len = if i % 4 == 3 { longest } else { 46 + i };
            Sent {
                header: plain_header(),
                payload: noise(len, i as u8),
                ..Sent::default()
            }
        })
        .collect();
    pools.send_all(from, &frames, 1);
    let got = receive_plain(&mut pools, to, frames.len());
    let bytes: Vec<_> = frames.iter().map(Sent::bytes).collect();
    assert!(
        got.iter().map(|got| &got.bytes).eq(&bytes),
        "frames arrive as sent, in order"
    );
    assert!(
        got.iter().all(|got| got.gso_size == 0),
        "ordinary frames stay ordinary"
    );
}

fn pieces_are_put_together(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    for cuts in 2..=stack::MAX_PIECES {
        let frame = Sent {
            header: plain_header(),
            payload: noise(1001, 7),
            ..Sent::default()
        };
        pools.send_all(from, std::slice::from_ref(&frame), cuts);
        let got = receive_plain(&mut pools, to, 1);
        assert_eq!(got[0].bytes, frame.bytes(), "{cuts} pieces make one frame");
    }
}

fn a_burst_without_room_leaves_frames_where_they_are(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    let frame = Sent {
        header: plain_header(),
        payload: noise(64, 9),
        ..Sent::default()
    };
    pools.send_all(from, std::slice::from_ref(&frame), 1);
    let mut burst = RxBurst::new();
    for room in [0, RX_FRAME_BUFS - 1] {
        pools.supply(&mut burst, room);
        assert_eq!(
            to.rx_burst(&mut burst),
            Ok(0),
            "{room} buffers are too few for any frame"
        );
        assert_eq!(burst.frames(), 0);
    }
    pools.drop_reserve(&mut burst);
    assert_eq!(
        receive_plain(&mut pools, to, 1)[0].bytes,
        frame.bytes(),
        "the frame has waited"
    );
    assert_eq!(
        from.tx_burst(&mut TxBurst::new()),
        Ok(0),
        "an empty burst sends nothing"
    );
}

fn unfinished_checksums_are_finished_or_marked(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    let frame = tcp_frame(noise(777, 3), None);
    pools.send_all(from, std::slice::from_ref(&frame), 2);
    let got = receive_tcp(&mut pools, to, 777);
    assert_eq!(got.len(), 1, "one segment was sent");
    if got[0].checksum != RxChecksum::Partial {
        assert!(
            tcp_checksum_is_right(&got[0].bytes),
            "a checksum not marked partial is right"
        );
    }
}

fn super_segments_keep_their_bytes(from: &mut dyn Nic, to: &mut dyn Nic) {
    let mut pools = Pools::new();
    let mss = from.caps().mtu.min(to.caps().mtu) - 40;
    let len = usize::from(u16::MAX - 40) / usize::from(mss) * usize::from(mss) - 1;
    let frame = tcp_frame(noise(len, 5), Some(mss));
    pools.send_all(from, std::slice::from_ref(&frame), 3);
    let got = receive_tcp(&mut pools, to, len);
    let payload: Vec<u8> = got
        .iter()
        .flat_map(|got| &got.bytes[54..])
        .copied()
        .collect();
    assert_eq!(
        payload, frame.payload,
        "cut or whole, the payload is the same"
    );
    for got in got {
        let payload = got.bytes.len() - 54;
        let whole = got.gso_size == mss && payload > usize::from(mss);
        let segment = got.gso_size == 0 && payload <= usize::from(mss);
        assert!(
            whole || segment,
            "{payload} bytes cannot have gso_size {}",
            got.gso_size
        );
    }
}

/// The next `count` frames of our own type.
fn receive_plain(pools: &mut Pools, nic: &mut dyn Nic, count: usize) -> Vec<Got> {
    let ours = |got: &Got| got.bytes.get(12..14) == Some(&[0x88, 0xb5]);
    let enough = |got: &[Got]| got.iter().filter(|got| ours(got)).count() >= count;
    let mut got = pools.receive_until(nic, enough).expect("the device works");
    got.retain(ours);
    assert_eq!(got.len(), count, "every frame arrives once");
    got
}

/// The TCP segments that come until they have `payload` bytes.
fn receive_tcp(pools: &mut Pools, nic: &mut dyn Nic, payload: usize) -> Vec<Got> {
    let ours = |got: &&Got| got.bytes.get(12..14) == Some(&[8, 0]) && got.bytes.len() > 54;
    let sum = |got: &[Got]| {
        got.iter()
            .filter(ours)
            .map(|got| got.bytes.len() - 54)
            .sum::<usize>()
    };
    let enough = |got: &[Got]| sum(got) >= payload;
    let mut got = pools.receive_until(nic, enough).expect("the device works");
    got.retain(|got| ours(&got));
    got
}
