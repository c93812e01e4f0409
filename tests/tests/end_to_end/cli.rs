//! The command `nstk`: a test network, and programs that it starts there. Needs Python.

use std::path::{Path, PathBuf};

use nstk_tests::{NSTK_ADDRESS, Outcome, Running, eventually, kill, nstk_command};

/// Runs a command in a lab of its own.
fn in_lab(command: &[&str]) -> Outcome {
    Outcome::of(nstk_command().args(["lab", "--"]).args(command))
}

/// A server on the kernel's stack that starts a client with `nstk run OPTIONS` and prints from where it came and what it says.
fn client_of_a_kernel_server(options: &str) -> Outcome {
    let server = r#"
import os, socket, subprocess, sys
server = socket.create_server((os.environ["NSTK_PEER"], 0))
client = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
s.sendall(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16))
"""
address, port = server.getsockname()
run = ["nstk", "run", *"{options}".split(), "--", sys.executable, "-c", client, address, str(port)]
with subprocess.Popen(run) as child:
    connection, peer = server.accept()
    said = b"".join(iter(lambda: connection.recv(100), b""))
print(peer[0], said.rstrip(b"\0").decode())
sys.exit(child.returncode)
"#;
    in_lab(&["python3", "-c", &server.replace("{options}", options)])
}

#[test]
fn a_program_in_the_lab_comes_from_the_stacks_address() {
    let outcome = client_of_a_kernel_server("--fail exit");
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.success(), format!("{NSTK_ADDRESS} cubic\n"));
}

#[test]
fn the_lab_does_without_path_and_shell() {
    let version = ["lab", "--", "sh", "-c", "nstk --version"];
    let outcome = Outcome::of(nstk_command().env_remove("PATH").args(version));
    assert!(outcome.success().starts_with("nstk "));
    Outcome::of(nstk_command().env("SHELL", "").arg("lab")).success();
}

#[test]
fn options_reach_the_program() {
    let said = client_of_a_kernel_server("--addr 10.77.1.9/24 --cc bbr --fail exit").success();
    assert_eq!(said, "10.77.1.9 bbr\n");
}

#[test]
fn the_lab_has_ipv6_too() {
    let server = r#"
import socket, subprocess, sys
server = socket.create_server(("fd77::1", 0), family=socket.AF_INET6)
client = "import socket, sys; socket.create_connection(('fd77::1', int(sys.argv[1]))).sendall(b'hello')"
run = ["nstk", "run", "--", sys.executable, "-c", client, str(server.getsockname()[1])]
with subprocess.Popen(run):
    connection, peer = server.accept()
    print(peer[0], connection.recv(100).decode())
"#;
    let said = in_lab(&["python3", "-c", server]).success();
    assert_eq!(said, "fd77::2 hello\n");
}

#[test]
fn the_lab_ends_with_the_commands_status() {
    for (command, status) in [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -s KILL $$"], 128 + 9),
        (["nstk", "run", "--addr=elsewhere"], 2),
        (["/no/such/program", "", ""], 127),
        (["/etc/passwd", "", ""], 126),
    ] {
        let outcome = in_lab(&command);
        assert_eq!(outcome.status.code(), Some(status), "{}", outcome.stderr);
    }
}

#[test]
fn nothing_is_left_when_the_command_ends() {
    let network = network_of(&in_lab(&["sh", "-c", &format!("setsid {WAIT} & {TELL}")]).success());
    assert_eq!(members(&network), 0);
}

#[test]
fn nothing_is_left_when_the_lab_is_killed() {
    let script = format!("setsid {WAIT} & {TELL}; echo up; wait");
    let lab = Running::start(nstk_command().args(["lab", "--", "sh", "-c", &script]));
    lab.has_said("up");
    kill(lab.id(), "KILL");
    let network = network_of(&lab.finish().stdout);
    eventually("the lab's processes end", || members(&network) == 0);
}

#[test]
fn who_cannot_make_namespaces_makes_a_lab_as_a_user() {
    let mut command = std::process::Command::new("setpriv");
    let nstk = nstk_command();
    command
        .args(["--bounding-set=-sys_admin", "--inh-caps=-all"])
        .arg(nstk.get_program())
        .args(["lab", "--", "cat", "/proc/self/uid_map", "/proc/net/dev"]);
    let said = Outcome::of(&mut command).success();
    let map: Vec<&str> = said.split_whitespace().take(3).collect();
    assert_eq!(map, ["0", "0", "1"], "{said}");
    assert!(said.contains("nstk0:"), "{said}");
}

#[test]
fn the_doctor_finds_all_that_the_stack_needs() {
    Outcome::of(nstk_command().arg("doctor")).success();
}

const TELL: &str = "readlink /proc/self/ns/net";
const WAIT: &str = "sleep 600";

fn network_of(said: &str) -> PathBuf {
    let line = said.lines().find(|line| line.starts_with("net:["));
    line.expect("the lab tells its network").into()
}

/// How many processes are in a network namespace.
fn members(network: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").expect("/proc is mounted");
    processes
        .filter_map(|process| std::fs::read_link(process.ok()?.path().join("ns/net")).ok())
        .filter(|own| own == network)
        .count()
}
