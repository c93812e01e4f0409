//! Sockets that a process passes to another one (`SCM_RIGHTS`): they are there what they are on the kernel's stack.

use std::process::{Command, Stdio};

use nstk_tests::{Lab, Outcome, PEER_ADDRESS, Peer, Running, Scratch, kill};

use crate::PEER;

/// Who receives: `receive` is what runs a script with one end of a pair.
const WAYS: [(&str, &str); 2] = [
    (
        "a child",
        "pid = os.fork()
if pid == 0:
    sys.argv = ['-c', str(other.fileno())]
    exec(RECEIVER)
    sys.stdout.flush(); os._exit(0)
assert os.waitpid(pid, 0)[1] == 0",
    ),
    (
        "a stranger",
        "subprocess.run([sys.executable, '-c', RECEIVER, str(other.fileno())], pass_fds=[other.fileno()], check=True)",
    ),
];

/// A program that makes sockets and passes them by `send`, and closes all it has. Then `way` runs `receive`.
fn program(send: &str, way: &str, receive: &str) -> String {
    format!(
        "import array, os, select, socket, subprocess, sys, time
RECEIVER = '''import array, os, select, socket, sys, time
carrier = socket.socket(fileno=int(sys.argv[1]))
def take(count, flags=0):
    (_, _, numbers), = carrier.recvmsg(1, socket.CMSG_LEN(4 * count), flags)[1]
    return array.array('i', numbers).tolist()
def open(fd):
    return socket.socket(fileno=fd)
{receive}
'''
carrier, other = socket.socketpair()
def give(*files):
    socket.send_fds(carrier, [b'x'], [file if isinstance(file, int) else file.fileno() for file in files])
{send}
sys.stdout.flush()
{way}"
    )
}

/// Runs it both ways on both stacks against an echo server, and compares.
fn same(send: &str, receive: &str) {
    let lab = Lab::new();
    for (name, way) in WAYS {
        let source = program(send, way, receive);
        lab.same("python3", |mut command, own| {
            let peer = Peer::start(&lab, PEER, "echo");
            let source = source
                .replace("{peer}", PEER_ADDRESS)
                .replace("{own}", own)
                .replace("{port}", &peer.port.to_string());
            let outcome = Outcome::of(command.args(["-c", &source]));
            assert!(!outcome.stdout.is_empty(), "{name}: {}", outcome.stderr);
            outcome
        });
    }
}

#[test]
fn a_connection_goes_on_after_its_sender_has_closed_it() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
b = socket.create_connection(('{peer}', {port}))
a.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
b.setblocking(False)
a.sendall(b'sent before')
select.select([a], [], [], 10)
give(a, b)
a.close(); b.close()",
        "a, b = map(open, take(2))
print(a.family.name, a.type.name, a.getpeername() == ('{peer}', {port}))
print(a.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), os.get_blocking(a.fileno()), os.get_blocking(b.fileno()))
print(a.recv(100))
b.setblocking(True)
b.sendall(b'sent after')
print(b.recv(100), os.get_inheritable(a.fileno()))",
    );
}

#[test]
fn flags_and_other_descriptors_come_as_they_were_sent() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
one, two = os.pipe()
for count in range(2):
    socket.send_fds(carrier, [b'x'], [one, a.fileno(), two, a.fileno()])
a.close()",
        "fds = take(4, socket.MSG_CMSG_CLOEXEC)
print([os.get_inheritable(fd) for fd in fds])
os.write(fds[2], b'through the pipe')
print(os.read(fds[0], 100))
a, b = open(fds[1]), open(fds[3])
a.sendall(b'one socket')
a.close()
print(b.recv(100))
print([os.get_inheritable(fd) for fd in take(4)])",
    );
}

#[test]
fn a_message_may_be_looked_at_first_and_cut() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
give(a, a)
give(a, a)
a.close()",
        "for flags in (socket.MSG_PEEK, socket.MSG_PEEK, 0):
    for fd in take(2, flags):
        a = open(fd)
        a.sendall(b'looked at')
        print(a.recv(100))
data, control, flags, _ = carrier.recvmsg(1, socket.CMSG_LEN(4))
print(bool(flags & socket.MSG_CTRUNC), len(control))
a = open(array.array('i', control[0][2])[0])
a.sendall(b'one is enough')
print(a.recv(100))",
    );
}

#[test]
fn a_listener_and_datagram_sockets_come_too() {
    same(
        "listener = socket.create_server(('{own}', 0))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.connect(('{peer}', {port}))
open_ended = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
new = socket.socket()
new.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
give(listener, udp, open_ended, new)
for s in (listener, udp, open_ended, new): s.close()",
        "listener, udp, open_ended, new = map(open, take(4))
for number in range(3):
    udp.send(b'datagram')
    print(udp.recv(100))
open_ended.sendto(b'first', ('{peer}', {port}))
print(open_ended.recv(100))
print(listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), new.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
new.connect(listener.getsockname())
accepted, _ = listener.accept()
accepted.sendall(b'from itself')
print(new.recv(100))",
    );
}

