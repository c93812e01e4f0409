//! Small C programs on the kernel's stack and under libnstk.so: their outputs must match.

use std::process::Command;

use nstk_tests::{CProgram, Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running};

use crate::PEER;

/// Runs a program both ways against peers that behave the same.
fn same(name: &str, behaviour: &str) {
    same_in(&Lab::new(), name, behaviour);
}

fn same_in(lab: &Lab, name: &str, behaviour: &str) {
    let program = CProgram::compile(name);
    lab.same(program.path(), |mut command, _| {
        let peer = Peer::start(lab, PEER, behaviour);
        command.args([PEER_ADDRESS, &peer.port.to_string(), behaviour]);
        Outcome::of(&mut command)
    });
}

/// Runs a server both ways, each at its own address, with a client on the kernel's stack.
fn same_server(mode: &str) {
    let program = CProgram::compile("listening");
    let lab = Lab::new();
    let serve = |mut command: Command, address: &str| {
        let server = Running::start(command.args([address, "7000", mode]));
        for number in 0..3 {
            let talk =
                format!("exec 3<>/dev/tcp/{address}/7000 && echo line {number} >&3 && cat <&3");
            let line = format!("until bash -c '{talk}' 2>/dev/null; do sleep 0.05; done");
            assert_eq!(
                Outcome::of(lab.kernel("sh").args(["-c", &line])).success(),
                format!("line {number}\n")
            );
        }
        server.finish()
    };
    Outcome::assert_same(
        &serve(lab.kernel(program.path()), PEER_ADDRESS),
        &serve(lab.nstk(program.path()), NSTK_ADDRESS),
    );
}

#[test]
fn socket_options_answer_as_the_kernels() {
    same("options", "echo");
}

#[test]
fn errors_are_the_kernels() {
    same("errors", "echo");
}

#[test]
fn readiness_is_the_kernels() {
    same("readiness", "echo");
}

#[test]
fn descriptors_behave_as_the_kernels() {
    same("descriptors", "echo");
}

#[test]
fn messages_and_datagrams_pass_as_through_the_kernel() {
    same("messages", "echo");
}

#[test]
fn a_stream_that_we_end_first_ends_as_the_kernels() {
    same("endings", "late");
}

#[test]
fn a_stream_that_the_peer_ends_first_ends_as_the_kernels() {
    same("endings", "source");
}

#[test]
fn two_megabytes_leave_through_a_link_that_loses() {
    let lab = Lab::new();
    lab.narrow();
    same_in(&lab, "endings", "late");
}

#[test]
fn a_megabyte_arrives_through_a_link_that_loses() {
    let lab = Lab::new();
    lab.narrow();
    same_in(&lab, "endings", "source");
}

#[test]
fn a_reset_shows_as_the_kernels() {
    same("endings", "reset");
}

#[test]
fn signals_interrupt_as_on_the_kernel() {
    same("interrupts", "echo");
}

#[test]
fn handlers_of_every_kind_run_as_on_the_kernel() {
    same("handlers", "echo");
}

#[test]
fn epoll_sets_behave_as_the_kernels() {
    same("sets", "echo");
}

#[test]
fn a_set_is_one_set_whatever_number_leads_to_it() {
    same("set_numbers", "echo");
}

#[test]
fn a_handler_may_jump_out_of_any_call() {
    same("jumping", "echo");
}

#[test]
fn calls_on_small_stacks_answer_as_the_kernels() {
    same("stacks", "echo");
}

/// Half of what a call must find, else it moves to a stack of the library's (`NEEDED_BYTES` in `shim/src/big_stack.rs`): the other half is for
/// a signal's frame, and for ways that no test goes.
const STACK_BYTES_MAX: u32 = 16 << 10;

#[test]
fn no_call_takes_more_stack_than_it_may() {
    let program = CProgram::compile("depth");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string()]);
    let depths = lab.through_tap(|| Outcome::of(&mut command)).success();
    assert_eq!(depths.lines().count(), 11, "{depths}");
    for line in depths.lines() {
        let bytes = line.split(' ').nth(1).and_then(|bytes| bytes.parse().ok());
        assert!(
            bytes.is_some_and(|bytes: u32| bytes <= STACK_BYTES_MAX),
            "{depths}"
        );
    }
}

#[test]
fn children_that_become_other_programs_let_go_as_on_the_kernel() {
    same("replaced", "echo");
}

#[test]
fn forked_processes_share_sockets_as_on_the_kernel() {
    same("forking", "echo");
}

#[test]
fn who_shares_a_socket_with_a_child_that_dies_half_way_goes_on_as_on_the_kernel() {
    same("halfway", "echo");
}

#[test]
fn a_server_on_any_address_accepts_as_the_kernels() {
    same_server("any");
}

#[test]
fn a_server_on_its_address_accepts_as_the_kernels() {
    same_server("address");
}

#[test]
fn a_server_on_both_families_accepts_as_the_kernels() {
    same_server("dual");
}

#[test]
fn bytes_wait_for_a_program_that_computes() {
    same("computing", "drip");
}

#[test]
fn children_made_behind_libc_may_be_killed() {
    let program = CProgram::compile("strangers");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let outcome = Outcome::of(
        lab.nstk(program.path())
            .args([PEER_ADDRESS, &peer.port.to_string()]),
    );
    assert_eq!(outcome.success(), "goes on\n");
}
