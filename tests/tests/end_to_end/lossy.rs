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
        let asked = faults
            .iter()
            .any(|word| word.starts_with(fault) && !word.ends_with("=0"));
        assert!(
            !asked || !wire.contains(&format!("{count}: 0,")),
            "{fault}: {wire}"
        );
    }
    wire
}

/// A fault that hits one frame of a hundred, or one of twenty.
const LOSS_1: &str = "loss=10000";
const LOSS_5: &str = "loss=50000";
const LATE: &str = "late=10000";
const DUPLICATE: &str = "duplicate=10000";
const CORRUPT: &str = "corrupt=10000";

#[test]
fn a_100_mb_upload_by_bbr_through_1_percent_loss() {
    through(&[LOSS_1], "bbr", Way::Upload, 100_000_000);
}

#[test]
fn a_100_mb_upload_by_bbr_through_5_percent_loss() {
    through(&[LOSS_5], "bbr", Way::Upload, 100_000_000);
}

#[test]
fn a_100_mb_download_through_1_percent_loss() {
    through(&[LOSS_1], "bbr", Way::Download, 100_000_000);
}

#[test]
fn an_upload_by_cubic_through_1_percent_loss() {
    through(&[LOSS_1], "cubic", Way::Upload, 10_000_000);
}

#[test]
fn an_upload_by_cubic_through_5_percent_loss() {
    through(&[LOSS_5], "cubic", Way::Upload, 2_000_000);
}

#[test]
fn uploads_through_frames_that_are_late_or_come_twice() {
    for congestion in ["bbr", "cubic"] {
        through(&[LATE, DUPLICATE], congestion, Way::Upload, 20_000_000);
    }
}

#[test]
fn uploads_through_frames_with_a_flipped_bit() {
    for congestion in ["bbr", "cubic"] {
        through(&[CORRUPT], congestion, Way::Upload, 10_000_000);
    }
}

#[test]
fn a_download_through_all_of_it() {
    let faults = [LOSS_1, LATE, DUPLICATE, CORRUPT];
    through(&faults, "bbr", Way::Download, 20_000_000);
}

#[test]
#[ignore = "takes minutes; prints a table"]
fn the_whole_matrix_of_100_mb() {
    for fault in ["loss=0", LOSS_1, LOSS_5, LATE, DUPLICATE, CORRUPT] {
        for congestion in ["bbr", "cubic"] {
            for way in [Way::Upload, Way::Download] {
                let start = Instant::now();
                let wire = through(&[fault], congestion, way, 100_000_000);
                let seconds = start.elapsed().as_secs_f64();
                println!("{fault} {congestion} {way:?}: {seconds:.1} s\n{wire}");
            }
        }
    }
}