#[test]
fn an_epoll_set_comes_with_its_sockets() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
one, two = os.pipe()
e = select.epoll()
e.register(a, select.EPOLLIN)
e.register(one, select.EPOLLIN)
give(e, a, two)
e.close(); a.close()",
        "e, a, pipe = take(3)
e, a = select.epoll.fromfd(e), open(a)
print(e.poll(0))
a.sendall(b'hello')
print([events for _, events in e.poll(10)], a.recv(9))
os.write(pipe, b'x')
print([events for _, events in e.poll(10)])
other = socket.create_connection(('{peer}', {port}))
e.register(other, select.EPOLLOUT)
print(sorted(events for _, events in e.poll(10)))",
    );
}

#[test]
fn a_set_that_has_come_may_get_sockets_later() {
    same(
        "e = select.epoll()
again = os.dup(e.fileno())
give(e, again)
e.close(); os.close(again)",
        "e, again = map(select.epoll.fromfd, take(2))
print(e.poll(0))
a = socket.create_connection(('{peer}', {port}))
e.register(a, select.EPOLLOUT)
print([events for _, events in again.poll(10)])",
    );
}

#[test]
fn many_go_in_one_message_and_too_many_do_not() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
for count in (254, 253):
    try: give(*[a] * count)
    except OSError as error: print(error.errno)
a.close()",
        "fds = take(253)
print(len(fds))
for fd in fds[1:]: os.close(fd)
a = open(fds[0])
a.sendall(b'the last one')
print(a.recv(100))",
    );
}

#[test]
fn a_pair_of_sockets_carries_ours_through_a_third_process() {
    same(
        "a = socket.create_connection(('{peer}', {port}))
inner, outer = socket.socketpair()
socket.send_fds(inner, [b'x'], [a.fileno()])
give(outer)
a.close(); inner.close(); outer.close()",
        "outer = open(take(1)[0])
a = open(socket.recv_fds(outer, 1, 1)[1][0])
a.sendall(b'unpacked')
print(a.recv(100))",
    );
}

/// What happens to the connection that `send` has done something with, while the program goes on.
fn ends(send: &str) {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let make = format!(
        "a = socket.create_connection(('{PEER_ADDRESS}', {}))
a.sendall(bytes([0, 1, 2]))
{send}
print('done', flush=True)
sys.stdin.read()",
        peer.port
    );
    let mut command = lab.nstk("python3");
    command.args(["-c", &program(&make, "", "")]);
    let running = Running::start(command.stdin(Stdio::piped()));
    running.has_said("done");
    assert_eq!(peer.next_line(), "3 intact fin", "{send}");
    running.finish().success();
}

#[test]
fn what_is_never_received_is_closed_with_the_sockets_that_carry_it() {
    ends("give(a, a); a.close(); carrier.close(); other.close()");
    ends("give(a); a.close(); other.recv(1)");
}

#[test]
fn a_message_that_is_not_sent_leaves_nothing() {
    ends(
        "other.close()
try: give(a)
except OSError as error: assert error.errno == 32, error
a.close()",
    );
    ends(
        "carrier.setblocking(False)
try:
    while True: carrier.send(b'x' * 10000)
except BlockingIOError: pass
try: give(a, a)
except BlockingIOError: a.close()",
    );
}

#[test]
fn what_a_killed_keeper_held_is_closed_by_the_next_one() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let make = format!(
        "peer = ('{PEER_ADDRESS}', {})
a = socket.create_connection(peer)
a.sendall(bytes([0, 1, 2]))
give(a)
a.close()
print('given', flush=True)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    udp.sendto(b'x', peer)
    udp.recv(1)
came, = socket.recv_fds(other, 1, 1)[1]
print(os.read(came, 100))",
        peer.port
    );
    let mut command = lab.nstk("python3");
    command.args(["-c", &program(&make, "", "")]);
    let running = Running::start(command.stdin(Stdio::piped()));
    running.has_said("given");
    for keeper in lab.processes("nstk-keeper") {
        kill(keeper, "KILL");
    }
    assert_eq!(peer.next_line(), "3 intact fin");
    let outcome = running.finish();
    assert!(outcome.stderr.contains("is lost"), "{}", outcome.stderr);
    assert_eq!(outcome.success(), "given\nb''\n");
}

