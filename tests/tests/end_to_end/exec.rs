//! Sockets that survive exec: the new program has them as on the kernel's stack.

use std::process::Command;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running};

use crate::PEER;

/// Ways from one program to the next, in Python: `CHILD` is a script, which gets the numbers of descriptors.
const WAYS: [(&str, &str); 5] = [
    ("exec", "os.execv(sys.executable, command)"),
    (
        "exec with an environment",
        "os.execve(sys.executable, command, dict(os.environ, MORE='1'))",
    ),
    (
        "fork and exec",
        "pid = os.fork()
if pid == 0: os.execvp('python3', command)
close(); os.waitpid(pid, 0)",
    ),
    (
        "vfork and exec",
        "child = subprocess.Popen(command, pass_fds=[int(fd) for fd in command[3:]])
close(); child.wait()",
    ),
    (
        "through a shell",
        "pid = os.fork()
if pid == 0: os.execv('/bin/sh', ['sh', '-c', 'true; \"$@\"; true', 'sh'] + command)
close(); os.waitpid(pid, 0)",
    ),
];

/// A program that makes sockets by `make`, passes those in `passed` on, and closes its own: `way` leads to the next one, which runs
/// `script` with the sockets in `s`.
fn program(make: &str, way: &str, script: &str) -> String {
    format!(
        "import os, select, socket, subprocess, sys
CHILD = '''import os, select, socket, sys
s = [socket.socket(fileno=int(fd)) for fd in sys.argv[1:]]
{script}
'''
{make}
for s in passed: s.set_inheritable(True)
command = [sys.executable, '-c', CHILD] + [str(s.fileno()) for s in passed]
def close():
    for s in passed: s.close()
{way}"
    )
}

/// Runs it both ways against an echo server, and compares.
fn same(make: &str, script: &str) {
    let lab = Lab::new();
    for (name, way) in WAYS {
        let source = program(make, way, script);
        lab.same("python3", |mut command, _| {
            let peer = Peer::start(&lab, PEER, "echo");
            let source = source
                .replace("{peer}", PEER_ADDRESS)
                .replace("{port}", &peer.port.to_string());
            let outcome = Outcome::of(command.args(["-c", &source]));
            assert!(!outcome.stdout.is_empty(), "{name}: {}", outcome.stderr);
            outcome
        });
    }
}

#[test]
fn a_connection_goes_on_with_its_options_and_its_data() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
b = socket.create_connection(('{peer}', {port}))
a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
a.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
b.setblocking(False)
a.sendall(b'sent before')
select.select([a], [], [], 10)
passed = [a, b]",
        "a, b = s
print(a.family.name, a.type.name, a.getpeername() == ('{peer}', {port}), flush=True)
print(a.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), a.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
print(os.get_blocking(a.fileno()), os.get_blocking(b.fileno()))
print(a.recv(100))
b.setblocking(True)
b.sendall(b'sent after')
print(b.recv(100), flush=True)",
    );
}

#[test]
fn an_epoll_set_goes_on_with_its_sockets() {
    let lab = Lab::new();
    lab.same("python3", |mut command, _| {
        let peer = Peer::start(&lab, PEER, "echo");
        let source = format!(
            "import os, select, socket, sys
if len(sys.argv) == 1:
    s = socket.create_connection(('{PEER_ADDRESS}', {}))
    e = select.epoll()
    e.register(s, select.EPOLLIN)
    os.set_inheritable(s.fileno(), True)
    os.set_inheritable(e.fileno(), True)
    os.execv(sys.executable, [sys.executable, '-c', sys.orig_argv[-1], str(s.fileno()), str(e.fileno())])
s, e = socket.socket(fileno=int(sys.argv[1])), select.epoll.fromfd(int(sys.argv[2]))
print(e.poll(0))
s.sendall(b'hello')
print([events for _, events in e.poll(10)], s.recv(9))
other = socket.create_connection(('{PEER_ADDRESS}', {}))
e.register(other, select.EPOLLOUT)
print([events for _, events in e.poll(10)], flush=True)",
            peer.port, peer.port
        );
        Outcome::of(command.args(["-c", &source]))
    });
}

#[test]
fn what_closes_on_exec_is_closed_for_the_peer() {
    let lab = Lab::new();
    for way in [WAYS[0].1, WAYS[2].1, WAYS[3].1] {
        let peer = Peer::start(&lab, PEER, "discard");
        let make = format!(
            "closed = socket.create_connection(('{PEER_ADDRESS}', {}))
closed.sendall(bytes([0, 1, 2]))
other = socket.create_connection(('{PEER_ADDRESS}', {}))
closed.set_inheritable(False)
passed = [other]
close_all = lambda: [x.close() for x in (closed, other)]",
            peer.port, peer.port
        );
        let way = way.replace("close();", "close_all();");
        let script = "s[0].getpeername(); print('up', flush=True); sys.stdin.read()";
        let mut command = lab.nstk("python3");
        command.args(["-c", &program(&make, &way, script)]);
        let running = Running::start(command.stdin(std::process::Stdio::piped()));
        running.has_said("up");
        assert_eq!(
            peer.next_line(),
            "3 intact fin",
            "while the new program runs"
        );
        running.finish().success();
    }
}

