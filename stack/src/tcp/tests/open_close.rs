//! Handshakes, data, and the orders in which the ends may close.

use super::script::{Script, Seg};
use super::world::*;
use crate::tcp::header::Flags;
use crate::{Endpoint, Error, Ready, SendFlags, Shutdown};

#[test]
fn a_connection_opens_carries_data_both_ways_and_leaves_nothing_behind() {
    let mut world = World::connected();
    world.transfer(0, &pattern(300_000), 20 * SECOND);
    world.transfer(1, &pattern(300_000), 20 * SECOND);
    world.finish();
}

#[test]
fn a_port_nobody_listens_on_refuses() {
    let mut pair = crate::testing::Pair::new();
    let id = stream(&mut pair.hosts[0]);
    start(&mut pair, id);
    let mut result = Err(Error::InProgress);
    pair.run_until(SECOND, |hosts| {
        result = hosts[0].stack.connect_result(id);
        result != Err(Error::InProgress)
    });
    assert_eq!(result, Err(Error::ConnectionRefused));
    let now = pair.now();
    pair.hosts[0].stack.close(now, id);
    assert_empty(&mut pair.hosts[0]);
}

#[test]
fn an_end_of_file_follows_the_data_whoever_closes_first() {
    for first in [0, 1] {
        let mut world = World::connected();
        assert_eq!(world.write(first, b"last words"), Ok(10));
        world.close(first);
        world.pair.run(SECOND);
        let other = 1 - first;
        assert_eq!(world.read(other).as_deref(), Ok(b"last words".as_slice()));
        assert_eq!(world.read(other).as_deref(), Ok(b"".as_slice()));
        let end = world.ends[other];
        assert!(
            world
                .stack(other)
                .ready(end)
                .contains(Ready::IN | Ready::RDHUP)
        );
        world.finish();
    }
}

#[test]
fn a_half_closed_connection_still_carries_the_other_direction() {
    let mut world = World::connected();
    let (now, end) = (world.pair.now(), world.ends[0]);
    world
        .stack(0)
        .shutdown(now, end, Shutdown::Write)
        .expect("connected");
    assert_eq!(world.write(0, b"x"), Err(Error::BrokenPipe));
    world.pair.run(SECOND);
    assert_eq!(world.read(1).as_deref(), Ok(b"".as_slice()));
    world.transfer(1, &pattern(100_000), 20 * SECOND);
    world.finish();
}

#[test]
fn both_ends_may_close_at_once() {
    let mut world = World::connected();
    world.close(0);
    world.close(1);
    world.finish();
}

#[test]
fn unread_data_at_close_resets_the_peer() {
    let mut world = World::connected();
    world.write(0, b"never read").expect("room");
    world.pair.run(SECOND);
    world.close(1);
    world.pair.run(SECOND);
    assert_eq!(world.read(0), Err(Error::ConnectionReset));
    assert_eq!(world.write(0, b"x"), Err(Error::BrokenPipe));
    world.finish();
}

#[test]
fn small_writes_arrive_in_order() {
    let mut world = World::connected();
    let ends = world.ends;
    for byte in 0..100u8 {
        let host = &mut world.pair.hosts[0];
        assert_eq!(write(host, ends[0], &[byte], SendFlags::empty()), Ok(1));
        world.pair.run(SECOND / 1000);
    }
    world.pair.run(SECOND);
    let mut all = std::vec::Vec::new();
    while let Ok(part) = world.read(1) {
        all.extend(part);
    }
    assert!(all.iter().copied().eq(0..100u8));
    world.finish();
}

/// Both ends connect to each other's port in the same moment.
fn crossing() -> World {
    let mut pair = crate::testing::Pair::new();
    let listener = listen(&mut pair.hosts[1]);
    let ports = [7000, 7001];
    let ends = [0, 1].map(|index| {
        let remote = Endpoint::new(pair.hosts[1 - index].stack.config().addr, ports[1 - index]);
        let host = &mut pair.hosts[index];
        let id = stream(host);
        let local = Endpoint::new(host.stack.config().addr, ports[index]);
        host.stack.bind(host.now, id, local).expect("bound");
        let begun = host.stack.connect(host.now, id, remote);
        assert_eq!(begun, Err(Error::InProgress));
        id
    });
    World {
        pair,
        listener,
        ends,
    }
}

#[test]
fn ends_that_connect_to_each_other_at_once_share_one_connection() {
    let mut world = crossing();
    let ends = world.ends;
    let is_open = world.pair.run_until(SECOND, |hosts| {
        [0, 1]
            .iter()
            .all(|&index| hosts[index].stack.connect_result(ends[index]) == Ok(()))
    });
    assert!(is_open);
    for host in 0..2 {
        assert_eq!(world.stack(host).mib().tcp_active_opens, 1);
        assert_eq!(world.stack(host).mib().tcp_curr_estab, 1);
        assert_eq!(world.info(host).options & 7, 7, "all options agreed");
    }
    world.transfer(0, &pattern(300_000), 20 * SECOND);
    world.transfer(1, &pattern(300_000), 20 * SECOND);
    world.finish();
}

#[test]
fn a_crossed_opening_survives_the_loss_of_any_of_its_frames() {
    // Two requests for addresses and their answers may be among them.
    for lost in 0..10 {
        let mut world = crossing();
        lose(&mut world.pair, move |_, number| number == lost);
        let ends = world.ends;
        let is_open = world.pair.run_until(20 * SECOND, |hosts| {
            [0, 1]
                .iter()
                .all(|&index| hosts[index].stack.connect_result(ends[index]) == Ok(()))
        });
        assert!(is_open, "frame {lost}");
        world.transfer(0, &pattern(10_000), 20 * SECOND);
        world.transfer(1, &pattern(10_000), 20 * SECOND);
        world.finish();
    }
}

#[test]
fn a_crossed_opening_that_is_shut_down_at_once_opens_and_then_ends() {
    let mut script =
        Script::connecting(|config| (config.timestamps, config.window_scaling) = (0, 0));
    script.send(&Seg::new(Flags::SYN, 0, 0));
    assert_eq!(script.sent_one().flags, Flags::SYN | Flags::ACK);
    let (now, id) = (script.host.now, script.id);
    let result = script.host.stack.shutdown(now, id, Shutdown::Write);
    assert_eq!(result, Ok(()));
    assert!(
        script.sent().is_empty(),
        "no FIN before the handshake is over"
    );
    script.send(&Seg::data(1, 1, 10));
    assert!(script.sent()[0].has(Flags::FIN));
    script.send(&Seg::new(Flags::FIN | Flags::ACK, 11, 2));
    script.sent();
    // What was read into the ended connection is not lost by another attempt.
    let (_, remote) = script.ends();
    let again = script.host.stack.connect(now, id, remote);
    assert_eq!(again, Err(Error::IsConnected));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
    script.close();
    script.advance(SECOND * 61);
    assert_empty(&mut script.host);
}

#[test]
fn ends_that_cross_and_close_at_any_moment_leave_nothing_behind() {
    for after in 0..8u32 {
        let mut world = crossing();
        world.pair.run(SECOND / 2000 * after);
        world.close((after % 2) as usize);
        world.pair.run(SECOND / 2000);
        world.finish();
    }
}
