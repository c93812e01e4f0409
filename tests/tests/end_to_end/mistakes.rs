//! Plausible mistakes in the settings of a program under `LD_PRELOAD`, each with the one line that it gets. What `nstk run`
//! says before a program starts is tested in cli/tests/mistakes.rs.

use nstk_tests::{Lab, Outcome};

/// A variable, its value, and the line. The stack cannot be had.
const WITHOUT_A_STACK: &[(&str, &str, &str)] = &[
    (
        "NSTK_IF",
        "",
        "NSTK_IF is not set; set NSTK_IF=tap:NAME (or link:NAME) and NSTK_ADDR=ADDRESS/PREFIX",
    ),
    (
        "NSTK_IF",
        "nstk0",
        "NSTK_IF=nstk0: the kind of device is missing; write it as tap:NAME, packet:NAME or link:NAME, such as tap:tap0",
    ),
    (
        "NSTK_IF",
        "tap:nosuch0",
        "NSTK_IF=tap:nosuch0: cannot open tap nosuch0: there is no such interface; create it with \
         `ip tuntap add dev nosuch0 mode tap` and `ip link set nosuch0 up`",
    ),
    (
        "NSTK_IF",
        "tap:lo",
        "NSTK_IF=tap:lo: cannot open tap lo: the interface is not a tap with one queue; create one with \
         `ip tuntap add dev OTHER mode tap` and name it instead",
    ),
    (
        "NSTK_ADDR",
        "",
        "NSTK_ADDR: is not set, but NSTK_IF is; give the stack an address of its own, such as NSTK_ADDR=10.0.0.2/24",
    ),
    (
        "NSTK_ADDR",
        "10.77.1.2",
        "NSTK_ADDR=10.77.1.2: is no address with a prefix length; write it as 10.0.0.2/24, fd00::2/64 or both with a comma between",
    ),
    (
        "NSTK_ADDR",
        "10.77.1.1/24",
        "NSTK_ADDR=10.77.1.1 is the kernel's own address on this machine; give the stack another one of that network",
    ),
    (
        "NSTK_GATEWAY",
        "192.0.2.1",
        "NSTK_GATEWAY=192.0.2.1: is not another address in the network of NSTK_ADDR; give the router's address there, or a shorter prefix",
    ),
    (
        "NSTK_BYPASS",
        "kernel :22, kernel :53",
        "NSTK_BYPASS=kernel :22, kernel :53: has `,` between rules; separate them by `;`, as in `kernel :22; kernel :53`",
    ),
];

/// The same; the program has a stack.
const WITH_A_STACK: &[(&str, &str, &str)] = &[
    (
        "NSTK_MTU",
        "9000",
        "NSTK_MTU=9000: the MTU of tap:nstk0 is 1500, which counts; raise the tap's (`ip link set nstk0 mtu 9000`), or lower NSTK_MTU",
    ),
    (
        "NSTK_CC",
        "bbr",
        "NSTK_CC ignored: no such setting; write NSTK_SYSCTL=\"net.ipv4.tcp_congestion_control=bbr\"",
    ),
    (
        "NSTK_ADDRESS",
        "10.77.1.3/24",
        "NSTK_ADDRESS ignored: no such setting; write NSTK_ADDR=10.77.1.3/24",
    ),
    (
        "NSTK_GATWAY",
        "10.77.1.1",
        "NSTK_GATWAY ignored: no such setting; did you mean NSTK_GATEWAY?",
    ),
    (
        "NSTK_COLOUR",
        "red",
        "NSTK_COLOUR ignored: no such setting; `nstk run --help` and docs/settings.md list them",
    ),
    (
        "LKL_HIJACK_NET_MTU",
        "1400",
        "LKL_HIJACK_NET_MTU ignored: nstk reads NSTK_MTU in its place",
    ),
    (
        "LKL_SYSCTL",
        "net.ipv4.tcp_wmem=100MB",
        "LKL_SYSCTL: net.ipv4.tcp_wmem=100MB ignored: must be three ascending numbers in 4096..=2147483647 bytes; \
         write all three: 4096 16384 100000000; the value stays 4096 16384 4194304",
    ),
    (
        "NSTK_SYSCTL",
        "net.ipv4.tcp_congestion_control=bbr2",
        "NSTK_SYSCTL: net.ipv4.tcp_congestion_control=bbr2 ignored: must be one of cubic, bbr, reno; did you mean bbr?; \
         the value stays cubic",
    ),
    (
        "NSTK_SYSCTL",
        "net.ipv4.tcp_sack=0,net.ipv4.tcp_dsack=0",
        "NSTK_SYSCTL: net.ipv4.tcp_sack=0,net.ipv4.tcp_dsack=0 ignored: must be a number in 0..=1 (off or on); \
         separate entries by `;`; the value stays 1",
    ),
    (
        "NSTK_SYSCTL",
        "net.ipv4.tcp_sakc=0",
        "NSTK_SYSCTL: net.ipv4.tcp_sakc ignored: no such key; did you mean net.ipv4.tcp_sack?",
    ),
    (
        "NSTK_SYSCTL",
        "net.ipv4.tcp_ecn=1",
        "NSTK_SYSCTL: net.ipv4.tcp_ecn ignored: Linux has this key, but it is not implemented here",
    ),
    (
        "NSTK_LOG",
        "verbose",
        "NSTK_LOG: `verbose` is neither a level (off, error, warn, info, debug, trace) nor a part of the library, as in nstk_stack=debug",
    ),
];

#[test]
fn a_mistake_that_costs_the_stack_is_one_line_with_the_cure() {
    let lab = Lab::new();
    for (name, value, line) in WITHOUT_A_STACK {
        let next = "the program goes on with the kernel's stack (NSTK_FAIL=exit ends it instead)";
        assert_eq!(said(&lab, name, value), format!("nstk: {line}; {next}\n"));
    }
}

#[test]
fn a_settings_file_that_nobody_can_read_ends_the_program() {
    let lab = Lab::new();
    let outcome = outcome(&lab, "NSTK_CONFIG", "/no/such/file");
    assert_eq!(outcome.status.code(), Some(69));
    assert_eq!(
        outcome.stderr,
        "nstk: NSTK_CONFIG=/no/such/file: there is no such file; name one that exists, or unset the variable; \
         the program ends (so NSTK_CONFIG's file asks, or nobody can read it; NSTK_FAIL=kernel goes on instead)\n"
    );
}

#[test]
fn a_mistake_that_is_left_out_is_one_line_with_the_cure() {
    let lab = Lab::new();
    for (name, value, line) in WITH_A_STACK {
        assert_eq!(said(&lab, name, value), format!("nstk: {line}\n"));
    }
}

/// What a program says that makes a socket, with this variable set.
fn said(lab: &Lab, name: &str, value: &str) -> String {
    let outcome = outcome(lab, name, value);
    assert!(
        outcome.status.success(),
        "{name}={value}: {}",
        outcome.stderr
    );
    outcome.stderr
}

fn outcome(lab: &Lab, name: &str, value: &str) -> Outcome {
    let mut program = lab.nstk("bash");
    program.args(["-c", ": <>/dev/udp/10.77.1.1/9"]);
    Outcome::of(program.env(name, value))
}
