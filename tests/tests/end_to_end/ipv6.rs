//! IPv6: programs with a stack of both families, or of this one alone.

use std::path::Path;
use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Running, eventually};

/// The kernel's address on the tap.
const PEER: &str = "fd77::1";
/// The stack's address on the tap.
const OWN: &str = "fd77::2";
/// The stack's link-local address, which goes with the Ethernet address that goes with its IPv4 address.
const OWN_LINK_LOCAL: &str = "fe80::4e:aff:fe4d:102%nstk0";

/// A lab whose tap has an IPv6 address too.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.run(&format!("ip address add {PEER}/64 dev nstk0 nodad"));
    lab
}

/// A program under libnstk.so with both addresses.
fn dual(lab: &Lab, program: impl AsRef<Path>) -> Command {
    let mut command = lab.nstk(program);
    command.env("NSTK_ADDR", format!("{NSTK_ADDRESS}/24,{OWN}/64"));
    command
}

/// A program under libnstk.so with the IPv6 address alone.
fn alone(lab: &Lab, program: impl AsRef<Path>) -> Command {
    let mut command = lab.nstk(program);
    command.env("NSTK_ADDR", format!("{OWN}/64"));
    command
}

/// A Python script on the kernel's stack or under libnstk.so.
fn python<'c>(command: &'c mut Command, source: &str) -> &'c mut Command {
    let source = source
        .replace("{peer}", PEER)
        .replace("{peer4}", PEER_ADDRESS);
    command.args(["-c", &source])
}

/// Bytes and frames that have come into the kernel through the tap.
fn tap_received(lab: &Lab) -> (u64, u64) {
    let devices = Outcome::of(lab.kernel("cat").arg("/proc/net/dev")).success();
    let counters = devices
        .lines()
        .find_map(|line| line.trim().strip_prefix("nstk0:"))
        .expect("the tap is there");
    let mut counters = counters
        .split_whitespace()
        .map(|number| number.parse().expect("a number"));
    (
        counters.next().expect("bytes"),
        counters.next().expect("frames"),
    )
}

/// A listener on port 7000 of both families that prints each peer's address and sends its own.
const DUAL_SERVER: &str = r"
import socket
server = socket.create_server(('::', 7000), family=socket.AF_INET6, dualstack_ipv6=True)
print('listening', flush=True)
while True:
    connection, peer = server.accept()
    print(peer[0], flush=True)
    connection.sendall(connection.getsockname()[0].encode())
    connection.close()
";

/// Connects to each address and prints what it is sent.
const CLIENT: &str = r"
import socket, sys
for address in sys.argv[1:]:
    connection = socket.create_connection((address, 7000), timeout=10)
    print(connection.recv(100).decode())
    connection.close()
";

#[test]
fn the_stack_answers_pings_to_both_its_addresses() {
    let lab = lab();
    let mut program = dual(&lab, "python3");
    let running = Running::start(python(&mut program, DUAL_SERVER));
    running.has_said("listening");
    for address in [OWN, OWN_LINK_LOCAL] {
        for size in ["56", "1400", "8000"] {
            let mut ping = lab.kernel("ping");
            ping.args(["-6", "-c", "3", "-i", "0.2", "-W", "5", "-s", size, address]);
            let answer = Outcome::of(&mut ping).success();
            assert!(answer.contains(" 0% packet loss"), "{address}: {answer}");
        }
    }
}

#[test]
fn a_listener_on_the_wildcard_accepts_both_families() {
    let lab = lab();
    let mut program = dual(&lab, "python3");
    let server = Running::start(python(&mut program, DUAL_SERVER));
    server.has_said("listening");
    let mut client = lab.kernel("python3");
    let client = python(&mut client, CLIENT).args([OWN, NSTK_ADDRESS, OWN_LINK_LOCAL]);
    let (link_local, _) = OWN_LINK_LOCAL.split_once('%').expect("a scope");
    assert_eq!(
        Outcome::of(client).success(),
        format!("{OWN}\n::ffff:{NSTK_ADDRESS}\n{link_local}\n")
    );
    let peers = server.said();
    let peers: Vec<_> = peers.lines().take(3).collect();
    assert_eq!(
        peers,
        ["listening", PEER, &format!("::ffff:{PEER_ADDRESS}")]
    );
}

