//! Programs that take from themselves what the library needs: address space, system calls, their user.

use std::process::Command;

use nstk_tests::{CProgram, Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer};

use crate::PEER;

/// Runs a program both ways beside an echo server, with these arguments behind the peer's address and port.
fn same(name: &str, arguments: &[&str]) {
    let lab = Lab::new();
    let program = CProgram::compile(name);
    lab.same(program.path(), |mut command, _| {
        let peer = Peer::start(&lab, PEER, "echo");
        command.args([PEER_ADDRESS, &peer.port.to_string()]);
        Outcome::of(command.args(arguments))
    });
}

#[test]
fn a_program_may_limit_its_address_space_after_the_start() {
    for call in ["setrlimit", "prlimit", "syscall"] {
        same("limited", &[call]);
    }
}

#[test]
fn children_that_are_made_without_libcs_fork_use_their_parents_sockets() {
    let lab = Lab::new();
    let program = CProgram::compile("cloning");
    let run = |mut command: Command| {
        let peer = Peer::start(&lab, PEER, "echo");
        Outcome::of(command.args([PEER_ADDRESS, &peer.port.to_string()]))
    };
    let kernel = run(lab.kernel(program.path()));
    let nstk = lab.through_tap(|| run(lab.nstk(program.path())));
    // Those that were killed inside may be named.
    let is_repair = |line: &str| line.contains("died inside the stack: repaired");
    assert!(nstk.stderr.lines().all(is_repair), "{}", nstk.stderr);
    assert_eq!(nstk.stdout, kernel.success());
}

#[test]
fn a_child_in_a_pid_namespace_of_its_own_is_named_and_has_no_part() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    for make in [
        "libc.syscall(56, 0x20000000 | 17, 0, 0, 0, 0)",
        "os.fork() if libc.unshare(0x20000000) == 0 else -1",
    ] {
        let script = format!(
            "import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None)
s = socket.create_connection(('{PEER_ADDRESS}', {port}))
child = {make}
if child == 0:
    try: s.send(b'x')
    except OSError as error: print(errno.errorcode[error.errno], flush=True)
    os._exit(0)
os.waitpid(child, 0)
s.sendall(b'parent')
print(s.recv(6).decode())",
            port = peer.port
        );
        let mut python = lab.nstk("python3");
        let outcome = Outcome::of(python.args(["-c", &script]));
        assert_eq!(outcome.stdout, "ENOTCONN\nparent\n", "{}", outcome.stderr);
        let line = outcome.stderr.lines().next().unwrap_or_default();
        assert!(line.contains("CLONE_NEWPID"), "{}", outcome.stderr);
    }
}

#[test]
fn a_child_that_was_made_without_libc_is_named() {
    let lab = Lab::new();
    let program = CProgram::compile("cloning");
    let peer = Peer::start(&lab, PEER, "echo");
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string(), "hidden"]);
    let outcome = Outcome::of(&mut command);
    assert_eq!(
        outcome.stdout,
        "send(s, \"x\", 1, MSG_NOSIGNAL): ENOTCONN\n"
    );
    let line = "was made without libc's fork";
    assert_eq!(
        outcome.stderr.matches(line).count(),
        1,
        "{}",
        outcome.stderr
    );
}

#[test]
fn three_hundred_processes_share_a_stack() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    // All have their connections at one time. Each sends through its own, and then through the one that all share.
    let script = format!(
        "import os, socket, sys
peer = ('{PEER_ADDRESS}', {port})
shared = socket.create_connection(peer)
begin, go = os.pipe()
ready, done = os.pipe()
def child(number):
    own = socket.create_connection(peer)
    os.write(done, b'r')
    os.read(begin, 1)
    for round in range(3):
        own.sendall(bytes([number % 251]) * 1000)
        assert own.recv(1000, socket.MSG_WAITALL) == bytes([number % 251]) * 1000
    shared.sendall(b's')
children = []
for number in range(300):
    pid = os.fork()
    if pid == 0:
        try: child(number)
        except BaseException as error: print(number, error, flush=True); os._exit(1)
        os._exit(0)
    children.append(pid)
for _ in children: os.read(ready, 1)
os.write(go, b'g' * 300)
print(sum(os.waitpid(pid, 0)[1] == 0 for pid in children))
print(len(shared.recv(300, socket.MSG_WAITALL)), shared.getsockname()[0])",
        port = peer.port
    );
    let mut python = lab.nstk("python3");
    let said = Outcome::of(python.args(["-c", &script])).success();
    assert_eq!(said, format!("300\n300 {NSTK_ADDRESS}\n"));
}

#[test]
fn a_stack_needs_the_system_calls_that_are_listed() {
    let lab = Lab::new();
    let program = CProgram::compile("filtered");
    for arguments in [&["kill"][..], &["errno"], &["kill", "prctl"]] {
        lab.same(program.path(), |mut command, own| {
            let peer = Peer::start(&lab, PEER, "echo");
            command.args([own, "7000", PEER_ADDRESS, &peer.port.to_string()]);
            Outcome::of(command.args(arguments))
        });
    }
}

#[test]
fn the_document_lists_the_system_calls_that_are_tested() {
    let source = include_str!("../../programs/filtered.c");
    let document = include_str!("../../../docs/sandbox.md");
    for list in ["#define NEEDED(X)", "#define WANTED(X)"] {
        let line = source.lines().find_map(|line| line.strip_prefix(list));
        let calls = line.expect("the program has it").split("X(").skip(1);
        for call in calls.filter_map(|call| call.split(')').next()) {
            assert!(document.contains(&format!("`{call}`")), "{call} is missing");
            assert!(
                document.contains(&format!("\"{call}\"")),
                "{call} is missing"
            );
        }
    }
}
