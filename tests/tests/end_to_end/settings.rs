//! Bad settings: one line that says what, why and what to do, then the behaviour that `NSTK_FAIL` asks for.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use std::time::Duration;

use nstk_tests::{
    CProgram, Lab, Outcome, PEER_ADDRESS, Peer, Running, Scratch, cpu_time, eventually,
};

use crate::PEER;

/// What a program that sends a megabyte does with one variable set.
fn with(lab: &Lab, variables: &[(&str, &str)]) -> (Outcome, Peer) {
    let program = CProgram::compile("leaving");
    let peer = Peer::start(lab, PEER, "discard");
    let mut command = lab.nstk(program.path());
    command
        .args([PEER_ADDRESS, &peer.port.to_string(), "exit"])
        .envs(variables.iter().copied());
    (Outcome::of(&mut command), peer)
}

/// The setting is refused in one line with `named` in it, and the program runs on the kernel's stack, or not at all if that is asked for.
fn refused(lab: &Lab, variable: &str, value: &str, named: &str) {
    let (outcome, peer) = with(lab, &[(variable, value), ("NSTK_FAIL", "kernel")]);
    one_line(&outcome, named);
    assert!(outcome.status.success(), "{}", outcome.status);
    assert_eq!(peer.next_line(), "1048576 intact fin");

    let (outcome, _peer) = with(lab, &[(variable, value), ("NSTK_FAIL", "exit")]);
    one_line(&outcome, named);
    assert_eq!(outcome.status.code(), Some(69));
}

/// The setting is named in one line and left out; the program runs on nstk all the same.
fn left_out(variable: &str, value: &str, named: &str) {
    let lab = Lab::new();
    let before = lab.tap_frames();
    let (outcome, peer) = with(&lab, &[(variable, value)]);
    one_line(&outcome, named);
    assert!(outcome.status.success(), "{}", outcome.status);
    assert_eq!(peer.next_line(), "1048576 intact fin");
    assert!(lab.tap_frames() > before, "nothing went through the tap");
}

fn one_line(outcome: &Outcome, named: &str) {
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        matches!(lines.as_slice(), [line] if line.contains(named)),
        "one line that names {named}, not: {}",
        outcome.stderr
    );
}

/// What the program `environment` prints, which must have a stack and say nothing else.
fn in_changing_environment(mode: &str) -> String {
    let lab = Lab::new();
    let program = CProgram::compile("environment");
    let peer = Peer::start(&lab, PEER, "echo");
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string(), mode]);
    let outcome = Outcome::of(command.env("NSTK_FAIL", "exit"));
    assert_eq!(outcome.stderr, "");
    outcome.success()
}

#[test]
fn settings_outlive_an_environment_that_the_program_clears() {
    assert_eq!(in_changing_environment("clear"), "hello\n");
}

#[test]
fn settings_that_the_program_makes_itself_do_not_count() {
    assert_eq!(in_changing_environment("late"), "hello\n");
}

#[test]
fn a_thread_may_change_the_environment_at_the_first_socket() {
    assert_eq!(in_changing_environment("race"), "all well\n");
}

#[test]
fn an_unknown_sysctl_is_named() {
    left_out("NSTK_SYSCTL", "net.ipv4.tcp_flux=1", "net.ipv4.tcp_flux");
}

#[test]
fn a_sysctl_out_of_range_is_named() {
    left_out(
        "NSTK_SYSCTL",
        "net.ipv4.tcp_rmem=1 2 3",
        "net.ipv4.tcp_rmem",
    );
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    refused(&Lab::new(), "NSTK_IF", "tap:nosuch0", "nosuch0");
}

#[test]
fn a_kind_of_interface_that_is_not_there_is_named() {
    refused(
        &Lab::new(),
        "NSTK_IF",
        "carrier-pigeon:0",
        "carrier-pigeon:0",
    );
}

#[test]
fn a_bad_address_is_named() {
    refused(&Lab::new(), "NSTK_ADDR", "10.77.1.300/24", "10.77.1.300/24");
}

#[test]
fn a_bad_hardware_address_is_named() {
    refused(
        &Lab::new(),
        "NSTK_MAC",
        "02:00:00:xx:00:01",
        "02:00:00:xx:00:01",
    );
}

#[test]
fn a_tap_that_a_stranger_holds_is_named() {
    let lab = Lab::new();
    let stranger = CProgram::compile("holding");
    let _stranger = Running::start(lab.kernel(stranger.path()).arg("nstk0"));
    let carrier = || Outcome::of(lab.kernel("ip").args(["link", "show", "nstk0"])).success();
    eventually("the tap is held", || carrier().contains("LOWER_UP"));
    refused(&lab, "NSTK_IF", "tap:nstk0", "nstk0");
}

