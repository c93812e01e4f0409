//! What outlives a program, and for how long.

use std::time::Duration;

use nstk_tests::{CProgram, Lab, Outcome, PEER_ADDRESS, Peer, Running, cpu_time, eventually};

use crate::PEER;

const KEEPER: &str = "nstk-keeper";

/// A program that sends a megabyte and leaves: all of it must arrive, and then the end.
fn leave(mode: &str) -> Outcome {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let outcome =
        Outcome::of(
            lab.nstk(program.path())
                .args([PEER_ADDRESS, &peer.port.to_string(), mode]),
        );
    assert_eq!(peer.next_line(), "1048576 intact fin", "{}", outcome.stderr);
    outcome
}

#[test]
fn data_arrives_after_exit() {
    assert!(leave("exit").status.success());
}

#[test]
fn data_arrives_after_close_and_exit() {
    assert!(leave("close").status.success());
}

#[test]
fn data_arrives_after_underscore_exit() {
    assert!(leave("_exit").status.success());
}

#[test]
fn data_arrives_after_abort() {
    assert!(!leave("abort").status.success());
}

#[test]
fn data_arrives_after_sigkill() {
    assert!(!leave("kill").status.success());
}

#[test]
fn data_arrives_after_exec_of_a_program_that_does_not_know_the_socket() {
    assert!(leave("exec").status.success());
}

#[test]
fn command_substitution_returns_with_the_command() {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let line = format!(
        "x=$({} {PEER_ADDRESS} {} exit); echo done",
        program.path().display(),
        peer.port
    );
    let outcome = Outcome::of(lab.nstk("bash").args(["-c", &line]));
    // The keeper is still there, which says that nobody waited for its end.
    assert!(
        !lab.processes(KEEPER).is_empty(),
        "the output was open until the keeper ended: {:?}",
        outcome.elapsed
    );
    assert_eq!(outcome.success(), "done\n");
    assert_eq!(peer.next_line(), "1048576 intact fin");
}

#[test]
fn the_keeper_ends_soon_after_the_last_connection() {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let _ =
        Outcome::of(
            lab.nstk(program.path())
                .args([PEER_ADDRESS, &peer.port.to_string(), "exit"]),
        );
    assert_eq!(
        lab.processes(KEEPER).len(),
        1,
        "one keeper, and it stays for those who come next"
    );
    eventually("the keeper has ended", || lab.processes(KEEPER).is_empty());
}

#[test]
fn there_is_no_keeper_before_the_first_connection() {
    let lab = Lab::new();
    assert!(
        Outcome::of(lab.nstk("sh").args(["-c", "true"]))
            .status
            .success()
    );
    assert!(lab.processes(KEEPER).is_empty());
}

#[test]
fn one_run_after_another_finds_the_tap_free() {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    for mode in ["exit", "kill", "close", "_exit", "abort", "exit"] {
        let outcome = Outcome::of(lab.nstk(program.path()).args([
            PEER_ADDRESS,
            &peer.port.to_string(),
            mode,
        ]));
        assert_eq!(outcome.stderr, "");
        assert_eq!(peer.next_line(), "1048576 intact fin");
    }
}

#[test]
fn what_the_peer_sends_is_acknowledged_while_the_program_computes() {
    let program = CProgram::compile("computing");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "drip");
    let running = Running::start(
        lab.nstk(program.path())
            .args([PEER_ADDRESS, &peer.port.to_string()]),
    );
    let sockets =
        || Outcome::of(lab.kernel("ss").args(["-H", "-t", "-n", "state", "all"])).success();
    // The peer has sent its last byte and FIN, and holds neither: all of it was acknowledged, by nobody but the keeper.
    eventually("the peer's FIN is acknowledged", || {
        sockets().lines().any(|line| line.starts_with("FIN-WAIT-2"))
    });
    assert!(
        cpu_time(running.id()).is_some_and(|time| time < Duration::from_secs(1)),
        "the program was still computing"
    );
    running.finish().success();
}

