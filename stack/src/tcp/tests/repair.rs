//! A stack that is repaired in the middle of things.

use super::script::*;
use super::world::*;
use crate::tcp::header::Flags;
use crate::testing::Host;
use crate::{Error, Ready, RecvFlags, Repaired, SendFlags};
use core::time::Duration;
use std::vec::Vec;

/// Bytes of a frame with a request.
const ARP_LEN: usize = 42;
const MS: Duration = Duration::from_millis(1);
const NOTHING_LOST: Result<Repaired, &str> = Ok(Repaired {
    connections_reset: 0,
});

fn repair(host: &mut Host) -> Result<Repaired, &'static str> {
    host.stack.repair(host.now, [])
}

/// Spoils what can be derived from records.
fn spoil(host: &mut Host) {
    let ids: Vec<_> = host.stack.socks.iter().map(|(id, _)| id).collect();
    let layers = host.stack.layers(host.now);
    layers.cx.timers.clear();
    layers.cx.events.clear();
    layers.cx.ports.clear();
    layers.tcp.connections.clear();
    layers.tcp.listeners.clear();
    (layers.cx.global.live, layers.cx.global.orphans) = (77, 78);
    for id in ids {
        layers.cx.qdisc.forget(id);
        // Buffers and records that nobody knows of.
        layers.cx.bufs.send.alloc();
        layers.cx.bufs.receive.alloc();
        let mut sock = layers.socks.get_mut(id).expect("it is there");
        sock.tcp.accept.ready = 9;
        (sock.tcp.accept.head, sock.tcp.accept.tail) = (id, id);
    }
}

#[test]
fn a_transfer_with_losses_goes_on_whenever_both_stacks_are_repaired() {
    let mut world = World::connected();
    let mut number = 0;
    // Requests for neighbours, which each repair forgets, would be lost too often.
    world.pair.set_drops(move |_, _, frame| {
        number += u32::from(frame.bytes.len() > ARP_LEN);
        frame.bytes.len() > ARP_LEN && number % 10 == 3
    });
    let bytes = pattern(1_000_000);
    let (mut sent, mut received) = (0, Vec::new());
    let mut rounds = 0;
    while received.len() < bytes.len() {
        sent += world.write(0, &bytes[sent..]).unwrap_or(0);
        world.pair.run(3 * MS);
        received.extend(world.read(1).unwrap_or_default());
        rounds += 1;
        assert!(rounds < 5000, "{} bytes came", received.len());
        if rounds % 5 == 0 {
            for host in &mut world.pair.hosts {
                spoil(host);
                assert_eq!(repair(host), NOTHING_LOST);
                assert_eq!(repair(host), NOTHING_LOST, "again");
            }
        }
    }
    assert!(received == bytes, "the bytes are the same");
    world.finish();
}

/// What the program is told that has the connection of a script.
fn edges(script: &mut Script) -> Ready {
    let stack = &mut script.host.stack;
    core::iter::from_fn(|| stack.pop_event())
        .filter(|(id, ..)| *id == script.id)
        .fold(Ready::empty(), |all, (_, _, edges)| all | edges)
}

#[test]
fn a_connection_that_was_being_changed_is_reset_and_its_peer_is_told() {
    let mut script = Script::connected();
    script.write(5000);
    script.sent();
    script.send(&Seg::data(1, 1, 100));
    script.send(&Seg::data(3001, 1, 1000));
    script.sent();
    let id = script.id;
    core::mem::forget(script.host.stack.socks.get_mut(id));
    let repaired = repair(&mut script.host);
    assert_eq!(
        repaired,
        Ok(Repaired {
            connections_reset: 1
        })
    );
    script.announce();
    let sent = script.sent();
    let resets: Vec<_> = sent.iter().filter(|seg| seg.has(Flags::RST)).collect();
    let &[reset] = resets.as_slice() else {
        panic!("one RST: {sent:?}");
    };
    assert_eq!(reset.ack, 101, "what came in order");
    assert!(edges(&mut script).contains(Ready::ERR | Ready::HUP));
    assert_eq!(script.read(), Err(Error::ConnectionReset));
    let (now, stack) = (script.host.now, &mut script.host.stack);
    stack.close(now, id);
    assert_empty(&mut script.host);
}

#[test]
fn a_listener_that_was_being_changed_still_listens() {
    let mut world = World::connected();
    let listener = world.listener;
    let client = stream(&mut world.pair.hosts[0]);
    start(&mut world.pair, client);
    world.pair.run(50 * MS);
    core::mem::forget(world.stack(1).socks.get_mut(listener));
    spoil(&mut world.pair.hosts[1]);
    assert_eq!(repair(&mut world.pair.hosts[1]), NOTHING_LOST);
    let now = world.pair.now();
    let accepted = world.stack(1).accept(now, listener);
    let accepted = accepted.expect("it waited before");
    let late = stream(&mut world.pair.hosts[0]);
    start(&mut world.pair, late);
    world.pair.run(50 * MS);
    let now = world.pair.now();
    let also = world.stack(1).accept(now, listener).expect("a new one");
    for id in [client, late] {
        world.stack(0).close(now, id);
    }
    for id in [accepted, also] {
        world.stack(1).close(now, id);
    }
    world.transfer(0, &pattern(10_000), Duration::from_secs(5));
    world.finish();
}

