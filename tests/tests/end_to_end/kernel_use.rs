//! Every way in which a socket comes to use the kernel's stack: asked for and silent, or named, or refused under NSTK_FAIL=exit. docs/kernel.md
//! lists them. Needs Python.

use std::process::Command;

use nstk_tests::{Lab, Outcome, Scratch, preload};

/// What the scripts below begin with: `attempt` prints what comes of a call.
const HEAD: &str = r#"
import errno, os, socket
def attempt(call, *arguments):
    try:
        call(*arguments)
        print("ok", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
def udp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)
"#;

/// A lab whose kernel knows a way to everywhere, and has the address 198.51.100.7 itself.
fn lab() -> Lab {
    let lab = Lab::new();
    lab.run("ip address add 198.51.100.7/32 dev lo");
    lab.run("ip link set lo up");
    lab.run("ip tuntap add dev other0 mode tap");
    lab.run("ip link set other0 up");
    lab.run("ip address add fe80::9/64 dev other0 nodad");
    lab.run("ip route add default via 10.77.1.77 dev nstk0");
    lab.run("ip route add 224.0.0.0/4 dev nstk0");
    lab.run("ip address add 2001:db8::1/64 dev nstk0 nodad");
    lab
}

fn python(lab: &Lab, script: &str) -> Command {
    let mut command = lab.nstk("python3");
    command.args(["-c", &format!("{HEAD}{script}")]);
    command
}

/// The script goes by the kernel without a word, even if the user wants the stack or nothing.
fn asked_for(script: &str, variables: &[(&str, &str)]) -> String {
    let lab = lab();
    let mut command = python(&lab, script);
    command
        .env("NSTK_FAIL", "exit")
        .envs(variables.iter().copied());
    let outcome = Outcome::of(&mut command);
    assert_eq!(outcome.stderr, "");
    outcome.success()
}

/// The script's call succeeds by the kernel's stack and is named in one line, though it is made twice; and it fails with this error if the user
/// wants the stack or nothing.
fn named_or_refused(script: &str, variables: &[(&str, &str)], why: &str, refusal: &str) {
    let lab = lab();
    let twice = format!("{script}{script}");
    let run = |fail: &str| {
        let mut command = python(&lab, &twice);
        command
            .envs(variables.iter().copied())
            .env("NSTK_FAIL", fail);
        Outcome::of(&mut command)
    };
    for (fail, said, word) in [
        ("kernel", "ok", "goes by the kernel's stack"),
        ("exit", refusal, "is refused, as NSTK_FAIL=exit asks"),
    ] {
        let outcome = run(fail);
        assert_eq!(
            outcome.stdout,
            format!("{said}\n{said}\n"),
            "{}",
            outcome.stderr
        );
        one_line(&outcome.stderr, &[why, word]);
    }
}

fn one_line(stderr: &str, words: &[&str]) {
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word} in {stderr}");
    }
}

#[test]
fn a_bypass_rule_sends_a_connection_by_the_kernel_without_a_word() {
    let rule = [("NSTK_BYPASS", "kernel udp connect 203.0.113.0/24")];
    let said = asked_for("attempt(udp().connect, ('203.0.113.9', 5000))", &rule);
    assert_eq!(said, "ok\n");
}

#[test]
fn loopback_goes_by_the_kernel_without_a_word() {
    let script = r#"
server = socket.create_server(("127.0.0.1", 0))
attempt(socket.create_connection, server.getsockname())
"#;
    assert_eq!(asked_for(script, &[]), "ok\n");
}

#[test]
fn a_name_look_up_goes_by_the_kernel_without_a_word() {
    let said = asked_for("attempt(udp().sendto, b'?', ('203.0.113.9', 53))", &[]);
    assert_eq!(said, "ok\n");
}

#[test]
fn a_peer_behind_no_gateway_is_named_or_refused() {
    named_or_refused(
        "attempt(udp().connect, ('203.0.113.9', 5000))\n",
        &[],
        "connect 203.0.113.9:5000",
        "ENETUNREACH",
    );
    named_or_refused(
        "attempt(udp().sendto, b'hello', ('203.0.113.9', 5000))\n",
        &[],
        "set NSTK_GATEWAY=ROUTER",
        "ENETUNREACH",
    );
}

