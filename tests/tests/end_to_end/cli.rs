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

/// As a command line for the ancestor has it, with our option beside it.
#[test]
fn the_ancestors_buffers_stay_beside_an_option() {
    let line = "LKL_SYSCTL='net.ipv4.tcp_wmem=4096 16384 100000000' \
                nstk run --cc bbr -- nstk sysctl net.ipv4.tcp_wmem net.ipv4.tcp_congestion_control";
    assert_eq!(
        in_lab(&["sh", "-c", line]).success(),
        "net.ipv4.tcp_wmem = 4096 16384 100000000\nnet.ipv4.tcp_congestion_control = bbr\n"
    );
}

#[test]
fn the_taps_of_the_lab_are_offered_to_the_shell() {
    let offered = in_lab(&[
        "sh",
        "-c",
        "nstk completion bash --answer 3 -- nstk run --if tap",
    ])
    .success();
    assert_eq!(offered, "tap:nstk0\t\n");
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

/// What a Python script prints and says in a lab. `start` runs a server under the stack, and comes back when it is up.
fn scripted(script: &str) -> Outcome {
    let head = r#"
import subprocess, sys, time
server = "import socket, time; s = socket.create_server(('', 7000)); print('up', flush=True); time.sleep(60)"
def start(*options):
    command = ["nstk", "run", *options, "--", sys.executable, "-c", server]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "up\n"
    return program
"#;
    in_lab(&["python3", "-c", &format!("{head}{script}")])
}

#[test]
fn without_a_device_the_program_is_not_started() {
    for (options, named) in [
        (["--if", "tap:nosuch0"], "no such interface"),
        (["--if", "tap:lo"], "not a tap"),
    ] {
        let run = [&["nstk", "run"], &options[..], &["--", "echo", "started"]].concat();
        let outcome = in_lab(&run);
        assert_eq!(outcome.status.code(), Some(69), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
        assert!(outcome.stderr.contains(named), "{}", outcome.stderr);
    }
}

#[test]
fn who_holds_the_device_is_named_and_can_be_waited_for() {
    let outcome = scripted(
        r#"
# A program that has the tap, and is no program of the stack's.
hold = "import fcntl, os, struct, time; tap = os.open('/dev/net/tun', os.O_RDWR); fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH', b'nstk0', 0x5002)); print('up', flush=True); time.sleep(60)"
holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
assert holder.stdout.readline() == "up\n"
refused = subprocess.run(["nstk", "run", "--", "echo", "started"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert refused.returncode == 69 and refused.stdout == "", refused
assert f"held by python3 (pid {holder.pid})" in refused.stderr, refused
waiting = subprocess.Popen(["nstk", "run", "--wait", "60", "--", sys.executable, "-c", "import socket; socket.create_server(('', 7001)); print('started')"])
try:
    waiting.wait(0.3)
    sys.exit("it has not waited")
except subprocess.TimeoutExpired:
    holder.kill()
sys.exit(waiting.wait())
"#,
    );
    assert_eq!(outcome.success(), "started\n");
}

#[test]
fn a_second_program_of_one_run_joins_the_first() {
    let outcome = scripted(
        r#"
server = "import socket; socket.create_server(('', 7002)); print('started')"
# Two programs of one `nstk run`: the second one finds that the first has the device.
both = "import socket, subprocess, sys; s = socket.create_server(('', 7001)); sys.exit(subprocess.run(sys.argv[1:]).returncode)"
run = ["nstk", "run", "--", sys.executable, "-c", both, sys.executable, "-c", server]
sys.exit(subprocess.run(run).returncode)
"#,
    );
    assert_eq!(outcome.success(), "started\n");
}

#[test]
fn ps_lists_programs_with_device_address_and_keeper() {
    let outcome = scripted(
        r#"
program = start()
# On a busy machine the keeper takes a while until it is there.
for _ in range(200):
    listed = subprocess.run(["nstk", "ps"], stdout=subprocess.PIPE, text=True, check=True).stdout
    listed = [line for line in listed.splitlines() if f"({program.pid})" in line or "DEVICE" in line]
    if not any("none" in line for line in listed):
        break
    time.sleep(0.05)
for line in listed:
    print(line.replace(str(program.pid), "PID"))
"#,
    );
    let said = outcome.success();
    let lines: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [head, row] = lines.as_slice() else {
        panic!("a head and a row, not {said}");
    };
    assert_eq!(head, &["DEVICE", "ADDRESS", "PROGRAMS", "KEEPER"]);
    assert_eq!(
        row[..5],
        ["tap:nstk0", "10.77.1.2,fd77::2", "python3", "(PID)", "pid"]
    );
}

#[test]
fn ps_fits_a_narrow_terminal() {
    let outcome = scripted(
        r#"
start()
subprocess.run(["script", "-qec", "stty rows 24 cols 40; nstk ps", "/dev/null"], stdin=subprocess.DEVNULL, check=True)
"#,
    );
    let said = outcome.success();
    assert!(said.contains("ADDRESS   10.77.1.2,fd77::2"), "{said}");
    let longest = said.lines().map(|line| line.trim_end().len()).max();
    assert!(longest <= Some(40), "{said}");
}

#[test]
fn a_program_with_the_keepers_name_is_no_keeper() {
    let outcome = scripted(
        r#"
named = "open('/proc/self/comm', 'w').write('nstk-keeper'); "
command = ["nstk", "run", "--", sys.executable, "-c", named + server]
program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
assert program.stdout.readline() == "up\n"
listed = subprocess.run(["nstk", "ps"], stdout=subprocess.PIPE, text=True, check=True).stdout
assert f"nstk-keeper ({program.pid})" in listed, listed
program.kill()
# One that has the tap without a stack. A real keeper is there for another second.
hold = "import fcntl, os, struct, time; tap = os.open('/dev/net/tun', os.O_RDWR); fcntl.ioctl(tap, 0x400454ca, struct.pack('16sH', b'nstk0', 0x5002)); print('up', flush=True); time.sleep(60)"
while True:
    program = subprocess.Popen([sys.executable, "-c", named + hold], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if program.stdout.readline() == "up\n":
        break
refused = subprocess.run(["nstk", "run", "--", "echo", "started"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert f"held by nstk-keeper (pid {program.pid})" in refused.stderr, refused
assert refused.returncode == 69, refused
program.kill()
"#,
    );
    assert_eq!(outcome.success(), "");
}

#[test]
fn verbose_says_what_the_stack_is_and_what_it_has_done() {
    let said = client_of_a_kernel_server("-v --cc reno").stderr;
    for part in [
        "the stack is up on tap:nstk0 10.77.1.2/24 fd77::2/64, MTU 1500, tcp_congestion_control reno (NSTK_SYSCTL)",
        "tcp_rmem 4096 131072 6291456 (default)",
        "the stack has done: 1 connections made, 0 accepted",
        "0 segments retransmitted",
        "sockets that went by the kernel's stack: none",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

/// The second program takes the stack over from the keeper, with its counters.
#[test]
fn verbose_counts_what_this_program_has_done() {
    let outcome = in_lab(&[
        "python3",
        "-c",
        r#"
import os, socket, subprocess, sys
server = socket.create_server((os.environ["NSTK_PEER"], 0))
client = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(1)"
address, port = server.getsockname()
run = ["nstk", "run", "-v", "--", sys.executable, "-c", client, address, str(port)]
for _ in range(2):
    with subprocess.Popen(run):
        server.accept()[0].close()
"#,
    ]);
    let said = outcome.stderr;
    assert_eq!(
        said.matches("has done: 1 connections made").count(),
        2,
        "{said}"
    );
}
