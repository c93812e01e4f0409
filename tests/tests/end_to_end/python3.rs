//! Python: an interpreter with its own event loops, and a parent that waits for children's output.

use std::process::Command;

use nstk_tests::{
    Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running, Scratch, eventually, kill, noise,
};

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

/// http.server under the library or not, and what curl on the kernel's stack gets from it.
#[test]
fn its_web_server_answers_as_on_the_kernel() {
    const CLIENT: &str = r"
site=http://$address:8000
curl -s $site/big | md5sum
curl -s $site/ | md5sum
curl -s -o /dev/null -w '%{http_code}\n' $site/nothing
curl -s -o /dev/null -w '%{http_code}\n' -T small $site/small
curl -s --parallel --parallel-max 20 -o /dev/null -w '%{http_code}\n' $site/small?[1-200] 2>&1 | grep -c ^200
";
    let lab = Lab::new();
    let files = Scratch::new();
    files.write("big", noise(20_000_000));
    files.write("small", "a line\n");
    let serve = |mut python: Command, address: &str| {
        python
            .args(["-m", "http.server", "8000"])
            .current_dir(files.path());
        let _server = Running::start(&mut python);
        eventually("the web server listens", || lab.accepts(address, 8000));
        let mut client = lab.kernel("sh");
        client
            .args(["-c", CLIENT])
            .env("address", address)
            .current_dir(files.path());
        Outcome::of(&mut client)
    };
    Outcome::assert_same(
        &serve(lab.kernel("python3"), PEER_ADDRESS),
        &serve(lab.nstk("python3"), NSTK_ADDRESS),
    );
}

/// urllib in one thread, in sixteen, and in forked processes, against http.server on the kernel's stack.
#[test]
fn urllib_gets_what_it_gets_on_the_kernel() {
    const SCRIPT: &str = r"
import hashlib, http.client, multiprocessing, socket, urllib.request
from concurrent.futures import ThreadPoolExecutor
site = 'http://10.77.1.1:8000'
def get(path):
    with urllib.request.urlopen(site + path, timeout=20) as answer:
        return answer.read()
def length(number):
    return len(get('/small?%d' % number))
def fails(url, **options):
    try:
        urllib.request.urlopen(url, **options)
    except OSError as error:
        print(error)
print(hashlib.md5(get('/big')).hexdigest())
fails(site + '/nothing')
fails('http://10.77.1.1:1/')
fails('http://10.77.1.9:1/', timeout=0.2)
with ThreadPoolExecutor(16) as threads:
    print(sum(threads.map(length, range(200))))
with multiprocessing.get_context('fork').Pool(4) as processes:
    print(sum(processes.map(length, range(100))))
stream = socket.create_connection(('10.77.1.1', 8000))
stream.sendall(b'GET /small HTTP/1.0\r\n\r\n')
print(stream.makefile('rb').readline(), stream.family, stream.type, stream.proto)
";
    let lab = Lab::new();
    let files = Scratch::new();
    files.write("big", noise(20_000_000));
    files.write("small", "a line\n");
    let mut python = lab.kernel("python3");
    python
        .args(["-m", "http.server", "8000", "--bind", PEER_ADDRESS])
        .current_dir(files.path());
    let _server = Running::start(&mut python);
    eventually("the web server listens", || lab.accepts(PEER_ADDRESS, 8000));
    lab.same("python3", |mut python, _| {
        Outcome::of(python.args(["-c", SCRIPT]))
    });
}

/// An event loop that echoes.
const ECHO_SERVER: &str = r"
import asyncio
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
async def main():
    async with await asyncio.start_server(echo, '0.0.0.0', 7000, backlog=2048) as server:
        await server.serve_forever()
asyncio.run(main())
";