#[test]
fn a_program_without_the_stack_gets_a_socket_at_its_end() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let make = format!(
        "a = socket.create_connection(('{PEER_ADDRESS}', {}))
a.sendall(bytes([0, 1, 2]))
give(a)
a.close()
receive = 'import os, socket; fd, = socket.recv_fds(socket.socket(fileno=%d), 1, 1)[1]; print(os.read(fd, 100))' % other.fileno()
environment = {{name: value for name, value in os.environ.items() if not name.startswith('NSTK_')}}
child = subprocess.run([sys.executable, '-c', receive], env=environment, pass_fds=[other.fileno()])
print(child.returncode)",
        peer.port
    );
    let mut command = lab.nstk("python3");
    let outcome = Outcome::of(command.args(["-c", &program(&make, "", "")]));
    assert_eq!(peer.next_line(), "3 intact fin");
    assert!(outcome.stderr.contains("is lost"), "{}", outcome.stderr);
    assert_eq!(outcome.success(), "b''\n0\n");
}

#[test]
fn a_program_without_the_library_that_writes_first_is_served() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let make = format!(
        "a = socket.create_connection(('{PEER_ADDRESS}', {}))
give(a)
a.close()
receive = 'import socket; s = socket.socket(fileno=socket.recv_fds(socket.socket(fileno=%d), 1, 1)[1][0]); s.sendall(b\"by hand\"); print(s.recv(100))' % other.fileno()
environment = {{name: value for name, value in os.environ.items() if name != 'LD_PRELOAD'}}
child = subprocess.run([sys.executable, '-c', receive], env=environment, pass_fds=[other.fileno()])
print(child.returncode)",
        peer.port
    );
    let mut command = lab.nstk("python3");
    let outcome = Outcome::of(command.args(["-c", &program(&make, "", "")]));
    assert_eq!(outcome.success(), "b'by hand'\n0\n");
}

/// A server in Python whose workers get their connections from the process that accepts them, and one client for each.
fn workers(method: &str) {
    const SERVER: &str = "import multiprocessing, os, socket, sys
def work(pipe, listener):
    mine = pipe.recv()
    mine.sendall(mine.recv(100).upper())
    mine.close()
    another, _ = listener.accept()
    another.sendall(another.recv(100).upper())
    another.close()
    pipe.send('served')
if __name__ == '__main__':
    multiprocessing.set_start_method(sys.argv[1])
    listener = socket.create_server(('', 7000))
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.Process(target=work, args=(theirs, listener))
    worker.start()
    print('up', flush=True)
    client, _ = listener.accept()
    ours.send(client)
    client.close()
    print(ours.recv())
    worker.join()
    print(worker.exitcode)";
    let lab = Lab::new();
    let files = Scratch::new();
    files.write("server.py", SERVER);
    let run = |mut command: Command, address: &str| {
        let script = files.path().join("server.py");
        let server = Running::start(command.arg(script).arg(method));
        server.has_said("up");
        for _ in 0..2 {
            let talk = format!("exec 3<>/dev/tcp/{address}/7000 && echo line >&3 && cat <&3");
            let said = Outcome::of(lab.kernel("bash").args(["-c", &talk])).success();
            assert_eq!(said, "LINE\n", "{method}");
        }
        server.finish()
    };
    lab.same("python3", run);
}

#[test]
fn workers_of_multiprocessing_get_sockets_by_spawn() {
    workers("spawn");
}

#[test]
fn workers_of_multiprocessing_get_sockets_by_forkserver() {
    workers("forkserver");
}

/// node's cluster: the first process listens, and passes either the listener or each connection on.
fn node_cluster(policy: &str) {
    const SERVER: &str = "const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) {
  let up = 0;
  for (let i = 0; i < 2; i++) cluster.fork().on('listening', () => { if (++up == 2) console.log('up') });
  process.stdin.on('end', () => process.exit()).resume();
} else http.createServer((_, answer) => answer.end('from a worker\\n')).listen(7000);";
    let lab = Lab::new();
    let files = Scratch::new();
    files.write("server.js", SERVER);
    lab.same("node", |mut command, address| {
        command
            .arg(files.path().join("server.js"))
            .env("NODE_CLUSTER_SCHED_POLICY", policy);
        let server = Running::start(command.stdin(Stdio::piped()));
        server.has_said("up");
        for _ in 0..20 {
            let mut curl = lab.kernel("curl");
            curl.args(["-sS", &format!("http://{address}:7000/")]);
            assert_eq!(Outcome::of(&mut curl).success(), "from a worker\n");
        }
        server.finish()
    });
}

#[test]
fn node_s_cluster_passes_connections_to_its_workers() {
    node_cluster("rr");
}

#[test]
fn node_s_cluster_shares_its_listener() {
    node_cluster("none");
}
