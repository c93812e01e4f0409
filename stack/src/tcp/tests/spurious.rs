//! Packets that were not lost but late, or too long for the path: what was reduced for them is restored.

use super::script::*;
use crate::ip::Trouble;
use crate::tcp::header::Flags;
use core::time::Duration;
use std::vec::Vec;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const INFINITE: u32 = 0x7fff_ffff;

/// Time passes until the retransmission timeout has sent the head again.
fn time_out(script: &mut Script) {
    let before = script.info().retransmits;
    while script.info().retransmits == before {
        script.wait(SECOND);
    }
    script.sent();
}

#[test]
fn an_original_that_arrives_after_a_timeout_shows_that_the_timeout_was_wrong() {
    for is_spurious in [true, false] {
        let mut script = Script::connected();
        script.write(3000);
        assert_eq!(script.sent().len(), 3);
        time_out(&mut script);
        let info = script.info();
        assert_eq!((info.ca_state, info.snd_cwnd), (4, 1), "{info:?}");
        // The second segment has not been sent again: whoever acknowledges it has the original (RFC 5682).
        let ack = if is_spurious { 2001 } else { 1001 };
        script.send(&Seg::ack(1, ack));
        let info = script.info();
        if is_spurious {
            assert_eq!(info.ca_state, 0, "{info:?}");
            assert_eq!((info.snd_ssthresh, info.lost), (INFINITE, 0));
            assert!(info.snd_cwnd >= 10, "{info:?}");
        } else {
            assert_eq!(info.ca_state, 4, "{info:?}");
            assert!(info.snd_ssthresh < INFINITE);
        }
        script.send(&Seg::ack(1, 3001));
        assert_eq!(script.info().ca_state, 0);
    }
}

#[test]
fn an_echo_older_than_the_retransmission_undoes_the_reduction() {
    for is_spurious in [true, false] {
        let mut script = Script::connecting(|config| config.window_scaling = 0);
        script.advance(20 * MS);
        script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1).clock(500, 0));
        script.advance(MOMENT);
        script.sent();
        script.write(5 * 988);
        let sent = script.sent();
        assert_eq!(sent.len(), 5, "{sent:?}");
        let (original, _) = sent[0].clock.expect("clocks are in use");
        script.advance(20 * MS);
        // The first one is late: three after it have come.
        for end in [2u32, 3, 4] {
            let sack = [(1 + 988, 1 + end * 988)];
            script.send(&Seg::ack(1, 1).clock(520, original).sack(&sack));
        }
        let again = script.wait(MS).1;
        assert_eq!(again[0].range(), (1, 989));
        let (repeated, _) = again[0].clock.expect("clocks are in use");
        assert!(repeated > original);
        let reduced = script.info();
        assert_eq!(reduced.ca_state, 3);
        assert!(reduced.snd_ssthresh < INFINITE);
        script.advance(5 * MS);
        let echo = if is_spurious { original } else { repeated };
        script.send(&Seg::ack(1, 1 + 5 * 988).clock(525, echo));
        let info = script.info();
        assert_eq!(info.ca_state, 0, "{info:?}");
        assert_eq!(info.snd_ssthresh == INFINITE, is_spurious, "{info:?}");
        let undone = script.host.stack.mib().tcp_undo;
        assert_eq!(undone, u64::from(is_spurious));
    }
}

#[test]
fn a_dsack_for_every_retransmission_undoes_fast_recovery() {
    // RFC 3708 §3; Linux: tcp_try_undo_dsack.
    for is_spurious in [true, false] {
        let mut script = Script::connected();
        script.write(10_000);
        assert_eq!(script.sent().len(), 10);
        script.advance(20 * MS);
        // The first one is late: three after it have come.
        script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
        assert_eq!(script.wait(MS).1[0].range(), (1, 1001));
        assert_eq!(script.info().ca_state, 3);
        assert!(script.info().snd_ssthresh < INFINITE);
        script.advance(5 * MS);
        script.send(&Seg::ack(1, 4001));
        script.advance(15 * MS);
        if is_spurious {
            // The retransmission comes, after the original.
            script.send(&Seg::ack(1, 4001).sack(&[(1, 1001)]));
        }
        let info = script.info();
        assert_eq!(info.snd_ssthresh == INFINITE, is_spurious, "{info:?}");
        let undone = script.host.stack.mib().tcp_undo;
        assert_eq!(undone, u64::from(is_spurious));
        script.send(&Seg::ack(1, 10_001));
        assert_eq!(script.info().ca_state, 0);
    }
}

#[test]
fn packets_too_long_for_the_path_are_cut_anew_and_the_window_stays() {
    let mut script = Script::connected();
    script.write(3000);
    assert_eq!(script.sent().len(), 3);
    script.complain(9000, Trouble::PathMtu(800));
    assert!(script.sent().is_empty(), "about nothing that is out");
    script.complain(1001, Trouble::PathMtu(800));
    let mut again = Vec::new();
    while let (_, sent) = script.wait(SECOND / 10)
        && !sent.is_empty()
    {
        again.extend(sent);
    }
    assert!(again.iter().all(|seg| seg.data.len() <= 760), "{again:?}");
    let mut missing: Vec<u32> = (1..3001).collect();
    for seg in &again {
        let (start, end) = seg.range();
        missing.retain(|at| !(start..end).contains(at));
    }
    assert_eq!(missing, [], "all of it goes again");
    let info = script.info();
    assert_eq!((info.snd_mss, info.pmtu), (760, 800));
    assert_eq!((info.snd_cwnd, info.snd_ssthresh), (10, INFINITE));
    script.send(&Seg::ack(1, 3001));
    assert_eq!(script.info().ca_state, 0);
    script.write(1000);
    assert_eq!(script.sent()[0].data.len(), 760);
    script.complain(3001, Trouble::PathMtu(100));
    assert_eq!(script.info().pmtu, 552, "less is not believed");
}

#[test]
fn a_segment_cut_smaller_when_it_is_sent_again_counts_as_all_the_packets_it_has_become() {
    let mut script = Script::connected_with(|config| {
        (config.timestamps, config.window_scaling, config.offload) = (0, 0, u32::MAX);
        // A tail loss probe would cut the second packet before.
        config.early_retrans = 0;
    });
    script.write(2000);
    assert_eq!(script.sent().len(), 1, "a super-segment of two packets");
    // Every segment has a report of the peer's out-of-order byte beside it from now on: 12 bytes less for data.
    script.send(&Seg::data(100, 1, 1));
    script.sent();
    time_out(&mut script);
    let info = script.info();
    // 988 bytes, and two packets of what is left, 1012 bytes.
    assert_eq!((info.unacked, info.lost), (3, 3), "{info:?}");
}

#[test]
fn a_tail_probe_leaves_room_for_the_sack_blocks_beside_it() {
    let mut script = Script::connected();
    script.write(1000);
    assert_eq!(script.sent_one().data.len(), 1000);
    script.send(&Seg::data(501, 1, 10));
    assert_eq!(script.sent_one().sack, [(501, 511)]);
    let (_, sent) = script.wait(Duration::from_secs(3));
    // A block with its padding takes 12 bytes.
    assert_eq!((sent[0].range(), sent[0].sack.len()), ((1, 989), 1));
    assert_eq!(script.info().unacked, 2);
    script.send(&Seg::ack(1, 1001));
    assert_eq!(script.info().unacked, 0);
}
