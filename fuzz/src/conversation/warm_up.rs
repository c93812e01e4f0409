//! A short conversation of every kind before the real one, so that each table of the stack has memory. A table that never got
//! any in a region that is full is no interesting case: nothing can be sent then, for ever.

use stack::{Domain, Endpoint, RxChecksum, SendFlags, SockId, SockKind};

use super::surroundings::{OWN_V4, PEERS};
use super::tcp::{ACK, RST, SYN, Segment};
use super::world::World;

const LOCAL: Endpoint = Endpoint::new(OWN_V4, 4999);
const REMOTE: Endpoint = Endpoint::new(PEERS[0], 999);

/// `None`: the region is too small.
pub(super) fn warm_up(world: &mut World) -> Option<()> {
    world.transmit_all();
    let listener = bound(world, SockKind::Stream)?;
    world.stack.listen(world.now, listener, 1).ok()?;
    send(world, SYN, 0, 0);
    send(world, ACK, 1, 1);
    // In order, and behind a gap.
    send(world, ACK, 1, 1);
    send(world, ACK, 1000, 1);
    let child = world.stack.accept(world.now, listener).ok()?;
    let span = world.stack.send_reserve(child, 1).ok()?;
    let sent = world
        .stack
        .send_commit(world.now, child, span, 1, SendFlags::empty());
    world.transmit_all();
    let datagrams = bound(world, SockKind::Datagram)?;
    let usage = world.stack.usage();
    let is_warm = sent.is_ok() && usage.send_records > 1 && usage.receive_records > 2;
    send(world, RST, 2, 0);
    for id in [child, listener, datagrams] {
        world.stack.close(world.now, id);
    }
    world.settle();
    assert_eq!(world.stack.usage(), stack::Usage::default());
    world.peer.flows.clear();
    is_warm.then_some(())
}

fn bound(world: &mut World, kind: SockKind) -> Option<SockId> {
    let id = world.stack.socket(kind, Domain::Inet).ok()?;
    world.stack.bind(world.now, id, LOCAL).ok()?;
    Some(id)
}

fn send(world: &mut World, flags: u8, seq: u32, len: usize) {
    let flow = world.peer.flow(LOCAL, REMOTE).map(|flow| *flow);
    let flow = flow.expect("there is room for it");
    let segment = Segment {
        seq,
        ack: flow.sent,
        flags,
        window: 1000,
        len,
        ..Segment::default()
    };
    let frame = segment.packet(&flow).frame();
    world.put(&frame, RxChecksum::Good, 0);
    world.deliver();
    world.transmit_all();
}
