//! Programs that take from themselves what the library needs: address space, system calls, their user.

use std::process::Command;

use nstk_tests::{CProgram, Lab, Outcome, PEER_ADDRESS, Peer};

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