#[test]
fn with_a_gateway_it_is_the_stacks() {
    let said = asked_for(
        "attempt(udp().connect, ('203.0.113.9', 5000))",
        &[("NSTK_GATEWAY", "10.77.1.1")],
    );
    assert_eq!(said, "ok\n");
}

/// A UDP socket that the kernel has had since a datagram to the loopback's address.
const BY_LOOPBACK: &str = "s = udp()\ns.sendto(b'hello', ('127.0.0.1', 9))\n";

#[test]
fn a_later_peer_is_named_or_refused() {
    for later in [
        "attempt(s.sendto, b'hello', ('10.77.1.9', 5000))\n",
        "attempt(s.sendmsg, [b'hello'], [], 0, ('10.77.1.9', 5000))\n",
        "attempt(s.connect, ('10.77.1.9', 5000))\n",
    ] {
        let script = format!("{BY_LOOPBACK}{later}");
        named_or_refused(&script, &[], "connect 10.77.1.9:5000", "ENETUNREACH");
    }
}

#[test]
fn a_server_on_a_wildcard_that_has_gone_to_the_kernel_says_so_at_its_next_answer() {
    named_or_refused(
        "
s = udp()
s.bind(('', 0))
client = udp()
client.sendto(b'hello', ('127.0.0.1', s.getsockname()[1]))
s.sendto(b'to itself', client.getsockname())
attempt(s.sendto, b'to another', ('10.77.1.9', 5000))
",
        &[("NSTK_BYPASS", "kernel udp connect 127.0.0.0/8")],
        "for an earlier peer",
        "ENETUNREACH",
    );
}

#[test]
fn a_later_peer_of_a_copy_is_named_or_refused() {
    for copy in [
        "t = s.dup()",
        "t = socket.socket(fileno=os.dup(s.fileno()))",
        "t = udp()\nos.dup2(s.fileno(), t.fileno())",
    ] {
        named_or_refused(
            &format!(
                "{BY_LOOPBACK}{copy}\ns.close()\nattempt(t.sendto, b'hello', ('10.77.1.9', 5000))\n"
            ),
            &[],
            "for an earlier peer",
            "ENETUNREACH",
        );
    }
}

#[test]
fn a_later_peer_in_a_child_is_named_or_refused() {
    let script = format!(
        "{BY_LOOPBACK}
if os.fork() == 0:
    attempt(s.sendto, b'hello', ('10.77.1.9', 5000))
    attempt(s.sendto, b'hello', ('10.77.1.9', 5000))
    os._exit(0)
os.wait()
"
    );
    let lab = lab();
    for (fail, said) in [("kernel", "ok"), ("exit", "ENETUNREACH")] {
        let outcome = Outcome::of(python(&lab, &script).env("NSTK_FAIL", fail));
        assert_eq!(outcome.stdout, format!("{said}\n{said}\n"));
        one_line(&outcome.stderr, &["for an earlier peer"]);
    }
}

/// sendmmsg(2) for Python: `send_many(socket, peers)` returns how many messages were sent.
const SEND_MANY: &str = r#"
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def send_many(s, peers):
    names = [ctypes.create_string_buffer(struct.pack("=H", socket.AF_INET) + struct.pack(">H", port)
        + socket.inet_aton(address) + bytes(8), 16) for address, port in peers]
    # struct mmsghdr: name, its length, buffers, control, flags; then the length sent.
    many = b"".join(struct.pack("@PI4xPNPNi4xI4x", ctypes.addressof(name), 16, 0, 0, 0, 0, 0, 0) for name in names)
    sent = libc.sendmmsg(s.fileno(), ctypes.create_string_buffer(many, len(many)), len(peers), 0)
    if sent < 0:
        raise OSError(ctypes.get_errno(), "sendmmsg")
    print("sent", sent)
"#;

