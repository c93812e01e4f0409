use super::*;
use crate::config::Config;
use crate::frame::PoolKind;
use std::vec;
use std::vec::Vec;

struct Device {
    loopback: Loopback,
    bufs: Bufs,
    _region: Region,
}

impl Device {
    fn new() -> Self {
        let region = Region::on_heap(96 << 20);
        Self {
            loopback: Loopback::open(&region).expect("room"),
            bufs: Bufs::open(&region, &Config::default()).expect("room"),
            _region: region,
        }
    }

    /// A send block full of bytes that differ from their neighbours.
    fn block(&mut self) -> BufId {
        let block = self.bufs.send.alloc().expect("a block");
        let bytes: Vec<u8> = (0..layout::SEND_BLOCK).map(|at| (at % 251) as u8).collect();
        assert!(self.bufs.send.write(block, 0, &bytes));
        block
    }

    fn push(&mut self, header: &[u8], payload: &[BufRange]) -> bool {
        self.loopback.push(&mut self.bufs, header, payload, 7)
    }

    /// The bytes of the first frame.
    fn pop(&mut self) -> Vec<u8> {
        let frame = self.loopback.pop().expect("a frame");
        assert_eq!(frame.gso_size, 7);
        let mut bytes = vec![0; frame.bufs().len() * 4096];
        for (&buf, part) in frame.bufs().iter().zip(bytes.chunks_mut(4096)) {
            assert!(self.bufs.receive.read(buf, 0, part));
        }
        frame.release(&mut self.bufs);
        bytes.truncate(frame.len as usize);
        bytes
    }
}

const fn piece(buf: BufId, at: u32, len: u32) -> BufRange {
    BufRange {
        pool: PoolKind::Send,
        buf,
        at,
        len,
    }
}

#[test]
fn a_frame_comes_out_as_it_went_in_and_in_order() {
    let mut device = Device::new();
    let block = device.block();
    let small = device.bufs.receive.alloc().expect("a buffer");
    assert!(device.bufs.receive.write(small, 10, b"from the other pool"));
    let other = BufRange {
        pool: PoolKind::Receive,
        ..piece(small, 10, 19)
    };
    let payload = [piece(block, 3, 60_000), other, piece(block, 500, 5)];
    assert!(device.push(b"header", &payload) && device.push(b"second", &[]));
    let sent = |at: u32, len: u32| (at..at + len).map(|at| (at % 251) as u8);
    let mut whole = b"header".to_vec();
    whole.extend(sent(3, 60_000));
    whole.extend(b"from the other pool");
    whole.extend(sent(500, 5));
    assert!(device.pop() == whole, "not the same bytes");
    assert_eq!(device.pop(), b"second");
    assert!(device.loopback.is_empty() && device.loopback.pop().is_none());
    assert_eq!(device.bufs.receive.in_use(), 1, "the source's own");
}

#[test]
fn a_full_queue_takes_no_more_until_it_is_taken_in() {
    let mut device = Device::new();
    for round in 0..3u8 {
        for number in 0..FRAMES_MAX as u8 {
            assert!(!device.loopback.is_full());
            assert!(device.push(&[round, number], &[]));
        }
        assert!(device.loopback.is_full() && !device.push(b"late", &[]));
        for number in 0..FRAMES_MAX as u8 {
            assert_eq!(device.pop(), [round, number]);
        }
    }
    assert_eq!(device.bufs.receive.in_use(), 0);
}

#[test]
fn a_frame_without_room_is_lost_whole() {
    let mut device = Device::new();
    let block = device.block();
    let mut taken = Vec::new();
    while let Some(buf) = device.bufs.receive.alloc() {
        taken.push(buf);
    }
    for _ in 0..3 {
        let buf = taken.pop().expect("there were some");
        device.bufs.receive.release(buf);
    }
    let before = device.bufs.receive.in_use();
    assert!(!device.push(b"header", &[piece(block, 0, 4 * 4096)]));
    assert_eq!(device.bufs.receive.in_use(), before);
    assert!(device.loopback.is_empty());
    assert!(device.push(b"header", &[piece(block, 0, 2 * 4096)]));
    let stale = device.block();
    device.pop();
    device.bufs.send.release(stale);
    assert!(
        !device.push(b"header", &[piece(stale, 0, 1)]),
        "no such buffer"
    );
    assert_eq!(device.bufs.receive.in_use(), before);
}
