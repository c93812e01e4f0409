//! What TCP costs without a network: two stacks of nstk over a link in one process, beside smoltcp over its
//! loopback device. One thread does the work of both sides, in virtual time.
//!
//! `cargo bench -p nstk-nicio --bench link` measures time; `scripts/link-costs` counts instructions, for which
//! this program does the work a number of times: `link --count STACK WORK TIMES`.

mod ours;
mod theirs;

use std::hint::black_box;

use criterion::{Criterion, Throughput};

/// Bytes of a large write; it fits one segment on either side.
const SEGMENT: usize = 64_000;
/// Bytes of a request, and of its answer.
const MESSAGE: usize = 64;

/// An established connection and both its ends.
trait Connection {
    /// Writes at one end and lets things happen until all of it has been read at the other.
    fn pass(&mut self, from: Side, bytes: &[u8], into: &mut [u8]);
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

const STACKS: [&str; 2] = ["nstk", "smoltcp"];

fn connection(stack: &str) -> Box<dyn Connection> {
    match stack {
        "nstk" => Box::new(ours::Pair::connect()),
        _ => Box::new(theirs::Loop::connect()),
    }
}

/// The work to be measured.
struct Work {
    connection: Box<dyn Connection>,
    bytes: Vec<u8>,
    into: Vec<u8>,
}

impl Work {
    fn new(stack: &str) -> Self {
        let mut work = Self {
            connection: connection(stack),
            bytes: (0..SEGMENT).map(|at| at as u8).collect(),
            into: vec![0; SEGMENT],
        };
        // Windows, buffers and estimates grow before anything is measured.
        for _ in 0..300 {
            work.segment();
        }
        assert!(work.into == work.bytes, "what arrives is what was sent");
        work
    }

    fn segment(&mut self) {
        let bytes = black_box(self.bytes.as_slice());
        self.connection.pass(Side::Client, bytes, &mut self.into);
    }

    fn round_trip(&mut self) {
        let bytes = black_box(&self.bytes[..MESSAGE]);
        let into = &mut self.into[..MESSAGE];
        self.connection.pass(Side::Client, bytes, into);
        self.connection.pass(Side::Server, bytes, into);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, stack, what, times] = arguments.as_slice()
        && flag == "--count"
    {
        let mut work = Work::new(stack);
        for _ in 0..times.parse().expect("a number") {
            match what.as_str() {
                "segment" => work.segment(),
                _ => work.round_trip(),
            }
        }
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("segment of 64000 bytes");
    group.throughput(Throughput::Bytes(SEGMENT as u64));
    for stack in STACKS {
        let mut work = Work::new(stack);
        group.bench_function(stack, |bencher| bencher.iter(|| work.segment()));
    }
    group.finish();
    let mut group = criterion.benchmark_group("round trip of 64 bytes");
    for stack in STACKS {
        let mut work = Work::new(stack);
        group.bench_function(stack, |bencher| bencher.iter(|| work.round_trip()));
    }
    group.finish();
    criterion.final_summary();
}