#[test]
fn a_program_without_permission_says_so() {
    let lab = Lab::new();
    let program = CProgram::compile("leaving");
    let peer = Peer::start(&lab, PEER, "discard");
    let locked = std::env::temp_dir().join(format!("nstk-locked-{}", std::process::id()));
    File::create(&locked).expect("a file");
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).expect("the file is ours");
    // Root without capabilities meets a device that nobody may open.
    let line =
        "mount --bind $0 /dev/net/tun && exec setpriv --bounding-set=-all --inh-caps=-all $@";
    let mut command = lab.nstk("unshare");
    command
        .args(["--mount", "sh", "-c", line])
        .arg(&locked)
        .arg(program.path());
    let outcome = Outcome::of(command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]));
    fs::remove_file(&locked).expect("the file is ours");
    one_line(&outcome, "/dev/net/tun");
    assert!(outcome.status.success(), "{}", outcome.status);
    assert_eq!(peer.next_line(), "1048576 intact fin");
}

#[test]
fn bypass_rules_send_a_connection_to_the_kernel() {
    let lab = Lab::new();
    let before = lab.tap_frames();
    let (outcome, peer) = with(&lab, &[("NSTK_BYPASS", "kernel tcp connect 10.77.1.0/24")]);
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(peer.next_line(), "1048576 intact fin");
    // An announcement of the address may go out by the tap, a megabyte may not.
    assert!(
        lab.tap_frames() < before + 20,
        "the connection went through the tap"
    );
}

#[test]
fn a_gateway_leads_to_other_networks() {
    let lab = Lab::new();
    lab.run("ip address add 192.0.2.1/32 dev lo");
    let before = lab.tap_frames();
    let program = CProgram::compile("leaving");
    let peer = Peer::start(&lab, PEER, "discard");
    let mut command = lab.nstk(program.path());
    // The machine's own addresses go by the kernel unless a rule says otherwise.
    command
        .env("NSTK_GATEWAY", PEER_ADDRESS)
        .env("NSTK_BYPASS", "stack connect 192.0.2.0/24");
    let outcome = Outcome::of(command.args(["192.0.2.1", &peer.port.to_string(), "exit"]));
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(peer.next_line(), "1048576 intact fin");
    assert!(lab.tap_frames() > before, "nothing went through the tap");
}

#[test]
fn a_small_mtu_is_kept() {
    let lab = Lab::new();
    let (outcome, peer) = with(&lab, &[("NSTK_MTU", "576")]);
    assert!(outcome.status.success(), "{}", outcome.stderr);
    assert_eq!(peer.next_line(), "1048576 intact fin");
}

#[test]
fn the_ancestors_variable_is_a_layer_below_ours() {
    let lab = Lab::new();
    let (outcome, _peer) = with(&lab, &[("LKL_SYSCTL", "net.ipv4.tcp_flux=1;")]);
    one_line(&outcome, "net.ipv4.tcp_flux");
    let (outcome, _peer) = with(
        &lab,
        &[
            ("LKL_SYSCTL", "net.ipv4.tcp_flux=1"),
            ("NSTK_SYSCTL", "\" net.ipv4.tcp_sack = 1 ; \""),
        ],
    );
    one_line(&outcome, "net.ipv4.tcp_flux");
}

#[test]
fn the_ancestors_other_name_is_read_too() {
    left_out(
        "LKL_HIJACK_SYSCTL",
        "net.ipv4.tcp_flux|1",
        "net.ipv4.tcp_flux",
    );
}

#[test]
fn a_key_that_only_linux_has_is_named_as_such() {
    left_out(
        "NSTK_SYSCTL",
        "net.ipv4.tcp_fastopen=3",
        "Linux has this key",
    );
}

#[test]
fn a_variable_whose_name_is_nearly_right_is_named() {
    left_out("NSTK_ADRR", "10.0.0.2/24", "NSTK_ADDR?");
}

#[test]
fn a_part_of_the_library_that_is_none_is_named() {
    left_out("NSTK_LOG", "stak", "`stak`");
}

/// A file of settings, and its path.
fn settings_file(text: &str) -> (Scratch, String) {
    let scratch = Scratch::new();
    scratch.write("nstk.toml", text);
    let path = scratch.path().join("nstk.toml").display().to_string();
    (scratch, path)
}