#[test]
fn of_many_messages_those_before_a_refused_one_are_sent() {
    let script = format!(
        "{SEND_MANY}
near, far = ('127.0.0.1', 9), ('10.77.1.9', 5000)
s = udp()
attempt(send_many, s, [near, near, far, near])
attempt(send_many, s, [far, near])
"
    );
    let lab = lab();
    for (fail, said) in [
        ("kernel", "sent 4\nok\nsent 2\nok\n"),
        ("exit", "sent 2\nok\nENETUNREACH\n"),
    ] {
        let outcome = Outcome::of(python(&lab, &script).env("NSTK_FAIL", fail));
        assert_eq!(outcome.stdout, said, "{}", outcome.stderr);
        one_line(&outcome.stderr, &["for an earlier peer"]);
    }
}

#[test]
fn a_stream_that_tries_another_peer_is_named_or_refused() {
    // Nobody listens at the first one. Connecting to the second one takes longer than this test.
    named_or_refused(
        "
s = socket.socket()
s.connect_ex(('127.0.0.1', 9))
s.setblocking(False)
def begin(peer):
    error = s.connect_ex(peer)
    if error != errno.EINPROGRESS:
        raise OSError(error, 'connect')
attempt(begin, ('10.77.1.9', 5000))
",
        &[],
        "for an earlier peer",
        "ENETUNREACH",
    );
}

#[test]
fn later_peers_of_the_kernels_own_are_not_named() {
    let script = format!(
        "{BY_LOOPBACK}
for peer in [('127.0.0.2', 9), ('203.0.113.9', 53), ('198.51.100.9', 5000)]:
    attempt(s.sendto, b'hello', peer)
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
attempt(client.connect, ('10.77.1.9', 5000))
"
    );
    let rule = [("NSTK_BYPASS", "kernel connect 198.51.100.0/24")];
    assert_eq!(asked_for(&script, &rule), "ok\nok\nok\nEISCONN\n");
}

#[test]
fn a_socket_with_a_loopback_address_of_its_own_fails_as_it_does_without_the_library() {
    let script = "
for s in [socket.socket(), udp()]:
    s.bind(('127.0.0.1', 0))
    attempt(s.connect, ('10.77.1.9', 5000))
s = udp()
s.connect(('127.0.0.1', 9))
attempt(s.sendto, b'hello', ('10.77.1.9', 5000))
";
    assert_eq!(asked_for(script, &[]), "EINVAL\nEINVAL\nEINVAL\n");
    let lab = lab();
    let mut natively = lab.kernel("python3");
    natively.args(["-c", &format!("{HEAD}{script}")]);
    assert_eq!(
        Outcome::of(&mut natively).success(),
        "EINVAL\nEINVAL\nEINVAL\n"
    );
}

#[test]
fn a_number_that_another_socket_gets_is_not_taken_for_the_earlier_one() {
    // The library does not see each number that close_range(2) closes. Raw sockets are named for their protocol.
    let script = format!(
        "{BY_LOOPBACK}number = s.fileno()
os.closerange(number, number + 1)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
assert raw.fileno() == number
attempt(raw.sendto, bytes(8), ('10.77.1.9', 0))
s.detach()
"
    );
    let lab = lab();
    let outcome = Outcome::of(&mut python(&lab, &script));
    one_line(&outcome.stderr, &["protocol 1"]);
    assert_eq!(outcome.success(), "ok\n");
}

#[test]
fn a_socket_that_was_named_is_named_again_for_a_peer_of_the_stacks() {
    let script = "
s = udp()
for peer in [('203.0.113.9', 5000), ('203.0.113.8', 5000), ('10.77.1.9', 5000), ('203.0.113.9', 5000)]:
    attempt(s.sendto, b'hello', peer)
";
    let lab = lab();
    let outcome = Outcome::of(&mut python(&lab, script));
    assert_eq!(outcome.stdout, "ok\n".repeat(4));
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("NSTK_GATEWAY"), "{lines:?}");
    assert!(lines[1].contains("for an earlier peer"), "{lines:?}");
}

