//! The device: frames in, frames out, time.

use core::time::Duration;

use region::BufId;
use stack::{BufRange, FrameSink, PoolKind, RxChecksum, RxFrame, TxFrame};

use super::checks::Sent;
use super::world::{Received, World};

/// Where frames begin in their first buffer.
const START: u16 = 10;
/// Frames that leave in one go at most.
const FRAMES_MAX: usize = 100_000;
/// Times that a stack may be called at one moment before it says that it has nothing more to do.
const CALLS_MAX: usize = 2000;

impl World {
    /// Puts a frame into the burst; it is lost if there are no buffers.
    pub(super) fn put(&mut self, frame: &[u8], checksum: RxChecksum, gso_size: u16) {
        self.tell(|| {
            format!(
                "> {} bytes {checksum:?} gso {gso_size} {}",
                frame.len(),
                hex(frame)
            )
        });
        let size = self.stack.receive_buffers().size() as usize;
        let gap = usize::from(START);
        let padded = [&vec![0; gap], frame].concat();
        let mut bufs: Vec<BufId> = Vec::new();
        for part in padded.chunks(size) {
            let Some(buf) = self.stack.alloc_receive() else {
                for buf in bufs {
                    self.stack.release_receive(buf);
                }
                return;
            };
            assert!(self.stack.fill_receive(buf, 0, part));
            bufs.push(buf);
        }
        self.burst.push(Received {
            bufs,
            start: START,
            len: u32::try_from(frame.len()).expect("frames are short"),
            checksum,
            gso_size,
        });
    }

    /// Hands the burst to the stack.
    pub(super) fn deliver(&mut self) {
        let burst = std::mem::take(&mut self.burst);
        let frames = burst.iter().map(|frame| RxFrame {
            bufs: &frame.bufs,
            start: frame.start,
            len: frame.len,
            checksum: frame.checksum,
            gso_size: frame.gso_size,
        });
        self.stack.handle_frames(self.now, frames);
    }

    /// Lets the stack send up to `frames` frames.
    pub(super) fn transmit(&mut self, frames: usize) {
        let mut sink = Sink::new(frames);
        // What the stack sends to itself is taken in at the next call, and may be answered.
        for call in 0.. {
            while self.stack.poll_transmit(self.now, &mut sink) {}
            if sink.is_full() || !self.stack.transmit_pending() {
                break;
            }
            assert!(call < CALLS_MAX, "not all was sent");
        }
        for (header, payload, frame) in sink.frames {
            self.send(header, &payload, frame);
        }
    }

    /// Lets the stack send all that it may send now, and all that it answers to the answers of neighbours.
    pub(super) fn transmit_all(&mut self) {
        for _ in 0..CALLS_MAX {
            self.transmit(FRAMES_MAX);
            if self.burst.is_empty() && !self.stack.transmit_pending() {
                return;
            }
            self.deliver();
        }
        panic!("it sends without end");
    }

    fn send(&mut self, mut frame: Vec<u8>, payload: &[BufRange], left: Sent) {
        let header_len = frame.len();
        for &BufRange { pool, buf, at, len } in payload {
            let mut bytes = vec![0; len as usize];
            let from = match pool {
                PoolKind::Send => self.stack.send_buffers(),
                PoolKind::Receive => self.stack.receive_buffers(),
            };
            assert!(
                from.read(buf, at, &mut bytes),
                "payload outside of its buffer"
            );
            frame.extend(bytes);
            if self.is_slow {
                self.in_device.push((pool, buf));
            } else {
                self.stack.release_sent(pool, buf);
            }
        }
        self.tell(|| format!("< {} bytes {left:?} {}", frame.len(), hex(&frame)));
        let packet = left.check(&frame, header_len, &self.config());
        self.hear(&frame, &packet);
    }

    /// The device has sent everything that it kept.
    pub(super) fn finish_sending(&mut self) {
        for (pool, buf) in std::mem::take(&mut self.in_device) {
            self.stack.release_sent(pool, buf);
        }
    }

    /// Lets time pass. Every deadline on the way is met; when too many have been, time stands still.
    pub(super) fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        self.settle();
        while let Some(due) = self.stack.poll_timeout().filter(|due| *due <= end) {
            let Some(left) = self.deadlines_left.checked_sub(1) else {
                return;
            };
            self.deadlines_left = left;
            self.now = due;
            self.settle();
        }
        self.now = end;
        self.settle();
    }

    /// Does what is due now. A stack that stays due would keep a CPU busy.
    pub(super) fn settle(&mut self) {
        for _ in 0..CALLS_MAX {
            self.stack.handle_timeout(self.now);
            self.transmit_all();
            if self.stack.poll_timeout().is_none_or(|due| due > self.now) {
                return;
            }
        }
        panic!(
            "a deadline of {:?} does not pass",
            self.stack.poll_timeout()
        );
    }
}

/// Keeps what the stack sends.
struct Sink {
    frames: Vec<(Vec<u8>, Vec<BufRange>, Sent)>,
    max: usize,
}

impl Sink {
    fn new(max: usize) -> Self {
        Self {
            frames: Vec::new(),
            max,
        }
    }
}

impl FrameSink for Sink {
    fn is_full(&self) -> bool {
        self.frames.len() >= self.max
    }

    fn push(&mut self, frame: TxFrame<'_>) {
        assert!(!self.is_full(), "pushed into a full sink");
        assert!(self.frames.len() < FRAMES_MAX - 1, "it sends without end");
        let left = Sent::of(&frame);
        self.frames
            .push((frame.header.to_vec(), frame.payload.to_vec(), left));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(100)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
