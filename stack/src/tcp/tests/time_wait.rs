//! The end of connections: TIME_WAIT, orphans, listeners' queues.

use super::script::*;
use super::world::{SECOND, World, assert_empty};
use crate::ip::Trouble;
use crate::tcp::header::Flags;
use crate::{Error, SockOpt};
use core::time::Duration;

/// Our end closed first: the connection is in TIME_WAIT.
fn closed() -> Script {
    let mut script = Script::connected();
    script.close();
    assert!(script.sent_one().has(Flags::FIN));
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 2));
    let ack = script.sent_one();
    assert_eq!((ack.flags, ack.seq, ack.ack), (Flags::ACK, 2, 2));
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script
}

#[test]
fn a_repeated_fin_is_acknowledged_for_a_minute() {
    let mut script = closed();
    script.advance(59 * SECOND);
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 2));
    assert_eq!(script.sent_one().ack, 2);
    script.advance(59 * SECOND);
    assert_eq!(
        script.host.stack.time_wait_connections(),
        1,
        "the minute began anew"
    );
    script.advance(2 * SECOND);
    assert_eq!(script.host.stack.time_wait_connections(), 0);
    assert_empty(&mut script.host);
}

#[test]
fn a_reset_ends_time_wait_only_with_the_exact_number() {
    let mut script = closed();
    script.send(&Seg::new(Flags::RST, 9, 0));
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script.send(&Seg::new(Flags::RST, 2, 0));
    assert_eq!(script.host.stack.time_wait_connections(), 0);
}

#[test]
fn a_later_syn_takes_a_connection_in_time_wait_over() {
    let mut script = Script::listening(5);
    script.send(&Seg::new(Flags::SYN, 0, 0));
    let answer = script.sent_one();
    script.use_own_iss(script.own_iss().wrapping_add(answer.seq));
    script.send(&Seg::ack(1, 1));
    let child = script
        .host
        .stack
        .accept(script.host.now, script.id)
        .expect("established");
    script.host.stack.close(script.host.now, child);
    script.sent();
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 2));
    script.sent();
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script.send(&Seg::new(Flags::SYN, 1000, 0));
    let answer = script.sent_one();
    assert_eq!(answer.flags, Flags::SYN | Flags::ACK);
    assert!(
        answer.seq > 65_000,
        "far beyond the old numbers: {}",
        answer.seq
    );
    assert_eq!(script.host.stack.time_wait_connections(), 0);
    script.send(&Seg::ack(1001, answer.seq + 1));
    script
        .host
        .stack
        .accept(script.host.now, script.id)
        .expect("established again");
}

#[test]
fn an_old_syn_does_not_take_over() {
    let mut script = closed();
    script.send(&Seg::new(Flags::SYN, 1, 0));
    assert_eq!(script.sent_one().flags, Flags::ACK);
    assert_eq!(script.host.stack.time_wait_connections(), 1);
}

#[test]
fn only_so_many_connections_wait() {
    let mut world = World::configured(|config| config.max_tw_buckets = 1);
    world.close(0);
    world.close(1);
    world.pair.run(SECOND);
    let World { pair, listener, .. } = world;
    let mut pair = pair;
    let id = super::world::stream(&mut pair.hosts[0]);
    super::world::start(&mut pair, id);
    pair.run(SECOND);
    let now = pair.now();
    pair.hosts[0].stack.close(now, id);
    let child = pair.hosts[1]
        .stack
        .accept(now, listener)
        .expect("established");
    pair.run(SECOND);
    pair.hosts[1].stack.close(pair.hosts[1].now, child);
    pair.run(SECOND);
    assert!(pair.hosts[0].stack.time_wait_connections() <= 1);
    assert_eq!(pair.hosts[0].stack.mib().tcp_time_wait_overflow, 1);
}

#[test]
fn an_orphan_waits_a_limited_time_for_the_peers_fin() {
    let mut script = Script::connected();
    script.close();
    script.sent();
    script.send(&Seg::ack(1, 2));
    assert_eq!(script.host.stack.live_connections(), 1);
    script.advance(Duration::from_secs(59));
    assert_eq!(script.host.stack.live_connections(), 1);
    script.advance(Duration::from_secs(3));
    assert_empty(&mut script.host);
}

#[test]
fn data_for_an_orphan_is_reset() {
    let mut script = Script::connected();
    script.close();
    script.sent();
    script.send(&Seg::data(1, 2, 10));
    assert!(script.sent_one().has(Flags::RST));
    assert_empty(&mut script.host);
}

#[test]
fn lingering_for_no_time_resets() {
    let mut script = Script::connected();
    let (now, id) = (script.host.now, script.id);
    script
        .host
        .stack
        .set_option(now, id, SockOpt::Linger(Some(0)))
        .expect("an option");
    script.write(10);
    script.sent();
    script.close();
    assert!(script.sent_one().has(Flags::RST));
    assert_empty(&mut script.host);
}