#[test]
fn a_peer_of_a_family_without_an_address_is_named_or_refused() {
    named_or_refused(
        "attempt(udp(socket.AF_INET6).connect, ('2001:db8::9', 5000))\n",
        &[("NSTK_GATEWAY", "10.77.1.1")],
        "NSTK_ADDR has no address of this family",
        "ENETUNREACH",
    );
}

#[test]
fn a_listener_of_a_family_without_an_address_is_named_or_refused() {
    let script = "
server = socket.socket(socket.AF_INET6)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
server.bind(('::', 0))
attempt(server.listen)
";
    named_or_refused(
        script,
        &[],
        "NSTK_ADDR has no address of this family",
        "EADDRNOTAVAIL",
    );
}

#[test]
fn an_address_of_the_machine_is_named_or_refused() {
    named_or_refused(
        "attempt(udp().connect, ('198.51.100.7', 5000))\n",
        &[("NSTK_GATEWAY", "10.77.1.1")],
        "the kernel's own address",
        "ENETUNREACH",
    );
}

#[test]
fn the_kernels_address_beside_a_prefix_without_it_is_named_or_refused() {
    for addr in ["10.77.1.2/32", "fd77::2/64"] {
        named_or_refused(
            "attempt(udp().connect, ('10.77.1.1', 5000))\n",
            &[("NSTK_ADDR", addr)],
            "give NSTK_ADDR an address of its network",
            "ENETUNREACH",
        );
    }
}

#[test]
fn a_multicast_peer_is_named_or_refused() {
    named_or_refused(
        "attempt(udp().connect, ('224.0.0.99', 5000))\n",
        &[],
        "no multicast",
        "ENETUNREACH",
    );
}

#[test]
fn a_bind_to_an_address_of_the_machine_is_named_or_refused() {
    named_or_refused(
        "attempt(udp().bind, ('198.51.100.7', 0))\n",
        &[],
        "bind 198.51.100.7:0",
        "EADDRNOTAVAIL",
    );
}

#[test]
fn a_socket_on_another_interface_is_named_or_refused() {
    named_or_refused(
        "attempt(udp(socket.AF_INET6).connect, ('fe80::9', 5000, 0, socket.if_nametoindex('other0')))\n",
        &[("NSTK_ADDR", "10.77.1.2/24,fd77::2/64")],
        "its scope id is not that",
        "ENETUNREACH",
    );
}

#[test]
fn a_socket_of_another_protocol_is_named_or_refused() {
    named_or_refused(
        "attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)\n",
        &[],
        "a socket of protocol 1",
        "EPROTONOSUPPORT",
    );
}

#[test]
fn what_the_settings_file_asks_for_counts_before_the_stack_has_started() {
    let lab = lab();
    let scratch = Scratch::new();
    let path = scratch.path().join("nstk.toml");
    let raw = "attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)\n";
    for (text, said, word) in [
        ("fail = 'kernel'", "ok\n", "goes by the kernel's stack"),
        ("fail = 'exit'", "EPROTONOSUPPORT\n", "is refused"),
        ("fail = ", "EPROTONOSUPPORT\n", "is refused"),
    ] {
        scratch.write("nstk.toml", text);
        let outcome = Outcome::of(python(&lab, raw).env("NSTK_CONFIG", &path));
        one_line(&outcome.stderr, &["a socket of protocol 1", word]);
        assert_eq!(outcome.success(), said);
    }
    // Without a device the file decides, too.
    for (text, status) in [("fail = 'kernel'", 0), ("fail = 'exit'", 69)] {
        scratch.write("nstk.toml", text);
        let mut command = python(&lab, "socket.socket()");
        command.env("NSTK_CONFIG", &path).env("NSTK_IF", "");
        let outcome = Outcome::of(&mut command);
        one_line(&outcome.stderr, &["NSTK_IF is not set"]);
        assert_eq!(outcome.status.code(), Some(status));
    }
}

