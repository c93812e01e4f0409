use stack::{Ready, SockKind};

use std::sync::atomic::Ordering;

use crate::family::Family;
use crate::records::FileId;
use crate::testing::{connect, open, settle, two_families, woken};

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
