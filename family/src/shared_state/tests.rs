use stack::{Addr, Endpoint, Ready, SockKind};

use std::sync::atomic::Ordering;

use crate::epoll::{Interest, Key, Target};
use crate::family::{Family, Role};
use crate::records::FileId;
use crate::shared_state::SharedState;
use crate::testing::{PORT, connect, join, listen, open, settle, two_families, woken};

const WAKER: u64 = 1 << 7;

#[test]
fn an_event_wakes_who_waits_for_it_once() {
    let (client, server) = two_families();
    let (file, sock) = connect(&client);
    let mut state = client.lock().expect("the stack lives");
    let mut record = state.files.get_mut(file).expect("it is open");
    record.waiters = WAKER;
    drop(record);
    assert_eq!(state.drain_events(), 0, "nothing has happened");
    drop(state);
    // Nobody listens there.
    let mut woken = 0;
    for _ in 0..1000 {
        server.poll();
        let mut state = client.lock().expect("the stack lives");
        woken |= state.drain_events();
        drop(state);
        let _ = client.poll_inside(|state, _| woken |= state.drain_events());
    }
    assert_eq!(woken, WAKER);
    let mut state = client.lock().expect("the stack lives");
    assert!(state.stack.ready(sock).contains(Ready::ERR));
    let waiters = state.files.get(file).expect("it is open").waiters;
    assert_eq!((waiters, state.drain_events()), (0, 0));
}

#[test]
fn who_waits_for_a_file_that_is_closed_is_woken() {
    let (client, server) = two_families();
    let (file, sock) = open(&client, SockKind::Datagram);
    let mut state = client.lock().expect("the stack lives");
    let mut record = state.files.get_mut(file).expect("it is open");
    record.waiters = WAKER;
    drop(record);
    let now = crate::now();
    assert!(
        !state.release(now, file, client.member() + 1),
        "not its own"
    );
    assert_eq!(state.drain_events(), 0);
    assert!(state.release(now, file, client.member()));
    assert_eq!((state.drain_events(), state.drain_events()), (WAKER, 0));
    assert!(state.files.get(file).is_none());
    assert!(!state.release(now, file, client.member()), "it is gone");
    assert!(state.stack.kind(sock).is_none(), "its socket, too");
    drop(state);
    settle(&client, &server);
}

#[test]
fn all_files_of_a_member_are_released_at_once() {
    let (client, _server) = two_families();
    let files: Vec<_> = (0..100)
        .map(|_| open(&client, SockKind::Datagram).0)
        .collect();
    let other = client.member() + 1;
    let mut state = client.lock().expect("the stack lives");
    assert!(state.files.hold(files[0], other));
    let set = state.epolls.create(client.member()).expect("there is room");
    state.release_all(crate::now(), client.member());
    let open: Vec<_> = files
        .iter()
        .filter(|file| state.files.get(**file).is_some())
        .collect();
    assert_eq!(open, [&files[0]], "another member has it, too");
    assert!(!state.epolls.hold(set, other), "the set is gone");
}

/// A thread of the family sleeps for the file.
fn sleep_for(family: &Family, file: FileId) -> u64 {
    let waker = family.wakers.take(family.words(), family.pid());
    let bit = waker.expect("there are more").bit();
    family.words().sleeping.fetch_or(bit, Ordering::SeqCst);
    let mut state = family.lock().expect("the stack lives");
    let mut record = state.files.get_mut(file).expect("it is open");
    record.waiters = bit;
    bit
}

#[test]
fn sleepers_are_woken_by_whoever_makes_their_event() {
    let (client, server) = two_families();
    let (file, _) = open(&client, SockKind::Datagram);
    let closed = sleep_for(&client, file);
    let released = client.enter(|state, now| state.release(now, file, client.member()));
    assert_eq!((released, woken(&client.wakers)), (Ok(true), closed));
    let (file, _) = connect(&client);
    let refused = sleep_for(&client, file);
    settle(&client, &server);
    assert_eq!(woken(&client.wakers), refused, "by a round with the device");
}

