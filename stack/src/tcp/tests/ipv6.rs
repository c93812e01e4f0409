//! Connections over IPv6: the same, with a longer header.

use super::world::*;
use crate::testing::{Frame, Host, Pair, dual_config, v6};
use crate::wire::checksum;
use crate::wire::icmpv6::Icmpv6;
use crate::wire::ipv6::{Header, ICMPV6};
use crate::{
    Addr, CcKind, Config, DeviceOffload, Domain, Endpoint, Error, GsoKind, SockKind, SockOpt,
};
use core::cell::Cell;
use std::rc::Rc;
use std::vec::Vec;
use zerocopy::IntoBytes;

fn connected(change: impl Fn(&mut Config)) -> World {
    World::with(Pair::v6_with(change), &[])
}

/// Notes the longest frame from now on, and the kinds of segmentation asked for.
fn watch(pair: &mut Pair) -> Rc<Cell<(usize, Option<GsoKind>)>> {
    let seen = Rc::new(Cell::new((0, None)));
    let noted = Rc::clone(&seen);
    pair.set_drops(move |_, _, frame| {
        let (longest, kind) = noted.get();
        let kind = frame.gso.map(|gso| gso.kind).or(kind);
        noted.set((longest.max(frame.bytes.len()), kind));
        false
    });
    seen
}

#[test]
fn a_connection_carries_bytes_both_ways_and_leaves_nothing() {
    let mut world = connected(|_| {});
    let (now, end) = (world.pair.now(), world.ends[0]);
    let info = world.stack(0).tcp_info(now, end).expect("a connection");
    assert_eq!(info.snd_mss, 1500 - 60 - 12);
    let seen = watch(&mut world.pair);
    world.transfer(0, &pattern(300_000), 10 * SECOND);
    world.transfer(1, &pattern(300_000), 10 * SECOND);
    assert_eq!(seen.get(), (1514, None));
    let local = world.stack(0).local(end).expect("bound");
    assert_eq!(local.addr, v6(1));
    assert_eq!(world.stack(0).peer(end), Some(Endpoint::new(v6(2), PORT)));
    world.finish();
}

#[test]
fn losses_are_made_up_for() {
    for kind in [CcKind::Cubic, CcKind::Bbr] {
        let mut world = World::with(Pair::v6_with(|_| {}), &[SockOpt::Congestion(kind)]);
        lose(&mut world.pair, |_, number| number % 31 == 7);
        world.transfer(0, &pattern(500_000), 600 * SECOND);
        world.finish();
    }
}

#[test]
fn a_device_that_cuts_ipv6_gets_super_segments_and_others_do_not() {
    let tso = |offload: DeviceOffload| {
        let mut world = connected(move |config| config.offload = offload.bits());
        let seen = watch(&mut world.pair);
        world.transfer(0, &pattern(2_000_000), 20 * SECOND);
        world.finish();
        seen.get()
    };
    let (longest, kind) = tso(DeviceOffload::TSO6 | DeviceOffload::TX_CSUM);
    assert_eq!(kind, Some(GsoKind::Tcp6));
    assert!(longest > 30_000, "{longest} bytes");
    assert_eq!(
        tso(DeviceOffload::TSO4 | DeviceOffload::TX_CSUM),
        (1514, None)
    );
}

/// What a router says that forwards by a link with `mtu`.
fn too_big(mtu: u32, about: &Frame) -> Frame {
    let quoted = &about.bytes[14..about.bytes.len().min(14 + 1232)];
    let mut message = [Icmpv6::PacketTooBig { mtu }.emit().as_bytes(), quoted].concat();
    let (router, to) = (v6(0xfe), v6(1));
    let len = u32::try_from(message.len()).expect("short");
    let seed = checksum::pseudo(router, to, ICMPV6, len);
    let sum = checksum::finish(checksum::sum(&message, seed));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = Header {
        class: 0,
        payload_len: u16::try_from(len).expect("short"),
        next: ICMPV6,
        hop_limit: 63,
        src: router,
        dst: to,
    };
    let ethernet = [&about.bytes[6..12], &about.bytes[..6], &[0x86, 0xdd]].concat();
    let bytes = [&ethernet[..], header.emit().as_bytes(), &message].concat();
    Frame::plain(bytes)
}

