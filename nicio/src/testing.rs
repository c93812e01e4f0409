//! What a stack would be to a device: pools of buffers, frames made and taken apart.

use std::process::Command;

use region::{Buffers, Region};
use stack::{
    BufRange, FrameSink, Gso, MAX_PIECES, PoolKind, RxChecksum, RxFrame, TxChecksum, TxFrame,
};

use crate::{Nic, NicError, RxBurst, TxBurst};

/// Pools on the heap, big enough for any test here.
pub(crate) struct Pools {
    _region: Region,
    pub(crate) send: Buffers,
    pub(crate) receive: Buffers,
}

/// A frame to be sent, in one piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) header: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) checksum: Option<TxChecksum>,
    pub(crate) gso: Option<Gso>,
}

impl Sent {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.header.as_slice(), &self.payload].concat()
    }
}

/// A frame as received, in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: RxChecksum,
    pub(crate) gso_size: u16,
}

impl Pools {
    pub(crate) fn new() -> Self {
        let region = Region::on_heap(64 << 20);
        let send = region
            .buffers(0, 64 * 1024, 256)
            .expect("a fresh region has room");
        let receive = region
            .buffers(1, 4096, 1024)
            .expect("a fresh region has room");
        Self {
            _region: region,
            send,
            receive,
        }
    }

    /// Fills the reserve up to `most` buffers.
    pub(crate) fn supply(&mut self, burst: &mut RxBurst, most: usize) {
        while burst.wants() > 0 && burst.reserve_ids().count() < most {
            let id = self.receive.alloc().expect("the pool is big enough");
            let piece = self.receive.piece(id, 0, 4096).expect("the buffer is live");
            assert!(
                burst.supply(id, piece),
                "a burst that wants buffers takes one"
            );
        }
    }

    /// Takes all frames out of a burst and gives their buffers back.
    pub(crate) fn take_all(&mut self, burst: &mut RxBurst) -> Vec<Got> {
        let mut take = |frame: RxFrame<'_>| {
            let mut bytes = Vec::new();
            let mut start = usize::from(frame.start);
            for &id in frame.bufs {
                let len = (frame.len as usize - bytes.len()).min(4096 - start);
                let mut part = vec![0; len];
                assert!(
                    self.receive.read(id, start as u32, &mut part),
                    "the buffer is live"
                );
                bytes.extend(part);
                start = 0;
                self.receive.release(id);
            }
            assert_eq!(
                bytes.len(),
                frame.len as usize,
                "the buffers hold the whole frame"
            );
            Got {
                bytes,
                checksum: frame.checksum,
                gso_size: frame.gso_size,
            }
        };
        burst.take_frames(|frames| frames.map(&mut take).collect())
    }

    /// Queues a frame, its payload cut into `cuts` about equal pieces in buffers of their own.
    pub(crate) fn queue(&mut self, burst: &mut TxBurst, sent: &Sent, cuts: usize) {
        let cuts = cuts.clamp(1, MAX_PIECES);
        let part = sent.payload.len().div_ceil(cuts).max(1);
        let mut payload = Vec::new();
        // An odd offset, so that nothing can rely on alignment.
        let at = 3;
        for bytes in sent.payload.chunks(part) {
            let buf = self.send.alloc().expect("the pool is big enough");
            assert!(self.send.write(buf, at, bytes), "the bytes fit");
            let len = bytes.len() as u32;
            payload.push(BufRange {
                pool: PoolKind::Send,
                buf,
                at,
                len,
            });
        }
        let Sent {
            header,
            checksum,
            gso,
            ..
        } = sent;
        let (checksum, gso) = (*checksum, *gso);
        burst.push(TxFrame {
            header,
            payload: &payload,
            checksum,
            gso,
        });
        burst.resolve(|part| self.send.piece(part.buf, part.at, part.len));
    }

    /// Gives back what the burst has done with.
    pub(crate) fn give_back(&mut self, burst: &mut TxBurst) {
        for (_, id) in burst.take_done() {
            self.send.release(id);
        }
    }

    /// Sends all of `frames`, each in `cuts` pieces.
    pub(crate) fn send_all(&mut self, nic: &mut dyn Nic, frames: &[Sent], cuts: usize) {
        let mut burst = TxBurst::new();
        for frame in frames {
            self.queue(&mut burst, frame, cuts);
        }
        while !burst.is_empty() {
            let count = nic.tx_burst(&mut burst).expect("the device works");
            assert!(count > 0, "a device with room takes frames");
        }
        self.give_back(&mut burst);
        assert_eq!(self.send.in_use(), 0, "all pins have come back");
    }

    /// Receives until `enough` says so of what has come, or for half a second.
    pub(crate) fn receive_until(
        &mut self,
        nic: &mut dyn Nic,
        enough: impl Fn(&[Got]) -> bool,
    ) -> Result<Vec<Got>, NicError> {
        let mut burst = RxBurst::new();
        let mut got = Vec::new();
        for _ in 0..500 {
            self.supply(&mut burst, usize::MAX);
            nic.rx_burst(&mut burst)?;
            got.extend(self.take_all(&mut burst));
            if enough(&got) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        self.drop_reserve(&mut burst);
        Ok(got)
    }

    /// Empties the reserve.
    pub(crate) fn drop_reserve(&mut self, burst: &mut RxBurst) {
        for id in burst.reserve_ids() {
            self.receive.release(id);
        }
        burst.clear_reserve();
        assert_eq!(self.receive.in_use(), 0, "no buffer got lost");
    }
}

