//! Segments that should not be there: RFC 9293 §3.10.7.4, RFC 5961, RFC 7323 §5.

use super::script::*;
use crate::tcp::header::Flags;
use crate::{Error, Ready};
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_reset_counts_only_with_the_exact_number() {
    let mut script = Script::connected();
    script.send(&Seg::new(Flags::RST, 2, 0));
    let challenge = script.sent_one();
    assert_eq!((challenge.flags, challenge.ack), (Flags::ACK, 1));
    script.send(&Seg::new(Flags::RST, 1, 0));
    assert!(script.sent().is_empty());
    assert_eq!(script.read(), Err(Error::ConnectionReset));
}

#[test]
fn a_reset_far_outside_the_window_is_ignored() {
    let mut script = Script::connected();
    script.send(&Seg::new(Flags::RST, 1_000_000, 0));
    assert!(script.sent().is_empty());
    assert_eq!(script.read(), Err(Error::WouldBlock));
}

#[test]
fn a_syn_on_an_open_connection_is_challenged_at_a_bounded_rate() {
    let mut script = Script::connected();
    script.send(&Seg::new(Flags::SYN, 1, 0));
    assert_eq!(script.sent_one().flags, Flags::ACK);
    script.send(&Seg::new(Flags::SYN, 1, 0));
    assert!(script.sent().is_empty(), "one challenge in half a second");
    script.advance(600 * MS);
    script.send(&Seg::new(Flags::SYN, 1, 0));
    assert_eq!(script.sent_one().flags, Flags::ACK);
}

#[test]
fn an_ack_of_what_was_never_sent_is_challenged_and_its_data_dropped() {
    let mut script = Script::connected();
    script.send(&Seg::data(1, 500, 10));
    assert_eq!(script.sent_one().ack, 1);
    assert_eq!(script.read(), Err(Error::WouldBlock));
}

#[test]
fn a_refused_connection_says_so() {
    let mut script = Script::connecting(|_| {});
    script.send(&Seg::new(Flags::RST | Flags::ACK, 0, 1));
    assert_eq!(
        script.host.stack.connect_result(script.id),
        Err(Error::ConnectionRefused)
    );
    assert!(script.host.stack.ready(script.id).contains(Ready::HUP));
}

#[test]
fn a_syn_ack_for_another_syn_is_reset_and_the_attempt_goes_on() {
    let mut script = Script::connecting(|_| {});
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 77));
    let reset = script.sent_one();
    assert_eq!((reset.flags, reset.seq), (Flags::RST, 77));
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
    assert_eq!(script.host.stack.connect_result(script.id), Ok(()));
}

#[test]
fn a_segment_with_an_old_clock_is_dropped_and_answered() {
    let mut script = Script::connecting(|config| config.window_scaling = 0);
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1).clock(1000, 0));
    script.sent();
    script.send(&Seg::data(1, 1, 10).clock(1001, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
    script.sent();
    script.send(&Seg::data(11, 1, 10).clock(900, 0));
    assert_eq!(script.read(), Err(Error::WouldBlock));
    assert_eq!(script.sent_one().ack, 11);
    script.send(&Seg::data(11, 1, 10).clock(1002, 0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
}

#[test]
fn both_ends_may_open_at_once() {
    let mut script =
        Script::connecting(|config| (config.timestamps, config.window_scaling) = (0, 0));
    script.send(&Seg::new(Flags::SYN, 0, 0));
    let answer = script.sent_one();
    assert_eq!(
        (answer.flags, answer.seq, answer.ack),
        (Flags::SYN | Flags::ACK, 0, 1)
    );
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
    assert_eq!(script.host.stack.connect_result(script.id), Ok(()));
    script.sent();
    script.send(&Seg::data(1, 1, 5));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(5));
}

#[test]
fn a_segment_for_nobody_is_reset() {
    let mut script = Script::connected();
    script.use_peer_port(81);
    script.send(&Seg::ack(5, 9));
    let reset = script.sent_one();
    assert_eq!((reset.flags, reset.seq), (Flags::RST, 9));
    script.send(&Seg::new(Flags::RST, 5, 0));
    assert!(script.sent().is_empty(), "a reset is never answered");
}

#[test]
fn text_that_overlaps_is_taken_once() {
    let mut script = Script::connected();
    script.send(&Seg::data(1, 1, 10));
    script.send(&Seg::data(6, 1, 10));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(15));
}
