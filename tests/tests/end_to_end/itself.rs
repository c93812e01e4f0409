//! A program that talks to itself by its own address, or by the loopback's: the kernel's answers there, the same on the stack.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS};

/// Connections, datagrams, refusals and ends of a program with itself, of two threads and of a child. It says what it saw.
const SCRIPT: &str = include_str!("../../programs/itself.py");

/// What addresses a program sees that goes from one loopback address to another.
const LOOPBACK_SCRIPT: &str = include_str!("../../programs/loopback.py");

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

#[test]
fn with_nstk_loopback_a_program_reaches_itself_by_loopback_addresses() {
    let lab = Lab::new();
    lab.run("ip link set lo up");
    let run = |mut python: Command, script: &str| {
        python.env("ME", "127.0.0.1").env("ME6", "::1");
        Outcome::of(python.args(["-c", script]))
    };
    let nstk = || {
        let mut python = lab.nstk("python3");
        python.env("NSTK_LOOPBACK", "stack");
        python
    };
    for script in [SCRIPT, LOOPBACK_SCRIPT] {
        let kernel = run(lab.kernel("python3"), script);
        Outcome::assert_same(&kernel, &run(nstk(), script));
        assert!(!kernel.success().is_empty(), "it came to its end");
    }
    // The kernel has nothing to do with it.
    lab.run("ip link set lo down");
    let alone = run(nstk(), LOOPBACK_SCRIPT);
    assert_eq!(alone.success(), run(nstk(), LOOPBACK_SCRIPT).success());
}
