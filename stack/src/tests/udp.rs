//! UDP endpoints: who gets what, what is refused, what is charged.

use super::*;
use crate::Caller;
use crate::config::DeviceOffload;
use crate::testing::{Pair, config};
use crate::{Addr, Config, Error, Instant, OptName, Ready, RecvFlags, Shutdown, SockOpt, Stack};
use core::time::Duration;
use proptest::prelude::*;

fn events(stack: &mut Stack) -> Vec<(SockId, u64, Ready)> {
    core::iter::from_fn(|| stack.pop_event()).collect()
}

#[test]
fn datagrams_travel_both_ways_with_their_senders() {
    let mut pair = Pair::new();
    let [client, server] = &mut pair.hosts;
    let served = bound(server, 53);
    let asking = client
        .stack
        .socket(SockKind::Datagram, Domain::Inet6)
        .expect("room");
    let to = Endpoint::new(Addr::v4([10, 0, 0, 2]), 53);
    client
        .stack
        .connect(client.now, asking, to)
        .expect("a route");
    assert_eq!(
        client.stack.local(asking).map(|local| local.addr),
        Some(Addr::v4([10, 0, 0, 1]))
    );
    client.send_to(asking, b"question", None).expect("room");
    pair.run(Duration::from_millis(50));

    let (question, from) = pair.hosts[1].recv_from(served).expect("it has come");
    assert_eq!(
        (&question[..], Some(from)),
        (&b"question"[..], pair.hosts[0].stack.local(asking))
    );
    pair.hosts[1]
        .send_to(served, b"answer", Some(from))
        .expect("room");
    pair.run(Duration::from_millis(50));
    assert_eq!(
        pair.hosts[0].recv_from(asking),
        Ok((b"answer".to_vec(), to))
    );
    assert_eq!(pair.hosts[0].recv_from(asking), Err(Error::WouldBlock));
    for host in &pair.hosts {
        assert_eq!(
            (
                host.stack.receive_buffers().in_use(),
                host.stack.packets.len()
            ),
            (0, 0)
        );
    }
}

#[test]
fn a_received_datagram_is_an_event_and_readiness() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.stack.set_tag(id, 77);
    assert_eq!(host.stack.ready(id), Ready::OUT);
    host.receive(&datagram(OWN_IP, 53, b"one"));
    host.receive(&datagram(OWN_IP, 53, b"three"));
    assert_eq!(
        events(&mut host.stack),
        [(id, 77, Ready::IN)],
        "one entry for two edges"
    );
    assert_eq!(host.stack.ready(id), Ready::IN | Ready::OUT);
    assert_eq!(host.stack.queued(id), (3, 0, 0));
    assert_eq!(host.recv_from(id).expect("the first").0, b"one");
    assert_eq!(host.recv_from(id).expect("the second").0, b"three");
    assert_eq!(host.stack.ready(id), Ready::OUT);
}

#[test]
fn peeking_leaves_the_datagram_where_it_is() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.receive(&datagram(OWN_IP, 53, b"look"));
    for _ in 0..2 {
        let span = host
            .stack
            .recv_from_reserve(id, RecvFlags::PEEK)
            .expect("it is there");
        assert_eq!((span.len(), span.from()), (4, peer(900)));
        host.stack
            .recv_from_commit(host.now, id, span)
            .expect("a commit");
    }
    assert_eq!(host.recv_from(id).expect("still there").0, b"look");
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn what_a_caller_reserved_that_dies_is_freed() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.receive(&datagram(OWN_IP, 53, b"peeked"));
    host.receive(&datagram(OWN_IP, 53, b"lost"));
    let stack = &mut host.stack;
    let before = (stack.usage().packets, stack.receive_buffers().in_use());
    stack.set_caller(Caller::new(7));
    let to = Some(peer(900));
    let short = stack.send_to_reserve(host.now, id, 100, to);
    let long = stack.send_to_reserve(host.now, id, 10_000, to);
    let peeked = stack.recv_from_reserve(id, RecvFlags::PEEK);
    let read = stack.recv_from_reserve(id, RecvFlags::empty());
    assert!(short.is_ok() && long.is_ok() && peeked.is_ok() && read.is_ok());
    stack.set_caller(Caller::new(8));
    stack.release_caller(host.now, Caller::new(7));
    assert_eq!(stack.send_buffers().in_use(), 0);
    let after = (stack.usage().packets, stack.receive_buffers().in_use());
    assert_eq!(after, (before.0 - 1, before.1 - 1), "what was read is lost");
    assert_eq!(host.recv_from(id).expect("still there").0, b"lost");
}

