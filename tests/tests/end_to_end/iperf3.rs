//! iperf3 as client and server.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually};

/// One second between a client and a server, one of which runs under libnstk.so; the client's report says how much arrived.
fn run(lab: &Lab, mut client: Command, mut server: Command, address: &str, options: &[&str]) {
    // Not --one-off: the question whether it listens is a connection as well.
    let server = Running::start(server.arg("--server"));
    eventually("iperf3 listens", || lab.accepts(address, 5201));
    let report = Outcome::of(
        client
            .args(["--client", address, "--time", "1", "--format", "m"])
            .args(options),
    )
    .success();
    drop(server);
    let received = report
        .lines()
        .rev()
        .find(|line| line.contains("receiver"))
        .expect("a summary");
    let mut words = received.split_whitespace();
    let rate: f64 = loop {
        let word = words.next().expect("a rate in Mbits/sec");
        if words.clone().next() == Some("Mbits/sec") {
            break word.parse().expect("a number");
        }
    };
    assert!(rate > 0.5, "{report}");
}

fn as_client(options: &[&str]) {
    let lab = Lab::new();
    run(
        &lab,
        lab.nstk("iperf3"),
        lab.kernel("iperf3"),
        PEER_ADDRESS,
        options,
    );
}

fn as_server(options: &[&str]) {
    let lab = Lab::new();
    run(
        &lab,
        lab.kernel("iperf3"),
        lab.nstk("iperf3"),
        NSTK_ADDRESS,
        options,
    );
}

#[test]
fn client_sends() {
    as_client(&["--congestion", "cubic"]);
}

#[test]
fn client_receives() {
    as_client(&["--reverse"]);
}

#[test]
fn client_sends_by_several_connections() {
    as_client(&["--parallel", "4"]);
}

#[test]
fn client_sends_datagrams() {
    as_client(&["--udp"]);
}

#[test]
fn server_receives() {
    as_server(&[]);
}

#[test]
fn server_sends() {
    as_server(&["--reverse"]);
}

#[test]
fn server_receives_by_several_connections() {
    as_server(&["--parallel", "4"]);
}

#[test]
fn server_receives_datagrams() {
    as_server(&["--udp"]);
}
