//! A selection of CPython's own tests: by the stack's loopback the same ones pass as by the kernel's. docs/programs.md has all of them.

use std::collections::BTreeSet;
use std::process::Command;

use nstk_tests::{Lab, Outcome};

const SELECTION: [&str; 20] = [
    "test.test_epoll",
    "test.test_selectors.EpollSelectorTestCase.test_select",
    "test.test_socketserver",
    "test.test_socket.BasicTCPTest",
    "test.test_socket.BasicUDPTest",
    "test.test_socket.CreateServerFunctionalTest",
    "test.test_socket.FileObjectClassTestCase",
    "test.test_socket.InheritanceTest",
    "test.test_socket.NetworkConnectionBehaviourTest",
    "test.test_socket.NonBlockingTCPTests",
    "test.test_socket.RecvmsgIntoTCPTest",
    "test.test_socket.RecvmsgRFC3542AncillaryUDP6Test",
    "test.test_socket.RecvmsgTCPTest",
    "test.test_socket.RecvmsgUDP6Test",
    "test.test_socket.SendfileUsingSendfileTest",
    "test.test_socket.SendmsgTCPTest",
    "test.test_socket.TCPTimeoutTest",
    "test.test_socket.TestExceptions",
    "test.test_asyncio.test_sock_lowlevel",
    "test.test_asyncio.test_streams.StreamTests.test_open_connection",
];

/// The tests that pass.
fn passed(mut python: Command) -> BTreeSet<String> {
    let outcome = Outcome::of(python.args(["-m", "unittest", "-v"]).args(SELECTION));
    let lines = outcome.stderr.lines();
    let passed = lines.filter_map(|line| line.strip_suffix(" ... ok"));
    passed.map(str::to_owned).collect()
}

#[test]
fn what_passes_by_the_kernels_loopback_passes_by_the_stacks() {
    let lab = Lab::new();
    lab.run("ip link set lo up");
    let kernel = passed(lab.kernel("python3"));
    assert!(kernel.len() > 130, "only {} pass", kernel.len());
    let mut python = lab.nstk("python3");
    python.env("NSTK_LOOPBACK", "stack");
    let nstk = passed(python);
    let missing: Vec<_> = kernel.difference(&nstk).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
