//! Keepers in the process of a test.

use std::sync::atomic::Ordering;

use nicio::link::{Cable, End};
use nicio::mem::Mem;
use stack::Instant;

use super::Keeper;
use super::sleep::WATCH_GAP;
use crate::family::{Family, Role};
use crate::members;
use crate::named_socket::NamedSocket;
use crate::testing::{end_of, join, linked_family, lone_family, settings};

/// The keeper's process, which does not exist.
pub(super) const KEEPER: u32 = 4_000_001;

/// A keeper that has done nothing yet.
pub(super) fn keeper(family: Family) -> Keeper {
    Keeper {
        waker: family.wakers.take(family.words(), KEEPER),
        family,
        name: String::new(),
        listener: None,
        watched: Vec::new(),
        unborn: Vec::new(),
        held: Vec::new(),
        leaving: Vec::new(),
        bridges: Vec::new(),
        idle_since: None,
        watch_gap: WATCH_GAP,
        last_poll_seen: 0,
        own_poll: u64::MAX,
    }
}

/// A member, its keeper, and the far ends of their devices.
pub(super) fn member_and_keeper() -> (Family, Keeper, [Mem; 2]) {
    let (member, wire) = lone_family();
    while member.poll() {}
    let (family, keeper_wire) = join(&member, Role::Keeper, KEEPER);
    (member, keeper(family), [wire, keeper_wire])
}

/// The keeper of a program that has ended, at the first end of a cable, behind a name of its own.
pub(super) fn lone_keeper(tag: &str, cable: &Cable) -> Keeper {
    let settings = settings(&[]);
    let program = linked_family(&settings, cable);
    while program.poll() {}
    let region = sys::duplicate(program.shared.region().fd().expect("it has one"));
    let region = region.expect("there are descriptors");
    let wakers = *program.wakers.fds();
    let device = end_of(cable, End::First);
    let family = Family::keep(settings.device, region, wakers, device, None);
    members::unregister(program.words(), program.member());
    let mut keeper = keeper(family.expect("it has all it needs"));
    keeper.name = format!("test-{tag}-{}", std::process::id());
    // Another test may be binding a name at the moment.
    while keeper.listener.is_none() {
        keeper.listener = NamedSocket::bind(&keeper.name);
    }
    keeper
}

/// Somebody polled the stack last at this time.
pub(super) fn polled(family: &Family, at: Instant) {
    let word = &family.words().last_poll_ns;
    word.store(at.as_nanos(), Ordering::Relaxed);
}

pub(super) fn poller(family: &Family) -> u64 {
    family.words().poller.load(Ordering::Relaxed)
}
