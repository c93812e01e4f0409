//! Losses, timeouts, reordering.

use super::*;
use crate::tcp::header::Flags;
use crate::{CcKind, Error, OptName};

/// Ten segments are out for 20 ms.
fn ten_out(change: impl Fn(&mut Config)) -> Script {
    let mut script = connected(change);
    script.write(10_000);
    assert_eq!(script.sent().len(), 10);
    script.advance(20 * MS);
    script
}

#[test]
fn tcp_rto_min_us_is_added_to_the_round_trip() {
    for (us, expected_ms) in [(200_000, 220), (50_000, 70)] {
        let mut script = measured(|config| (config.rto_min_us, config.early_retrans) = (us, 0));
        script.write(1000);
        script.sent();
        let [pause] = pauses(&mut script, 1)[..] else {
            panic!("one pause");
        };
        let expected = expected_ms * MS;
        assert!((expected..expected + 5 * MS).contains(&pause), "{pause:?}");
    }
}

#[test]
fn tcp_rto_max_ms_bounds_the_doubling() {
    let mut script = measured(|config| config.rto_max_ms = 1500);
    script.write(1000);
    script.sent();
    let longest = pauses(&mut script, 8).into_iter().max();
    assert_eq!(longest, Some(1500 * MS));
}

#[test]
fn tcp_retries2_is_how_long_a_silent_peer_is_tried() {
    let silence = |retries| {
        let mut script = measured(|config| config.retries2 = retries);
        script.write(1000);
        script.sent();
        let start = script.host.now;
        while script.info().state == 1 {
            script.wait(SECOND);
        }
        assert_eq!(script.read(), Err(Error::TimedOut));
        script.host.now.saturating_since(start)
    };
    let (few, many) = (silence(3), silence(6));
    assert!(few < 10 * SECOND && many > 4 * few, "{few:?}, {many:?}");
}

#[test]
fn tcp_orphan_retries_is_how_often_a_closed_end_tries() {
    let tries = |retries| {
        let mut script = measured(|config| config.orphan_retries = retries);
        script.close();
        script.sent();
        let sent = all_sent(&mut script);
        sent.iter().filter(|seg| seg.has(Flags::FIN)).count()
    };
    let (two, five) = (tries(2), tries(5));
    assert!(two < five && five < tries(0), "{two}, {five}");
}

#[test]
fn tcp_thin_linear_timeouts_do_not_double_for_thin_streams() {
    for (on, same) in [(0, false), (1, true)] {
        let mut script = measured(|config| {
            (config.thin_linear_timeouts, config.early_retrans) = (on, 0);
        });
        script.write(1000);
        script.sent();
        let pauses = pauses(&mut script, 6);
        assert_eq!(pauses[5] < 2 * pauses[0], same, "{pauses:?}");
    }
}

#[test]
fn tcp_early_retrans_asks_for_tail_loss_probes() {
    for (value, expected) in [(0, 220 * MS), (2, 220 * MS), (3, 42 * MS), (4, 42 * MS)] {
        let mut script = measured(|config| config.early_retrans = value);
        script.write(3000);
        script.sent();
        let (after, _) = script.wait(SECOND);
        assert!((expected..expected + 5 * MS).contains(&after), "{after:?}");
    }
}

#[test]
fn tcp_reordering_is_how_late_a_segment_may_be_before_it_counts_as_lost() {
    for (packets, again) in [(3, true), (5, false)] {
        let mut script = ten_out(|config| config.reordering = packets);
        assert_eq!(script.info().reordering, packets);
        script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
        assert_eq!(!script.wait(MS).1.is_empty(), again);
    }
}

#[test]
fn tcp_max_reordering_bounds_what_is_believed() {
    for (most, believed) in [(300, 10), (4, 4)] {
        let mut script = ten_out(|config| config.max_reordering = most);
        script.send(&Seg::ack(1, 1).sack(&[(9001, 10_001)]));
        script.send(&Seg::ack(1, 1).sack(&[(1, 1001), (9001, 10_001)]));
        script.send(&Seg::ack(1, 1001).sack(&[(9001, 10_001)]));
        assert_eq!(script.info().reordering, believed);
    }
}

#[test]
fn tcp_frto_tells_a_spurious_timeout_by_its_first_ack() {
    for (value, state_after) in [(0, 4), (2, 1)] {
        let mut script = ten_out(|config| (config.frto, config.early_retrans) = (value, 0));
        let (_, again) = script.wait(10 * SECOND);
        assert_eq!(ranges(&again), [(1, 1001)]);
        assert_eq!(script.info().ca_state, 4);
        // What was sent once only has arrived: the timeout came too early.
        script.send(&Seg::ack(1, 1).sack(&[(1001, 2001)]));
        assert_eq!(script.info().ca_state, state_after, "tcp_frto={value}");
    }
}

#[test]
fn tcp_frto_does_not_watch_a_timeout_within_a_recovery() {
    let mut script = ten_out(|config| config.early_retrans = 0);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
    let (_, again) = script.wait(MS);
    assert_eq!(ranges(&again), [(1, 1001)]);
    assert_eq!(script.info().ca_state, 3);
    // The retransmission is lost, too.
    while script.info().ca_state != 4 {
        script.wait(SECOND);
    }
    // An original arrives: that says nothing here, for recovery may have sent it again (RFC 5682 §2.1 step 1).
    script.send(&Seg::ack(1, 1).sack(&[(1001, 5001)]));
    assert_eq!(script.info().ca_state, 4);
}

#[test]
fn tcp_dsack_reports_what_came_twice() {
    for on in [0, 1] {
        let mut script = connected(|config| config.dsack = on);
        script.send(&Seg::data(1, 1, 1000));
        script.sent();
        script.send(&Seg::data(1, 1, 1000));
        assert_eq!(script.sent_one().sack.len(), usize::from(on));
    }
}

#[test]
fn tcp_congestion_control_decides_how_much_a_loss_costs() {
    for (kind, threshold) in [(CcKind::Reno, 5), (CcKind::Cubic, 7)] {
        let mut script = ten_out(|config| config.congestion = kind as u8);
        script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
        assert_eq!(script.info().snd_ssthresh, threshold, "{kind:?}");
    }
    let mut script = measured(|config| config.congestion = CcKind::Bbr as u8);
    assert_eq!(
        script.host.stack.option(script.id, OptName::Congestion),
        Ok(CcKind::Bbr as u64)
    );
    script.write(1000);
    assert_eq!(script.sent().len(), 1);
}
