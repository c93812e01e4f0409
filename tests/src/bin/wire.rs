//! A wire between two taps that it makes, with faults: `wire TAP TAP FAULT=PPM ...`.
//!
//! `loss`, `late`, `duplicate` and `corrupt` are per million frames, each way. The wire moves 1 Gbit/s and holds a frame for 50 us, a late one
//! for up to a millisecond more. It says `ready` when both taps are there; when its input ends it says for each direction what it did, and ends.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sim::{Line, Link, Packet};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [left, right, faults @ ..] = arguments.as_slice() else {
        eprintln!("usage: wire TAP TAP [loss|late|duplicate|corrupt=PPM ...]");
        std::process::exit(2);
    };
    let link = link(faults);
    let [left, right] = [left, right].map(|name| {
        let end = nicio::tap::wire_end(name).expect("the tap can be had");
        File::from(end)
    });
    let start = Instant::now();
    let [there, back] = [1, 2].map(|seed| Direction {
        start,
        line: Mutex::new(Line::new(link, seed)),
        changed: Condvar::new(),
    });
    thread::scope(|scope| {
        scope.spawn(|| there.take(&left));
        scope.spawn(|| there.give(&right));
        scope.spawn(|| back.take(&right));
        scope.spawn(|| back.give(&left));
        println!("ready");
        io::copy(&mut io::stdin(), &mut io::sink())?;
        for direction in [&there, &back] {
            let line = direction.line.lock().expect("no thread panics");
            println!("{:?}", line.counters());
        }
        std::process::exit(0)
    })
}

fn link(faults: &[String]) -> Link {
    let mut link = Link {
        queue_bytes: 4 << 20,
        late_by: Duration::from_millis(1),
        ..Link::new(1_000_000_000, Duration::from_micros(50))
    };
    for fault in faults {
        let (kind, ppm) = fault.split_once('=').expect("a fault is KIND=PPM");
        let ppm = ppm.parse().expect("a number of a million");
        match kind {
            "loss" => link.loss_ppm = ppm,
            "late" => link.late_ppm = ppm,
            "duplicate" => link.duplicate_ppm = ppm,
            "corrupt" => link.corrupt_ppm = ppm,
            other => panic!("no such fault: {other}"),
        }
    }
    link
}

/// One way over the wire.
struct Direction {
    start: Instant,
    line: Mutex<Line>,
    /// Another frame comes next than whoever sleeps knows.
    changed: Condvar,
}

impl Direction {
    /// Takes what comes out of a tap, for ever.
    fn take(&self, mut tap: &File) {
        let mut frame = [0; 1 << 16];
        loop {
            // An interface that is not up yet has nothing.
            let Ok(bytes) = tap.read(&mut frame) else {
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let mut line = self.line.lock().expect("no thread panics");
            let next = line.next_arrival();
            line.send(self.now(), Packet::new(frame[..bytes].to_vec()));
            if line.next_arrival() != next {
                self.changed.notify_one();
            }
        }
    }

    /// Puts into a tap what arrives, for ever.
    fn give(&self, mut tap: &File) {
        let mut line = self.line.lock().expect("no thread panics");
        loop {
            let now = self.now();
            if let Some(packet) = line.receive(now) {
                drop(line);
                // An interface that is down loses it.
                let _ = tap.write(packet.bytes());
                line = self.line.lock().expect("no thread panics");
                continue;
            }
            let wait = line.next_arrival().map_or(Duration::from_secs(1), |at| {
                Duration::from_nanos(at.nanos_since(now))
            });
            (line, _) = self
                .changed
                .wait_timeout(line, wait)
                .expect("no thread panics");
        }
    }

    fn now(&self) -> sim::Instant {
        let since = self.start.elapsed().as_nanos();
        sim::Instant::from_nanos(u64::try_from(since).expect("no test lasts for centuries"))
    }
}
