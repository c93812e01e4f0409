//! What the sender holds back, probes for and sends again.

use super::script::*;
use super::world::pattern;
use crate::tcp::header::Flags;
use crate::{Error, SendFlags, SockOpt};
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn set(script: &mut Script, option: SockOpt) {
    let (now, id) = (script.host.now, script.id);
    script
        .host
        .stack
        .set_option(now, id, option)
        .expect("an option");
}

fn ranges(sent: &[Seg]) -> std::vec::Vec<(u32, u32)> {
    sent.iter().map(Seg::range).collect()
}

#[test]
fn a_second_small_write_waits_for_the_ack_of_the_first() {
    let mut script = Script::connected();
    script.write(10);
    assert_eq!(script.sent_one().range(), (1, 11));
    script.write(10);
    script.write(10);
    assert!(script.sent().is_empty(), "Nagle");
    script.send(&Seg::ack(1, 11));
    assert_eq!(script.sent_one().range(), (11, 31));
}

#[test]
fn without_nagle_every_write_leaves_at_once() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::NoDelay(true));
    for number in 0..3 {
        script.write(10);
        assert_eq!(
            script.sent_one().range(),
            (1 + number * 10, 11 + number * 10)
        );
    }
}

#[test]
fn a_corked_segment_leaves_when_it_is_full_or_the_cork_is_pulled() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::Cork(true));
    script.write(600);
    assert!(script.sent().is_empty());
    script.write(600);
    assert_eq!(script.sent_one().range(), (1, 1001));
    set(&mut script, SockOpt::Cork(false));
    assert_eq!(script.sent_one().range(), (1001, 1201));
}

#[test]
fn a_forgotten_cork_holds_a_segment_for_200_ms() {
    let mut script = Script::connected();
    let bytes = pattern(100);
    super::world::write(&mut script.host, script.id, &bytes, SendFlags::MORE).expect("room");
    let (after, sent) = script.wait(SECOND);
    assert_eq!(ranges(&sent), [(1, 101)]);
    assert!((190 * MS..=250 * MS).contains(&after), "{after:?}");
}

#[test]
fn the_last_segment_of_a_write_pushes() {
    let mut script = Script::connected();
    script.write(2500);
    let sent = script.sent();
    assert_eq!(ranges(&sent), [(1, 1001), (1001, 2001), (2001, 2501)]);
    assert!(sent[2].has(Flags::PSH));
    assert!(!sent[0].has(Flags::PSH) && !sent[1].has(Flags::PSH));
}

#[test]
fn ten_packets_leave_before_the_first_ack() {
    let mut script = Script::connected();
    script.write(20_000);
    assert_eq!(script.sent().len(), 10);
    script.advance(10 * MS);
    script.send(&Seg::ack(1, 2001));
    let (_, sent) = script.wait(SECOND);
    assert!(
        sent.len() <= 4 && sent[0].seq == 10_001,
        "{:?}",
        ranges(&sent)
    );
}

#[test]
fn a_closed_window_is_probed_and_used_when_it_opens() {
    let mut script = Script::connected();
    script.write(1000);
    script.sent();
    script.write(5000);
    script.sent();
    script.send(&Seg::ack(1, 6001).window(0));
    script.write(3000);
    assert!(script.sent().is_empty());
    let mut last = Duration::ZERO;
    for _ in 0..4 {
        let (after, sent) = script.wait(100 * SECOND);
        assert_eq!(
            (sent.len(), sent[0].seq, sent[0].data.len()),
            (1, 6000, 0),
            "a probe"
        );
        assert!(after > last, "{after:?} after {last:?}");
        last = after;
        script.send(&Seg::ack(1, 6001).window(0));
    }
    script.send(&Seg::ack(1, 6001).window(2000));
    assert_eq!(ranges(&script.sent()), [(6001, 7001), (7001, 8001)]);
}

#[test]
fn a_window_smaller_than_a_segment_is_used_by_the_probe() {
    let mut script = Script::connected();
    script.send(&Seg::ack(1, 1).window(300));
    script.write(3000);
    assert!(script.sent().is_empty(), "no silly segments");
    let (_, sent) = script.wait(10 * SECOND);
    assert_eq!(ranges(&sent), [(1, 301)]);
}