#[test]
fn a_bad_checksum_or_length_drops_the_datagram() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let mut broken = datagram(OWN_IP, 53, b"data");
    *broken.bytes.last_mut().expect("bytes") ^= 1;
    host.receive(&broken);
    assert_eq!(host.stack.mib().udp_in_csum_errors, 1);
    let mut unchecked = broken.clone();
    unchecked.bytes[40..42].fill(0);
    host.receive(&unchecked);
    assert_eq!(
        host.recv_from(id).expect("no checksum is no error").0,
        b"dat`"
    );
    let mut long = datagram(OWN_IP, 53, b"data");
    long.bytes[38..40].copy_from_slice(&100u16.to_be_bytes());
    host.receive(&long);
    assert_eq!(host.recv_from(id), Err(Error::WouldBlock));
}

#[test]
fn the_best_endpoint_gets_the_datagram_and_all_get_a_broadcast() {
    let mut host = host_with_peer();
    let reuse = |host: &mut Host, local| {
        let id = host
            .stack
            .socket(SockKind::Datagram, Domain::Inet)
            .expect("room");
        host.stack
            .set_option(host.now, id, SockOpt::ReuseAddr(true))
            .expect("an option");
        host.stack.bind(host.now, id, local).expect("shared");
        id
    };
    let wild = reuse(&mut host, anywhere(53));
    let own = reuse(&mut host, Endpoint::new(Addr::v4(OWN_IP), 53));
    let connected = reuse(&mut host, anywhere(53));
    host.stack
        .connect(host.now, connected, peer(900))
        .expect("a route");

    host.receive(&datagram(OWN_IP, 53, b"for the connected"));
    assert!(host.recv_from(connected).is_ok());
    host.stack.close(host.now, connected);
    host.receive(&datagram(OWN_IP, 53, b"for the bound"));
    assert!(host.recv_from(own).is_ok());
    host.receive(&datagram([10, 0, 0, 255], 53, b"for all"));
    assert!(host.recv_from(wild).is_ok());
    assert_eq!(
        host.recv_from(own),
        Err(Error::WouldBlock),
        "bound to another address"
    );
}

#[test]
fn a_full_receive_buffer_drops_what_comes_next() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.stack
        .set_option(host.now, id, SockOpt::ReceiveBuffer(10_000))
        .expect("an option");
    assert_eq!(host.stack.option(id, OptName::ReceiveBuffer), Ok(20_000));
    (0..10).for_each(|_| host.receive(&datagram(OWN_IP, 53, b"x")));
    let kept = core::iter::from_fn(|| host.recv_from(id).ok()).count();
    // Each is charged a whole buffer, and the last may go over the limit.
    assert_eq!((kept, host.stack.mib().udp_rcvbuf_errors), (5, 5));
    assert_eq!(host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn a_full_send_buffer_blocks_until_half_of_it_has_left() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.stack
        .set_option(host.now, id, SockOpt::SendBuffer(5_000))
        .expect("an option");
    let mut sent = 0;
    while host.send_to(id, &[0; 1000], Some(peer(9))).is_ok() {
        sent += 1;
    }
    assert_eq!(
        host.send_to(id, b"x", Some(peer(9))),
        Err(Error::WouldBlock)
    );
    assert_eq!(host.stack.ready(id), Ready::empty());
    assert_eq!(host.transmit_all().len(), sent);
    assert_eq!(events(&mut host.stack), [(id, 0, Ready::OUT)]);
    assert_eq!(host.send_to(id, b"x", Some(peer(9))), Ok(1));
}

#[test]
fn what_was_sent_before_close_still_leaves() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.send_to(id, b"last words", Some(peer(9)))
        .expect("room");
    host.receive(&datagram(OWN_IP, 53, b"unread"));
    host.stack.close(host.now, id);
    assert_eq!(host.stack.ready(id), Ready::empty());
    let frame = host.transmit().expect("it still leaves");
    assert_eq!(ip_of(&frame).1[8..], *b"last words");
    assert_eq!(
        (
            host.stack.receive_buffers().in_use(),
            host.stack.packets.len()
        ),
        (0, 0)
    );
    bound(&mut host, 53);
}