/// A program that waits uses no CPU, and neither does the keeper beside it.
fn idle(mode: &str) {
    let program = CProgram::compile("waiting");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let running =
        Running::start(
            lab.nstk(program.path())
                .args([PEER_ADDRESS, &peer.port.to_string(), mode]),
        );
    running.has_said("waiting");
    std::thread::sleep(Duration::from_millis(500));
    let used = || {
        let keepers = lab.processes(KEEPER).into_iter().filter_map(cpu_time);
        keepers.sum::<Duration>() + cpu_time(running.id()).expect("it still waits")
    };
    let before = used();
    std::thread::sleep(Duration::from_secs(2));
    let spent = used() - before;
    assert!(
        spent <= Duration::from_millis(20),
        "{spent:?} in two seconds"
    );
}

#[test]
fn waiting_in_recv_uses_no_cpu() {
    idle("recv");
}

#[test]
fn waiting_in_poll_uses_no_cpu() {
    idle("poll");
}

#[test]
fn waiting_in_epoll_wait_uses_no_cpu() {
    idle("epoll");
}

#[test]
fn sleeping_uses_no_cpu() {
    idle("sleep");
}

#[test]
fn pausing_uses_no_cpu() {
    idle("pause");
}

#[test]
fn sockets_of_a_dead_stack_report_errors_and_its_listeners_nothing() {
    let program = CProgram::compile("dead");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let mut command = lab.nstk(program.path());
    let outcome = Outcome::of(command.args([PEER_ADDRESS, &peer.port.to_string()]));
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    let &[killed, told] = lines.as_slice() else {
        panic!("one line of the program and one of the library: {lines:?}");
    };
    let killed = killed.strip_prefix("killed ").expect("a process id");
    assert!(
        told.contains(&format!("process {killed} was killed")),
        "{told}"
    );
    let said = outcome.success();
    let expected = "\
first: 2 level+ERR+HUP+IN edge+ERR+HUP+IN
again: 1 level+ERR+HUP+IN
poll: 2 ERR+HUP - ERR+HUP
poll of the listener: 0
recv(level, bytes, sizeof bytes, 0): ECONNRESET
send(level, \"x\", 1, MSG_NOSIGNAL): ECONNRESET
added: 2 level+ERR+HUP+IN fresh+ERR+HUP+IN
epoll_ctl(set, EPOLL_CTL_DEL, later, NULL): 0
epoll_ctl(set, EPOLL_CTL_DEL, later, NULL): ENOENT
closed: 0
in a child: 0
anew: 1 fresh+IN
hello
quiet: 0
";
    assert_eq!(said, expected);
}

#[test]
fn survivors_of_killed_processes_go_on_and_never_get_wrong_bytes() {
    let program = CProgram::compile("dying");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let outcome = Outcome::of(lab.nstk(program.path()).args([
        PEER_ADDRESS,
        &peer.port.to_string(),
        "-",
        "300",
    ]));
    let told = "died inside the stack: repaired, ";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    let said = outcome.success();
    let lost = said.strip_prefix("300 rounds, the connection was lost in ");
    let lost: u32 = lost.and_then(|lost| lost.trim().parse().ok()).expect(&said);
    // A child may die while it acknowledges what came for the parent.
    assert!(lost <= 3, "{said}");
}

#[test]
fn a_keeper_whose_name_was_removed_is_met_all_the_same() {
    // On a busy machine a keeper may end between two programs.
    let met = (0..20).any(|_| three_programs_meet_one_keeper());
    assert!(met, "all met the same keeper");
}

/// Whether all three programs met the same keeper, whose name is removed before the second and the third.
fn three_programs_meet_one_keeper() -> bool {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let mut keepers = Vec::new();
    // Only what is of this namespace.
    let remove = "rm /run/nstk-0-*/$(printf %x $(stat -Lc %i /proc/self/ns/net))-*";
    for remove in ["true", remove, remove] {
        let removed = Outcome::of(lab.kernel("sh").args(["-c", remove]));
        if !removed.status.success() {
            return false;
        }
        let mut command = lab.nstk(program.path());
        command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]);
        let outcome = Outcome::of(command.env("NSTK_FAIL", "exit"));
        assert_eq!(outcome.stderr, "");
        assert_eq!(peer.next_line(), "1048576 intact fin");
        keepers.extend(lab.processes(KEEPER));
    }
    keepers.dedup();
    keepers.len() == 1
}
