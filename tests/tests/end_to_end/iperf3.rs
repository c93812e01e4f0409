//! iperf3 as client and server.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually};

/// One second between a client and a server, one of which runs under libnstk.so; by the client's report every connection must have brought something.
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
    let summaries = report.lines().filter(|line| line.contains("receiver"));
    let rates: Vec<f64> = summaries.filter_map(rate).collect();
    let directions = 1 + usize::from(options.contains(&"--bidir"));
    assert!(rates.len() >= directions, "{report}");
    assert!(rates.iter().all(|rate| *rate > 0.5), "{report}");
}

/// The number before `Mbits/sec`.
fn rate(line: &str) -> Option<f64> {
    let (before, _) = line.split_once(" Mbits/sec")?;
    before.split_whitespace().next_back()?.parse().ok()
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
fn client_receives_by_several_connections() {
    as_client(&["--reverse", "--parallel", "4"]);
}

#[test]
fn client_sends_and_receives() {
    as_client(&["--bidir"]);
}

#[test]
fn client_sends_datagrams() {
    as_client(&["--udp"]);
}

#[test]
fn client_receives_datagrams() {
    as_client(&["--udp", "--reverse"]);
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
fn server_sends_by_several_connections() {
    as_server(&["--reverse", "--parallel", "4"]);
}

#[test]
fn server_receives_and_sends() {
    as_server(&["--bidir"]);
}

#[test]
fn server_sends_datagrams() {
    as_server(&["--udp", "--reverse"]);
}

#[test]
fn server_receives_datagrams() {
    as_server(&["--udp"]);
}