/// Serves at `address` what a program has that inherited a listener, and asks it from the kernel's side.
fn serve(lab: &Lab, mut command: Command, address: &str, way: &str, before: &str) -> Outcome {
    let make = format!(
        "listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('{address}', 7000))
{before}
passed = [listener]"
    );
    let script = "s = s[0]
print(s.family.name, s.getsockname()[1], flush=True)
s.listen()
for _ in range(3):
    client, peer = s.accept()
    client.sendall(client.recv(100))
    client.close()
    print(peer[0])";
    let server = Running::start(command.args(["-c", &program(&make, way, script)]));
    for number in 0..3 {
        let talk = format!("exec 3<>/dev/tcp/{address}/7000 && echo line {number} >&3 && cat <&3");
        let line = format!("until bash -c '{talk}' 2>/dev/null; do sleep 0.05; done");
        assert_eq!(
            Outcome::of(lab.kernel("sh").args(["-c", &line])).success(),
            format!("line {number}\n")
        );
    }
    server.finish()
}

#[test]
fn a_listener_goes_on_listening() {
    let lab = Lab::new();
    for (_, way) in WAYS {
        for before in ["", "listener.listen()"] {
            let kernel = serve(&lab, lab.kernel("python3"), PEER_ADDRESS, way, before);
            let nstk = serve(&lab, lab.nstk("python3"), NSTK_ADDRESS, way, before);
            Outcome::assert_same(&kernel, &nstk);
        }
    }
}

#[test]
fn a_failed_exec_changes_nothing() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
b = socket.create_connection(('{peer}', {port}))
a.set_inheritable(True)
for program in ('/nonexistent', '/etc/passwd', '/'):
    try: os.execv(program, ['x'])
    except OSError as error: print(error.errno, flush=True)
b.sendall(b'still here')
assert b.recv(100) == b'still here'
passed = [a]",
        "s[0].sendall(b'and here'); print(s[0].recv(100), flush=True)",
    );
}

#[test]
fn descriptors_that_the_new_program_closes_unseen_are_closed() {
    let lab = Lab::new();
    for close in [
        "os.close(int(sys.argv[1]))",
        "os.closerange(3, 100)",
        "os.dup2(2, int(sys.argv[1]))",
    ] {
        let peer = Peer::start(&lab, PEER, "discard");
        let source = format!(
            "import os, socket, sys
if len(sys.argv) == 1:
    s = socket.create_connection(('{PEER_ADDRESS}', {}))
    s.sendall(bytes([0, 1, 2]))
    s.set_inheritable(True)
    os.execv(sys.executable, [sys.executable, '-c', sys.orig_argv[-1], str(s.fileno())])
{close}
print('up', flush=True)
sys.stdin.read()",
            peer.port
        );
        let mut command = lab.nstk("python3");
        command.args(["-c", &source]);
        let running = Running::start(command.stdin(std::process::Stdio::piped()));
        running.has_said("up");
        assert_eq!(peer.next_line(), "3 intact fin", "{close}");
        running.finish().success();
    }
}

/// Runs, both ways against an echo server, a program that begins itself anew with a connection, and then does as `script` says
/// with `fd` alone: no call before it has looked at the descriptor.
fn untouched(script: &str) {
    let lab = Lab::new();
    lab.same("python3", |mut command, _| {
        let peer = Peer::start(&lab, PEER, "echo");
        let source = format!(
            "import os, select, socket, sys
if len(sys.argv) == 1:
    s = socket.create_connection(('{PEER_ADDRESS}', {}))
    s.sendall(b'hello')
    s.set_inheritable(True)
    os.execv(sys.executable, [sys.executable, '-c', sys.orig_argv[-1], str(s.fileno())])
fd = int(sys.argv[1])
{script}",
            peer.port
        );
        let outcome = Outcome::of(command.args(["-c", &source]));
        assert!(!outcome.stdout.is_empty(), "{script}: {}", outcome.stderr);
        outcome
    });
}

#[test]
fn a_program_may_wait_at_once_for_what_it_has_inherited() {
    for wait in [
        "print(len(select.select([fd], [], [], 20)[0]))",
        "p = select.poll(); p.register(fd, select.POLLIN); print(len(p.poll(20_000)))",
        "e = select.epoll(); e.register(fd, select.EPOLLIN); print(len(e.poll(20)))",
    ] {
        untouched(&format!("{wait}; print(os.read(fd, 100))"));
    }
}

#[test]
fn children_hold_what_their_parent_has_inherited_and_not_looked_at() {
    untouched(
        "closed, told = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(closed, 1)
    print(os.read(fd, 100), flush=True)
    os._exit(0)
os.close(fd)
os.write(told, b'!')
os.waitpid(pid, 0)",
    );
}
