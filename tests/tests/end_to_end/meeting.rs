//! Programs that meet on one tap: they share its stack, whoever has started it.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, WebServer, eventually};

/// A program under libnstk.so that may not fall back to the kernel's stack.
fn python(lab: &Lab, script: &str) -> Command {
    let mut command = lab.nstk("python3");
    command.env("NSTK_FAIL", "exit").args(["-c", script]);
    command
}

/// A server that answers each line of a client with its own name, until it is killed.
fn named_server(lab: &Lab, name: &str, port: u16) -> Running {
    let script = format!(
        "import socket
listener = socket.create_server(('', {port}))
print('up', flush=True)
while True:
    client = listener.accept()[0]
    client.recv(100)
    client.sendall(b'{name}')
    client.close()"
    );
    let server = Running::start(&mut python(lab, &script));
    server.has_said("up");
    server
}

/// What a server of the stack says to a client of the kernel's stack.
fn asked(lab: &Lab, port: u16) -> String {
    let talk = format!("exec 3<>/dev/tcp/{NSTK_ADDRESS}/{port} && echo who >&3 && cat <&3");
    Outcome::of(lab.kernel("bash").args(["-c", &talk])).success()
}

#[test]
fn servers_started_one_after_the_other_serve_side_by_side() {
    let lab = Lab::new();
    let one = named_server(&lab, "one", 7001);
    let two = named_server(&lab, "two", 7002);
    assert_eq!(
        (asked(&lab, 7001), asked(&lab, 7002)),
        ("one".into(), "two".into())
    );
    // A port is one program's.
    let taken = "import socket
try:
    socket.create_server(('', 7001))
except OSError as error:
    print(error.errno)";
    assert_eq!(Outcome::of(&mut python(&lab, taken)).success(), "98\n");
    // The stack outlives the program that has started it.
    drop(one);
    assert_eq!(asked(&lab, 7002), "two");
    eventually("the dead program's port is free", || {
        !lab.accepts(NSTK_ADDRESS, 7001)
    });
    let _three = named_server(&lab, "three", 7001);
    assert_eq!(
        (asked(&lab, 7001), asked(&lab, 7002)),
        ("three".into(), "two".into())
    );
    drop(two);
}

#[test]
fn clients_that_start_at_the_same_moment_all_use_the_stack() {
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("small", "a line\n");
    let line = "seq 12 | xargs -P12 -I{} curl -sf --max-time 20 -w '%{local_ip} ' http://10.77.1.1:8000/small";
    let mut command = lab.nstk("sh");
    command.env("NSTK_FAIL", "exit").args(["-c", line]);
    let said = Outcome::of(&mut command).success();
    let from_stack = said.matches(NSTK_ADDRESS).count();
    assert_eq!(
        (from_stack, said.matches("a line").count()),
        (12, 12),
        "{said}"
    );
}

#[test]
fn settings_of_the_program_that_came_first_count_and_the_others_are_told() {
    let lab = Lab::new();
    let _first = named_server(&lab, "first", 7001);
    let script = "import socket
with socket.socket() as s:
    print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b'\\0').decode())";
    let mut same = python(&lab, script);
    let same = Outcome::of(&mut same);
    assert_eq!(same.stderr, "");
    let ours = same.success();
    assert_ne!(ours, "reno\n");
    let mut other = python(&lab, script);
    other.env("NSTK_SYSCTL", "net.ipv4.tcp_congestion_control=reno");
    other.env("NSTK_PCAP", "/nonexistent/capture");
    let other = Outcome::of(&mut other);
    let line = format!(
        "nstk: NSTK_IF=tap:nstk0: another program runs this stack already, with other settings, which count: \
         net.ipv4.tcp_congestion_control={}, NSTK_PCAP is not obeyed\n",
        ours.trim_end()
    );
    assert_eq!(other.stderr, line);
    assert_eq!(other.success(), ours);
}

#[test]
fn a_program_with_another_address_is_refused() {
    let lab = Lab::new();
    let _first = named_server(&lab, "first", 7001);
    let mut other = python(
        &lab,
        "import socket; socket.create_server(('', 7002)); print('up')",
    );
    other.env("NSTK_ADDR", "10.77.1.77/24");
    let refused = Outcome::of(&mut other);
    assert_eq!(refused.status.code(), Some(69), "{}", refused.stderr);
    let named = "a running program has tap:nstk0 with the address 10.77.1.2";
    assert!(refused.stderr.contains(named), "{}", refused.stderr);
    assert_eq!(asked(&lab, 7001), "first");
}

#[test]
fn a_program_that_only_has_udp_sockets_is_answered_for_while_it_sleeps() {
    let lab = Lab::new();
    let script = "import socket, sys
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('', 7003))
print('up', flush=True)
sys.stdin.read()
u.settimeout(5)
print([u.recv(100).decode() for _ in range(5)])";
    let mut command = python(&lab, script);
    let sleeper = Running::start(command.stdin(std::process::Stdio::piped()));
    sleeper.has_said("up");
    Outcome::of(lab.kernel("ping").args(["-c1", "-W5", NSTK_ADDRESS])).success();
    let send = format!("for i in 1 2 3 4 5; do echo -n $i >/dev/udp/{NSTK_ADDRESS}/7003; done");
    Outcome::of(lab.kernel("bash").args(["-c", &send])).success();
    assert_eq!(
        sleeper.finish().success(),
        "up\n['1', '2', '3', '4', '5']\n"
    );
}

#[test]
fn a_first_datagram_is_sent_whatever_the_program_does_after_it() {
    for after in [
        "pass",
        "os._exit(0)",
        "time.sleep(1)",
        "u.close(); time.sleep(1)",
    ] {
        let lab = Lab::new();
        let receive = format!(
            "import socket
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(('{PEER_ADDRESS}', 7004))
u.settimeout(10)
print('up', flush=True)
print(u.recv(100).decode())"
        );
        let receiver = Running::start(lab.kernel("python3").args(["-c", &receive]));
        receiver.has_said("up");
        let script = format!(
            "import os, socket, time
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b'hello', ('{PEER_ADDRESS}', 7004))
{after}"
        );
        Outcome::of(&mut python(&lab, &script)).success();
        assert_eq!(receiver.finish().success(), "up\nhello\n", "after {after}");
    }
}
