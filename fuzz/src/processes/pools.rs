//! The buffers behind a device.

use std::cell::RefCell;

use arbitrary::{Result, Unstructured};
use nicio::{RxBurst, TxBurst};
use region::{BufId, Buffers, Region};
use stack::{BufRange, FrameSink, Gso, GsoKind, PoolKind, TxChecksum, TxFrame};

pub(super) struct Pools {
    receive: Buffers,
    send: Buffers,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

/// A frame to be sent.
pub(super) struct Sent {
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: Option<TxChecksum>,
    pub(super) gso: Option<Gso>,
}

thread_local! {
    /// Used again and again: all of it is free in between.
    static POOLS: RefCell<Pools> = RefCell::new(Pools::new());
}

impl Pools {
    /// Lends empty pools and bursts; when they come back nothing is in use.
    pub(super) fn lend<R>(run: impl FnOnce(&mut Self, &mut RxBurst, &mut TxBurst) -> R) -> R {
        POOLS.with_borrow_mut(|pools| {
            let (mut rx, mut tx) = (RxBurst::new(), TxBurst::new());
            let answer = run(pools, &mut rx, &mut tx);
            pools.finish(&mut rx, &mut tx);
            answer
        })
    }

    fn new() -> Self {
        let region = Region::on_heap(8 << 20);
        Self {
            receive: region.buffers(0, 4096, 512).expect("there is room"),
            send: region.buffers(1, 65_536, 64).expect("there is room"),
            _region: region,
        }
    }

    /// Fills up the burst's reserve, or a part of it.
    pub(super) fn supply(&mut self, burst: &mut RxBurst, most: usize) {
        for _ in 0..burst.wants().min(most) {
            let Some(buf) = self.receive.alloc() else {
                return;
            };
            let piece = self.receive.piece(buf, 0, 4096).expect("just made");
            assert!(burst.supply(buf, piece));
        }
    }

    /// Takes the frames out of the burst and gives their buffers back.
    pub(super) fn take(&mut self, burst: &mut RxBurst) -> Vec<(Vec<u8>, stack::RxChecksum, u16)> {
        let receive = &mut self.receive;
        burst.take_frames(|frames| {
            let taken = frames.map(|frame| {
                let mut bytes = Vec::new();
                let mut at = u32::from(frame.start);
                for &buf in frame.bufs {
                    let left = frame.len - u32::try_from(bytes.len()).expect("frames are short");
                    let mut part = vec![0; left.min(4096 - at) as usize];
                    assert!(receive.read(buf, at, &mut part));
                    bytes.extend(part);
                    at = 0;
                    receive.release(buf);
                }
                assert_eq!(
                    bytes.len(),
                    frame.len as usize,
                    "the frame is in its buffers"
                );
                (bytes, frame.checksum, frame.gso_size)
            });
            taken.collect()
        })
    }

    /// Queues a frame; `None`: the burst or the pool is full.
    pub(super) fn push(
        &mut self,
        burst: &mut TxBurst,
        bytes: &mut Unstructured<'_>,
    ) -> Result<Option<Sent>> {
        let header: [u8; 54] = bytes.arbitrary()?;
        // A frame is never empty.
        let header = &header[..1 + usize::from(bytes.arbitrary::<u8>()?) % (header.len() - 1)];
        let payload_len = u32::from(bytes.arbitrary::<u16>()?);
        let checksum: Option<(u16, u16)> = bytes.arbitrary()?;
        let gso: Option<(u16, u16)> = bytes.arbitrary()?;
        let checksum = checksum.map(|(start, offset)| TxChecksum { start, offset });
        let gso = gso.map(|(size, header_len)| Gso {
            kind: GsoKind::Tcp4,
            size,
            header_len,
        });
        if FrameSink::is_full(burst) {
            return Ok(None);
        }
        let Some(buf) = self.send.alloc() else {
            return Ok(None);
        };
        let text: Vec<u8> = (0..payload_len).map(|at| at as u8).collect();
        assert!(self.send.write(buf, 0, &text));
        burst.push(TxFrame {
            header,
            payload: &[BufRange {
                pool: PoolKind::Send,
                buf,
                at: 0,
                len: payload_len,
            }],
            checksum,
            gso,
        });
        burst.resolve(|payload| self.send.piece(payload.buf, payload.at, payload.len));
        let bytes = [header, &text].concat();
        Ok(Some(Sent {
            bytes,
            checksum,
            gso,
        }))
    }

    /// Gives back what was sent.
    pub(super) fn take_done(&mut self, burst: &mut TxBurst) {
        let done: Vec<(PoolKind, BufId)> = burst.take_done().collect();
        for (_, buf) in done {
            self.send.release(buf);
        }
    }

    /// Nothing is in use any more.
    fn finish(&mut self, rx: &mut RxBurst, tx: &mut TxBurst) {
        tx.sent(tx.len());
        self.take_done(tx);
        let reserve: Vec<BufId> = rx.reserve_ids().collect();
        for buf in reserve {
            self.receive.release(buf);
        }
        rx.clear_reserve();
        assert_eq!((self.receive.in_use(), self.send.in_use()), (0, 0));
    }
}