#[test]
fn a_socket_of_a_process_that_is_no_member_is_named_or_refused() {
    // The parent's socket starts the stack. The child has a pid namespace of its own.
    let script = r#"
import ctypes
first = socket.socket()
child = ctypes.CDLL(None).syscall(56, 0x20000000 | 17, 0, 0, 0, 0)
if child == 0:
    attempt(socket.socket)
    attempt(socket.socket)
    os._exit(0)
os.waitpid(child, 0)
"#;
    let lab = lab();
    for (fail, said, word) in [
        ("kernel", "ok", "goes by the kernel's stack"),
        ("exit", "ENETDOWN", "is refused"),
    ] {
        let outcome = Outcome::of(python(&lab, script).env("NSTK_FAIL", fail));
        assert_eq!(
            outcome.stdout,
            format!("{said}\n{said}\n"),
            "{}",
            outcome.stderr
        );
        let (made, socket) = outcome.stderr.split_once('\n').expect("two lines");
        assert!(made.contains("CLONE_NEWPID"), "{made}");
        one_line(socket, &["cannot use its parent's stack", word]);
    }
}

#[test]
fn an_inherited_socket_is_named_or_ends_the_program() {
    let lab = lab();
    let run_at = |address: &str, fail: &str, listen_fds: &str, number: &str| {
        let script = r#"
import os, socket, sys
server = socket.create_server((os.environ.pop("ADDRESS"), 0))
number = int(os.environ.pop("NUMBER"))
os.dup2(server.fileno(), number)
os.set_inheritable(number, True)
name, _, value = os.environ.pop("PRELOAD").partition("=")
os.environ[name] = value
os.execvp("echo", ["echo", "hello"])
"#;
        let mut command = lab.kernel("python3");
        command.args(["-c", script]);
        command
            .env("ADDRESS", address)
            .env("PRELOAD", preload())
            .env("NUMBER", number)
            .envs([("NSTK_IF", "tap:nstk0"), ("NSTK_ADDR", "10.77.1.2/24")])
            .env("NSTK_FAIL", fail)
            .env("LISTEN_FDS", listen_fds);
        Outcome::of(&mut command)
    };
    let run = |fail: &str, listen_fds: &str, number: &str| run_at("", fail, listen_fds, number);
    for (listen_fds, number) in [
        ("1", "3"),
        ("2", "4"),
        (" 1", "3"),
        ("99999999999", "4"),
        ("", "0"),
        ("0", "0"),
    ] {
        let named = format!("descriptor {number}");
        let outcome = run("kernel", listen_fds, number);
        one_line(&outcome.stderr, &[&named, "goes by the kernel's stack"]);
        assert_eq!(outcome.success(), "hello\n");
        let outcome = run("exit", listen_fds, number);
        one_line(&outcome.stderr, &[&named, "is refused"]);
        assert_eq!(outcome.status.code(), Some(69));
    }
    // Loopback is the kernel's anyway.
    assert_eq!(run_at("127.0.0.1", "exit", "1", "3").success(), "hello\n");
    // A number that nothing says is a socket for this program is none of our business.
    assert_eq!(run("exit", "", "7").success(), "hello\n");
}

#[test]
fn a_program_without_the_library_is_named() {
    let lab = lab();
    let scratch = Scratch::new();
    let program = scratch.path().join("static");
    let source = "void _start(void) { __asm__(\"syscall\" :: \"a\"(231), \"D\"(7)); }";
    scratch.write("static.c", source);
    let mut compiler = Command::new("cc");
    compiler.args(["-static", "-nostdlib", "-o"]).arg(&program);
    compiler.arg(scratch.path().join("static.c"));
    Outcome::of(&mut compiler).success();
    for fail in ["kernel", "exit"] {
        let starts = [
            format!("exec('sh', 'sh', '-c', '{}; exit $?')", program.display()),
            format!("exec('{0}', '{0}')", program.display()),
        ];
        for start in starts {
            let script = format!("exec = os.execlp\n{start}");
            let outcome = Outcome::of(python(&lab, &script).env("NSTK_FAIL", fail));
            let named = program.display().to_string();
            one_line(&outcome.stderr, &[&named, "statically linked"]);
            assert_eq!(outcome.status.code(), Some(7));
        }
        let script = format!(
            "child = os.posix_spawn('{0}', ['{0}'], os.environ)\nprint(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
            program.display()
        );
        let outcome = Outcome::of(python(&lab, &script).env("NSTK_FAIL", fail));
        one_line(&outcome.stderr, &["statically linked"]);
        assert_eq!(outcome.success(), "7\n");
    }
}

