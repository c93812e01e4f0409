//! A set's behaviour with a stack that is just a table of readiness bits.

use std::cell::RefCell;
use std::collections::HashMap;

use libc::epoll_event;
use region::{Id, Region};
use stack::{Ready, SockId};

use super::{EpollError, Epolls, Interest, Key, Target};
use crate::files::Files;
use crate::records::{EpollId, FileId};

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const ET: u32 = libc::EPOLLET as u32;
const ONESHOT: u32 = libc::EPOLLONESHOT as u32;
const EXCLUSIVE: u32 = libc::EPOLLEXCLUSIVE as u32;
const ME: u16 = 1;

fn key(set: EpollId, file: FileId, fd: i32) -> Key {
    Key {
        set,
        target: Target::File(file),
        fd,
    }
}

struct World {
    epolls: Epolls,
    files: Files,
    ready: RefCell<HashMap<SockId, Ready>>,
    made: u64,
}

impl World {
    fn new() -> Self {
        let region = Region::on_heap(16 << 20);
        Self {
            epolls: Epolls::new(&region, 0).expect("tables"),
            files: Files::new(&region).expect("tables"),
            ready: RefCell::default(),
            made: 0,
        }
    }

    fn set(&mut self) -> EpollId {
        self.epolls.create(ME).expect("a set")
    }

    fn file(&mut self) -> FileId {
        self.made += 1;
        let sock = Id::from_bits(self.made << 32 | self.made);
        self.files.open(sock, ME, 0).expect("a file")
    }

    /// The socket becomes `ready`, with an edge for every bit of it. Gives the wakers woken.
    fn edge(&mut self, file: FileId, ready: Ready) -> u64 {
        self.level(file, ready);
        self.epolls.notify(file, ready, &mut self.files)
    }

    fn level(&mut self, file: FileId, ready: Ready) {
        let sock = self.files.get(file).expect("a file").sock;
        self.ready.borrow_mut().insert(sock, ready);
    }

    fn now(&self, file: FileId) -> Ready {
        let sock = self.files.get(file).expect("a file").sock;
        let ready = self.ready.borrow().get(&sock).copied();
        ready.unwrap_or(Ready::empty())
    }

    fn add(&mut self, set: EpollId, file: FileId, fd: i32, events: u32) -> Result<(), EpollError> {
        let now = self.now(file);
        let interest = Interest {
            events,
            data: fd as u64,
        };
        self.epolls
            .add(key(set, file, fd), interest, &mut self.files, now)
    }

    fn modify(
        &mut self,
        set: EpollId,
        file: FileId,
        fd: i32,
        events: u32,
    ) -> Result<(), EpollError> {
        let now = self.now(file);
        let interest = Interest {
            events,
            data: fd as u64,
        };
        self.epolls
            .modify(key(set, file, fd), interest, &mut self.files, now)
    }

    fn delete(&mut self, set: EpollId, file: FileId, fd: i32) -> Result<(), EpollError> {
        self.epolls
            .delete(key(set, file, fd), &mut self.files)
            .map(drop)
    }

    /// (data, events) of at most `max` ready items.
    fn collect(&mut self, set: EpollId, max: usize) -> Vec<(u64, u32)> {
        let mut out = vec![epoll_event { events: 0, u64: 0 }; max];
        let ready = self.ready.borrow();
        let look = |sock: SockId| ready.get(&sock).copied().unwrap_or(Ready::empty());
        let count = self.epolls.collect_with(set, &look, &self.files, &mut out);
        out.iter()
            .take(count)
            .map(|event| (event.u64, event.events))
            .collect()
    }
}

#[test]
fn a_level_triggered_item_is_reported_for_as_long_as_it_is_ready() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    assert_eq!(world.add(set, file, 5, IN), Ok(()));
    assert_eq!(world.collect(set, 8), []);
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.level(file, Ready::empty());
    assert_eq!(world.collect(set, 8), []);
}

#[test]
fn an_edge_triggered_item_is_reported_once_for_each_edge() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), []);
    world.edge(file, Ready::IN);
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), []);
}

#[test]
fn an_edge_reports_everything_that_holds() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | OUT | ET).expect("added");
    world.level(file, Ready::IN | Ready::OUT);
    world.epolls.notify(file, Ready::IN, &mut world.files);
    assert_eq!(world.collect(set, 8), [(5, IN | OUT)]);
}

