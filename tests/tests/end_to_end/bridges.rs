//! Connections of programs without the library, which inherit them by exec: their bytes are copied.

use std::process::{Command, Stdio};

use nstk_tests::{CProgram, Lab, NSTK_ADDRESS, Outcome, Running, eventually};

/// A server that starts `program` for each of so many clients, with the connection as its standard input and output.
fn inetd(mut command: Command, program: &CProgram, mode: &str, clients: u32) -> Running {
    let source = "import os, signal, socket, sys
listener = socket.create_server(('', 7000))
print('up', flush=True)
for _ in range(int(sys.argv[1])):
    client, _ = listener.accept()
    pid = os.fork()
    if pid == 0:
        os.dup2(client.fileno(), 0); os.dup2(client.fileno(), 1)
        os.execv(sys.argv[2], sys.argv[2:])
    client.close()
    print(os.waitpid(pid, 0)[1], flush=True)";
    command.args(["-c", source, &clients.to_string()]);
    let running = Running::start(command.arg(program.path()).arg(mode));
    running.has_said("up");
    running
}

/// What a client in Python prints, which has a connection to the server in `s`.
fn client(lab: &Lab, address: &str, script: &str) -> String {
    let source = format!(
        "import os, socket, sys, threading, time
def connect():
    for _ in range(400):
        try: return socket.create_connection(('{address}', 7000))
        except ConnectionRefusedError: time.sleep(0.05)
s = connect()
s.settimeout(20)
def read():
    got = bytearray()
    while True:
        more = s.recv(1 << 16)
        if not more: return bytes(got)
        got += more
{script}"
    );
    Outcome::of(lab.kernel("python3").args(["-c", &source])).success()
}

/// Serves clients that do `script` on both stacks, and compares what all of them say.
fn same(mode: &str, clients: u32, script: &str) {
    let lab = Lab::new();
    let program = CProgram::compile_static("inetd");
    let run = |command: Command, address: &str| {
        let server = inetd(command, &program, mode, clients);
        let mut said = String::new();
        for _ in 0..clients {
            said += &client(&lab, address, script);
        }
        let outcome = server.finish();
        Outcome {
            stdout: outcome.stdout.clone() + &said,
            ..outcome
        }
        .only(|line| !line.contains("is started without the library"))
    };
    lab.same("python3", run);
}

#[test]
fn bytes_go_both_ways_and_each_way_has_its_end() {
    same(
        "echo",
        2,
        "data = os.urandom(5_000_000)
threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
got = read()
print(got[:len(data)] == data, got[len(data):])",
    );
    same("echo", 1, "s.shutdown(socket.SHUT_WR); print(read())");
}

#[test]
fn a_program_may_end_its_direction_first() {
    same(
        "half",
        1,
        "print(read(), flush=True)
time.sleep(0.1)
s.sendall(bytes(300_000))",
    );
}

#[test]
fn what_a_program_has_written_arrives_after_its_end() {
    same(
        "source",
        1,
        "time.sleep(0.5)
print(len(read()))",
    );
}

#[test]
fn a_program_that_ends_at_once_ends_its_connection() {
    same("leave", 1, "print(read())");
}

#[test]
fn a_reset_ends_the_program_s_side() {
    same(
        "reset",
        1,
        "import struct
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
s.close()",
    );
}

#[test]
fn socat_serves_by_a_static_program() {
    let lab = Lab::new();
    let program = CProgram::compile_static("inetd");
    let serve = format!("EXEC:{} echo,nofork", program.path().display());
    let mut command = lab.nstk("socat");
    command.args(["TCP-LISTEN:7000,reuseaddr", &serve]);
    let server = Running::start(&mut command);
    let said = client(
        &lab,
        NSTK_ADDRESS,
        "s.sendall(b'by socat'); s.shutdown(socket.SHUT_WR); print(read())",
    );
    assert_eq!(said, "b'by socatall 8\\n'\n");
    server.finish().success();
}

#[test]
fn an_exec_that_fails_leaves_the_socket_as_it_was() {
    let lab = Lab::new();
    let program = CProgram::compile_static("inetd");
    let source = format!(
        "import os, socket
listener = socket.create_server(('', 7000))
print('up', flush=True)
client, _ = listener.accept()
client.set_inheritable(True)
try: os.execv('{0}', ['{0}', 'x' * 10_000_000])
except OSError as error: print(error.errno)
client.sendall(client.recv(100))
print(client.getpeername()[0])",
        program.path().display()
    );
    lab.same("python3", |mut command, address| {
        let server = Running::start(command.args(["-c", &source]));
        server.has_said("up");
        let said = client(
            &lab,
            address,
            "s.sendall(b'before'); time.sleep(0.2); print(s.recv(100))",
        );
        assert_eq!(said, "b'before'\n");
        let outcome = server.finish();
        outcome.only(|line| !line.contains("is started without the library"))
    });
}

#[test]
fn clients_of_a_listener_that_a_program_without_the_library_has_are_refused() {
    let lab = Lab::new();
    let program = CProgram::compile_static("inetd");
    let source = format!(
        "import os, socket
listener = socket.create_server(('', 7000))
listener.set_inheritable(True)
print('up', flush=True)
os.execv('{0}', ['{0}', 'read'])",
        program.path().display()
    );
    let mut command = lab.nstk("python3");
    let server = Running::start(command.args(["-c", &source]).stdin(Stdio::piped()));
    server.has_said("up");
    eventually("clients are refused", || {
        let connect =
            format!("import socket; socket.create_connection(('{NSTK_ADDRESS}', 7000), 1)");
        let outcome = Outcome::of(lab.kernel("python3").args(["-c", &connect]));
        outcome.stderr.contains("ConnectionRefusedError")
    });
    server.finish().success();
}
