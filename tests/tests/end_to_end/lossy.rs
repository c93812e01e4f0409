//! Files through a wire that loses, reorders, duplicates and corrupts, by socat: every byte must be right.

use std::time::Instant;

use nstk_tests::{Lab, PEER_ADDRESS, transfer};

/// The program that is the wire.
const WIRE: &str = env!("CARGO_BIN_EXE_wire");

#[derive(Clone, Copy, Debug)]
enum Way {
    /// nstk sends.
    Upload,
    /// The kernel's stack sends.
    Download,
}

/// A file through a wire; says what the wire did to the frames, on their way from nstk and to it.
fn through(faults: &[&str], congestion: &str, way: Way, bytes: usize) -> String {
    // TCP_CONGESTION, which is option 13 of level 6.
    let sender = format!("setsockopt-string=6:13:{congestion}");
    let (listen, connect) = match way {
        Way::Upload => (
            "socat -u TCP-LISTEN:5000,reuseaddr CREATE:received".to_owned(),
            format!("socat -u OPEN:sent TCP:{PEER_ADDRESS}:5000,{sender}"),
        ),
        Way::Download => (
            format!("socat -u OPEN:sent TCP-LISTEN:5000,reuseaddr,{sender}"),
            format!("socat -u TCP:{PEER_ADDRESS}:5000 CREATE:received"),
        ),
    };
    let mut lab = Lab::with_wire(WIRE, faults);
    let (server, client) = (lab.kernel("sh"), lab.nstk("sh"));
    transfer(&lab, bytes, (server, &listen), (client, &connect));
    let wire = lab.end_wire();
    // Every fault that was asked for has been met.
    for (fault, count) in [
        ("loss", "lost"),
        ("late", "late"),
        ("duplicate", "duplicated"),
        ("corrupt", "corrupted"),
    ] {
        let asked = faults.iter().any(|word| word.starts_with(fault));
        assert!(
            !asked || !wire.contains(&format!("{count}: 0,")),
            "{fault}: {wire}"
        );
    }
    wire
}

/// Files by both algorithms both ways. `NSTK_LOSSY_MB` says how large they are; without it those are small that CUBIC sends through loss, where
/// a link of any rate gives it some Mbit/s.
fn every_way_through(faults: &[&str], megabytes_by_cubic: usize) {
    let asked = std::env::var("NSTK_LOSSY_MB").ok();
    let asked: Option<usize> = asked.map(|text| text.parse().expect("NSTK_LOSSY_MB is a number"));
    for (congestion, megabytes) in [("bbr", 100), ("cubic", megabytes_by_cubic)] {
        for way in [Way::Upload, Way::Download] {
            let start = Instant::now();
            let megabytes = asked.unwrap_or(megabytes);
            let wire = through(faults, congestion, way, megabytes * 1_000_000);
            let seconds = start.elapsed().as_secs_f64();
            println!("{faults:?} {congestion} {way:?}: {megabytes} MB in {seconds:.1} s\n{wire}");
        }
    }
}

#[test]
fn files_are_whole_without_a_fault() {
    every_way_through(&[], 100);
}

#[test]
fn files_are_whole_through_1_percent_loss() {
    every_way_through(&["loss=10000"], 10);
}

#[test]
fn files_are_whole_through_5_percent_loss() {
    every_way_through(&["loss=50000"], 2);
}

#[test]
fn files_are_whole_though_1_percent_come_late() {
    every_way_through(&["late=10000"], 100);
}

#[test]
fn files_are_whole_though_1_percent_come_twice() {
    every_way_through(&["duplicate=10000"], 100);
}

#[test]
fn files_are_whole_though_1_percent_have_a_flipped_bit() {
    every_way_through(&["corrupt=10000"], 10);
}

#[test]
fn files_are_whole_through_all_of_it() {
    every_way_through(
        &[
            "loss=10000",
            "late=10000",
            "duplicate=10000",
            "corrupt=10000",
        ],
        5,
    );
}
