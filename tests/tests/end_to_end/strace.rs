//! What loading the library does, in system calls.

use std::process::Command;

use nstk_tests::{Outcome, preload};

#[test]
fn a_program_without_sockets_gets_no_thread_no_child_and_no_descriptor() {
    let mut command = Command::new("strace");
    command.args(["-f", "--quiet=all", "-e", "signal=none"]);
    command.args([
        "-e",
        "trace=process,network,memfd_create,eventfd2,epoll_create1,/dup.*",
    ]);
    let outcome = Outcome::of(command.arg("-E").arg(preload()).arg("/bin/true"));
    let made: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| !line.starts_with("execve(") && !line.starts_with("exit_group("))
        .collect();
    assert!(made.is_empty(), "{}", made.join("\n"));
    assert!(outcome.status.success());
}
