use std::sync::atomic::Ordering;

use stack::{Addr, Endpoint, RecvFlags, SockKind};

use crate::keeper_watch::{ABSENT, FAILED, STARTED};
use crate::testing::{connect, listen, lone_family, open, two_families};

#[test]
fn a_stack_wants_a_keeper() {
    let (mut family, _wire) = lone_family();
    family.keeper_program = None;
    let state = || family.words().keeper_state.load(Ordering::Relaxed);
    family
        .words()
        .keeper_state
        .store(STARTED, Ordering::Relaxed);
    assert_eq!(family.enter(|_, _| ()), Ok(()));
    assert_eq!(state(), STARTED, "there is one");
    family.words().keeper_state.store(ABSENT, Ordering::Relaxed);
    assert_eq!(family.enter(|_, _| ()), Ok(()));
    assert_eq!(state(), FAILED, "it was tried");
}

#[test]
fn what_a_call_makes_due_is_sent_on_its_way_out() {
    let (client, server) = two_families();
    while client.poll() | server.poll() {}
    // Somebody has just polled, so the call does not.
    let soon = crate::now().as_nanos() + 3_600_000_000_000;
    client.words().last_poll_ns.store(soon, Ordering::Relaxed);
    connect(&client);
    assert!(server.poll(), "it asks for the server's hardware address");
    let last = client.words().last_poll_ns.load(Ordering::Relaxed);
    assert_eq!(last, soon);
}

#[test]
fn one_call_opens_a_connection_of_the_family_with_itself() {
    let (_client, server) = two_families();
    listen(&server);
    let (_, sock) = connect(&server);
    let result = server.enter(|state, _| state.stack.connect_result(sock));
    assert_eq!(result, Ok(Ok(())), "nobody has polled");
}

#[test]
fn what_goes_to_the_family_itself_does_not_wait_for_the_device() {
    let (_client, server) = two_families();
    while server.poll() {}
    let (_, sock) = open(&server, SockKind::Datagram);
    let own = Endpoint::new(Addr::v4([10, 0, 0, 2]), 9000);
    for round in 0..100 {
        let sent = server.enter(|state, now| {
            if round == 0 {
                state.stack.bind(now, sock, own).expect("a free port");
            }
            let span = state.stack.send_to_reserve(now, sock, 1, Some(own));
            let span = span.expect("a route");
            state.stack.fill_datagram(&span, b"x");
            state.stack.send_to_commit(now, sock, span, 1)
        });
        assert_eq!(sent, Ok(Ok(1)));
        let received = server.enter(|state, now| {
            assert!(!state.stack.transmit_pending(), "nothing is left to do");
            let span = state.stack.recv_from_reserve(sock, RecvFlags::empty());
            let span = span.expect("it is there");
            state.stack.recv_from_commit(now, sock, span)
        });
        assert_eq!(received, Ok(Ok(())));
    }
}