#[test]
fn link_local_peers_are_reached_through_the_scope_of_the_tap() {
    let lab = lab();
    lab.run("ip address add fe80::77/64 dev nstk0 nodad");
    let mut server = lab.kernel("python3");
    let server = Running::start(python(&mut server, DUAL_SERVER));
    server.has_said("listening");
    let source = r"
import socket
connection = socket.create_connection(('fe80::77%nstk0', 7000), timeout=10)
print(connection.getsockname()[0], connection.getpeername()[0], connection.getpeername()[3] == socket.if_nametoindex('nstk0'))
s = socket.socket(socket.AF_INET6)
try:
    s.connect(('fe80::77%lo', 7000))
except OSError as error:
    print('not on that link')
";
    let mut client = dual(&lab, "python3");
    let answer = Outcome::of(python(&mut client, source)).success();
    let (own, _) = OWN_LINK_LOCAL.split_once('%').expect("a scope");
    assert_eq!(answer, format!("{own} fe80::77 True\nnot on that link\n"));
    server.has_said(own);
}

#[test]
fn both_families_can_have_a_listener_on_one_port() {
    let source = r"
import socket, threading
def serve(family, address):
    server = socket.socket(family)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, 7000))
    server.listen()
    return server
def accept(server, name):
    connection, _ = server.accept()
    connection.sendall(name)
    connection.close()
servers = [(serve(socket.AF_INET, '0.0.0.0'), b'four'), (serve(socket.AF_INET6, '::'), b'six')]
print('listening', flush=True)
threads = [threading.Thread(target=accept, args=server) for server in servers]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
";
    let lab = lab();
    let mut program = dual(&lab, "python3");
    let server = Running::start(python(&mut program, source));
    server.has_said("listening");
    let mut client = lab.kernel("python3");
    let client = python(&mut client, CLIENT).args([OWN, NSTK_ADDRESS]);
    assert_eq!(Outcome::of(client).success(), "six\nfour\n");
    server.finish().success();
}