#[test]
fn a_settings_file_is_obeyed_and_its_slips_are_named() {
    let text = "if = 'tap:elsewhere'\ngatway = '10.77.1.1'\n[sysctl]\nnet.ipv4.tcp_sack = 0\n";
    let (_scratch, path) = settings_file(text);
    // NSTK_IF overrules the file's.
    left_out("NSTK_CONFIG", &path, "did you mean gateway?");
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named() {
    let lab = Lab::new();
    let (_scratch, path) = settings_file("if = tap:nstk0");
    refused(&lab, "NSTK_CONFIG", &path, "is not TOML: line 1");
    refused(&lab, "NSTK_CONFIG", "/nonexistent", "there is no such file");
    refused(&lab, "NSTK_CONFIG", "/dev/zero", "is no file");
}

#[test]
fn the_kernels_sysctls_are_inherited_where_that_is_asked_for() {
    let lab = Lab::new();
    // A value that the stack does not take says where it is from.
    lab.run("sysctl -qw net.ipv4.tcp_timestamps=2");
    let (outcome, peer) = with(&lab, &[("NSTK_SYSCTL_INHERIT", "1")]);
    let line = "kernel /proc/sys/net/ipv4/tcp_timestamps";
    assert!(outcome.stderr.contains(line), "{}", outcome.stderr);
    assert_eq!(peer.next_line(), "1048576 intact fin");
}

#[test]
fn busy_poll_lets_a_waiting_program_spin() {
    let lab = Lab::new();
    let program = CProgram::compile("waiting");
    let peer = Peer::start(&lab, PEER, "echo");
    let mut command = lab.nstk(program.path());
    command
        .args([PEER_ADDRESS, &peer.port.to_string(), "recv"])
        .env("NSTK_SYSCTL", "net.core.busy_poll=1000000");
    let running = Running::start(&mut command);
    running.has_said("waiting");
    let used = || cpu_time(running.id()).expect("it still waits");
    let before = used();
    // Without the setting it uses less in two seconds, as a test in lifecycle.rs has it.
    eventually("it spins", || used() - before >= Duration::from_millis(100));
}

#[test]
fn limits_that_leave_no_room_are_named_as_what_they_are() {
    let lab = Lab::new();
    let program = CProgram::compile("leaving");
    let peer = Peer::start(&lab, PEER, "discard");
    // The second run would join the keeper of the first.
    for (limit, named) in [
        ("--nofile=1024:1024", None),
        ("--nofile=45:45", Some("ulimit -n")),
        ("--nofile=20:20", Some("ulimit -n")),
        ("--data=12000000:12000000", Some("ulimit -d")),
        ("--as=100000000:100000000", None),
        ("--as=50000000:50000000", Some("ulimit -v")),
        ("--as=20000000:20000000", Some("ulimit -v")),
    ] {
        let mut command = lab.nstk("prlimit");
        command.args([limit.as_ref(), program.path().as_os_str()]);
        let outcome = Outcome::of(command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]));
        match named {
            None => assert_eq!(outcome.stderr, ""),
            Some(named) => one_line(&outcome, named),
        }
        assert!(outcome.status.success(), "{limit}: {}", outcome.status);
        assert_eq!(peer.next_line(), "1048576 intact fin");
    }
}

#[test]
fn the_log_says_which_socket_went_where_and_why() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let script = format!(
        "import socket
for address in '{PEER_ADDRESS}', '127.0.0.1':
    socket.create_connection((address, {port}))
socket.create_server(('', 7000))",
        port = peer.port
    );
    let mut python = lab.nstk("python3");
    python.env("NSTK_LOG", "info").args(["-c", &script]);
    let log = Outcome::of(&mut python).stderr;
    for said in [
        format!(
            "connect {PEER_ADDRESS}:{}: stack (NSTK_ADDR's network)",
            peer.port
        ),
        format!(
            "connect 127.0.0.1:{}: kernel (loopback addresses are the kernel's, unless NSTK_LOOPBACK=stack)",
            peer.port
        ),
        "listen 0.0.0.0:7000: stack (NSTK_ADDR)".to_owned(),
    ] {
        assert!(log.contains(&said), "{said} is not in {log}");
    }
}

/// What a program says that starts a stack, sends a datagram and waits for an answer.
fn said_by_a_sender(lab: &Lab) -> String {
    eventually("an earlier stack has gone", || {
        lab.processes("nstk-keeper").is_empty()
    });
    let script = format!(
        "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.sendto(b'hello', ('{PEER_ADDRESS}', 9))
try:
    s.recv(1)
except OSError:
    pass"
    );
    Outcome::of(lab.nstk("python3").args(["-c", &script])).stderr
}

#[test]
fn another_station_with_the_stacks_address_is_named() {
    let lab = Lab::with_wire(env!("CARGO_BIN_EXE_wire"), &[]);
    assert_eq!(said_by_a_sender(&lab), "");
    lab.run("ip address add 10.77.1.2/24 dev wire1");
    // The answer is lost if the kernel does not send on the tap yet: it takes up to a second to see that a program has it again.
    let mut runs = std::iter::repeat_with(|| said_by_a_sender(&lab)).take(5);
    let said = runs.find(|said| !said.is_empty()).unwrap_or_default();
    assert!(said.contains("another station ("), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_interface_that_is_down_is_named() {
    let lab = Lab::new();
    lab.run("ip link set nstk0 down");
    let said = said_by_a_sender(&lab);
    assert!(said.contains("`ip link set nstk0 up`"), "{said}");
}