#[test]
fn three_segments_reported_behind_a_gap_send_the_first_again_at_once() {
    let mut script = Script::connected();
    script.write(10_000);
    assert_eq!(script.sent().len(), 10);
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 2001)]));
    script.send(&Seg::ack(1, 1).sack(&[(1001, 3001)]));
    assert!(script.sent().is_empty(), "perhaps only reordered");
    script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
    let (_, sent) = script.wait(5 * MS);
    assert_eq!(ranges(&sent), [(1, 1001)]);
    assert_eq!(script.info().ca_state, 3);
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 10_001));
    assert_eq!(script.info().ca_state, 0);
    assert_eq!(script.info().retrans, 0);
    assert!(script.info().snd_cwnd <= 7);
}

#[test]
fn reordering_within_a_quarter_of_the_round_trip_sends_nothing_again() {
    let mut script = Script::connected();
    script.write(3000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 2001)]));
    script.advance(3 * MS);
    script.send(&Seg::ack(1, 2001));
    script.advance(3 * MS);
    script.send(&Seg::ack(1, 3001));
    assert!(script.sent().is_empty());
    assert_eq!(script.info().total_retrans, 0);
}

#[test]
fn a_lone_report_behind_a_gap_waits_for_the_reordering_window() {
    let mut script = Script::connected();
    script.write(2000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 2001)]));
    assert!(script.sent().is_empty());
    let (after, sent) = script.wait(100 * MS);
    assert_eq!(ranges(&sent), [(1, 1001)]);
    assert!(
        (4 * MS..=6 * MS).contains(&after),
        "a quarter of 20 ms, not {after:?}"
    );
}

#[test]
fn a_retransmission_that_is_lost_again_is_found_without_a_timeout() {
    let mut script = Script::connected();
    script.write(10_000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 4001)]));
    assert_eq!(ranges(&script.wait(5 * MS).1), [(1, 1001)]);
    script.write(8000);
    script.sent();
    let mut top = 4001;
    for _ in 0..8 {
        script.advance(8 * MS);
        top += 1000;
        script.send(&Seg::ack(1, 1).sack(&[(1001, top.min(10_001))]));
        script.sent();
    }
    // New data sent after the retransmission is reported: the retransmission is lost as well.
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1).sack(&[(1001, 12_001)]));
    let (_, sent) = script.wait(30 * MS);
    assert!(ranges(&sent).contains(&(1, 1001)), "{:?}", ranges(&sent));
    assert_eq!(script.info().total_rto, 0);
}

#[test]
fn a_lost_tail_is_probed_after_two_round_trips() {
    let mut script = Script::connected();
    script.write(1000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1001));
    script.write(3000);
    assert_eq!(script.sent().len(), 3);
    let (after, sent) = script.wait(SECOND);
    assert_eq!(ranges(&sent), [(3001, 4001)], "the last segment again");
    assert!((30 * MS..=60 * MS).contains(&after), "{after:?}");
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1001).sack(&[(3001, 4001)]));
    let (_, sent) = script.wait(50 * MS);
    assert_eq!(
        sent[0].range(),
        (1001, 2001),
        "what the probe showed to be lost"
    );
    assert_eq!(script.info().total_rto, 0);
}

#[test]
fn a_probe_that_was_not_needed_costs_no_window() {
    let mut script = Script::connected();
    script.write(1000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1001));
    script.write(2000);
    script.sent();
    let (_, sent) = script.wait(SECOND);
    assert_eq!(ranges(&sent), [(2001, 3001)]);
    let window = script.info().snd_cwnd;
    script.send(&Seg::ack(1, 3001));
    script.send(&Seg::ack(1, 3001).sack(&[(2001, 3001)]));
    assert!(script.info().snd_cwnd >= window);
    assert_eq!(script.info().ca_state, 0);
}

