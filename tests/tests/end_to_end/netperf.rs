//! netperf as client and netserver as server.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually};

/// Which end runs under libnstk.so; the other is on the kernel's stack.
#[derive(Clone, Copy)]
enum Nstk {
    Client,
    Server,
}

/// One second of a netperf test; `options` are the test's own. Prints netperf's answer and checks that it went over the stack.
fn netperf(nstk: Nstk, test: &str, options: &[&str]) -> String {
    let lab = Lab::new();
    let (mut client, server, address) = match nstk {
        Nstk::Client => (lab.nstk("netperf"), lab.kernel("netserver"), PEER_ADDRESS),
        Nstk::Server => (lab.kernel("netperf"), lab.nstk("netserver"), NSTK_ADDRESS),
    };
    let server = serve(&lab, server, address);
    let before = lab.tap_frames();
    let answer = Outcome::of(
        client
            .args(["-P", "0", "-H", address, "-t", test, "-l", "1", "--"])
            .args(options),
    )
    .success();
    drop(server);
    // The address of a server under nstk leads through the tap in any case.
    assert!(
        matches!(nstk, Nstk::Server) || lab.tap_frames() > before + 100,
        "the traffic did not go through the tap"
    );
    answer
}

/// Starts a netserver and waits until it listens.
fn serve(lab: &Lab, mut netserver: Command, address: &str) -> Running {
    let server = Running::start(netserver.arg("-D"));
    eventually("netserver listens", || lab.accepts(address, 12865));
    server
}

/// A test of the omni family, which can tell throughput and the congestion control of both ends.
fn omni(nstk: Nstk, test: &str, options: &[&str]) -> (f64, String) {
    let selectors = ["-o", "THROUGHPUT,LOCAL_CONG_CONTROL,REMOTE_CONG_CONTROL"];
    let answer = netperf(nstk, test, &[options, &selectors].concat());
    // It says one line more if its timer rings when the peer has just ended the stream.
    let columns = answer.lines().last().and_then(|line| line.split_once(','));
    let parsed = columns.and_then(|(throughput, congestion)| {
        Some((throughput.parse().ok()?, congestion.to_owned()))
    });
    parsed.unwrap_or_else(|| panic!("netperf answers {answer}"))
}

fn stream_with(nstk: Nstk, test: &str, congestion: &str) {
    let (throughput, used) = omni(nstk, test, &["-K", congestion]);
    assert_eq!(used, format!("{congestion},{congestion}"));
    assert!(throughput > 100.0, "{throughput} Mbit/s");
}

fn transactions(nstk: Nstk, test: &str, options: &[&str]) {
    let (throughput, _) = omni(nstk, test, options);
    assert!(throughput > 100.0, "{throughput} transactions/s");
}

fn sendfile(nstk: Nstk) {
    let path = std::env::temp_dir().join(format!("nstk-sendfile-{}", std::process::id()));
    File::create(&path)
        .and_then(|file| file.set_len(10 << 20))
        .expect("a file of 10 MB");
    let answer = netperf(
        nstk,
        "TCP_SENDFILE",
        &["-F", Path::to_str(&path).expect("a plain name")],
    );
    std::fs::remove_file(&path).expect("the file is ours");
    let throughput: f64 = answer
        .split_whitespace()
        .last()
        .and_then(|word| word.parse().ok())
        .expect("a number");
    assert!(throughput > 100.0, "{answer}");
}

#[test]
fn client_sends_a_stream_with_bbr() {
    stream_with(Nstk::Client, "TCP_STREAM", "bbr");
}

#[test]
fn client_sends_a_stream_with_cubic() {
    stream_with(Nstk::Client, "TCP_STREAM", "cubic");
}

#[test]
fn client_receives_a_stream_from_bbr() {
    stream_with(Nstk::Client, "TCP_MAERTS", "bbr");
}

#[test]
fn client_receives_a_stream_from_cubic() {
    stream_with(Nstk::Client, "TCP_MAERTS", "cubic");
}

#[test]
fn client_sends_a_file() {
    sendfile(Nstk::Client);
}

#[test]
fn client_makes_transactions() {
    transactions(Nstk::Client, "TCP_RR", &["-K", "bbr"]);
}

#[test]
fn client_makes_a_connection_for_each_transaction() {
    transactions(Nstk::Client, "TCP_CRR", &["-K", "cubic"]);
}

#[test]
fn client_sends_datagrams() {
    let (throughput, _) = omni(Nstk::Client, "UDP_STREAM", &["-m", "1472"]);
    assert!(throughput > 10.0, "{throughput} Mbit/s");
}

#[test]
fn client_makes_transactions_of_datagrams() {
    transactions(Nstk::Client, "UDP_RR", &[]);
}

#[test]
fn server_receives_a_stream_from_bbr() {
    stream_with(Nstk::Server, "TCP_STREAM", "bbr");
}

#[test]
fn server_receives_a_stream_from_cubic() {
    stream_with(Nstk::Server, "TCP_STREAM", "cubic");
}

#[test]
fn server_sends_a_stream_with_bbr() {
    stream_with(Nstk::Server, "TCP_MAERTS", "bbr");
}

#[test]
fn server_sends_a_stream_with_cubic() {
    stream_with(Nstk::Server, "TCP_MAERTS", "cubic");
}

#[test]
fn server_receives_a_file() {
    sendfile(Nstk::Server);
}

#[test]
fn server_answers_transactions() {
    transactions(Nstk::Server, "TCP_RR", &["-K", "bbr"]);
}

#[test]
fn server_answers_a_connection_for_each_transaction() {
    transactions(Nstk::Server, "TCP_CRR", &["-K", "cubic"]);
}

#[test]
fn server_receives_datagrams() {
    let (throughput, _) = omni(Nstk::Server, "UDP_STREAM", &["-m", "1472"]);
    assert!(throughput > 10.0, "{throughput} Mbit/s");
}

#[test]
fn server_answers_transactions_of_datagrams() {
    transactions(Nstk::Server, "UDP_RR", &[]);
}

#[test]
fn the_default_congestion_control_is_the_setting() {
    let lab = Lab::new();
    let _server = serve(&lab, lab.kernel("netserver"), PEER_ADDRESS);
    let selectors = [
        "-P",
        "0",
        "-H",
        PEER_ADDRESS,
        "-l",
        "1",
        "--",
        "-o",
        "LOCAL_CONG_CONTROL",
    ];
    for congestion in ["bbr", "cubic"] {
        let setting = format!("net.ipv4.tcp_congestion_control={congestion}");
        let used = Outcome::of(
            lab.nstk("netperf")
                .args(selectors)
                .env("NSTK_SYSCTL", setting),
        )
        .success();
        assert_eq!(used.trim(), congestion);
    }
}

#[test]
fn client_and_peer_on_one_cpu_take_turns() {
    let lab = Lab::new();
    let mut pinned = lab.kernel("taskset");
    pinned.args(["-c", "0", "netserver"]);
    let _server = serve(&lab, pinned, PEER_ADDRESS);
    let mut client = lab.nstk("taskset");
    client.args([
        "-c",
        "0",
        "netperf",
        "-P",
        "0",
        "-H",
        PEER_ADDRESS,
        "-t",
        "TCP_RR",
        "-l",
        "1",
        "--",
        "-o",
        "THROUGHPUT",
    ]);
    let throughput: f64 = Outcome::of(&mut client)
        .success()
        .trim()
        .parse()
        .expect("a number");
    // A client that spun without yielding would leave its peer a time slice of some milliseconds for each answer.
    assert!(throughput > 2000.0, "{throughput} transactions/s");
}
