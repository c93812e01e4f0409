//! RFC 6937 §3 and §4.

use super::*;
use std::vec::Vec;

fn ack(delivered: u32, in_flight: u32) -> PrrAck {
    PrrAck {
        delivered,
        is_good_progress: false,
        in_flight,
        ssthresh: 10,
    }
}

#[test]
fn above_the_threshold_one_packet_leaves_for_two_delivered() {
    // RFC 6937 §4, Figure 1 left: 20 packets, one lost, threshold 10.
    let mut prr = Prr::default();
    prr.begin(20);
    let mut in_flight = 18;
    let mut sent = Vec::new();
    for _ in 0..8 {
        let cwnd = prr.on_ack(&ack(1, in_flight)).expect("a reduction");
        let room = cwnd - in_flight;
        prr.on_sent(room);
        in_flight = cwnd - 1;
        sent.push(room);
    }
    assert_eq!(sent, [1, 0, 1, 0, 1, 0, 1, 0]);
}

#[test]
fn the_room_follows_the_reduction_bounds() {
    // RFC 6937 §3. Delivered and sent before; this ACK; the window.
    let table = [
        ("proportional, rounded up", (0, 1), ack(3, 15), 16),
        ("proportional, all sent", (4, 3), ack(1, 15), 15),
        ("slow start, what is owed", (5, 3), ack(1, 4), 7),
        ("slow start, what was delivered", (3, 5), ack(2, 4), 6),
        ("slow start, to the threshold only", (9, 0), ack(1, 8), 10),
        ("at the threshold", (5, 2), ack(1, 10), 10),
        ("the first retransmission goes", (0, 0), ack(1, 10), 11),
    ];
    for (what, (delivered, out), ack, cwnd) in table {
        let mut prr = Prr {
            prior_cwnd: 20,
            delivered,
            out,
        };
        assert_eq!(prr.on_ack(&ack), Some(cwnd), "{what}");
    }
}

#[test]
fn good_progress_earns_a_packet_more() {
    // draft-ietf-tcpm-prr-rfc6937bis: SafeACK.
    for (is_good_progress, cwnd) in [(false, 6), (true, 7)] {
        let mut prr = Prr {
            prior_cwnd: 20,
            delivered: 3,
            out: 5,
        };
        let ack = PrrAck {
            is_good_progress,
            ..ack(2, 4)
        };
        assert_eq!(prr.on_ack(&ack), Some(cwnd));
    }
}

#[test]
fn without_a_delivery_or_a_reduction_the_window_stays() {
    let mut prr = Prr::default();
    assert_eq!(prr.on_ack(&ack(1, 5)), None);
    prr.begin(20);
    assert_eq!(prr.on_ack(&ack(0, 5)), None);
    assert_eq!(prr.prior_cwnd(), 20);
    prr.forget();
    assert_eq!((prr.on_ack(&ack(1, 5)), prr.prior_cwnd()), (None, 0));
}

#[test]
fn a_new_reduction_counts_from_nothing() {
    let mut prr = Prr::default();
    prr.begin(20);
    prr.on_ack(&ack(5, 15));
    prr.on_sent(3);
    prr.begin(30);
    assert_eq!((prr.prior_cwnd, prr.delivered, prr.out), (30, 0, 0));
    prr.save_window(40);
    assert_eq!((prr.prior_cwnd, prr.delivered, prr.out), (40, 0, 0));
}