#[test]
fn a_probe_that_repaired_a_loss_reduces_the_window_once() {
    let mut script = Script::connected();
    script.write(1000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1001));
    let before = script.info();
    script.write(2000);
    script.sent();
    let (_, sent) = script.wait(SECOND);
    assert_eq!(ranges(&sent), [(2001, 3001)]);
    script.write(1000);
    assert_eq!(ranges(&script.sent()), [(3001, 4001)]);
    // Everything is there, and nothing came twice: the probe was what arrived.
    script.send(&Seg::ack(1, 4001));
    let after = script.info();
    assert!(after.snd_ssthresh < before.snd_ssthresh, "{after:?}");
    // CWR is left at once.
    assert_eq!((after.snd_cwnd, after.ca_state), (after.snd_ssthresh, 0));
}

#[test]
fn a_timeout_that_duplicates_prove_needless_is_undone() {
    let mut script = Script::connected();
    script.write(10_000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 4001));
    script.sent();
    let window = script.info().snd_cwnd;
    // Everything is late by more than the timeout.
    let (_, first) = script.wait(SECOND);
    assert!(!first.is_empty());
    let mut again = first;
    while script.info().ca_state != 4 {
        again.extend(script.wait(SECOND).1);
    }
    script.send(&Seg::ack(1, 10_001));
    let duplicates: std::vec::Vec<_> = ranges(&again);
    for &(start, end) in &duplicates {
        script.send(&Seg::ack(1, 10_001).sack(&[(start, end)]));
    }
    assert_eq!(script.info().ca_state, 0);
    assert!(
        script.info().snd_cwnd >= window,
        "{} after {window}",
        script.info().snd_cwnd
    );
}

#[test]
fn without_sack_three_duplicates_send_the_first_again() {
    let mut script = Script::connected_with(|config| {
        (config.timestamps, config.window_scaling, config.sack) = (0, 0, 0);
    });
    script.write(10_000);
    script.sent();
    script.advance(20 * MS);
    for _ in 0..2 {
        script.send(&Seg::ack(1, 1));
    }
    assert!(script.sent().is_empty());
    script.send(&Seg::ack(1, 1));
    assert_eq!(ranges(&script.wait(5 * MS).1), [(1, 1001)]);
    // A partial ACK: the next hole at once (RFC 6582).
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 3001));
    assert_eq!(script.wait(5 * MS).1[0].range(), (3001, 4001));
}

#[test]
fn a_partly_acknowledged_segment_keeps_its_rest() {
    let mut script = Script::connected();
    script.write(1000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 401));
    let (_, sent) = script.wait(2 * SECOND);
    assert_eq!(sent[0].range(), (401, 1001));
    assert!(sent[0].data == pattern(1000)[400..]);
}

#[test]
fn the_user_timeout_ends_a_silent_connection() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::UserTimeout(3000));
    script.write(100);
    let start = script.host.now;
    while script.info().state == 1 {
        script.wait(SECOND);
        assert!(script.host.now.saturating_since(start) < 10 * SECOND);
    }
    let took = script.host.now.saturating_since(start);
    assert!((3 * SECOND..=4 * SECOND).contains(&took), "{took:?}");
    assert_eq!(script.read(), Err(Error::TimedOut));
}

#[test]
fn keepalive_probes_go_out_and_their_silence_ends_the_connection() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::KeepIdle(10));
    set(&mut script, SockOpt::KeepInterval(2));
    set(&mut script, SockOpt::KeepCount(3));
    set(&mut script, SockOpt::KeepAlive(true));
    let (after, sent) = script.wait(60 * SECOND);
    // It counts from the peer's last segment, a moment ago.
    assert_eq!((after + MOMENT).as_secs(), 10);
    assert_eq!((sent[0].seq, sent[0].data.len()), (0, 0));
    script.send(&Seg::ack(1, 1));
    let (after, _) = script.wait(60 * SECOND);
    assert!(after.as_secs() >= 8, "answered: idle again, {after:?}");
    for _ in 0..2 {
        let (after, sent) = script.wait(60 * SECOND);
        assert_eq!((after.as_secs(), sent.len()), (2, 1));
    }
    let (_, sent) = script.wait(3 * SECOND);
    assert!(sent[0].has(Flags::RST));
    assert_eq!(script.read(), Err(Error::TimedOut));
}

