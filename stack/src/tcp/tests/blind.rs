//! Strangers who guess: what they send leaves no trace (RFC 5961, RFC 7323 §5.3).

use super::script::*;
use super::world::{SECOND, assert_empty};
use crate::tcp::header::Flags;
use crate::{Error, SockOpt};
use core::time::Duration;

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
/// As far ahead as a clock can be believed.
const FAR: u32 = 1 << 30;

/// A connection with clocks whose peer's stands at 1000. What we wrote, 1000 bytes, is acknowledged.
fn clocked() -> Script {
    let mut script = Script::connecting(|config| config.window_scaling = 0);
    script.send(&Seg::new(SYN_ACK, 0, 1).clock(1000, 0));
    script.write(900);
    script.sent();
    script.send(&Seg::ack(1, 901).clock(1000, 0));
    assert_eq!(script.info().unacked, 0);
    script
}

/// The peer's next segment is taken.
fn assert_peer_is_heard(script: &mut Script, seq: u32, clock: u32) {
    script.sent();
    script.send(&Seg::data(seq, 901, 10).clock(clock, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
}

#[test]
fn a_segment_with_a_wrong_ack_does_not_move_the_clock() {
    for ack in [902, 5000, 0x7fff_0000, 0x9000_0000] {
        for len in [0, 10] {
            let mut script = clocked();
            script.send(&Seg::data(1, ack, len).clock(1000 + FAR, 0));
            let challenge = script.sent_one();
            assert_eq!((challenge.flags, challenge.ack), (Flags::ACK, 1));
            assert_eq!(challenge.clock.map(|(_, echo)| echo), Some(1000));
            assert_peer_is_heard(&mut script, 1, 1001);
        }
    }
}

#[test]
fn a_segment_without_ack_does_not_move_the_clock() {
    for flags in [Flags::empty(), Flags::FIN, Flags::PSH] {
        let mut script = clocked();
        script.send(&Seg::new(flags, 1, 0).clock(1000 + FAR, 0));
        assert!(script.sent().is_empty());
        assert_peer_is_heard(&mut script, 1, 1001);
    }
}

#[test]
fn an_overtaken_ack_brings_data_but_does_not_move_the_clock() {
    let mut script = clocked();
    script.send(&Seg::data(1, 500, 10).clock(1000 + FAR, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
    assert_peer_is_heard(&mut script, 11, 1001);
}

#[test]
fn an_ack_of_bytes_that_were_never_sent_is_no_old_ack() {
    let mut script = clocked();
    // Well within a window of what is acknowledged, but before the first byte.
    script.send(&Seg::data(1, 0u32.wrapping_sub(5000), 10).clock(1000, 0));
    assert_eq!(script.read(), Err(Error::WouldBlock));
    assert_eq!(script.host.stack.mib().tcp_challenge_ack, 1);
}

#[test]
fn a_segment_in_the_window_with_a_current_ack_moves_the_clock() {
    let mut script = clocked();
    script.send(&Seg::data(1, 901, 10).clock(1005, 0));
    script.advance(Duration::from_millis(300));
    let ack = script.sent_one();
    assert_eq!(ack.clock.map(|(_, echo)| echo), Some(1005));
}

#[test]
fn a_clock_of_zero_in_the_syn_says_nothing() {
    let mut script = Script::connecting(|config| config.window_scaling = 0);
    script.send(&Seg::new(SYN_ACK, 0, 1).clock(0, 0));
    script.sent();
    script.send(&Seg::data(1, 1, 10).clock(0x9000_0000, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
    script.send(&Seg::data(11, 1, 10).clock(0x9000_0001, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
}

#[test]
fn a_clock_that_is_24_days_old_gives_way_to_any_other() {
    let mut script = clocked();
    script.advance(Duration::from_secs(24 * 86_400));
    assert_peer_is_heard(&mut script, 1, 1000u32.wrapping_sub(FAR));
    script.advance(Duration::from_millis(300));
    assert_eq!(script.sent_one().ack, 11);
    script.send(&Seg::data(11, 901, 10).clock(900, 0));
    assert_eq!(
        script.read().map(|bytes| bytes.len()),
        Ok(10),
        "the new clock counts from here on"
    );
    script.send(&Seg::data(21, 901, 10).clock(1000u32.wrapping_sub(FAR), 0));
    assert_eq!(script.read(), Err(Error::WouldBlock));
}

#[test]
fn an_old_clock_is_no_stale_ack_if_it_would_move_the_window() {
    let mut script = clocked();
    script.send(&Seg::ack(1, 901).window(0).clock(999, 0));
    assert_eq!(script.host.stack.mib().tcp_paws_estab, 1);
    assert_eq!(script.info().snd_wnd, 60_000);
}

#[test]
fn a_syn_ack_with_a_clock_that_was_never_sent_is_reset() {
    for (echo, is_taken) in [(FAR, false), (1, false), (0, true)] {
        let mut script = Script::new(|config| config.window_scaling = 0);
        let (own, _) = script.connect().clock.expect("a clock");
        script.advance(Duration::from_millis(20));
        let echo = if echo == 0 {
            own
        } else {
            own.wrapping_sub(echo)
        };
        script.send(&Seg::new(SYN_ACK, 0, 1).clock(7, echo));
        let expected = if is_taken {
            Ok(())
        } else {
            Err(Error::InProgress)
        };
        assert_eq!(script.host.stack.connect_result(script.id), expected);
        if !is_taken {
            assert_eq!(script.sent_one().flags, Flags::RST);
            script.send(&Seg::new(SYN_ACK, 0, 1).clock(7, own));
            assert_eq!(script.host.stack.connect_result(script.id), Ok(()));
        }
    }
}

/// A connection with clocks in TIME_WAIT: the peer's next number is 2, ours 902, its clock 1001.
fn waiting() -> Script {
    let mut script = clocked();
    script.close();
    assert!(script.sent_one().has(Flags::FIN));
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 902).clock(1001, 0));
    script.sent();
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script
}

#[test]
fn only_an_ack_of_everything_makes_time_wait_longer() {
    for (ack, is_longer) in [(902, true), (901, false), (903, false)] {
        let mut script = waiting();
        script.advance(30 * SECOND);
        script.send(&Seg::ack(2, ack).clock(1002, 0));
        script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, ack).clock(1002, 0));
        script.sent();
        script.advance(31 * SECOND);
        let left = script.host.stack.time_wait_connections();
        assert_eq!(left == 1, is_longer, "ack {ack}");
    }
}

#[test]
fn only_an_ack_of_everything_moves_the_clock_of_time_wait() {
    for (ack, is_heard) in [(902, false), (901, true)] {
        let mut script = waiting();
        script.send(&Seg::ack(2, ack).clock(1002 + FAR, 0));
        script.sent();
        script.advance(SECOND);
        // A repeated FIN with the peer's own clock is acknowledged with the clock on record.
        script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 902).clock(1003, 0));
        let echo = script.sent_one().clock.map(|(_, echo)| echo);
        assert_eq!(echo == Some(1001), is_heard, "ack {ack}: {echo:?}");
    }
}

#[test]
fn a_syn_ends_time_wait_only_where_somebody_listens() {
    let mut script = waiting();
    script.send(&Seg::new(Flags::SYN, 50_000, 0).clock(2000, 0));
    assert_eq!(script.sent_one().flags, Flags::ACK);
    assert_eq!(script.host.stack.time_wait_connections(), 1);
}

#[test]
fn time_wait_answers_segments_that_do_not_fit_at_a_bounded_rate() {
    let mut script = waiting();
    script.send(&Seg::ack(77, 902).clock(1002, 0));
    script.send(&Seg::ack(78, 902).clock(1002, 0));
    script.send(&Seg::ack(79, 902).clock(1002, 0));
    assert_eq!(script.sent().len(), 1);
    script.advance(600 * SECOND / 1000);
    script.send(&Seg::ack(80, 902).clock(1002, 0));
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn lingering_in_fin_wait_2_is_bounded_by_two_minutes() {
    for (asked, kept) in [(3, 3), (120, 120), (34_952, 120)] {
        let mut script = Script::connected();
        let (now, id) = (script.host.now, script.id);
        script
            .host
            .stack
            .set_option(now, id, SockOpt::Linger2(asked))
            .expect("an option");
        script.close();
        script.sent();
        script.send(&Seg::ack(1, 2));
        script.advance(Duration::from_secs(kept) - Duration::from_millis(1));
        assert_eq!(script.host.stack.live_connections(), 1);
        script.advance(Duration::from_millis(2));
        assert_empty(&mut script.host);
    }
}

#[test]
fn data_with_an_old_clock_is_answered_and_not_taken() {
    let mut script = clocked();
    script.send(&Seg::data(1, 901, 10).clock(999, 0));
    assert_eq!(script.read(), Err(Error::WouldBlock));
    let answer = script.sent_one();
    assert_eq!((answer.flags, answer.ack), (Flags::ACK, 1));
    assert_eq!(script.host.stack.mib().tcp_paws_estab, 1);
}