#[test]
fn a_program_that_is_started_often_is_named_once_for_each_output() {
    let lab = lab();
    let script = r#"
import subprocess
bare = {"PATH": os.environ["PATH"]}
def fork(output):
    if os.fork() == 0:
        os.dup2(output, 2)
        os.execve("/bin/true", ["true"], bare)
    os.wait()
def spawn(output):
    actions = [(os.POSIX_SPAWN_DUP2, output, 2)]
    os.waitpid(os.posix_spawn("/bin/true", ["true"], bare, file_actions=actions), 0)
for start in [fork, spawn, fork, spawn]:
    start(2)
reader, writer = os.pipe()
fork(writer)
fork(writer)
os.close(writer)
print(open(reader).read(), end="")
os.execve("/bin/echo", ["echo", "hello"], bare)
"#;
    let outcome = Outcome::of(&mut python(&lab, script));
    let named = |text: &str| text.matches("/bin/true is started without").count();
    assert_eq!(named(&outcome.stderr), 1, "{}", outcome.stderr);
    assert_eq!(named(&outcome.stdout), 1, "{}", outcome.stdout);
    assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("/bin/echo"), "{}", outcome.stderr);
    assert!(outcome.success().ends_with("hello\n"));
}

#[test]
fn children_beyond_the_familys_limit_are_named_once_for_all() {
    let lab = lab();
    // All places but 50 seem to be taken for children that have not come yet. All children are there at the same time.
    let script = r#"
import struct
USED, MEMBERS, PLACES = 1296, 1304, 4096
first = socket.socket()
for number in os.listdir("/proc/self/fd"):
    try: is_region = "nstk-region" in os.readlink("/proc/self/fd/" + number)
    except OSError: continue
    if is_region:
        with open("/proc/self/fd/" + number, "r+b") as region:
            region.seek(USED)
            region.write(struct.pack("I", PLACES - 1))
            region.seek(MEMBERS + 50 * 8)
            region.write(struct.pack("II", 0xffffffff, os.getpid() << 2) * (PLACES - 51))
start, starter = os.pipe()
for _ in range(60):
    if os.fork() == 0:
        os.close(starter)
        os.read(start, 1)
        attempt(socket.socket)
        os._exit(0)
os.close(starter)
for _ in range(60):
    os.wait()
"#;
    for (fail, refused) in [("kernel", 0), ("exit", 60 - 49)] {
        let outcome = Outcome::of(python(&lab, script).env("NSTK_FAIL", fail));
        let (lines, said) = (outcome.stderr.lines().count(), &outcome.stdout);
        assert_eq!(lines, 2, "{}", outcome.stderr);
        assert!(
            outcome.stderr.contains("4096 at most"),
            "{}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("cannot use its parent's stack"),
            "{}",
            outcome.stderr
        );
        assert_eq!(said.matches("ENETDOWN").count(), refused, "{said}");
        assert_eq!(said.matches("ok").count(), 60 - refused, "{said}");
    }
}

#[test]
fn an_environment_that_cannot_be_read_is_the_kernels_error() {
    // The descriptor shows that a failed exec has left the socket as it was.
    let script = r#"
import ctypes
s = socket.create_connection(("10.77.1.1", int(os.environ["PORT"])))
libc = ctypes.CDLL(None, use_errno=True)
arguments = (ctypes.c_char_p * 2)(b"true", None)
nowhere = ctypes.c_void_p(8)
broken = (ctypes.c_void_p * 2)(8, None)
for environment in [nowhere, broken]:
    assert libc.execve(b"/bin/true", arguments, environment) == -1
    print(errno.errorcode[ctypes.get_errno()])
    pid = ctypes.c_int()
    print(errno.errorcode[libc.posix_spawn(ctypes.byref(pid), b"/bin/true", None, None, arguments, environment)])
s.send(b"still there")
print(s.recv(11).decode())
"#;
    let lab = lab();
    let peer = nstk_tests::Peer::start(&lab, crate::PEER, "echo");
    let outcome = Outcome::of(python(&lab, script).env("PORT", peer.port.to_string()));
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        outcome.success(),
        format!("{}still there\n", "EFAULT\n".repeat(4))
    );
}

