//! A program that talks to itself by its own address: the kernel's answers on the kernel's address, the same on the stack's.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS};

/// Connections, datagrams, refusals and ends of a program with itself, of two threads and of a child. It says what it saw.
const SCRIPT: &str = include_str!("../../programs/itself.py");

#[test]
fn a_program_reaches_itself_by_the_stacks_own_address() {
    let lab = Lab::new();
    lab.run("ip address add fd77::1/64 dev nstk0 nodad");
    lab.run("ip link set lo up");
    let run = |mut python: Command, me: &str, me6: &str| {
        python.env("ME", me).env("ME6", me6).args(["-c", SCRIPT]);
        Outcome::of(&mut python)
    };
    let kernel = run(lab.kernel("python3"), PEER_ADDRESS, "fd77::1");
    let mut python = lab.nstk("python3");
    python.env("NSTK_ADDR", format!("{NSTK_ADDRESS}/24,fd77::2/64"));
    let nstk = run(python, NSTK_ADDRESS, "fd77::2");
    Outcome::assert_same(&kernel, &nstk);
    assert!(
        kernel.success().ends_with("child 0\n"),
        "it came to its end"
    );
}
