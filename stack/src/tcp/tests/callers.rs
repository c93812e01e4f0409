//! Callers that die between reserving and committing.

use super::world::*;
use crate::{Caller, Error, Ready, RecvFlags, SendFlags};
use core::time::Duration;

const ONE: Caller = Caller::new(1);
const OTHER: Caller = Caller::new(2);

/// What the program of one host is told.
fn news(world: &mut World, host: usize) -> Ready {
    let stack = world.stack(host);
    core::iter::from_fn(|| stack.pop_event()).fold(Ready::empty(), |all, (_, _, edges)| all | edges)
}

/// A connection on which a byte has come to each host.
fn talking() -> World {
    let mut world = World::connected();
    world.transfer(0, b"x", Duration::from_secs(1));
    world.transfer(1, b"x", Duration::from_secs(1));
    world
}

#[test]
fn a_writer_that_dies_makes_way_for_the_next() {
    let mut world = talking();
    let end = world.ends[0];
    world.stack(0).set_caller(ONE);
    let lost = world.stack(0).send_reserve(end, 100_000).expect("room");
    assert!(!lost.is_empty());
    world.stack(0).set_caller(OTHER);
    let refused = world.stack(0).send_reserve(end, 100).err();
    assert_eq!(refused, Some(Error::WouldBlock));
    news(&mut world, 0);

    let now = world.pair.now();
    world.stack(0).release_caller(now, OTHER);
    assert!(!news(&mut world, 0).contains(Ready::OUT), "it lives");
    world.stack(0).release_caller(now, ONE);
    assert!(news(&mut world, 0).contains(Ready::OUT));
    world.transfer(0, &pattern(200_000), Duration::from_secs(5));
    world.finish();
}

#[test]
fn a_reader_that_dies_makes_way_for_the_next() {
    let mut world = talking();
    world.write(0, &pattern(5000)).expect("room");
    world.pair.run(Duration::from_millis(50));
    let end = world.ends[1];
    world.stack(1).set_caller(ONE);
    let reserve = |world: &mut World, flags| world.stack(1).recv_reserve(end, 9000, flags, 0);
    let lost = reserve(&mut world, RecvFlags::empty()).expect("it is there");
    let peeked = reserve(&mut world, RecvFlags::PEEK).expect("it is there");
    assert_eq!((lost.len(), peeked.len()), (5000, 5000));
    world.stack(1).set_caller(OTHER);
    let refused = reserve(&mut world, RecvFlags::empty()).err();
    assert_eq!(refused, Some(Error::WouldBlock));
    news(&mut world, 1);

    let now = world.pair.now();
    world.stack(1).release_caller(now, ONE);
    assert!(news(&mut world, 1).contains(Ready::IN));
    assert_eq!(world.read(1), Ok(pattern(5000)));
    world.finish();
}

#[test]
fn a_writer_that_copies_nothing_tells_the_one_who_was_turned_away() {
    let mut world = talking();
    let end = world.ends[0];
    let empty = world.stack(0).send_reserve(end, 100).expect("room");
    assert!(world.stack(0).send_reserve(end, 100).is_err());
    news(&mut world, 0);
    let now = world.pair.now();
    let stack = world.stack(0);
    assert_eq!(
        stack.send_commit(now, end, empty, 0, SendFlags::empty()),
        Ok(0)
    );
    assert!(news(&mut world, 0).contains(Ready::OUT));
    world.finish();
}

#[test]
fn a_record_stays_as_long_as_somebody_has_a_span_of_it() {
    for is_committed in [true, false] {
        let mut world = talking();
        world.write(1, b"unread").expect("room");
        world.pair.run(Duration::from_millis(50));
        let (end, now) = (world.ends[0], world.pair.now());
        let span = world.stack(0).send_reserve(end, 70_000).expect("room");
        let read = world.stack(0).recv_reserve(end, 100, RecvFlags::empty(), 0);
        let read = read.expect("it is there");
        let count = world.stack(0).fill(&span, &pattern(70_000));
        // What was not read resets the connection, so that it is over at once.
        world.close(0);
        let stack = world.stack(0);
        assert_eq!(stack.usage().endpoints, 1);
        assert!(stack.send_buffers().in_use() > 0 && stack.receive_buffers().in_use() > 0);
        if is_committed {
            let sent = stack.send_commit(now, end, span, count, SendFlags::empty());
            assert_eq!(sent, Err(Error::BrokenPipe));
            assert_eq!(stack.usage().endpoints, 1, "it is still being read");
            assert_eq!(stack.recv_commit(now, end, read, 3), Ok(3));
        } else {
            stack.release_caller(now, Caller::ALONE);
        }
        assert_eq!(stack.usage().endpoints, 0);
        world.finish();
    }
}
