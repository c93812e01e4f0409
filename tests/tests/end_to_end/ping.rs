//! ICMP, as the kernel's side sees the stack.

use nstk_tests::{CProgram, Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running};

use crate::PEER;

/// A program that waits in a call, so that the stack is there, and somebody in it.
fn waiting(lab: &Lab, program: &CProgram, mode: &str) -> (Running, Peer) {
    let peer = Peer::start(lab, PEER, "echo");
    let running =
        Running::start(
            lab.nstk(program.path())
                .args([PEER_ADDRESS, &peer.port.to_string(), mode]),
        );
    running.has_said("waiting");
    (running, peer)
}

fn ping(lab: &Lab, options: &[&str]) -> String {
    Outcome::of(
        lab.kernel("ping")
            .args(["-c", "3", "-i", "0.2", "-W", "5"])
            .args(options)
            .arg(NSTK_ADDRESS),
    )
    .success()
}

#[test]
fn the_stack_answers_while_the_program_waits() {
    let (lab, program) = (Lab::new(), CProgram::compile("waiting"));
    let _running = waiting(&lab, &program, "recv");
    assert!(ping(&lab, &[]).contains(" 0% packet loss"));
}

#[test]
fn the_stack_answers_while_the_program_is_elsewhere() {
    let (lab, program) = (Lab::new(), CProgram::compile("waiting"));
    let _running = waiting(&lab, &program, "pause");
    assert!(ping(&lab, &["-s", "1400"]).contains(" 0% packet loss"));
}
