//! One stack on a heap region, with its device played by the test.

use crate::frame::{BufRange, FrameSink, Gso, RxChecksum, RxFrame, TxChecksum, TxFrame};
use crate::ip::output::{Outgoing, emit};
use crate::ip::{Sender, route};
use crate::wire::ipv4;
use crate::{Addr, Config, Endpoint, Error, Instant, PoolKind, RecvFlags, SockId, Stack};
use core::time::Duration;
use region::{BufId, Region};
use std::vec::Vec;

/// A stack, its region and its clock.
pub(crate) struct Host {
    pub(crate) stack: Stack,
    pub(crate) now: Instant,
    // Last, so that the region outlives the handles into it.
    _region: Region,
}

/// A frame on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: Option<TxChecksum>,
    pub(crate) gso: Option<Gso>,
}

impl Frame {
    /// A frame that is complete as it is.
    pub(crate) fn plain(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            checksum: None,
            gso: None,
        }
    }
}

/// Settings of `10.0.0.<host>/24` with gateway `10.0.0.254` and Ethernet address `02:00:00:00:00:<host>`.
pub(crate) fn config(host: u8) -> Config {
    Config {
        addr: Addr::v4([10, 0, 0, host]),
        gateway: Addr::v4([10, 0, 0, 254]),
        prefix_len: 24,
        mac: [2, 0, 0, 0, 0, host],
        tcp_mem: [1024, 2048, 4096],
        ..Config::default()
    }
}

/// As [`config`], and `fd00::<host>/64` with gateway `fd00::fe`.
pub(crate) fn dual_config(host: u8) -> Config {
    Config {
        addr6: v6(host),
        gateway6: v6(0xfe),
        prefix_len6: 64,
        ..config(host)
    }
}

/// `fd00::<host>`
pub(crate) const fn v6(host: u8) -> Addr {
    Addr::v6([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host])
}

impl Host {
    /// A host with [`config`]; its gratuitous ARP is already gone.
    pub(crate) fn new(host: u8) -> Self {
        Self::with(config(host))
    }

    /// A host with these settings; its gratuitous ARP is already gone.
    pub(crate) fn with(config: Config) -> Self {
        let mut host = Self::silent(config);
        host.transmit_all();
        host
    }

    /// A host that has sent nothing yet.
    pub(crate) fn silent(config: Config) -> Self {
        let region = Region::on_heap(REGION);
        let now = Instant::from_secs(1);
        let stack =
            Stack::create(&region, &config, now, [config.mac[5]; 32]).expect("the region has room");
        Self {
            stack,
            now,
            _region: region,
        }
    }

    /// Hands a frame to the stack as a device without offloads would, or as one that keeps what the sender left undone.
    pub(crate) fn receive(&mut self, frame: &Frame) {
        self.receive_burst(core::slice::from_ref(frame));
    }

    /// As [`Self::receive`], several in one burst.
    pub(crate) fn receive_burst(&mut self, frames: &[Frame]) {
        let bufs: Vec<Vec<BufId>> = frames.iter().map(|frame| self.fill(frame)).collect();
        let burst = frames.iter().zip(&bufs).map(|(frame, bufs)| RxFrame {
            bufs,
            start: START,
            len: u32::try_from(frame.bytes.len()).expect("small"),
            checksum: match frame.checksum {
                Some(_) => RxChecksum::Partial,
                None => RxChecksum::Unknown,
            },
            gso_size: frame.gso.map_or(0, |gso| gso.size),
        });
        self.stack.handle_frames(self.now, burst);
    }

    /// The frame in receive buffers.
    fn fill(&mut self, frame: &Frame) -> Vec<BufId> {
        let size = usize::try_from(self.stack.receive_buffers().size()).expect("small");
        let padded: Vec<u8> = core::iter::repeat_n(0, usize::from(START))
            .chain(frame.bytes.iter().copied())
            .collect();
        let parts = padded.chunks(size).map(|part| {
            let buf = self.stack.alloc_receive();
            let buf = buf.expect("receive buffers are left");
            assert!(self.stack.bufs.receive.write(buf, 0, part));
            buf
        });
        parts.collect()
    }

    /// The next frame the stack sends now.
    pub(crate) fn transmit(&mut self) -> Option<Frame> {
        let mut sink = OneFrame(None);
        let is_sent = self.stack.poll_transmit(self.now, &mut sink);
        assert_eq!(is_sent, sink.0.is_some());
        self.complete(sink)
    }

