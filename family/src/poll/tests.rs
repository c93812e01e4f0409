use nicio::TX_BURST_MAX;
use nicio::mem::RING_FRAMES;
use stack::{Addr, Endpoint, SockId, SockKind};

use crate::family::Family;
use crate::testing::{complaints, connect, lone_family, open, remembering_hooks, two_families};

/// What the client does while another thread owns its device stays there.
fn without_device(client: &Family, act: impl FnOnce()) {
    let owner = client.own_device();
    assert!(owner.is_some());
    act();
    let word = &client.words().device_owner;
    word.store(0, core::sync::atomic::Ordering::Relaxed);
}

fn may_transmit(family: &Family) -> bool {
    family.lock().expect("the stack lives").may_transmit()
}

#[test]
fn a_round_tells_whether_anything_moved() {
    let (client, server) = two_families();
    while client.poll() | server.poll() {}
    without_device(&client, || {
        connect(&client);
    });
    assert!(client.poll(), "a question for the neighbour goes out");
    assert!(server.poll(), "it comes in, and the answer goes out");
    assert!(client.poll(), "so does the SYN");
    assert!(server.poll(), "and its refusal");
    assert!(client.poll(), "which comes in");
}

/// Queues this many datagrams from the client for a port of the server.
fn send(client: &Family, sock: SockId, count: usize) {
    let called = client.enter(|state, now| {
        let stack = &mut state.stack;
        let server = Endpoint::new(Addr::v4([10, 0, 0, 2]), 9);
        for _ in 0..count {
            let span = stack.send_to_reserve(now, sock, 100, Some(server));
            let span = span.expect("there is room");
            let filled = stack.fill_datagram(&span, &[7; 100]);
            let sent = stack.send_to_commit(now, sock, span, filled);
            sent.expect("there is room");
        }
    });
    called.expect("the stack lives");
}

/// Two families of which the first knows the second's hardware address, and a socket of the first.
fn acquainted() -> (Family, Family, SockId) {
    let (client, server) = two_families();
    let (_, sock) = open(&client, SockKind::Datagram);
    send(&client, sock, 1);
    while client.poll() | server.poll() {}
    (client, server, sock)
}

#[test]
fn a_round_sends_more_than_one_burst() {
    let (client, server, sock) = acquainted();
    without_device(&client, || send(&client, sock, 3 * TX_BURST_MAX));
    assert!(client.poll());
    assert!(!may_transmit(&client));
    while server.poll() {}
}

#[test]
fn a_device_that_takes_nothing_moves_nothing() {
    let (client, server, sock) = acquainted();
    for _ in 0..2 * RING_FRAMES / 8 {
        send(&client, sock, 8);
    }
    while client.poll() {}
    assert!(may_transmit(&client), "the device is full");
    drop(server);
}

#[test]
fn more_frames_come_in_than_the_reserve_has_buffers() {
    let (client, server, sock) = acquainted();
    let (_, sink) = open(&server, SockKind::Datagram);
    let any = Endpoint::new(Addr::v4([0, 0, 0, 0]), 9);
    let bound = server.enter(|state, now| state.stack.bind(now, sink, any));
    assert_eq!(bound, Ok(Ok(())));
    let mut received = 0;
    for _ in 0..2 * nicio::RESERVE_MAX / 8 {
        send(&client, sock, 8);
        while client.poll() | server.poll() {}
        let got = server.enter(|state, now| {
            let flags = stack::RecvFlags::empty();
            while let Ok(span) = state.stack.recv_from_reserve(sink, flags) {
                let mut bytes = [0; 200];
                assert_eq!(state.stack.take_datagram(&span, &mut bytes), 100);
                let given_back = state.stack.recv_from_commit(now, sink, span);
                given_back.expect("it never fails");
                received += 1;
            }
        });
        got.expect("the stack lives");
    }
    assert_eq!(received, 2 * nicio::RESERVE_MAX);
}

#[test]
fn who_has_the_stack_s_address_too_is_named() {
    let (mut family, _wire) = lone_family();
    family.hooks = remembering_hooks();
    family.tell_conflict([2, 0, 0, 0, 0xab, 9]);
    let told = complaints().join("\n");
    assert!(told.contains("02:00:00:00:ab:09"), "{told}");
}
