//! A program that connects to the stack's own addresses.

use super::world::{PORT, assert_empty, listen, pattern, read, stream, write};
use crate::testing::{Host, config, dual_config};
use crate::{Addr, Endpoint, Error, Ready, SendFlags, Shutdown, SockId};
use core::time::Duration;
use std::vec::Vec;

/// A host with a listener, and both ends of a connection to it by `addr`.
fn connected(host: &mut Host, addr: Addr) -> [SockId; 3] {
    let listener = listen(host);
    let client = stream(host);
    let remote = Endpoint::new(addr, PORT);
    let connect = host.stack.connect(host.now, client, remote);
    assert_eq!(connect, Err(Error::InProgress));
    assert!(host.settle().is_empty(), "a frame left the stack");
    assert_eq!(host.stack.connect_result(client), Ok(()));
    let server = host.stack.accept(host.now, listener).expect("at once");
    [listener, client, server]
}

/// Closes all of them; after a while nothing is left.
fn finish(mut host: Host, ids: &[SockId]) {
    for &id in ids {
        host.stack.close(host.now, id);
        assert!(host.settle().is_empty(), "a frame left the stack");
    }
    host.advance(Duration::from_secs(100));
    assert_empty(&mut host);
}

/// Carries `bytes`, time passing as it must.
fn transfer(host: &mut Host, from: SockId, to: SockId, bytes: &[u8]) {
    let (mut sent, mut received) = (0, Vec::new());
    let end = host.now + Duration::from_secs(60);
    while received.len() < bytes.len() {
        assert!(
            host.now < end,
            "{} of {} bytes",
            received.len(),
            bytes.len()
        );
        match write(host, from, &bytes[sent..], SendFlags::empty()) {
            Ok(count) => sent += count,
            Err(error) => assert_eq!(error, Error::WouldBlock),
        }
        assert!(host.settle().is_empty(), "a frame left the stack");
        match read(host, to) {
            Ok(part) => received.extend(part),
            Err(error) => assert_eq!(error, Error::WouldBlock),
        }
        host.settle();
        host.advance(Duration::from_micros(20));
    }
    assert!(received == bytes, "the bytes are the same");
}

#[test]
fn a_program_connects_to_itself_by_each_own_address() {
    for number in 0..3 {
        let mut host = Host::with(dual_config(1));
        let link_local = host.stack.config().link_local().expect("it speaks IPv6");
        let own = host.stack.config();
        let addr = [own.addr, own.addr6, link_local][number];
        let [listener, client, server] = connected(&mut host, addr);
        let ends = |host: &Host, id| {
            let local = host.stack.local(id).expect("a name");
            (local, host.stack.peer(id).expect("a peer"))
        };
        let (local, remote) = ends(&host, client);
        assert_eq!((local.addr, remote), (addr, Endpoint::new(addr, PORT)));
        assert_eq!(ends(&host, server), (remote, local));
        transfer(&mut host, client, server, b"question");
        transfer(&mut host, server, client, b"answer");
        assert_eq!(host.stack.mib().tcp_retrans_segs, 0);
        finish(host, &[client, server, listener]);
    }
}

#[test]
fn what_is_written_can_be_read_at_once() {
    let mut host = Host::with(config(1));
    let addr = host.stack.config().addr;
    let [_, client, server] = connected(&mut host, addr);
    assert_eq!(read(&mut host, server), Err(Error::WouldBlock));
    assert_eq!(write(&mut host, client, b"now", SendFlags::empty()), Ok(3));
    assert!(host.stack.transmit_pending());
    host.settle();
    assert_eq!(host.stack.ready(server), Ready::IN | Ready::OUT);
    assert_eq!(read(&mut host, server).expect("it is there"), b"now");
    host.stack
        .shutdown(host.now, client, Shutdown::Write)
        .expect("open");
    host.settle();
    assert!(read(&mut host, server).expect("the end").is_empty());
}

#[test]
fn megabytes_cross_the_stack_both_ways_in_long_segments() {
    let mut host = Host::with(config(1));
    let addr = host.stack.config().addr;
    let [listener, client, server] = connected(&mut host, addr);
    let bytes = pattern(8 << 20);
    transfer(&mut host, client, server, &bytes);
    transfer(&mut host, server, client, &bytes);
    let mib = host.stack.mib();
    assert_eq!((mib.tcp_retrans_segs, mib.ip_in_discards), (0, 0));
    // Super-segments, not packets of the device's MTU: 11,500 of those would be needed.
    assert!(mib.ip_in_receives < 4000, "{} packets", mib.ip_in_receives);
    assert_eq!(mib.ip_in_receives, mib.ip_out_requests);
    finish(host, &[client, server, listener]);
}

#[test]
fn a_closed_port_refuses() {
    let mut host = Host::with(config(1));
    let client = stream(&mut host);
    let remote = Endpoint::new(host.stack.config().addr, PORT);
    let connect = host.stack.connect(host.now, client, remote);
    assert_eq!(connect, Err(Error::InProgress));
    host.settle();
    assert_eq!(
        host.stack.connect_result(client),
        Err(Error::ConnectionRefused)
    );
    finish(host, &[client]);
}

#[test]
fn a_socket_connects_to_its_own_end() {
    let mut host = Host::with(config(1));
    let own = Endpoint::new(host.stack.config().addr, PORT);
    let id = stream(&mut host);
    host.stack.bind(host.now, id, own).expect("a free port");
    assert_eq!(
        host.stack.connect(host.now, id, own),
        Err(Error::InProgress)
    );
    host.settle();
    assert_eq!(host.stack.connect_result(id), Ok(()));
    assert_eq!(host.stack.peer(id), Some(own));
    transfer(&mut host, id, id, &pattern(300_000));
    host.stack
        .shutdown(host.now, id, Shutdown::Write)
        .expect("open");
    host.settle();
    assert!(read(&mut host, id).expect("the end").is_empty());
    finish(host, &[id]);
}

#[test]
fn segments_that_found_no_buffers_are_sent_again() {
    let mut host = Host::with(config(1));
    let addr = host.stack.config().addr;
    let [listener, client, server] = connected(&mut host, addr);
    // The tables that it takes are made now, as the region will be full.
    transfer(&mut host, client, server, b"first");
    assert_eq!(write(&mut host, client, b"lost", SendFlags::empty()), Ok(4));
    let mut taken = Vec::new();
    while let Some(buf) = host.stack.alloc_receive() {
        taken.push(buf);
    }
    host.settle();
    assert_eq!(host.stack.mib().ip_in_discards, 1);
    for buf in taken {
        host.stack.release_receive(buf);
    }
    for _ in 0..20 {
        host.advance(Duration::from_millis(100));
        host.settle();
    }
    assert_eq!(read(&mut host, server).expect("again"), b"lost");
    finish(host, &[client, server, listener]);
}