    /// Fetches the payload of a frame and gives its buffers back, as a device that has sent it.
    fn complete(&mut self, sink: OneFrame) -> Option<Frame> {
        let (mut frame, payload) = sink.0?;
        for BufRange { pool, buf, at, len } in payload {
            let mut bytes = std::vec![0; usize::try_from(len).expect("small")];
            let pool_of = match pool {
                PoolKind::Send => self.stack.send_buffers(),
                PoolKind::Receive => self.stack.receive_buffers(),
            };
            assert!(pool_of.read(buf, at, &mut bytes));
            frame.bytes.extend(bytes);
            self.stack.release_sent(pool, buf);
        }
        Some(frame)
    }

    /// Sends one TCP segment, or several in one, as `tcp::output` would; gives the first frame.
    pub(crate) fn emit(
        &mut self,
        to: Addr,
        head: &[u8],
        payload: &[BufRange],
        gso_size: u16,
    ) -> Frame {
        let mut sink = OneFrame(None);
        let mut layers = self.stack.layers(self.now);
        let own =
            route::source(&layers.cx.global.config, Addr::UNSPECIFIED, to).expect("an own address");
        let route = layers
            .ip
            .resolve(&mut layers.cx, (own, to), Sender::Program)
            .expect("a known neighbour");
        let out = Outgoing {
            protocol: ipv4::TCP,
            ttl: 64,
            tos: 2,
            ident: 0,
            head,
            payload,
            gso_size,
        };
        emit(&mut layers.cx, &route, &out, &mut sink);
        self.complete(sink).expect("the first frame")
    }

    /// All frames the stack sends now.
    pub(crate) fn transmit_all(&mut self) -> Vec<Frame> {
        core::iter::from_fn(|| self.transmit()).collect()
    }

    /// Lets the stack take in all that it sends to itself, a microsecond for each round. Gives what goes to the device.
    pub(crate) fn settle(&mut self) -> Vec<Frame> {
        let mut frames = self.transmit_all();
        for _ in 0..SETTLE_ROUNDS_MAX {
            if !self.stack.transmit_pending() {
                return frames;
            }
            self.now = self.now + Duration::from_micros(1);
            frames.extend(self.transmit_all());
        }
        panic!("it sends to itself without end");
    }

    /// Moves the clock and runs what becomes due, at its own time.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        self.stack.handle_timeout(self.now);
        while let Some(due) = self
            .stack
            .poll_timeout()
            .filter(|due| *due <= end && *due > self.now)
        {
            self.now = due;
            self.stack.handle_timeout(due);
        }
        self.now = end;
        self.stack.handle_timeout(end);
    }

    /// Sends a datagram.
    pub(crate) fn send_to(
        &mut self,
        id: SockId,
        bytes: &[u8],
        to: Option<Endpoint>,
    ) -> Result<usize, Error> {
        let span = self.stack.send_to_reserve(self.now, id, bytes.len(), to)?;
        let written = self.stack.fill_datagram(&span, bytes);
        self.stack.send_to_commit(self.now, id, span, written)
    }

    /// Receives a datagram.
    pub(crate) fn recv_from(&mut self, id: SockId) -> Result<(Vec<u8>, Endpoint), Error> {
        let span = self.stack.recv_from_reserve(id, RecvFlags::empty())?;
        let mut bytes = std::vec![0; span.len()];
        assert_eq!(self.stack.take_datagram(&span, &mut bytes), span.len());
        let from = span.from();
        self.stack.recv_from_commit(self.now, id, span)?;
        Ok((bytes, from))
    }
}

/// Takes one frame.
struct OneFrame(Option<(Frame, Vec<BufRange>)>);

impl FrameSink for OneFrame {
    fn is_full(&self) -> bool {
        self.0.is_some()
    }

    fn push(&mut self, frame: TxFrame<'_>) {
        assert!(self.0.is_none(), "pushed into a full sink");
        let kept = Frame {
            bytes: frame.header.to_vec(),
            checksum: frame.checksum,
            gso: frame.gso,
        };
        self.0 = Some((kept, frame.payload.to_vec()));
    }
}

/// Where frames begin in their first buffer.
const START: u16 = 10;
/// More rounds than any conversation of a test takes.
const SETTLE_ROUNDS_MAX: u32 = 100_000;
/// Bytes of a host's region.
const REGION: usize = 96 << 20;
