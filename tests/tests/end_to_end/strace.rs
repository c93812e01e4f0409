//! What loading the library does, in system calls.

use nstk_tests::{Lab, Outcome};

#[test]
fn a_program_without_sockets_gets_no_thread_no_child_and_no_descriptor() {
    let lab = Lab::bare();
    let calls = "trace=process,network,memfd_create,eventfd2,epoll_create1,/dup.*";
    let mut command = lab.kernel("strace");
    command.args(["-f", "-q", "-e", calls, "-e", "signal=none", "-E"]);
    let preload = lab.nstk("true").get_args().find_map(|argument| {
        argument
            .to_str()?
            .strip_prefix("LD_PRELOAD=")
            .map(str::to_owned)
    });
    let outcome = Outcome::of(
        command
            .arg(format!("LD_PRELOAD={}", preload.expect("set")))
            .arg("/bin/true"),
    );
    let made: Vec<&str> = outcome
        .stderr
        .lines()
        .filter(|line| !line.starts_with("execve(") && !line.starts_with("exit_group("))
        .collect();
    assert!(made.is_empty(), "{}", made.join("\n"));
    assert!(outcome.status.success());
}
