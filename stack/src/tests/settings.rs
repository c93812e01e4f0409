//! One region, several handles; settings that change.

use super::*;
use crate::testing::config;
use crate::{Config, Instant, Stack};
use region::Region;

#[test]
fn a_second_handle_sees_the_same_sockets() {
    let region = Region::on_heap(64 << 20);
    let mut stack = Stack::create(&region, &config(1), Instant::ZERO, [1; 32]).expect("room");
    let id = stack
        .socket(SockKind::Datagram, Domain::Inet)
        .expect("room");
    assert!(
        Stack::attach(&region).is_err(),
        "one handle for each region value"
    );
    assert_eq!(stack.kind(id), Some(SockKind::Datagram));
    assert_eq!(*stack.config(), config(1));
}

#[test]
fn a_region_without_a_stack_has_none_to_attach_to() {
    let region = Region::on_heap(64 << 20);
    assert_eq!(
        Stack::attach(&region).err(),
        Some(region::RegionError::Unfinished)
    );
}

#[test]
fn a_new_address_is_announced() {
    let mut host = Host::new(1);
    let moved = Config {
        addr: crate::Addr::v4([10, 0, 0, 8]),
        ..config(1)
    };
    host.stack.set_config(&moved, host.now);
    let asked: Vec<_> = host.transmit_all().iter().filter_map(arp_of).collect();
    let senders: Vec<_> = asked.iter().map(|arp| arp.sender_ip).collect();
    // A probe, then the announcement.
    assert_eq!(senders, [[0; 4], [10, 0, 0, 8]]);
    assert!(asked.iter().all(|arp| arp.target_ip == [10, 0, 0, 8]));
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || {
        let mut host = host_with_peer();
        let id = host
            .stack
            .socket(SockKind::Datagram, Domain::Inet)
            .expect("room");
        host.send_to(id, b"x", Some(peer(9))).expect("room");
        host.transmit_all()
            .into_iter()
            .map(|frame| frame.bytes)
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}
