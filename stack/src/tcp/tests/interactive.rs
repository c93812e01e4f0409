//! A program that answers at once gets its ACKs carried by its answers; for one that does not, they go alone (Linux: pingpong).

use super::script::*;
use std::time::Duration;
use std::vec::Vec;

/// What goes out at once for a request, after an earlier one that the program answered after `pause`.
fn sent_for_a_request_after_an_answer(pause: Duration) -> Vec<Seg> {
    let mut script = Script::connected();
    script.send(&Seg::data(1, 1, 100));
    assert_eq!(script.sent_one().ack, 101, "a new connection is quick");
    script.read().expect("the request");
    script.advance(pause);
    script.write(100);
    assert_eq!(script.sent_one().range(), (1, 101));
    script.send(&Seg::data(101, 101, 100));
    script.sent()
}

#[test]
fn an_ack_waits_for_the_answer_where_the_last_one_came_at_once() {
    let sent = sent_for_a_request_after_an_answer(Duration::from_millis(1));
    assert!(sent.is_empty(), "{sent:?}");
}

#[test]
fn an_ack_does_not_wait_where_the_last_answer_came_late() {
    let sent = sent_for_a_request_after_an_answer(Duration::from_millis(100));
    let acks: Vec<_> = sent.iter().map(|seg| (seg.ack, seg.data.len())).collect();
    assert_eq!(acks, [(201, 0)]);
}