/// A thousand connections at once, each of which says five things of its own and then ends; it prints how many came back as they were.
const ECHO_CLIENT: &str = r"
import asyncio, os
address = os.environ['server']
async def talk(number, reader, writer):
    echoed = 0
    for word in range(5):
        said = (b'%d %d|' % (number, word)) * 100
        writer.write(said)
        await writer.drain()
        echoed += await reader.readexactly(len(said)) == said
    writer.write_eof()
    assert await reader.read() == b''
    writer.close()
    await writer.wait_closed()
    return echoed
async def main():
    connections = await asyncio.gather(*(asyncio.open_connection(address, 7000) for _ in range(1000)))
    print(sum(await asyncio.gather(*(talk(number, *ends) for number, ends in enumerate(connections)))))
asyncio.run(main())
";

/// An event loop that talks to another over a thousand connections at once.
fn a_thousand_connections(lab: &Lab, server: Command, client: Command, address: &str) {
    // A thousand sockets and what else a program has open are more than the usual limit.
    let roomy = |mut command: Command, script: &str| {
        command.args(["--nofile=4096:4096", "python3", "-c", script]);
        command.env("server", address);
        command
    };
    let _server = Running::start(&mut roomy(server, ECHO_SERVER));
    eventually("the event loop listens", || lab.accepts(address, 7000));
    let outcome = lab.through_tap(|| Outcome::of(&mut roomy(client, ECHO_CLIENT)));
    assert_eq!(outcome.success(), "5000\n");
}

#[test]
fn an_event_loop_serves_a_thousand_connections() {
    let lab = Lab::new();
    let (server, client) = (lab.nstk("prlimit"), lab.kernel("prlimit"));
    a_thousand_connections(&lab, server, client, NSTK_ADDRESS);
}

#[test]
fn an_event_loop_makes_a_thousand_connections() {
    let lab = Lab::new();
    let (server, client) = (lab.kernel("prlimit"), lab.nstk("prlimit"));
    a_thousand_connections(&lab, server, client, PEER_ADDRESS);
}

/// A program waits for its peer while the tap is removed; it is told, and so is the user.
fn without_its_interface(stopped: bool) {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let script = format!(
        "import socket
stream = socket.create_connection(('{PEER_ADDRESS}', {}))
print('waiting', flush=True)
try:
    stream.recv(1)
except OSError as error:
    print(error.strerror)",
        peer.port
    );
    let program = Running::start(lab.nstk("python3").args(["-c", &script]));
    program.has_said("waiting");
    let keepers = || lab.processes("nstk-keeper");
    eventually("there is a keeper", || !keepers().is_empty());
    if stopped {
        kill(program.id(), "STOP");
    }
    lab.run("ip link delete nstk0");
    eventually("the keeper ends", || keepers().is_empty());
    kill(program.id(), "CONT");
    let outcome = program.finish();
    assert_eq!(outcome.stdout, "waiting\nConnection reset by peer\n");
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("tap:nstk0: the interface has gone"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_interface_that_goes_while_a_program_waits_is_named() {
    without_its_interface(false);
}

#[test]
fn an_interface_that_goes_while_a_program_is_stopped_is_named() {
    without_its_interface(true);
}

#[test]
fn an_interface_that_was_removed_and_made_anew_is_used_again() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let script = format!(
        r#"
import errno, os, socket
peer = ("{PEER_ADDRESS}", {port})
first = socket.create_connection(peer)
for command in (
    "link delete nstk0",
    "tuntap add dev nstk0 mode tap vnet_hdr",
    "address add {PEER_ADDRESS}/24 dev nstk0",
    "link set nstk0 up",
):
    assert os.system("ip " + command) == 0
try:
    print(first.recv(1))
except OSError as error:
    print(errno.errorcode[error.errno])
second = socket.create_connection(peer)
second.sendall(b"hello")
print(second.recv(5), second.getsockname()[0])
"#,
        port = peer.port
    );
    let outcome = Outcome::of(lab.nstk("python3").args(["-c", &script]));
    assert_eq!(
        outcome.stdout, "ECONNRESET\nb'hello' 10.77.1.2\n",
        "{}",
        outcome.stderr
    );
}