#[test]
fn an_edge_that_nobody_asked_for_wakes_nobody() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 1);
    assert_eq!(world.edge(file, Ready::OUT), 0);
    assert_eq!(
        world.edge(file, Ready::HUP),
        1,
        "hang-ups are always reported"
    );
}

#[test]
fn adding_and_changing_report_what_is_ready_already() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.level(file, Ready::IN);
    world.add(set, file, 5, IN | ET).expect("added");
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    assert_eq!(world.collect(set, 8), []);
    world.modify(set, file, 5, IN | ET).expect("changed");
    assert_eq!(world.collect(set, 8), [(5, IN)]);
}

#[test]
fn a_one_shot_item_is_silent_until_it_is_armed_again() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ONESHOT).expect("added");
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.edge(file, Ready::IN | Ready::HUP);
    assert_eq!(world.collect(set, 8), []);
    world.modify(set, file, 5, IN | ONESHOT).expect("armed");
    assert_eq!(world.collect(set, 8), [(5, IN | libc::EPOLLHUP as u32)]);
}

#[test]
fn ready_items_take_turns_when_the_answer_is_short() {
    let mut world = World::new();
    let set = world.set();
    for fd in 1..=3 {
        let file = world.file();
        world.add(set, file, fd, IN).expect("added");
        world.edge(file, Ready::IN);
    }
    let seen: Vec<u64> = (0..6)
        .flat_map(|_| world.collect(set, 1))
        .map(|event| event.0)
        .collect();
    assert_eq!(seen, [1, 2, 3, 1, 2, 3]);
}

#[test]
fn a_number_is_in_a_set_once_and_a_dup_of_it_is_another() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN).expect("added");
    assert_eq!(world.add(set, file, 5, IN), Err(EpollError::Exists));
    assert_eq!(world.add(set, file, 6, IN), Ok(()));
    assert_eq!(world.modify(set, file, 7, IN), Err(EpollError::NotFound));
    assert_eq!(world.delete(set, file, 5), Ok(()));
    assert_eq!(world.delete(set, file, 5), Err(EpollError::NotFound));
    world.edge(file, Ready::IN);
    assert_eq!(world.collect(set, 8), [(6, IN)]);
}

#[test]
fn a_closed_file_leaves_every_set() {
    let mut world = World::new();
    let (one, two, file) = (world.set(), world.set(), world.file());
    world.add(one, file, 5, IN).expect("added");
    world.add(two, file, 5, IN).expect("added");
    world.edge(file, Ready::IN);
    world.epolls.file_gone(file, &mut world.files);
    assert_eq!(world.collect(one, 8), []);
    assert_eq!(world.collect(two, 8), []);
    assert_eq!(world.epolls.items.len(), 0);
}

#[test]
fn a_watcher_is_taken_off_by_the_number_it_was_added_under() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    for fd in [5, 6] {
        world.add(set, file, fd, IN).expect("added");
    }
    let World { epolls, files, .. } = &mut world;
    let taken = epolls.take_watcher(file, 6, files);
    assert_eq!(
        taken.map(|(of, interest)| (of, interest.events)),
        Some((set, IN))
    );
    assert!(epolls.take_watcher(file, 6, files).is_none());
    assert!(world.delete(set, file, 6).is_err(), "it is gone");
    world.delete(set, file, 5).expect("the other stays");
}

#[test]
fn the_last_descriptor_of_all_members_takes_the_set_away() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN).expect("added");
    assert!(world.epolls.hold(set, 2));
    world.epolls.release(set, ME, &mut world.files);
    assert_eq!(world.edge(file, Ready::IN), 0);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.epolls.member_gone(2, &mut world.files);
    assert!(world.epolls.is_empty());
    assert_eq!(world.epolls.items.len(), 0);
    assert!(world.files.get(file).expect("a file").items.is_none());
}

#[test]
fn one_sleeper_is_woken_for_one_event_and_hands_on_what_it_leaves() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN | ET).expect("added");
    world.epolls.wait_on(set, 0b01);
    world.epolls.wait_on(set, 0b10);
    assert_eq!(world.edge(file, Ready::IN), 0b01);
    // The woken thread ends its wait for another reason and does not take the event.
    world.epolls.leave(set, 0b01);
    assert_eq!(world.epolls.take_to_wake(), 0b10);
    assert_eq!(world.collect(set, 8), [(5, IN)]);
    world.epolls.leave(set, 0b10);
    assert_eq!(world.epolls.take_to_wake(), 0);
}

