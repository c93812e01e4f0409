//! What routers quote of our packets: changed on its way, cut short or made up.

use super::icmp::icmp_frame;
use super::*;
use crate::wire::icmp::{Icmp, Unreachable};
use crate::{Error, Ready};

/// The packet in a frame that was sent.
fn packet(frame: &Frame) -> Vec<u8> {
    frame.bytes[14..].to_vec()
}

fn refusal(quoted: &[u8]) -> Frame {
    icmp_frame(Icmp::Unreachable(Unreachable::Port), quoted, OWN_IP)
}

/// Whether a connected UDP endpoint and a connecting TCP endpoint believe a refusal that quotes what `change` makes of their
/// packets.
fn believed(change: impl Fn(&mut Vec<u8>)) -> [bool; 2] {
    let mut host = host_with_peer();
    let quoted = |frame: Option<Frame>| {
        let mut packet = packet(&frame.expect("a packet"));
        change(&mut packet);
        packet
    };
    let udp = bound(&mut host, 53);
    host.stack.connect(host.now, udp, peer(9)).expect("a route");
    host.send_to(udp, &[7; 100], None).expect("room");
    let about = quoted(host.transmit());
    host.receive(&refusal(&about));
    let tcp = host
        .stack
        .socket(SockKind::Stream, Domain::Inet)
        .expect("room");
    assert_eq!(
        host.stack.connect(host.now, tcp, peer(80)),
        Err(Error::InProgress)
    );
    let about = quoted(host.transmit());
    host.receive(&refusal(&about));
    [udp, tcp].map(|id| host.stack.ready(id).contains(Ready::ERR))
}

#[test]
fn a_quote_that_was_changed_on_its_way_is_believed() {
    type Change = (&'static str, fn(&mut Vec<u8>));
    let changes: [Change; 9] = [
        ("nothing", |_| {}),
        ("no checksum", |quote| quote[10..12].fill(0)),
        ("a time to live without a new checksum", |quote| {
            quote[8] = 1
        }),
        ("type of service", |quote| quote[1] = 0xff),
        ("identification and flags", |quote| quote[4..7].fill(0)),
        ("a swapped length", |quote| quote.swap(2, 3)),
        ("a length of nothing", |quote| quote[2..4].fill(0)),
        ("eight bytes behind the header", |quote| quote.truncate(28)),
        ("padding and extensions (RFC 4884)", |quote| {
            quote.resize(128, 0);
            quote.extend([0x20, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0x10, 1]);
        }),
    ];
    for (name, change) in changes {
        assert_eq!(believed(change), [true; 2], "{name}");
    }
    let with_options = believed(|quote| {
        quote[0] = 0x46;
        quote.splice(20..20, [7, 4, 4, 0]);
    });
    assert_eq!(with_options, [true; 2], "an option");
}

#[test]
fn a_quote_of_a_packet_that_was_never_sent_is_not_believed() {
    type Change = (&'static str, fn(&mut Vec<u8>));
    let changes: [Change; 9] = [
        ("another source", |quote| quote[15] ^= 2),
        ("another destination", |quote| quote[19] ^= 2),
        ("another source port", |quote| quote[21] ^= 1),
        ("another destination port", |quote| quote[23] ^= 1),
        ("a later fragment", |quote| quote[7] = 1),
        ("too short", |quote| quote.truncate(27)),
        ("another protocol", |quote| quote[9] = 132),
        ("version 6", |quote| quote[0] = 0x65),
        ("a header beyond its end", |quote| quote[0] = 0x4f),
    ];
    for (name, change) in changes {
        assert_eq!(believed(change), [false; 2], "{name}");
    }
    let other_number = believed(|quote| quote[24] ^= 1);
    assert_eq!(other_number, [true, false], "TCP's sequence number");
}

#[test]
fn errors_that_were_broadcast_are_not_believed() {
    let mut host = host_with_peer();
    let id = bound(&mut host, 53);
    host.stack.connect(host.now, id, peer(9)).expect("a route");
    host.send_to(id, b"x", None).expect("room");
    let about = packet(&host.transmit().expect("sent"));
    let what = Icmp::Unreachable(Unreachable::Port);
    host.receive(&icmp_frame(what, &about, [10, 0, 0, 255]));
    assert!(!host.stack.ready(id).contains(Ready::ERR));
    host.receive(&icmp_frame(what, &about, OWN_IP));
    assert!(host.stack.ready(id).contains(Ready::ERR));
}
