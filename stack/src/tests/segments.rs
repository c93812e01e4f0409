//! Super-segments: handed to a device that can cut them, cut here for one that cannot.

use super::*;
use crate::testing::config;
use crate::{BufRange, Config, DeviceOffload, Gso, GsoKind, PoolKind};

const FIN: u8 = 1;
const PSH: u8 = 8;
const ACK: u8 = 16;
const CWR: u8 = 128;

/// A TCP header with 12 bytes of options.
fn tcp_head(seq: u32, flags: u8) -> Vec<u8> {
    let mut head = std::vec![0; 32];
    head[4..8].copy_from_slice(&seq.to_be_bytes());
    head[12] = 8 << 4;
    head[13] = flags;
    head
}

fn host(offload: DeviceOffload) -> Host {
    let mut host = Host::with(Config {
        offload: offload.bits(),
        ..config(1)
    });
    host.receive(&arp(Operation::Request, PEER_MAC, PEER_IP, OWN_IP));
    host.transmit_all();
    host
}

/// `len` bytes in two send blocks.
fn payload(host: &mut Host, len: u32) -> (Vec<BufRange>, Vec<u8>) {
    let bytes: Vec<u8> = (0..len)
        .map(|n| u8::try_from(n % 249).expect("small"))
        .collect();
    let first = len / 3;
    let pieces = [(0, first, 65_536 - first), (first, len, 0)].map(|(from, to, at)| {
        let buf = host.stack.bufs.send.alloc().expect("room");
        let part =
            &bytes[usize::try_from(from).expect("small")..usize::try_from(to).expect("small")];
        assert!(host.stack.bufs.send.write(buf, at, part));
        BufRange {
            pool: PoolKind::Send,
            buf,
            at,
            len: to - from,
        }
    });
    (pieces.to_vec(), bytes)
}

fn free(host: &mut Host, payload: &[BufRange]) {
    payload
        .iter()
        .for_each(|piece| host.stack.bufs.send.release(piece.buf));
    assert_eq!(host.stack.send_buffers().in_use(), 0);
}

fn checksum_is_right(frame: &Frame) -> bool {
    let (header, segment) = ip_of(frame);
    let len = u32::try_from(segment.len()).expect("short");
    let seed = checksum::pseudo(
        Addr::v4(header.src),
        Addr::v4(header.dst),
        header.protocol,
        len,
    );
    checksum::finish(checksum::sum(segment, seed)) == 0
}

#[test]
fn a_device_that_cuts_gets_the_whole() {
    let mut host = host(DeviceOffload::TSO4 | DeviceOffload::TX_CSUM);
    let (pieces, bytes) = payload(&mut host, 60_000);
    let frame = host.emit(Addr::v4(PEER_IP), &tcp_head(1, ACK), &pieces, 1448);
    assert_eq!(
        frame.gso,
        Some(Gso {
            kind: GsoKind::Tcp4,
            size: 1448,
            header_len: 66
        })
    );
    assert_eq!(
        frame.checksum,
        Some(crate::TxChecksum {
            start: 34,
            offset: 16
        })
    );
    assert!(frame.bytes[66..] == bytes);
    assert!(!host.stack.transmit_pending());
    free(&mut host, &pieces);
}

#[test]
fn other_devices_get_one_sound_segment_after_another() {
    for offload in [DeviceOffload::empty(), DeviceOffload::TX_CSUM] {
        let mut host = host(offload);
        let (pieces, bytes) = payload(&mut host, 10_001);
        let head = tcp_head(u32::MAX - 2000, ACK | PSH | FIN | CWR);
        let mut frames = std::vec![host.emit(Addr::v4(PEER_IP), &head, &pieces, 1448)];
        frames.extend(host.transmit_all());
        assert_eq!(frames.len(), 7);
        let mut sent = Vec::<u8>::new();
        let mut idents = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            let (header, segment) = ip_of(frame);
            assert_eq!(
                (frame.gso, header.tos, header.dont_fragment),
                (None, 2, true)
            );
            assert_eq!(frame.checksum.is_some(), !offload.is_empty());
            assert!(!offload.is_empty() || checksum_is_right(frame));
            let seq = u32::from_be_bytes(segment[4..8].try_into().expect("four"));
            let expected =
                (u32::MAX - 2000).wrapping_add(u32::try_from(sent.len()).expect("small"));
            assert_eq!(seq, expected);
            let flags = match index {
                0 => ACK | CWR,
                6 => ACK | PSH | FIN,
                _ => ACK,
            };
            assert_eq!(segment[13], flags);
            sent.extend(&segment[32..]);
            idents.push(header.ident);
        }
        assert!(sent == bytes);
        idents.dedup();
        assert_eq!(idents.len(), 7, "each has its own identification");
        free(&mut host, &pieces);
    }
}

#[test]
fn one_segment_is_sent_as_it_is() {
    let mut host = host(DeviceOffload::empty());
    let (pieces, bytes) = payload(&mut host, 1448);
    let frame = host.emit(Addr::v4(PEER_IP), &tcp_head(5, ACK | PSH), &pieces, 1448);
    assert!(checksum_is_right(&frame) && frame.bytes[66..] == bytes);
    assert_eq!(ip_of(&frame).1[13], ACK | PSH);
    assert!(host.transmit().is_none());
    free(&mut host, &pieces);
}