#[test]
fn calls_that_make_no_sense_are_refused_as_linux_does() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    let now = host.now;
    assert_eq!(
        host.stack.bind(now, id, anywhere(54)),
        Err(Error::InvalidArgument)
    );
    assert_eq!(
        host.send_to(id, b"x", None),
        Err(Error::DestinationRequired)
    );
    assert_eq!(
        host.send_to(id, b"x", Some(peer(0))),
        Err(Error::InvalidArgument)
    );
    assert_eq!(
        host.send_to(id, &[0; 65_508], Some(peer(9))),
        Err(Error::MessageSize)
    );
    let broadcast = Endpoint::new(Addr::v4([10, 0, 0, 255]), 9);
    assert_eq!(
        host.send_to(id, b"x", Some(broadcast)),
        Err(Error::PermissionDenied)
    );
    assert_eq!(
        host.stack.shutdown(now, id, Shutdown::Both),
        Err(Error::NotConnected)
    );
    assert_eq!(host.stack.listen(now, id, 1), Err(Error::NotSupported));
    assert_eq!(
        host.stack.set_option(now, id, SockOpt::NoDelay(true)),
        Err(Error::NoProtocolOption)
    );

    let other = host
        .stack
        .socket(SockKind::Datagram, Domain::Inet)
        .expect("room");
    assert_eq!(
        host.stack.bind(now, other, anywhere(53)),
        Err(Error::AddressInUse)
    );
    let foreign = Endpoint::new(Addr::v4([10, 0, 0, 2]), 54);
    assert_eq!(
        host.stack.bind(now, other, foreign),
        Err(Error::AddressNotAvailable)
    );
    host.stack.close(now, other);
    assert_eq!(
        host.stack.bind(now, other, anywhere(54)),
        Err(Error::BadDescriptor)
    );
    let isolated = Config {
        gateway: Addr::UNSPECIFIED,
        ..config(1)
    };
    host.stack.set_config(&isolated, now);
    let far = Endpoint::new(Addr::v4([192, 0, 2, 1]), 9);
    assert_eq!(
        host.stack.connect(now, id, far),
        Err(Error::NetworkUnreachable)
    );
}

#[test]
fn a_broadcast_goes_to_every_station_once_allowed() {
    let mut host = Host::new(1);
    let id = bound(&mut host, 53);
    host.stack
        .set_option(host.now, id, SockOpt::Broadcast(true))
        .expect("an option");
    host.send_to(id, b"all", Some(Endpoint::new(Addr::V4_BROADCAST, 9)))
        .expect("allowed");
    let frame = host.transmit().expect("no neighbour is asked for");
    assert_eq!(
        (&frame.bytes[..6], ip_of(&frame).0.dst),
        (&ethernet::BROADCAST[..], [255; 4])
    );
}

#[test]
fn disconnecting_gives_back_what_connect_chose() {
    let mut host = host_with_peer();
    let id = host
        .stack
        .socket(SockKind::Datagram, Domain::Inet)
        .expect("room");
    host.stack.connect(host.now, id, peer(9)).expect("a route");
    assert_eq!(host.stack.peer(id), Some(peer(9)));
    host.stack.disconnect(id).expect("a disconnect");
    assert_eq!(
        (host.stack.peer(id), host.stack.local(id)),
        (None, Some(anywhere(0)))
    );
    host.stack
        .bind(host.now, id, anywhere(53))
        .expect("it has no port any more");
}

#[test]
fn a_checksum_is_left_to_a_device_that_can() {
    let mut host = Host::with(Config {
        offload: DeviceOffload::TX_CSUM.bits(),
        ..config(1)
    });
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, OWN_IP));
    host.transmit_all();
    let id = bound(&mut host, 53);
    host.send_to(id, b"half done", Some(peer(9))).expect("room");
    let frame = host.transmit().expect("sent");
    assert_eq!(
        frame.checksum,
        Some(crate::TxChecksum {
            start: 34,
            offset: 6
        })
    );
    let (_, datagram) = ip_of(&frame);
    let len = u32::try_from(datagram.len()).expect("short");
    let pseudo = checksum::fold(checksum::pseudo(
        Addr::v4(OWN_IP),
        Addr::v4(PEER_IP),
        ipv4::UDP,
        len,
    ));
    assert_eq!(datagram[6..8], pseudo.to_be_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_frame_is_taken_or_dropped_without_harm(
        frames in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..200)), 1..40)
    ) {
        let mut host = host_with_peer();
        bound(&mut host, 53);
        for (is_ip, bytes) in frames {
            let ethertype = if is_ip { ethernet::IPV4 } else { ethernet::ARP };
            host.receive(&ethernet(OWN_MAC, PEER_MAC, ethertype, &bytes));
            host.advance(Duration::from_millis(300));
            host.transmit_all();
        }
        prop_assert_eq!(host.stack.receive_buffers().in_use(), 0);
    }

    #[test]
    fn a_damaged_datagram_does_no_harm(
        damage in proptest::collection::vec((14usize..60, any::<u8>()), 1..4), fix_header: bool
    ) {
        let mut host = host_with_peer();
        let id = bound(&mut host, 53);
        let mut frame = datagram(OWN_IP, 53, b"0123456789abcdef");
        for (at, with) in damage {
            if let Some(byte) = frame.bytes.get_mut(at) {
                *byte = with;
            }
        }
        if fix_header {
            frame.bytes[24..26].fill(0);
            let sum = checksum::finish(checksum::sum(&frame.bytes[14..34], 0));
            frame.bytes[24..26].copy_from_slice(&sum.to_be_bytes());
        }
        host.receive(&frame);
        host.transmit_all();
        while host.recv_from(id).is_ok() {}
        host.now = Instant::from_secs(100);
        host.stack.handle_timeout(host.now);
        prop_assert_eq!(host.stack.receive_buffers().in_use(), 0);
    }
}
