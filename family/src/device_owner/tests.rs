use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use stack::{PoolKind, SendFlags};

use crate::family::{Family, Role};
use crate::testing::{connect, join, listen, lone_family, settle, two_families};

/// More than any process id here.
const DEAD: u32 = 4_000_001;
const HEIR: u32 = 4_000_002;

fn receive_buffers_in_use(family: &Family) -> u32 {
    let state = family.lock().expect("the stack lives");
    state.stack.receive_buffers().in_use()
}

#[test]
fn one_thread_of_all_members_owns_the_device() {
    let (first, _wire) = lone_family();
    let (second, _second_wire) = join(&first, Role::Program, HEIR);
    assert!(first.own_device().is_some());
    assert!(first.own_device().is_none() && second.own_device().is_none());
    assert!(second.device_is_owned());
    let state = first.lock().expect("the stack lives");
    first.release_device(&state, crate::now());
    assert!(second.own_device().is_some());
}

#[test]
fn the_heir_of_a_dead_owner_has_its_reserve_and_gives_back_what_it_had_pinned() {
    let (dead, _wire) = lone_family();
    dead.pid.store(DEAD, Ordering::Relaxed);
    let (heir, _heir_wire) = join(&dead, Role::Program, HEIR);
    // It dies while a frame is in flight.
    let mut owner = dead.own_device().expect("nobody has it");
    let mut state = dead.lock().expect("the stack lives");
    owner.take_over(&mut state, DEAD);
    let pinned = state.stack.alloc_receive().expect("there is memory");
    let record = state.owner.get_mut(0).expect("there is one");
    record.note_pins([(PoolKind::Receive, pinned)].into_iter());
    let reserve = record.reserve().to_vec();
    assert_eq!(reserve.len(), nicio::RESERVE_MAX);
    drop(state);
    let in_use = receive_buffers_in_use(&heir);

    assert!(heir.own_device().is_none(), "the dead process owns it");
    heir.reap_process(DEAD);
    let mut owner = heir.own_device().expect("it was reaped");
    let mut state = heir.lock().expect("the stack lives");
    owner.take_over(&mut state, HEIR);
    let record = state.owner.get_mut(0).expect("there is one");
    assert_eq!((record.owner, record.pins().count()), (HEIR, 0));
    assert_eq!(record.reserve(), reserve, "the same buffers");
    drop(state);
    assert_eq!(owner.device.rx.wants(), 0, "all of them are supplied");
    assert_eq!(receive_buffers_in_use(&heir), in_use - 1, "the pin is gone");
}

#[test]
fn two_members_that_own_the_device_in_turn_lose_no_buffer() {
    let (first, _wire) = lone_family();
    let (second, _second_wire) = join(&first, Role::Program, HEIR);
    first.poll();
    let in_use = receive_buffers_in_use(&first);
    for _ in 0..10 {
        second.poll();
        first.poll();
    }
    assert_eq!(receive_buffers_in_use(&first), in_use);
}

#[test]
fn nothing_stays_pinned_when_the_peer_has_all_of_it() {
    let (client, server) = two_families();
    listen(&server);
    let (_, sock) = connect(&client);
    settle(&client, &server);
    let sent = client.enter(|state, now| {
        let stack = &mut state.stack;
        let span = stack.send_reserve(sock, 10_000).expect("it is connected");
        let filled = stack.fill(&span, &[7; 10_000]);
        let flags = SendFlags::empty();
        stack.send_commit(now, sock, span, filled, flags)
    });
    assert_eq!(sent, Ok(Ok(10_000)));
    let give_up = Instant::now() + Duration::from_secs(5);
    let in_use = || {
        let state = client.lock().expect("the stack lives");
        state.stack.send_buffers().in_use()
    };
    while in_use() > 0 {
        assert!(Instant::now() < give_up, "{} buffers are left", in_use());
        settle(&client, &server);
    }
}

#[test]
fn the_record_says_what_frames_in_flight_keep() {
    let (client, server) = two_families();
    listen(&server);
    let (_, sock) = connect(&client);
    settle(&client, &server);
    let mut owner = client.own_device().expect("nobody has it");
    let mut state = client.lock().expect("the stack lives");
    let now = crate::now();
    let stack = &mut state.stack;
    let span = stack.send_reserve(sock, 10_000).expect("it is connected");
    let filled = stack.fill(&span, &[7; 10_000]);
    let sent = stack.send_commit(now, sock, span, filled, SendFlags::empty());
    assert_eq!(sent, Ok(10_000));
    let pins = |state: &mut crate::SharedState| {
        let record = state.owner.get_mut(0).expect("there is one");
        record.pins().count()
    };
    assert_eq!(pins(&mut state), 0);
    let frames = owner.gather(&mut state, now);
    assert!(frames > 0 && owner.unsent() == frames);
    assert!(pins(&mut state) > 0);
    owner.send().expect("the device is there");
    assert_eq!(owner.unsent(), 0);
    owner.release_done(&mut state);
    assert_eq!(pins(&mut state), 0);
}