#[test]
fn curl_fetches_over_ipv6() {
    let lab = lab();
    let directory = std::env::temp_dir().join(format!("nstk-ipv6-{}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory of our own");
    let content: Vec<u8> = (0..20_000_000u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    std::fs::write(directory.join("file"), &content).expect("room");
    let mut server = lab.kernel("python3");
    server.args(["-m", "http.server", "--bind", PEER, "8000"]);
    let server = Running::start(server.current_dir(&directory));
    let probe = "import socket; socket.create_connection(('{peer}', 8000))";
    eventually("the web server listens", || {
        let mut client = lab.kernel("python3");
        Outcome::of(python(&mut client, probe)).status.success()
    });
    let before = lab.tap_frames();
    let copy = directory.join("copy");
    for mut curl in [dual(&lab, "curl"), alone(&lab, "curl")] {
        curl.args(["-g", "-6", "-sS", "-w", "%{local_ip} %{remote_ip}", "-o"])
            .arg(&copy)
            .arg(format!("http://[{PEER}]:8000/file"));
        assert_eq!(Outcome::of(&mut curl).success(), format!("{OWN} {PEER}"));
        assert!(std::fs::read(&copy).expect("a copy") == content);
    }
    assert!(lab.tap_frames() > before + 100);
    drop(server);
    std::fs::remove_dir_all(&directory).expect("the directory is ours");
}

/// One second of a netperf test over IPv6 with the client under libnstk.so. Gives its throughput, and the bytes and frames
/// that the tap took from it.
fn netperf(test: &str) -> (f64, u64, u64) {
    let lab = lab();
    let server = Running::start(lab.kernel("netserver").args(["-6", "-D"]));
    let probe = "import socket; socket.create_connection(('{peer}', 12865))";
    eventually("netserver listens", || {
        let mut client = lab.kernel("python3");
        Outcome::of(python(&mut client, probe)).status.success()
    });
    let before = tap_received(&lab);
    let mut client = alone(&lab, "netperf");
    client.args(["-6", "-P", "0", "-H", PEER, "-t", test, "-l", "1"]);
    let answer = Outcome::of(client.args(["--", "-o", "THROUGHPUT"])).success();
    drop(server);
    let after = tap_received(&lab);
    let throughput = answer
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("netperf answers {answer}"));
    (throughput, after.0 - before.0, after.1 - before.1)
}

#[test]
fn a_stream_leaves_in_super_segments() {
    let (throughput, bytes, frames) = netperf("TCP_STREAM");
    assert!(throughput > 100.0, "{throughput} Mbit/s");
    assert!(bytes / frames > 10_000, "{bytes} bytes in {frames} frames");
}

#[test]
fn a_stream_comes_in() {
    let (throughput, _, frames) = netperf("TCP_MAERTS");
    assert!(throughput > 100.0, "{throughput} Mbit/s");
    assert!(frames > 100);
}

#[test]
fn transactions_over_tcp_and_udp_are_answered() {
    for test in ["TCP_RR", "TCP_CRR", "UDP_RR"] {
        let (throughput, _, frames) = netperf(test);
        assert!(throughput > 100.0, "{test}: {throughput} transactions/s");
        assert!(frames > 100);
    }
}

/// Sends datagrams of several lengths to port 7000 and prints the lengths that come back.
const UDP_CLIENT: &str = r"
import socket, sys
family = socket.AF_INET6
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(10)
for length in (1, 1400, 9000, 60000):
    data = bytes(at % 251 for at in range(length))
    s.sendto(data, (sys.argv[1], 7000))
    answer, sender = s.recvfrom(65535)
    print(length, answer == data, sender[0])
";

const UDP_SERVER: &str = r"
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(('::', 7000))
print('listening', flush=True)
while True:
    data, sender = s.recvfrom(65535)
    s.sendto(data, sender)
";

#[test]
fn datagrams_of_any_length_come_back_both_ways() {
    let echoed = |address: &str| {
        [1, 1400, 9000, 60000]
            .map(|length| format!("{length} True {address}\n"))
            .concat()
    };
    let lab = lab();
    let mut server = lab.kernel("python3");
    let server = Running::start(python(&mut server, UDP_SERVER));
    server.has_said("listening");
    let mut client = dual(&lab, "python3");
    let client = python(&mut client, UDP_CLIENT).arg(PEER);
    assert_eq!(Outcome::of(client).success(), echoed(PEER));
    drop(server);

    let mut server = dual(&lab, "python3");
    let server = Running::start(python(&mut server, UDP_SERVER));
    server.has_said("listening");
    let mut client = lab.kernel("python3");
    let client = python(&mut client, UDP_CLIENT).arg(OWN);
    assert_eq!(Outcome::of(client).success(), echoed(OWN));
    drop(server);
}

#[test]
fn closed_ports_and_absent_neighbours_are_told_of_as_on_the_kernel() {
    let source = r"
import errno, socket
def fails(work):
    try:
        work()
        return 'done'
    except OSError as error:
        return errno.errorcode[error.errno]
print(fails(lambda: socket.create_connection(('{peer}', 1))))
print(fails(lambda: socket.create_connection(('fd78::1', 1), timeout=5)))
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.connect(('{peer}', 1))
s.send(b'x')
s.settimeout(5)
print(fails(lambda: s.recv(1)))
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
print(fails(lambda: s.connect(('::ffff:{peer4}', 1))))
print(fails(lambda: s.bind(('fd77::9', 0))))
";
    let lab = lab();
    // A stack without a gateway leaves the rest of the world to the kernel, which has none either.
    for mut program in [lab.kernel("python3"), dual(&lab, "python3")] {
        let answer = Outcome::of(python(&mut program, source)).success();
        let errors: Vec<_> = answer.lines().collect();
        assert_eq!(
            errors,
            [
                "ECONNREFUSED",
                "ENETUNREACH",
                "ECONNREFUSED",
                "ENETUNREACH",
                "EADDRNOTAVAIL"
            ]
        );
    }
}

#[test]
fn ipv6_goes_by_the_kernel_where_the_stack_has_none() {
    let lab = lab();
    let mut server = lab.kernel("python3");
    let server = Running::start(python(&mut server, DUAL_SERVER));
    server.has_said("listening");
    let mut client = lab.nstk("python3");
    let client = python(&mut client, CLIENT).args(["::1", PEER]);
    assert_eq!(Outcome::of(client).success(), format!("::1\n{PEER}\n"));
    let mut client = dual(&lab, "python3");
    let client = python(&mut client, CLIENT)
        .env("NSTK_BYPASS", "kernel tcp [fd77::/64]:7000")
        .args(["::1", PEER]);
    assert_eq!(Outcome::of(client).success(), format!("::1\n{PEER}\n"));
    assert!(
        server.said().lines().skip(1).eq(["::1", PEER, "::1", PEER]),
        "{}",
        server.said()
    );
}

#[test]
fn a_link_that_is_too_narrow_for_ipv6_is_named() {
    let lab = lab();
    lab.run("ip link set nstk0 mtu 1279");
    let mut program = dual(&lab, "python3");
    let outcome = Outcome::of(python(&mut program, "import socket; socket.socket()"));
    assert!(outcome.status.success());
    assert!(
        outcome
            .stderr
            .contains("its MTU is 1279 bytes, but IPv6 needs 1280"),
        "{}",
        outcome.stderr
    );
}