#[test]
fn an_exclusive_event_wakes_one_set_that_sleeps() {
    let mut world = World::new();
    let (busy, first, second) = (world.set(), world.set(), world.set());
    let file = world.file();
    for set in [busy, first, second] {
        world.add(set, file, 5, IN | EXCLUSIVE).expect("added");
    }
    world.epolls.wait_on(first, 0b01);
    world.epolls.wait_on(second, 0b10);
    let woken = world.edge(file, Ready::IN);
    assert_eq!(woken.count_ones(), 1);
    let woken_next = world.edge(file, Ready::IN);
    assert_eq!(woken | woken_next, 0b11);
}

#[test]
fn exclusive_refuses_what_linux_refuses() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    assert_eq!(
        world.add(set, file, 5, IN | EXCLUSIVE | ONESHOT),
        Err(EpollError::Invalid)
    );
    world.add(set, file, 5, IN | EXCLUSIVE).expect("added");
    assert_eq!(world.modify(set, file, 5, IN), Err(EpollError::Invalid));
}

#[test]
fn a_set_that_watches_a_set_reports_what_is_ready_inside() {
    let mut world = World::new();
    let (outer, inner, file) = (world.set(), world.set(), world.file());
    world.add(inner, file, 5, IN).expect("added");
    let interest = Interest {
        events: IN,
        data: 9,
    };
    let now = Ready::empty();
    let watch = Key {
        set: outer,
        target: Target::Set(inner),
        fd: 3,
    };
    let added = world.epolls.add(watch, interest, &mut world.files, now);
    assert_eq!(added, Ok(()));
    world.epolls.wait_on(outer, 1);
    assert_eq!(world.edge(file, Ready::IN), 1);
    assert_eq!(world.collect(outer, 8), [(9, IN)]);
    assert_eq!(world.collect(inner, 8), [(5, IN)]);
    world.level(file, Ready::empty());
    assert_eq!(world.collect(outer, 8), []);
    let back = Key {
        set: inner,
        target: Target::Set(outer),
        fd: 4,
    };
    let circle = world.epolls.add(back, interest, &mut world.files, now);
    assert_eq!(circle, Err(EpollError::Loop));
}

#[test]
fn an_exclusive_item_that_leaves_wakes_the_next_set() {
    let mut world = World::new();
    let (first, second, file) = (world.set(), world.set(), world.file());
    for set in [first, second] {
        world.add(set, file, 5, IN | EXCLUSIVE).expect("added");
    }
    world.epolls.wait_on(first, 0b01);
    world.epolls.wait_on(second, 0b10);
    let woken = world.edge(file, Ready::IN);
    // Whoever was woken leaves without a look at the file.
    let leaver = if woken == 0b01 { first } else { second };
    world.delete(leaver, file, 5).expect("it is in the set");
    assert_eq!(world.epolls.take_to_wake(), 0b11 & !woken);
}

#[test]
fn sets_watch_sets_as_deep_as_the_limit() {
    let mut world = World::new();
    let (file, mut inner) = (world.file(), world.set());
    world.add(inner, file, 5, IN).expect("added");
    let mut chain = vec![inner];
    let refused = loop {
        let outer = world.set();
        let interest = Interest {
            events: IN,
            data: 9,
        };
        let watch = Key {
            set: outer,
            target: Target::Set(inner),
            fd: 3,
        };
        let now = Ready::empty();
        match world.epolls.add(watch, interest, &mut world.files, now) {
            Ok(()) => chain.push(outer),
            Err(error) => break error,
        }
        inner = outer;
    };
    assert_eq!((refused, chain.len()), (EpollError::Loop, 6));
    world.epolls.wait_on(chain[4], 1);
    assert_eq!(world.edge(file, Ready::IN), 1, "through four sets");
    assert_eq!(world.collect(chain[4], 8), [(9, IN)]);
}

#[test]
fn readable_and_writable_have_two_names_each() {
    let names = |ready| super::poll_bits(ready) as i32;
    assert_eq!(names(Ready::IN), libc::EPOLLIN | libc::EPOLLRDNORM);
    assert_eq!(names(Ready::OUT), libc::EPOLLOUT | libc::EPOLLWRNORM);
    assert_eq!(names(Ready::HUP), libc::EPOLLHUP);
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    let normal = (libc::EPOLLRDNORM | libc::EPOLLWRNORM) as u32;
    world.add(set, file, 5, normal).expect("added");
    world.edge(file, Ready::IN | Ready::OUT);
    assert_eq!(world.collect(set, 8), [(5, normal)]);
}
