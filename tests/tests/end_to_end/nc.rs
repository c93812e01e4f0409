//! 100 MB through nc.

use std::process::Command;

use nstk_tests::{
    Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually, transfer_by_client,
    transfer_by_server,
};

const BYTES: usize = 100_000_000;

/// What the listening and the connecting shell do: `nc` receives into a file, or sends one.
const RECEIVE: &str = "nc -l 5000 >received";
const SEND: &str = "nc -N -l 5000 <sent";

fn sending_to(address: &str) -> String {
    format!("nc -N {address} 5000 <sent")
}

fn receiving_from(address: &str) -> String {
    format!("nc -d {address} 5000 >received")
}

fn client(listen: &str, connect: &str) {
    transfer_by_client(BYTES, listen, connect);
}

fn server(listen: &str, connect: &str) {
    transfer_by_server(BYTES, listen, connect);
}

#[test]
fn client_sends_100_mb_intact() {
    client(RECEIVE, &sending_to(PEER_ADDRESS));
}

#[test]
fn client_receives_100_mb_intact() {
    client(SEND, &receiving_from(PEER_ADDRESS));
}

#[test]
fn server_receives_100_mb_intact() {
    server(RECEIVE, &sending_to(NSTK_ADDRESS));
}

#[test]
fn server_sends_100_mb_intact() {
    server(SEND, &receiving_from(NSTK_ADDRESS));
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

#[test]
fn a_scan_finds_what_it_finds_on_the_kernel() {
    let lab = Lab::new();
    let peer = Running::start(lab.kernel("nc").args(["-k", "-l", PEER_ADDRESS, "5000"]));
    eventually("nc listens", || lab.accepts(PEER_ADDRESS, 5000));
    lab.same("sh", |mut command, _| {
        let scan = format!("nc -z -v -w 1 {PEER_ADDRESS} 4999-5001 2>&1");
        Outcome::of(command.args(["-c", &scan]))
    });
    drop(peer);
}

/// An nc that listens, until it has said what `send`, run again and again on the other side, gives it.
fn hears(mut listening: Command, options: &[&str], send: impl Fn(&str) -> Command) {
    let server = Running::start(listening.args(options).arg("5000"));
    for line in ["one line", "another line"] {
        eventually("the line has come", || {
            let _ = Outcome::of(&mut send(line));
            server.said().contains(line)
        });
    }
}

fn shell(mut command: Command, line: &str) -> Command {
    command.args(["-c", line]);
    command
}

#[test]
fn a_server_that_stays_takes_one_connection_after_another() {
    let lab = Lab::new();
    hears(lab.nstk("nc"), &["-k", "-l"], |line| {
        shell(
            lab.kernel("sh"),
            &format!("echo {line} | nc -N {NSTK_ADDRESS} 5000"),
        )
    });
}

#[test]
fn a_server_hears_datagrams() {
    let lab = Lab::new();
    // The first sender's port is the only one that nc listens to.
    hears(lab.nstk("nc"), &["-u", "-l"], |line| {
        shell(
            lab.kernel("sh"),
            &format!("echo {line} | nc -u -q 0 -p 6000 {NSTK_ADDRESS} 5000"),
        )
    });
}

#[test]
fn a_client_sends_datagrams() {
    let lab = Lab::new();
    lab.through_tap(|| {
        hears(lab.kernel("nc"), &["-u", "-l"], |line| {
            shell(
                lab.nstk("sh"),
                &format!("echo {line} | nc -u -q 0 -p 6000 {PEER_ADDRESS} 5000"),
            )
        });
    });
}
