//! 100 MB through nc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running};

/// A directory that goes with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let path = std::env::temp_dir().join(format!("nstk-nc-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes without a period that a lost or doubled piece could hide in.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Runs two shells side by side in a directory with a file `sent` of 100 MB; `received` must then be its equal.
fn transfer(mut listening: Command, listen: &str, mut connecting: Command, connect: &str) {
    let scratch = Scratch::new();
    let bytes = noise(100_000_000);
    fs::write(scratch.0.join("sent"), &bytes).expect("room for 100 MB");
    let shell = |command: &mut Command, line: &str, directory: &Path| {
        Running::start(command.args(["-c", line]).current_dir(directory))
    };
    let server = shell(&mut listening, listen, &scratch.0);
    // There is nobody to ask whether the server listens already, and a connection to find out would be the one that it serves.
    let client = shell(
        &mut connecting,
        &format!("until {connect}; do sleep 0.1; done"),
        &scratch.0,
    );
    client.finish().success();
    server.finish().success();
    let received = fs::read(scratch.0.join("received")).expect("something was received");
    assert_eq!(received.len(), bytes.len());
    assert!(received == bytes, "the bytes differ");
}

#[test]
fn client_sends_100_mb_intact() {
    let lab = Lab::new();
    let connect = format!("nc -N {PEER_ADDRESS} 5000 <sent");
    transfer(
        lab.kernel("sh"),
        "nc -l 5000 >received",
        lab.nstk("sh"),
        &connect,
    );
}

#[test]
fn client_receives_100_mb_intact() {
    let lab = Lab::new();
    let connect = format!("nc -d {PEER_ADDRESS} 5000 >received");
    transfer(
        lab.kernel("sh"),
        "nc -N -l 5000 <sent",
        lab.nstk("sh"),
        &connect,
    );
}

#[test]
fn server_receives_100_mb_intact() {
    let lab = Lab::new();
    let connect = format!("nc -N {NSTK_ADDRESS} 5000 <sent");
    transfer(
        lab.nstk("sh"),
        "nc -l 5000 >received",
        lab.kernel("sh"),
        &connect,
    );
}

#[test]
fn server_sends_100_mb_intact() {
    let lab = Lab::new();
    let connect = format!("nc -d {NSTK_ADDRESS} 5000 >received");
    transfer(
        lab.nstk("sh"),
        "nc -N -l 5000 <sent",
        lab.kernel("sh"),
        &connect,
    );
}

#[test]
fn a_refused_connection_is_an_error() {
    let lab = Lab::new();
    let outcome = Outcome::of(lab.nstk("nc").args(["-v", "-N", PEER_ADDRESS, "5000"]));
    assert_eq!(outcome.status.code(), Some(1));
    assert!(
        outcome.stderr.contains("Connection refused"),
        "{}",
        outcome.stderr
    );
}