#[test]
fn a_full_backlog_drops_syns_and_takes_them_later() {
    let mut script = Script::listening(1);
    for port in 100..102 {
        script.use_peer_port(port);
        script.send(&Seg::new(Flags::SYN, 0, 0));
        let answer = script.sent_one();
        script.use_own_iss(script.own_iss().wrapping_add(answer.seq));
        script.send(&Seg::ack(1, 1));
        script.use_own_iss(0);
    }
    script.use_peer_port(102);
    script.send(&Seg::new(Flags::SYN, 0, 0));
    assert!(script.sent().is_empty(), "two wait already");
    script
        .host
        .stack
        .accept(script.host.now, script.id)
        .expect("the first");
    script.send(&Seg::new(Flags::SYN, 0, 0));
    assert_eq!(script.sent_one().flags, Flags::SYN | Flags::ACK);
}

#[test]
fn a_handshake_that_completes_when_the_queue_is_full_waits_for_room() {
    let mut script = Script::listening(1);
    let accept = |script: &mut Script| script.host.stack.accept(script.host.now, script.id);
    let open = |script: &mut Script, port| {
        script.use_peer_port(port);
        script.send(&Seg::new(Flags::SYN, 0, 0));
        script.sent_one().seq
    };
    let complete = |script: &mut Script, port, iss| {
        script.use_peer_port(port);
        script.use_own_iss(iss);
        script.send(&Seg::ack(1, 1));
        script.use_own_iss(0);
    };
    let (first, second) = (open(&mut script, 100), open(&mut script, 101));
    complete(&mut script, 100, first);
    let third = open(&mut script, 102);
    complete(&mut script, 101, second);
    complete(&mut script, 102, third);
    assert_eq!(script.host.stack.mib().tcp_listen_overflows, 1);
    assert!(script.sent().is_empty(), "no reset either");
    assert!(accept(&mut script).is_ok() && accept(&mut script).is_ok());
    assert!(
        accept(&mut script).is_err(),
        "a queue of one more than asked for"
    );
    let (_, again) = script.wait(3 * SECOND);
    assert_eq!(again[0].flags, Flags::SYN | Flags::ACK);
    complete(&mut script, 102, third);
    assert!(accept(&mut script).is_ok());
}

#[test]
fn a_handshake_that_is_not_completed_is_given_up() {
    let mut script = Script::listening(5);
    script.send(&Seg::new(Flags::SYN, 0, 0));
    assert_eq!(script.sent_one().flags, Flags::SYN | Flags::ACK);
    for _ in 0..5 {
        let (_, sent) = script.wait(100 * SECOND);
        assert_eq!(sent[0].flags, Flags::SYN | Flags::ACK);
    }
    script.advance(100 * SECOND);
    assert_eq!(
        script.host.stack.live_connections(),
        1,
        "only the listener is left"
    );
    assert_eq!(
        script.host.stack.accept(script.host.now, script.id),
        Err(Error::WouldBlock)
    );
}

#[test]
fn a_listener_that_closes_resets_whom_nobody_accepted() {
    let mut world = World::connected();
    let id = super::world::stream(&mut world.pair.hosts[0]);
    super::world::start(&mut world.pair, id);
    world.pair.run(SECOND);
    let (now, listener) = (world.pair.now(), world.listener);
    world.stack(1).close(now, listener);
    world.pair.run(SECOND);
    let result = super::world::read(&mut world.pair.hosts[0], id);
    assert_eq!(result, Err(Error::ConnectionReset));
    let (now, other) = (
        world.pair.now(),
        super::world::stream(&mut world.pair.hosts[0]),
    );
    world.stack(0).close(now, id);
    super::world::start(&mut world.pair, other);
    world.pair.run(SECOND);
    assert_eq!(
        world.stack(0).connect_result(other),
        Err(Error::ConnectionRefused)
    );
}

#[test]
fn a_deferred_accept_waits_for_data() {
    let mut script = Script::listening(5);
    let (now, id) = (script.host.now, script.id);
    script
        .host
        .stack
        .set_option(now, id, SockOpt::DeferAccept(3))
        .expect("an option");
    script.send(&Seg::new(Flags::SYN, 0, 0));
    let answer = script.sent_one();
    script.use_own_iss(script.own_iss().wrapping_add(answer.seq));
    script.send(&Seg::ack(1, 1));
    assert_eq!(script.host.stack.accept(now, id), Err(Error::WouldBlock));
    script.send(&Seg::data(1, 1, 5));
    script.host.stack.accept(now, id).expect("data has come");
}

#[test]
fn an_orphan_whose_neighbour_is_gone_ends_after_102_seconds() {
    let mut script = Script::connected();
    script.close();
    script.sent();
    script.advance(Duration::from_secs(1));
    script.sent();
    let error = Error::HostUnreachable;
    script.complain(
        1,
        Trouble::Unreachable {
            error,
            fatal: false,
        },
    );
    let mut lived = Duration::from_secs(1);
    while script.host.stack.live_connections() > 0 {
        script.sent();
        script.advance(Duration::from_millis(100));
        lived += Duration::from_millis(100);
    }
    // tcp_orphan_retries: eight doublings of 200 ms, from the first retransmission on.
    assert!((102..104).contains(&lived.as_secs()), "{lived:?}");
    assert_empty(&mut script.host);
}