#[test]
fn what_waits_to_be_sent_is_due_now() {
    let (client, _server) = two_families();
    let (_, sock) = open(&client, SockKind::Stream);
    let due = client.enter(|state, now| {
        assert!(!state.may_transmit(), "nobody has asked for anything");
        let server = Endpoint::new(Addr::v4([10, 0, 0, 2]), PORT);
        let _ = state.stack.connect(now, sock, server);
        assert!(state.may_transmit());
        state.next_due(now) == Some(now)
    });
    assert_eq!(due, Ok(true));
}

#[test]
fn what_a_member_holds_of_a_file_that_is_gone_is_forgotten() {
    let (client, _server) = two_families();
    let (file, _) = open(&client, SockKind::Datagram);
    let mut state = client.lock().expect("the stack lives");
    // As a member leaves it that died half-way.
    state.files.remove(file);
    assert_eq!(state.files.held_by(client.member()).as_slice(), [file]);
    state.release_all(crate::now(), client.member());
    assert!(state.files.held_by(client.member()).is_empty());
}

#[test]
fn who_sleeps_on_a_set_is_woken_by_an_event_of_a_socket_in_it() {
    let (client, server) = two_families();
    let (file, sock) = connect(&client);
    let mut state = client.lock().expect("the stack lives");
    let state = &mut *state;
    let set = state.epolls.create(client.member()).expect("there is room");
    let key = Key {
        set,
        target: Target::File(file),
        fd: 5,
    };
    let interest = Interest {
        events: libc::EPOLLIN as u32,
        data: 9,
    };
    let ready = state.stack.ready(sock);
    let added = state.epolls.add(key, interest, &mut state.files, ready);
    assert_eq!(added, Ok(()));
    state.epolls.wait_on(set, WAKER, 0);
    let has_ready = |state: &mut SharedState| {
        let SharedState {
            epolls,
            files,
            stack,
            ..
        } = state;
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
        let filled = epolls.collect(set, stack, files, &mut events);
        (epolls.has_ready(set, stack, files), filled, events[0].u64)
    };
    assert_eq!(has_ready(state), (false, 0, 0));
    assert_eq!(state.drain_events(), 0);
    // Nobody listens there.
    let mut woken = 0;
    while woken == 0 {
        server.poll();
        let mut owner = client.own_device().expect("nobody has it");
        owner.take_over(state, client.pid());
        owner.receive().expect("the device is there");
        let now = crate::now();
        owner.deliver(state, now);
        woken = state.drain_events();
        while owner.gather(state, now) > 0 {
            owner.send().expect("the device is there");
            owner.release_done(state);
        }
        client.words().device_owner.store(0, Ordering::Relaxed);
    }
    assert_eq!(woken, WAKER);
    assert_eq!(has_ready(state), (true, 1, 9));
}

#[test]
fn who_sleeps_on_a_set_is_woken_when_a_member_is_gone() {
    let (client, _server) = two_families();
    let (file, _) = open(&client, SockKind::Datagram);
    let mut state = client.lock().expect("the stack lives");
    let set = state.epolls.create(client.member()).expect("there is room");
    state.epolls.wait_on(set, WAKER << 1, 0);
    let mut record = state.files.get_mut(file).expect("it is open");
    record.waiters = WAKER;
    drop(record);
    state.release_all(crate::now(), client.member());
    assert_eq!(state.drain_events(), WAKER | WAKER << 1, "both kinds");
}

#[test]
fn who_waits_for_a_writer_that_was_killed_is_woken_when_it_is_reaped() {
    let (client, server) = two_families();
    listen(&server);
    let (file, sock) = connect(&client);
    settle(&client, &server);
    // Another process's device leads to nobody, so that it does not poll here.
    let (killed, _wire) = join(&client, Role::Program, 4_000_001);
    let reserved = killed.enter(|state, _| {
        assert!(state.files.hold(file, killed.member()));
        state.stack.send_reserve(sock, 100).map(drop)
    });
    assert_eq!(reserved, Ok(Ok(())));
    let refused = client.enter(|state, _| state.stack.send_reserve(sock, 100).err());
    assert_eq!(refused, Ok(Some(stack::Error::WouldBlock)));
    let waiting = sleep_for(&client, file);
    let released = client.enter(|state, now| state.release_all(now, killed.member()));
    assert_eq!((released, woken(&client.wakers)), (Ok(()), waiting));
    let reserved = client.enter(|state, _| state.stack.send_reserve(sock, 100).map(drop));
    assert_eq!(reserved, Ok(Ok(())));
}
