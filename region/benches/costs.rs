//! What the region's everyday operations cost: `cargo bench -p nstk-region`.
//!
//! Nanoseconds per operation, the best of several runs, records in cache.

use std::hint::black_box;
use std::time::Instant;

use nstk_region::{ForkGuard, Region, Shared};
use zerocopy::FromZeros;

/// As large as a connection.
type Record = [u64; 128];

const RECORDS: u32 = 256;
const OPERATIONS: u32 = 200_000;
const RUNS: u32 = 20;

fn main() {
    let region = Region::create(64 << 20).expect("memfd");
    let mut table = region.table::<Record>(0, 100_000).expect("table");
    let ids: Vec<_> = (0..RECORDS)
        .map(|_| table.insert(Record::new_zeroed()).expect("room"))
        .collect();
    let id = |round: u32| ids[(round % RECORDS) as usize];
    measure("table get", |round| {
        black_box(table.get(black_box(id(round))).map(|record| record[0]));
    });
    measure("table get_mut", |round| {
        if let Some(mut record) = table.get_mut(black_box(id(round))) {
            record[0] += 1;
        }
    });
    let mut small = region.table::<u64>(1, 100_000).expect("table");
    measure("table insert + remove, 8 bytes", |round| {
        let id = small.insert(u64::from(round)).expect("room");
        black_box(small.remove(black_box(id)));
    });
    measure("table insert + remove, 1 KiB", |_| {
        let id = table.insert(black_box(Record::new_zeroed())).expect("room");
        black_box(table.remove(black_box(id)));
    });
    let mut array = region.array::<u64>(2, 100_000).expect("array");
    measure("array get_mut", |round| {
        if let Some(record) = array.get_mut(black_box(round % 1024)) {
            *record += 1;
        }
    });
    let mut pool = region.buffers(3, 4096, 10_000).expect("pool");
    measure("buffer alloc + release", |_| {
        let id = pool.alloc().expect("room");
        pool.release(black_box(id));
    });
    let buffer = pool.alloc().expect("room");
    measure("buffer piece", |round| {
        black_box(pool.piece(black_box(buffer), round % 1024, 1024));
    });
    measure("buffer checksum, 1460 bytes", |_| {
        black_box(pool.checksum(black_box(buffer), 0, 1460, 0));
    });
    let guard = ForkGuard::new();
    guard.set(1).expect("a page");
    measure("ForkGuard::get", |_| {
        black_box(guard.get());
    });
    let shared = Shared::new(region, 0u64);
    measure("lock + unlock", |_| {
        *shared.lock().expect("alive") += 1;
    });
}

fn measure(name: &str, mut operation: impl FnMut(u32)) {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        (0..OPERATIONS).for_each(&mut operation);
        let each = start.elapsed().as_nanos() as f64 / f64::from(OPERATIONS);
        best = best.min(each);
    }
    println!("{name:32} {best:7.1} ns");
}