#[test]
fn a_program_with_other_effective_ids_is_named() {
    let lab = lab();
    let script = "os.seteuid(65534)\nos.execv('/bin/echo', ['echo', 'hello'])";
    let outcome = Outcome::of(&mut python(&lab, script));
    one_line(&outcome.stderr, &["/bin/echo", "privileges"]);
    assert_eq!(outcome.success(), "hello\n");
}

#[test]
fn a_shell_that_libc_starts_without_the_preload_is_named() {
    let lab = lab();
    for start in [
        "os.system('echo hello')",
        "print(os.popen('echo hello').read(), end='')",
    ] {
        let script = format!("os.environ.pop('LD_PRELOAD')\n{start}");
        let outcome = Outcome::of(&mut python(&lab, &script));
        one_line(&outcome.stderr, &["/bin/sh", "LD_PRELOAD"]);
        assert_eq!(outcome.success(), "hello\n");
    }
}

#[test]
fn a_message_does_not_kill_the_program_nor_go_to_a_peer() {
    let lab = lab();
    let peer = nstk_tests::Peer::start(&lab, crate::PEER, "discard");
    // A pipe without a reader; then a kernel's socket at the number of standard error.
    let script = format!(
        r#"
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 2)
attempt(udp().connect, ('203.0.113.9', 5000))
peer = socket.create_connection(("127.0.0.1", {port}))
os.dup2(peer.fileno(), 2)
attempt(udp().bind, ('198.51.100.7', 0))
"#,
        port = peer.port
    );
    let outcome = Outcome::of(python(&lab, &script).env("NSTK_BYPASS", "kernel tcp"));
    assert_eq!(outcome.success(), "ok\nok\n");
}

#[test]
fn a_program_that_is_started_without_the_preload_is_named() {
    let lab = lab();
    let mut command = lab.nstk("env");
    command.args(["-i", "/bin/echo", "hello"]);
    let outcome = Outcome::of(&mut command);
    one_line(&outcome.stderr, &["/bin/echo", "LD_PRELOAD"]);
    assert_eq!(outcome.success(), "hello\n");
    let mut command = lab.nstk("env");
    let outcome = Outcome::of(command.args(["A=1", "/bin/echo", "hello"]));
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_program_that_cannot_open_the_library_is_named() {
    let lab = lab();
    let scratch = Scratch::new();
    let library = scratch.path().join("libnstk.so");
    let preload = preload().into_string().expect("text");
    let original = preload.strip_prefix("LD_PRELOAD=").expect("the library");
    std::fs::copy(original, &library).expect("a copy");
    let closed = "cannot open the libnstk.so";
    let run = |script: &str| {
        let mut command = lab.nstk("sh");
        command.args(["-c", script]).current_dir(scratch.path());
        let outcome = Outcome::of(&mut command);
        assert_eq!(outcome.stdout, "hello\n", "{}", outcome.stderr);
        outcome.stderr
    };
    let hello = "LD_PRELOAD=./libnstk.so /bin/echo hello; true";
    assert_eq!(run(hello), "");
    let elsewhere = run(&format!("cd /; {hello}"));
    assert!(elsewhere.contains(closed), "{elsewhere}");
    // setpriv itself may still open it.
    let other = run(&format!(
        "chmod 700 .; LD_PRELOAD={} setpriv --reuid 65534 --regid 65534 --clear-groups /bin/echo hello; true",
        library.display()
    ));
    assert!(other.contains(closed), "{other}");
}
