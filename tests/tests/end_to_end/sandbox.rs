//! Programs that take from themselves what the library needs: address space, system calls, their user.

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
