use stack::Ready;

use super::{EpollError, Interest, Key, Target, wanted};
use crate::epoll::testing::{ET, EXCLUSIVE, IN, ME, ONESHOT, OUT, World, key};

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
    world.epolls.wait_on(chain[4], 0b01, 0);
    world.epolls.wait_on(chain[5], 0b10, 0);
    assert_eq!(world.edge(file, Ready::IN), 0b01, "through four sets");
    assert_eq!(world.collect(chain[4], 8), [(9, IN)]);
    assert_eq!(world.collect(chain[5], 8), []);
    // Not even a set that is told to look sees further.
    let outermost = Key {
        set: chain[5],
        target: Target::Set(chain[4]),
        fd: 3,
    };
    let interest = Interest {
        events: IN,
        data: 9,
    };
    let World { epolls, files, .. } = &mut world;
    let changed = epolls.modify(outermost, interest, files, Ready::IN);
    assert_eq!(changed, Ok(()));
    assert_eq!(world.collect(chain[5], 8), []);
}

#[test]
fn how_to_report_is_no_event() {
    let always = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
    let how = [libc::EPOLLWAKEUP as u32, ONESHOT, ET, EXCLUSIVE];
    for bit in how {
        assert_eq!(wanted(bit), 0, "{bit:x}");
        assert_eq!(wanted(IN | bit), IN | always, "{bit:x}");
    }
    assert_eq!(wanted(how.iter().sum()), 0);
    assert_eq!(wanted(0), 0);
    assert_eq!(wanted(OUT), OUT | always);
}

#[test]
fn exclusive_allows_what_linux_allows() {
    let bits = |all: &[i32]| all.iter().map(|bit| *bit as u32).collect::<Vec<_>>();
    let allowed = bits(&[
        libc::EPOLLIN,
        libc::EPOLLOUT,
        libc::EPOLLERR,
        libc::EPOLLHUP,
        libc::EPOLLWAKEUP,
        libc::EPOLLET,
    ]);
    let refused = bits(&[
        libc::EPOLLPRI,
        libc::EPOLLRDHUP,
        libc::EPOLLRDNORM,
        libc::EPOLLONESHOT,
    ]);
    let mut world = World::new();
    let set = world.set();
    for (bits, expected) in [(allowed, Ok(())), (refused, Err(EpollError::Invalid))] {
        for bit in bits {
            let file = world.file();
            let added = world.add(set, file, 5, bit | EXCLUSIVE);
            assert_eq!(added, expected, "{bit:x}");
            // Without it, all of them are.
            assert_eq!(world.add(set, file, 6, bit), Ok(()), "{bit:x}");
        }
    }
}

#[test]
fn a_set_is_not_watched_exclusively_nor_by_itself() {
    let mut world = World::new();
    let (outer, inner) = (world.set(), world.set());
    let exclusive = world.watch(outer, inner, IN | EXCLUSIVE);
    assert_eq!(exclusive, Err(EpollError::Invalid));
    assert_eq!(world.watch(outer, outer, IN), Err(EpollError::Loop));
    assert_eq!(world.watch(outer, inner, IN), Ok(()));
    assert_eq!(world.watch(outer, inner, IN), Err(EpollError::Exists));
}

#[test]
fn a_deleted_item_tells_what_was_asked_for() {
    let mut world = World::new();
    let (set, file) = (world.set(), world.file());
    world.add(set, file, 5, IN).expect("added");
    world.modify(set, file, 5, OUT | ET).expect("changed");
    let deleted = world.epolls.delete(key(set, file, 5), &mut world.files);
    let deleted = deleted.expect("it is in the set");
    assert_eq!((deleted.events, deleted.data), (OUT | ET, 5));
}

#[test]
fn every_file_of_a_set_is_shown_and_nothing_else() {
    let mut world = World::new();
    let (set, other) = (world.set(), world.set());
    let files = [world.file(), world.file()];
    world.add(set, files[0], 5, IN).expect("added");
    world.add(set, files[1], 6, OUT).expect("added");
    world.add(other, files[0], 7, IN).expect("added");
    world.watch(set, other, IN).expect("added");
    let mut shown = Vec::new();
    let show =
        |file, fd, interest: Interest| shown.push((file, fd, interest.events, interest.data));
    world.epolls.each_file(set, show);
    shown.sort_by_key(|item| item.1);
    assert_eq!(shown, [(files[0], 5, IN, 5), (files[1], 6, OUT, 6)]);
}

#[test]
fn a_stale_set_or_file_is_refused() {
    let mut world = World::new();
    let (set, gone, file, closed) = (world.set(), world.set(), world.file(), world.file());
    world.epolls.release(gone, ME, &mut world.files);
    world.files.remove(closed);
    assert_eq!(world.add(gone, file, 5, IN), Err(EpollError::Stale));
    let key = key(set, closed, 5);
    let interest = Interest {
        events: IN,
        data: 5,
    };
    let added = world
        .epolls
        .add(key, interest, &mut world.files, Ready::empty());
    assert_eq!(added, Err(EpollError::Stale));
    assert_eq!(world.watch(set, gone, IN), Err(EpollError::Stale));
    assert_eq!(world.epolls.items.len(), 0);
}