#[test]
fn data_that_is_not_well_formed_resets_its_connection_only() {
    let mut world = World::connected();
    let other = stream(&mut world.pair.hosts[0]);
    start(&mut world.pair, other);
    world.pair.run(50 * MS);
    let (now, listener, end) = (world.pair.now(), world.listener, world.ends[0]);
    let accepted = world.stack(1).accept(now, listener).expect("it came");
    world.write(0, &pattern(100_000)).expect("room");
    write(
        &mut world.pair.hosts[0],
        other,
        &pattern(1000),
        SendFlags::empty(),
    )
    .expect("room");
    let stack = world.stack(0);
    let block = stack.tcp.blocks.iter().next().map(|(id, _)| id);
    stack
        .tcp
        .blocks
        .remove(block.expect("it is the first one's"));
    let repaired = repair(&mut world.pair.hosts[0]);
    assert_eq!(
        repaired,
        Ok(Repaired {
            connections_reset: 1
        })
    );
    world.pair.run(50 * MS);
    assert_eq!(world.read(1), Err(Error::ConnectionReset));
    assert_eq!(world.stack(0).ready(end) & Ready::ERR, Ready::ERR);
    assert_eq!(read(&mut world.pair.hosts[1], accepted), Ok(pattern(1000)));
    let now = world.pair.now();
    world.stack(0).close(now, other);
    world.stack(1).close(now, accepted);
    world.finish();
}

#[test]
fn spans_of_the_living_outlive_a_repair() {
    for is_busy in [false, true] {
        let mut world = World::connected();
        world.write(1, &pattern(3000)).expect("room");
        world.pair.run(50 * MS);
        let (end, now) = (world.ends[0], world.pair.now());
        let stack = world.stack(0);
        let to_write = stack.send_reserve(end, 1000).expect("room");
        let to_read = stack.recv_reserve(end, 9000, RecvFlags::empty(), 0);
        let to_read = to_read.expect("it is there");
        let peeked = stack.recv_reserve(end, 9000, RecvFlags::PEEK, 0);
        let peeked = peeked.expect("it is there");
        if is_busy {
            core::mem::forget(stack.socks.get_mut(end));
        }
        let lost = Repaired {
            connections_reset: u32::from(is_busy),
        };
        assert_eq!(repair(&mut world.pair.hosts[0]), Ok(lost));
        let stack = world.stack(0);
        assert_eq!(stack.fill(&to_write, &pattern(1000)), 1000);
        for span in [&to_read, &peeked] {
            let mut bytes = std::vec![0; 3000];
            assert_eq!(stack.take(span, &mut bytes), 3000);
            assert!(bytes == pattern(3000));
        }
        assert_eq!(stack.recv_commit(now, end, peeked, 3000), Ok(3000));
        assert_eq!(stack.recv_commit(now, end, to_read, 3000), Ok(3000));
        let sent = stack.send_commit(now, end, to_write, 1000, SendFlags::empty());
        if is_busy {
            assert_eq!(sent, Err(Error::ConnectionReset));
        } else {
            assert_eq!(sent, Ok(1000));
            world.pair.run(50 * MS);
            assert_eq!(world.read(1), Ok(pattern(1000)));
        }
        world.finish();
    }
}

#[test]
fn half_open_connections_go_on() {
    let mut script = Script::listening(8);
    script.send(&Seg::new(Flags::SYN, 0, 0));
    let iss = script.sent_one().seq;
    script.use_own_iss(iss);
    spoil(&mut script.host);
    assert_eq!(repair(&mut script.host), NOTHING_LOST);
    assert_eq!(script.host.stack.usage().requests, 1);
    assert_eq!(script.host.stack.check_books(), Ok(()));
    script.advance(Duration::from_millis(1500));
    script.announce();
    assert!(script.sent().iter().any(|seg| seg.has(Flags::SYN)), "again");
}

#[test]
fn what_a_stack_was_sending_to_itself_is_lost_in_a_repair_and_nothing_else() {
    let mut world = World::connected();
    let host = &mut world.pair.hosts[0];
    let before = host.stack.usage().receive_buffers;
    for header in [&b"a frame"[..], b"another"] {
        let cx = &mut host.stack.layers(host.now).cx;
        assert!(cx.loopback.push(cx.bufs, header, &[], 0));
    }
    assert_eq!(host.stack.usage().receive_buffers, before + 2);
    assert_eq!(repair(host), NOTHING_LOST);
    assert_eq!(host.stack.usage().receive_buffers, before);
    assert!(host.stack.layers(host.now).cx.loopback.is_empty());
    world.finish();
}