/// An Ethernet header of the experimental type (IEEE 802: 88b5), to all stations.
pub(crate) fn plain_header() -> Vec<u8> {
    let mut header = vec![0xff; 6];
    header.extend([2, 0, 0, 0, 0, 1, 0x88, 0xb5]);
    header
}

/// `len` bytes that differ from place to place and from `seed` to seed.
pub(crate) fn noise(len: usize, seed: u8) -> Vec<u8> {
    (0..len)
        .map(|i| (i as u8).wrapping_mul(31).wrapping_add((i >> 8) as u8) ^ seed)
        .collect()
}

/// Offset of the TCP header in [`tcp_frame`].
pub(crate) const TCP_AT: u16 = 34;

/// A TCP segment over IPv4 with the checksum left to the device; `mss` bytes per segment if it is to
/// be cut.
pub(crate) fn tcp_frame(payload: Vec<u8>, mss: Option<u16>) -> Sent {
    let mut header = vec![0xff; 6];
    header.extend([2, 0, 0, 0, 0, 1, 8, 0]);
    let total = u16::try_from(40 + payload.len()).expect("a super-segment is at most 64 KiB");
    let [high, low] = total.to_be_bytes();
    let (src, dst) = ([10, 9, 9, 1], [10, 9, 9, 2]);
    let mut ip = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, 6, 0, 0];
    ip.extend(src);
    ip.extend(dst);
    let sum = !fold(&ip, 0);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    header.extend(ip);
    let mut tcp = vec![
        0x13, 0x88, 0x13, 0x89, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff,
    ];
    tcp.extend([0; 4]);
    let pseudo = fold(&[src, dst].concat(), 6 + u32::from(total - 20));
    tcp[16..18].copy_from_slice(&pseudo.to_be_bytes());
    header.extend(tcp);
    let kind = stack::GsoKind::Tcp4;
    let gso = mss.map(|size| Gso {
        kind,
        size,
        header_len: TCP_AT + 20,
    });
    let checksum = Some(TxChecksum {
        start: TCP_AT,
        offset: 16,
    });
    Sent {
        header,
        payload,
        checksum,
        gso,
    }
}

/// Whether the TCP checksum of an IPv4 frame is complete and right.
pub(crate) fn tcp_checksum_is_right(frame: &[u8]) -> bool {
    let tcp = &frame[usize::from(TCP_AT)..];
    fold(&frame[26..34], 6 + tcp.len() as u32) == !fold(tcp, 0)
}

/// RFC 1071: the one's complement sum of big-endian words.
fn fold(bytes: &[u8], seed: u32) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|w| u32::from(w[0]) << 8 | u32::from(*w.get(1).unwrap_or(&0)));
    let mut sum = words.sum::<u32>() + seed;
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    sum as u16
}

/// Runs `test` as root of a fresh network namespace, with a function that runs ip(8) there; or says
/// SKIPPED where this user may not make one, which is a failure under CI.
///
/// The namespace belongs to a copy of this test's process, since a thread cannot leave the others'
/// user namespace; `test` must be a closure written in the test function itself.
pub(crate) fn lab<F: FnOnce(&dyn Fn(&str))>(test: F) {
    const INSIDE: &str = "NSTK_TEST_INSIDE_LAB";
    if std::env::var_os(INSIDE).is_some() {
        return test(&ip);
    }
    // The closure's type is called crate::modules::test_function::{{closure}}.
    let name = std::any::type_name::<F>().trim_end_matches("::{{closure}}");
    let (_crate, name) = name.split_once("::").expect("a path");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "--"]);
    command.arg(std::env::current_exe().expect("this program has a file"));
    command
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1");
    let may_make_one = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--net",
            "--",
            "test",
            "-w",
            "/dev/net/tun",
        ])
        .status()
        .is_ok_and(|status| status.success());
    if may_make_one {
        let output = command.output().expect("it worked a moment ago");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.contains("1 passed"),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    } else {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI has no network namespaces or no tun"
        );
        println!("SKIPPED: this user may not make a tap in a network namespace");
    }
}

fn ip(words: &str) {
    let status = Command::new("ip")
        .args(words.split(' '))
        .status()
        .expect("ip(8) is installed");
    assert!(status.success(), "ip {words}");
}
