//! Python: an interpreter with its own event loops, and a parent that waits for children's output.

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running, eventually, kill};

use crate::PEER;

/// Runs a script under libnstk.so; `{peer}` and `{port}` in it stand for an echo server on the kernel's stack.
fn script(source: &str) -> Outcome {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let source = source
        .replace("{peer}", PEER_ADDRESS)
        .replace("{port}", &peer.port.to_string());
    Outcome::of(lab.nstk("python3").args(["-c", &source]))
}

#[test]
fn captured_output_of_a_child_ends_with_the_child() {
    let outcome = script(
        r#"
import subprocess, sys
child = "import socket; s = socket.create_connection(('{peer}', {port})); s.sendall(b'hello'); print(s.recv(5).decode())"
print(subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout, end="")
"#,
    );
    assert_eq!(outcome.success(), "hello\n");
}

#[test]
fn a_parent_sees_no_child_that_it_did_not_make() {
    let outcome = script(
        r"
import os, socket
s = socket.create_connection(('{peer}', {port}))
s.sendall(b'hello')
s.recv(5)
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print('no child')
",
    );
    assert_eq!(outcome.success(), "no child\n");
}

#[test]
fn a_forked_child_uses_the_socket_it_inherited() {
    let outcome = script(
        r"
import os, socket
s = socket.create_connection(('{peer}', {port}))
child = os.fork()
if child == 0:
    s.sendall(b'from the child')
    os._exit(0)
os.waitpid(child, 0)
print(s.recv(100).decode())
",
    );
    assert_eq!(outcome.success(), "from the child\n");
}

#[test]
fn an_event_loop_serves_a_hundred_connections() {
    let outcome = script(
        r"
import asyncio
async def one(number):
    reader, writer = await asyncio.open_connection('{peer}', {port})
    writer.write(b'%d\n' % number)
    answer = int(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answer
async def main():
    return sum(await asyncio.gather(*(one(number) for number in range(100))))
print(asyncio.run(main()))
",
    );
    assert_eq!(outcome.success(), "4950\n");
}

#[test]
fn an_event_loop_accepts_connections_from_the_kernel() {
    let lab = Lab::new();
    let source = r"
import asyncio
async def serve(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
async def main():
    async with await asyncio.start_server(serve, '0.0.0.0', 7000) as server:
        await server.serve_forever()
asyncio.run(main())
";
    let server = Running::start(lab.nstk("python3").args(["-c", source]));
    eventually("the event loop listens", || lab.accepts(NSTK_ADDRESS, 7000));
    for _ in 0..20 {
        let line = format!("exec 3<>/dev/tcp/{NSTK_ADDRESS}/7000; echo hello >&3; cat <&3");
        assert_eq!(
            Outcome::of(lab.kernel("bash").args(["-c", &line])).success(),
            "hello\n"
        );
    }
    drop(server);
}

#[test]
fn threads_share_the_stack() {
    let outcome = script(
        r"
import socket, threading
total = []
def one(number):
    s = socket.create_connection(('{peer}', {port}))
    for _ in range(50):
        s.sendall(b'x' * 1000)
        got = 0
        while got < 1000:
            got += len(s.recv(1000 - got))
        total.append(got)
threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum(total))
",
    );
    assert_eq!(outcome.success(), "400000\n");
}

#[test]
fn a_ready_socket_is_reported_once_a_call_however_many_are_ready() {
    let outcome = script(
        r"
import select, socket
poll, sockets = select.epoll(), []
for _ in range(200):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(('{peer}', {port}))
    sockets.append(s)
    poll.register(s, select.EPOLLOUT)
seen = set()
for _ in range(20):
    ready = [number for number, _ in poll.poll(0, 1000)]
    assert len(ready) == len(set(ready)), 'reported twice'
    seen.update(ready)
print(len(seen))
",
    );
    assert_eq!(outcome.success(), "200\n");
}

/// A server with a thread for each connection, and one that only accepts.
fn threaded_server(lab: &Lab) -> Running {
    let source = r"
import socket, threading
def echo(connection):
    while data := connection.recv(1000):
        connection.sendall(data)
server = socket.create_server(('10.77.1.2', 7000), backlog=100)
while True:
    threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
";
    let server = Running::start(lab.nstk("python3").args(["-c", source]));
    eventually("the server listens", || lab.accepts(NSTK_ADDRESS, 7000));
    server
}

#[test]
fn a_keeper_that_is_killed_is_replaced_and_missed_by_nobody() {
    let lab = Lab::new();
    let server = threaded_server(&lab);
    for _ in 0..3 {
        let keepers = || lab.processes("nstk-keeper");
        eventually("there is a keeper", || !keepers().is_empty());
        let old = keepers();
        for keeper in &old {
            kill(*keeper, "STOP");
        }
        let _ = lab.accepts(NSTK_ADDRESS, 7000);
        for keeper in &old {
            kill(*keeper, "KILL");
        }
        eventually("the server answers", || lab.accepts(NSTK_ADDRESS, 7000));
        eventually("there is another keeper", || {
            keepers().iter().any(|keeper| !old.contains(keeper)) || !lab.accepts(NSTK_ADDRESS, 7000)
        });
    }
    drop(server);
}

#[test]
fn the_address_of_a_stopped_server_still_answers() {
    let lab = Lab::new();
    let server = threaded_server(&lab);
    kill(server.id(), "STOP");
    eventually("its keeper answers", || lab.accepts(NSTK_ADDRESS, 7000));
    kill(server.id(), "CONT");
    let line = format!("exec 3<>/dev/tcp/{NSTK_ADDRESS}/7000; echo hello >&3; head -n 1 <&3");
    let echoed = Outcome::of(lab.kernel("bash").args(["-c", &line]));
    assert_eq!(echoed.success(), "hello\n");
    drop(server);
}