#[test]
fn segments_shrink_to_what_a_router_can_forward_and_no_further() {
    for (said, mtu) in [(1400, 1400), (1280, 1280), (1279, 1500), (9000, 1500)] {
        let mut world = connected(|_| {});
        world.write(0, &pattern(10_000)).expect("room");
        let host = &mut world.pair.hosts[0];
        let frame = host.transmit().expect("a segment");
        assert_eq!(frame.bytes.len(), 1514);
        let rest = host.transmit_all();
        host.receive(&too_big(said, &frame));
        let info = world.info(0);
        assert_eq!((info.pmtu, info.snd_mss), (mtu, mtu - 72));
        for frame in rest {
            world.pair.hosts[1].receive(&frame);
        }
        let seen = watch(&mut world.pair);
        world.pair.run(SECOND);
        assert!(seen.get().0 <= usize::try_from(mtu).expect("small") + 14);
        let mut received = Vec::new();
        while let Ok(bytes) = world.read(1) {
            received.extend(bytes);
        }
        assert!(received == pattern(10_000), "{} bytes", received.len());
        world.finish();
    }
}

/// A pair whose first host has both families, and the second `fd00::2` and `10.0.0.2`.
fn dual_pair() -> Pair {
    Pair::with(|config| {
        let [.., host] = config.mac;
        *config = dual_config(host);
    })
}

fn listener(host: &mut Host, domain: Domain, v6_only: bool) -> crate::SockId {
    let id = host.stack.socket(SockKind::Stream, domain).expect("room");
    if v6_only {
        host.stack
            .set_option(host.now, id, SockOpt::V6Only(true))
            .expect("an option");
    }
    let local = Endpoint::new(Addr::UNSPECIFIED, PORT);
    host.stack.bind(host.now, id, local).expect("free");
    host.stack.listen(host.now, id, 16).expect("listening");
    id
}

/// Connects to both addresses of the second host; gives what comes of it and which listener has a connection.
fn connect_both(
    pair: &mut Pair,
    listeners: &[crate::SockId],
) -> Vec<(Result<(), Error>, Vec<bool>)> {
    let addresses = [v6(2), Addr::v4([10, 0, 0, 2])];
    addresses
        .into_iter()
        .map(|addr| {
            let now = pair.now();
            let host = &mut pair.hosts[0];
            let id = host
                .stack
                .socket(SockKind::Stream, Domain::Inet6)
                .expect("room");
            let begun = host.stack.connect(now, id, Endpoint::new(addr, PORT));
            assert_eq!(begun, Err(Error::InProgress));
            pair.run(SECOND);
            let result = pair.hosts[0].stack.connect_result(id);
            let now = pair.now();
            let server = &mut pair.hosts[1].stack;
            let accepted = listeners
                .iter()
                .map(|&listener| {
                    server.accept(now, listener).is_ok_and(|accepted| {
                        assert_eq!(server.local(accepted).map(|local| local.addr), Some(addr));
                        true
                    })
                })
                .collect();
            (result, accepted)
        })
        .collect()
}

#[test]
fn a_listener_on_the_wildcard_accepts_both_families() {
    let mut pair = dual_pair();
    let both = listener(&mut pair.hosts[1], Domain::Inet6, false);
    let accepted = (Ok(()), std::vec![true]);
    assert_eq!(
        connect_both(&mut pair, &[both]),
        [accepted.clone(), accepted]
    );
}

#[test]
fn a_listener_for_ipv6_only_leaves_ipv4_to_another() {
    let mut pair = dual_pair();
    let six = listener(&mut pair.hosts[1], Domain::Inet6, true);
    let refused = (Err(Error::ConnectionRefused), std::vec![false]);
    assert_eq!(
        connect_both(&mut pair, &[six]),
        [(Ok(()), std::vec![true]), refused]
    );
    let four = listener(&mut pair.hosts[1], Domain::Inet, false);
    assert_eq!(
        connect_both(&mut pair, &[six, four]),
        [
            (Ok(()), std::vec![true, false]),
            (Ok(()), std::vec![false, true])
        ]
    );
}

#[test]
fn what_no_address_can_reach_is_unreachable() {
    let mut pair = dual_pair();
    let host = &mut pair.hosts[0];
    for (domain, v6_only, addr) in [
        (Domain::Inet, false, v6(2)),
        (Domain::Inet6, true, Addr::v4([10, 0, 0, 2])),
        (Domain::Inet6, false, Addr::V6_ALL_NODES),
        (Domain::Inet6, false, Addr::UNSPECIFIED),
    ] {
        let id = host.stack.socket(SockKind::Stream, domain).expect("room");
        host.stack
            .set_option(host.now, id, SockOpt::V6Only(v6_only))
            .expect("an option");
        assert_eq!(
            host.stack.connect(host.now, id, Endpoint::new(addr, PORT)),
            Err(Error::NetworkUnreachable)
        );
    }
}