#[test]
fn syns_are_repeated_with_backoff_until_the_attempt_fails() {
    let mut script = Script::connecting(|config| config.syn_retries = 3);
    // Four that do not double come first, as `net.ipv4.tcp_syn_linear_timeouts` says.
    for expected in [1, 1, 1, 1, 1, 2, 4] {
        let (after, sent) = script.wait(100 * SECOND);
        assert_eq!((after.as_secs(), sent[0].flags), (expected, Flags::SYN));
    }
    script.advance(8 * SECOND);
    assert_eq!(
        script.host.stack.connect_result(script.id),
        Err(Error::TimedOut)
    );
}

#[test]
fn an_unanswered_keepalive_ends_the_connection_when_the_user_timeout_has_passed() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::KeepIdle(10));
    set(&mut script, SockOpt::KeepInterval(2));
    set(&mut script, SockOpt::KeepCount(100));
    set(&mut script, SockOpt::UserTimeout(15_000));
    set(&mut script, SockOpt::KeepAlive(true));
    let start = script.host.now;
    while script.info().state == 1 {
        script.wait(SECOND);
        assert!(script.host.now.saturating_since(start) < 60 * SECOND);
    }
    let took = script.host.now.saturating_since(start);
    assert!((15 * SECOND..=17 * SECOND).contains(&took), "{took:?}");
    assert_eq!(script.read(), Err(Error::TimedOut));
}

#[test]
fn keepalives_count_from_the_last_thing_heard_and_not_while_data_waits() {
    let mut script = Script::connected();
    set(&mut script, SockOpt::KeepIdle(10));
    set(&mut script, SockOpt::KeepInterval(1));
    set(&mut script, SockOpt::KeepCount(1));
    set(&mut script, SockOpt::KeepAlive(true));
    script.advance(8 * SECOND);
    script.send(&Seg::data(1, 1, 10));
    let (_, sent) = script.wait(SECOND);
    assert_eq!(sent[0].ack, 11, "the data's own ACK: {sent:?}");
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
    let (after, sent) = script.wait(60 * SECOND);
    assert!((9..=10).contains(&after.as_secs()), "{after:?}");
    assert_eq!((sent[0].seq, sent[0].data.len()), (0, 0));
    script.send(&Seg::ack(11, 1).window(0));
    // Behind a closed window data waits: window probes, which the peer answers, and no end by keepalive.
    script.write(100);
    let start = script.host.now;
    for _ in 0..6 {
        let (_, sent) = script.wait(200 * SECOND);
        assert_eq!((sent[0].seq, sent[0].data.len()), (0, 0));
        script.send(&Seg::ack(11, 1).window(0));
    }
    assert!(script.host.now.saturating_since(start) > 12 * SECOND);
    script.send(&Seg::ack(11, 1));
    assert_eq!(script.wait(SECOND).1[0].range(), (1, 101));
    assert_eq!(script.info().state, 1);
}

#[test]
fn a_sack_block_of_what_is_not_out_marks_nothing() {
    let blocks = [
        (1, 1001),
        (1001, 3001),
        (4001, 5002),
        (6001, 7001),
        (3001, 3001),
    ];
    for block in blocks {
        let mut script = Script::connected();
        script.write(5000);
        script.sent();
        script.send(&Seg::ack(1, 2001));
        script.send(&Seg::ack(1, 2001).sack(&[block]));
        assert_eq!(script.info().sacked, 0, "{block:?}");
        script.send(&Seg::ack(1, 2001).sack(&[(3001, 5001)]));
        assert_eq!(script.info().sacked, 2);
    }
}

#[test]
fn a_later_sack_block_that_begins_below_what_is_out_marks_nothing() {
    // The first of the blocks would be taken for a D-SACK.
    let mut script = Script::connected();
    script.write(5000);
    script.sent();
    script.send(&Seg::ack(1, 2001));
    script.send(&Seg::ack(1, 2001).sack(&[(4001, 5001), (1001, 3001)]));
    assert_eq!(script.info().sacked, 1);
}

#[test]
fn a_window_of_one_more_segment_is_no_limit() {
    for (window, is_limit) in [(11_000, false), (10_999, true)] {
        let mut script = Script::connected();
        script.send(&Seg::ack(1, 1).window(window));
        script.write(20_000);
        assert_eq!(script.sent().len(), 10, "the congestion window");
        script.advance(core::time::Duration::from_millis(10));
        assert_eq!(script.info().rwnd_limited > 0, is_limit, "{window}");
    }
}
