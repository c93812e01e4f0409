//! The way out of a lab (`nstk lab --uplink`), and labs in labs. Needs Python, curl, nft and slirp4netns.

use std::process::{Command, Stdio};

use nstk_tests::{
    MACHINE_ADDRESS, Machine, NSTK_ADDRESS, Outcome, REMOTE_ADDRESS, Running, eventually, kill,
    nstk_command,
};

/// A visit of the remote host's from a program on the stack, which must not go by the kernel. It prints where it came from.
fn visit() -> String {
    format!(
        "nstk run --fail exit -- curl --silent --show-error --output /dev/null \
         --write-out %{{local_ip}}\\\\n http://{REMOTE_ADDRESS}/"
    )
}

/// A lab on the machine with a way out, and a line of shell in it.
fn lab(machine: &Machine, line: &str) -> Command {
    lab_by(machine.command(nstk_command().get_program()), line)
}

fn lab_by(mut nstk: Command, line: &str) -> Command {
    nstk.args(["lab", "--uplink", "--", "sh", "-c", line]);
    nstk
}

#[test]
fn a_program_in_the_lab_reaches_a_remote_host() {
    let machine = Machine::new();
    let before = machine.state();
    let outcome = Outcome::of(&mut lab(&machine, &visit()));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.success(), format!("{NSTK_ADDRESS}\n"));
    assert_eq!(machine.visitors(), [MACHINE_ADDRESS]);
    assert_eq!(machine.state(), before);
}

#[test]
fn nothing_is_left_when_a_lab_with_a_way_out_is_killed() {
    let machine = Machine::new();
    let before = machine.state();
    let lab = Running::start(&mut lab(&machine, "echo up; sleep 600"));
    lab.has_said("up");
    assert_ne!(machine.state(), before);
    kill(lab.id(), "KILL");
    machine.becomes(&before);
    eventually("the process outside ends", || {
        machine.processes("nstk").is_empty()
    });
}

#[test]
fn the_last_of_two_labs_puts_forwarding_back() {
    let machine = Machine::new();
    let before = machine.state();
    let start = |line: &str| {
        let lab = Running::start(lab(&machine, line).stdin(Stdio::piped()));
        lab.has_said("up");
        lab
    };
    // Each ends with its input.
    let first = start("echo up; read end");
    let last = start(&format!("echo up; read end; {}", visit()));
    first.finish();
    assert_eq!(last.finish().success(), format!("up\n{NSTK_ADDRESS}\n"));
    machine.becomes(&before);
}

#[test]
fn a_lab_in_a_lab_has_a_way_out_through_both() {
    let machine = Machine::new();
    let before = machine.state();
    // The outer one is reached from the inner one, too.
    let inner = format!("{}; ping -c 1 10.77.1.1 >&2", visit());
    let line = format!("nstk lab --uplink -- sh -c '{inner}'");
    let outcome = Outcome::of(&mut lab(&machine, &line));
    assert_eq!(outcome.success(), "10.77.2.2\n");
    assert_eq!(machine.visitors(), [MACHINE_ADDRESS]);
    assert_eq!(machine.state(), before);
}

#[test]
fn a_lab_in_a_lab_has_the_same_names_and_is_another_network() {
    let nested = "nstk run --fail exit -- python3 -u -m http.server 8000 >/dev/null 2>&1 &
        until curl --silent --output /dev/null http://10.77.1.2:8000/; do sleep 0.1; done
        nstk lab -- sh -c 'python3 -m http.server 8000 >/dev/null 2>&1 &
            nstk run --fail exit -- curl --silent --retry 9 --retry-connrefused --output /dev/null --write-out %{local_ip} http://10.77.1.1:8000/'";
    let mut command = nstk_command();
    let outcome = Outcome::of(command.args(["lab", "--", "sh", "-c", nested]));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.success(), NSTK_ADDRESS);
}

#[test]
fn who_is_not_root_on_the_machine_has_a_way_out_by_slirp() {
    let machine = Machine::new();
    let before = machine.state();
    let mut user = machine.command("setpriv");
    user.args(["--bounding-set=-sys_admin", "--inh-caps=-all"]);
    user.arg(nstk_command().get_program());
    let outcome = Outcome::of(&mut lab_by(user, &visit()));
    assert_eq!(outcome.stderr, "");
    assert_eq!(outcome.success(), format!("{NSTK_ADDRESS}\n"));
    assert_eq!(machine.visitors(), [MACHINE_ADDRESS]);
    assert_eq!(machine.state(), before);
    assert!(machine.processes("slirp4netns").is_empty());
}

#[test]
fn nobody_out_there_gets_in() {
    let machine = Machine::new();
    let before = machine.state();
    let tell = "ip -4 -oneline address show uplink0 | awk '{print $4}'; sleep 600";
    let lab = Running::start(&mut lab(&machine, tell));
    lab.has_said("10.77.");
    let inside = lab.said().trim().to_owned();
    assert!(machine.reaches(&inside), "the machine itself does");
    assert!(!machine.leads_to(&inside));
    kill(lab.id(), "KILL");
    machine.becomes(&before);
}
