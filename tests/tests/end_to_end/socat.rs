//! socat with TCP and UDP ends.

use std::process::Command;

use nstk_tests::{
    Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually, transfer_by_client,
    transfer_by_server,
};

const BYTES: usize = 20_000_000;
const RECEIVE: &str = "socat -u TCP-LISTEN:5000,reuseaddr CREATE:received";
const SEND: &str = "socat -u OPEN:sent TCP-LISTEN:5000,reuseaddr";

fn client(listen: &str, connect: &str) {
    transfer_by_client(BYTES, listen, connect);
}

fn server(listen: &str, connect: &str) {
    transfer_by_server(BYTES, listen, connect);
}

#[test]
fn a_client_sends() {
    client(
        RECEIVE,
        &format!("socat -u OPEN:sent TCP:{PEER_ADDRESS}:5000"),
    );
}

#[test]
fn a_client_sends_with_every_option_of_tcp() {
    const OPTIONS: &str = "reuseaddr,nodelay,keepalive,keepidle=10,keepintvl=3,keepcnt=2,sndbuf=100000,rcvbuf=50000,linger=5,mss=1000,\
                           connect-timeout=3,tos=16,ttl=9,syncnt=3";
    client(
        RECEIVE,
        &format!("socat -u OPEN:sent TCP:{PEER_ADDRESS}:5000,bind={NSTK_ADDRESS},{OPTIONS}"),
    );
}

#[test]
fn a_client_receives() {
    client(
        SEND,
        &format!("socat -u TCP:{PEER_ADDRESS}:5000 CREATE:received"),
    );
}

#[test]
fn a_server_receives() {
    server(
        RECEIVE,
        &format!("socat -u OPEN:sent TCP:{NSTK_ADDRESS}:5000"),
    );
}

#[test]
fn a_server_on_both_families_receives() {
    server(
        "socat -u TCP6-LISTEN:5000,reuseaddr CREATE:received",
        &format!("socat -u OPEN:sent TCP:{NSTK_ADDRESS}:5000"),
    );
}

#[test]
fn a_server_sends() {
    server(
        SEND,
        &format!("socat -u TCP:{NSTK_ADDRESS}:5000 CREATE:received"),
    );
}

/// What three clients on the kernel's stack, one after another, hear from a socat of two addresses.
fn hears(lab: &Lab, mut listening: Command, words: [&str; 2], client: &str) -> Outcome {
    let _server = Running::start(listening.args(words));
    let line = format!(
        "for line in one two three; do until echo $line | socat -t 0.2 - {client} | grep .; do sleep 0.05; done; done"
    );
    Outcome::of(lab.kernel("sh").args(["-c", &line]))
}

/// A server that forks for each client answers under the library as it does without.
fn answers(address: &str, other: &str, client: &str) {
    let lab = Lab::new();
    let run = |command, own: &str| {
        let client = client.replace("HOST", own);
        hears(&lab, command, [address, other], &client)
    };
    let kernel = run(lab.kernel("socat"), PEER_ADDRESS);
    Outcome::assert_same(&kernel, &run(lab.nstk("socat"), NSTK_ADDRESS));
}

#[test]
fn a_server_with_a_child_for_each_connection() {
    answers(
        "TCP-LISTEN:5000,reuseaddr,fork",
        "SYSTEM:tr a-z A-Z",
        "TCP:HOST:5000",
    );
}

#[test]
fn a_server_with_a_program_behind_pipes() {
    answers(
        "TCP-LISTEN:5000,reuseaddr,fork",
        "EXEC:cat,pipes",
        "TCP:HOST:5000",
    );
}

#[test]
fn a_server_with_a_child_for_each_datagram() {
    answers(
        "UDP-RECVFROM:5000,reuseaddr,fork",
        "EXEC:cat",
        "UDP:HOST:5000",
    );
}

#[test]
fn a_relay() {
    let lab = Lab::new();
    let _echo = Running::start(
        lab.kernel("socat")
            .args(["TCP-LISTEN:6000,reuseaddr,fork", "SYSTEM:tr a-z A-Z"]),
    );
    eventually("the echo listens", || lab.accepts(PEER_ADDRESS, 6000));
    let to_echo = format!("TCP:{PEER_ADDRESS}:6000");
    let words = ["TCP-LISTEN:5000,reuseaddr,fork", to_echo.as_str()];
    let heard = hears(
        &lab,
        lab.nstk("socat"),
        words,
        &format!("TCP:{NSTK_ADDRESS}:5000"),
    );
    assert_eq!(heard.success(), "ONE\nTWO\nTHREE\n");
}

#[test]
fn a_socket_handed_to_another_program_works_there() {
    let lab = Lab::new();
    let server = Running::start(
        lab.nstk("socat")
            .args(["TCP-LISTEN:5000,reuseaddr", "EXEC:cat,nofork"]),
    );
    let talk = format!(
        "until exec 3<>/dev/tcp/{NSTK_ADDRESS}/5000; do sleep 0.05; done
         echo hello >&3; head -n 1 <&3"
    );
    let said = Outcome::of(lab.kernel("bash").args(["-c", &talk])).stdout;
    assert_eq!(said, "hello\n");
    server.finish().success();
}
