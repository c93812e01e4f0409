//! Two programs under libnstk.so, joined by a link.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nstk_tests::{CProgram, Lab, Outcome, Running, cpu_time, eventually, kill};

/// The addresses of both ends; the kernel has neither.
const SERVER: &str = "10.88.0.1";
const CLIENT: &str = "10.88.0.2";

const KEEPER: &str = "nstk-keeper";

/// A command at the end of the lab's link that has this address. It has no other way to the network.
fn at(lab: &Lab, address: &str, program: impl AsRef<Path>) -> Command {
    let mut command = lab.nstk(program);
    command
        .env("NSTK_IF", "link:test")
        .env("NSTK_ADDR", format!("{address}/24"))
        .env("NSTK_FAIL", "exit");
    command
}

/// A netserver that listens at its end; a netperf that can tell is what waits for it.
fn serve(lab: &Lab) -> Running {
    let server = Running::start(at(lab, SERVER, "netserver").args(["-D", "-4"]));
    eventually("netserver listens", || {
        Outcome::of(&mut netperf(lab, "TCP_RR", "-10"))
            .status
            .success()
    });
    server
}

/// netperf(1): a negative length is a number of transactions.
fn netperf(lab: &Lab, test: &str, length: &str) -> Command {
    let mut client = at(lab, CLIENT, "netperf");
    client.args(["-P", "0", "-H", SERVER, "-t", test, "-l", length]);
    client.args(["--", "-o", "THROUGHPUT"]);
    client
}

#[test]
fn netperf_runs_one_test_after_another() {
    let lab = Lab::new();
    let _server = serve(&lab);
    for test in ["TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "UDP_RR"] {
        let answer = Outcome::of(&mut netperf(&lab, test, "1")).success();
        let throughput: f64 = answer.trim().parse().expect("a number");
        assert!(throughput > 500.0, "{test}: {throughput}");
    }
}

#[test]
fn curl_gets_a_file_from_a_python_server_intact() {
    let lab = Lab::new();
    let directory = std::env::temp_dir().join(format!("nstk-link-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let page: Vec<u8> = (0..10_000_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(directory.join("page"), &page).expect("room for 40 MB");
    let mut server = at(&lab, SERVER, "python3");
    server.args(["-m", "http.server", "8000", "--bind", SERVER]);
    let _server = Running::start(server.current_dir(&directory));
    let mut curl = at(&lab, CLIENT, "curl");
    curl.args(["--silent", "--show-error", "--fail", "--output", "copy"])
        .args(["--retry", "50", "--retry-connrefused", "--retry-delay", "1"])
        .arg(format!("http://{SERVER}:8000/page"));
    Outcome::of(curl.current_dir(&directory)).success();
    let copy = fs::read(directory.join("copy")).expect("curl has written it");
    fs::remove_dir_all(&directory).expect("the directory is ours");
    assert!(
        copy == page,
        "{} bytes of {} came, or others",
        copy.len(),
        page.len()
    );
}

#[test]
fn who_connects_before_the_other_end_is_there_gets_through_once_it_is() {
    let lab = Lab::new();
    let mut client = at(&lab, CLIENT, "curl");
    // Without an answer for three seconds the address counts as unreachable, and curl has to try again.
    client.args(["--silent", "--retry", "20", "--retry-delay", "1"]);
    client.arg("--retry-all-errors");
    let client = Running::start(client.arg(format!("telnet://{SERVER}:8000")));
    eventually("the client has its end", || {
        !lab.processes(KEEPER).is_empty()
    });
    // Its first frames are lost: nobody is there to get them.
    std::thread::sleep(Duration::from_millis(300));
    let script = format!(
        "import socket; s = socket.create_server(('{SERVER}', 8000)); s.accept()[0].sendall(b'hello')"
    );
    Outcome::of(at(&lab, SERVER, "python3").args(["-c", &script])).success();
    assert_eq!(client.finish().success(), "hello");
}

#[test]
fn a_third_program_is_refused_in_one_line() {
    let lab = Lab::new();
    let _server = serve(&lab);
    let waiting = CProgram::compile("waiting");
    let _client = Running::start(at(&lab, CLIENT, waiting.path()).args([SERVER, "12865", "recv"]));
    eventually("both keepers and the wire are there", || {
        lab.processes(KEEPER).len() == 3
    });
    let socket = ["-c", "import socket; socket.socket()"];
    let third = Outcome::of(at(&lab, "10.88.0.3", "python3").args(socket));
    assert_eq!(third.status.code(), Some(69));
    assert_eq!(
        third.stderr,
        "nstk: NSTK_IF=link:test: link:test joins two other running programs already; \
         name another link, or wait for one of them to end; the program ends (NSTK_FAIL=exit)\n"
    );
    // One with the address of an end shares that end's stack.
    let same_address = Outcome::of(at(&lab, CLIENT, "python3").args(socket));
    assert_eq!(same_address.success(), "");
}

#[test]
fn an_end_whose_processes_were_all_killed_is_free_for_the_next_program() {
    let lab = Lab::new();
    let _server = serve(&lab);
    let waiting = CProgram::compile("waiting");
    for address in [CLIENT, "10.88.0.3", "10.88.0.4"] {
        eventually("the server's keeper and the wire are alone", || {
            lab.processes(KEEPER).len() == 2
        });
        let others = lab.processes(KEEPER);
        let mut client = at(&lab, address, waiting.path());
        let client = Running::start(client.args([SERVER, "12865", "recv"]));
        client.has_said("waiting");
        eventually("the client's keeper is there", || {
            lab.processes(KEEPER).len() == 3
        });
        for keeper in lab.processes(KEEPER) {
            if !others.contains(&keeper) {
                kill(keeper, "KILL");
            }
        }
        drop(client);
    }
    Outcome::of(&mut netperf(&lab, "TCP_RR", "-10")).success();
}

#[test]
fn data_arrives_after_the_sender_was_killed() {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let script = format!(
        "import socket; s = socket.create_server(('{SERVER}', 8000)); print('listening', flush=True)\n\
         c = s.accept()[0]; n = 0\n\
         while b := c.recv(65536): n += len(b)\n\
         print(n)"
    );
    let server = Running::start(at(&lab, SERVER, "python3").args(["-c", &script]));
    server.has_said("listening");
    let killed = Outcome::of(at(&lab, CLIENT, program.path()).args([SERVER, "8000", "kill"]));
    assert!(!killed.status.success());
    assert_eq!(server.finish().success(), "listening\n1048576\n");
}

#[test]
fn waiting_at_both_ends_uses_no_cpu_and_nothing_is_left_afterwards() {
    let lab = Lab::new();
    let waiting = CProgram::compile("waiting");
    let server = serve(&lab);
    let client = Running::start(at(&lab, CLIENT, waiting.path()).args([SERVER, "12865", "recv"]));
    client.has_said("waiting");
    std::thread::sleep(Duration::from_millis(500));
    let used = || {
        let keepers = lab.processes(KEEPER).into_iter().filter_map(cpu_time);
        let programs = [server.id(), client.id()].into_iter().filter_map(cpu_time);
        keepers.chain(programs).sum::<Duration>()
    };
    let before = used();
    std::thread::sleep(Duration::from_secs(2));
    let spent = used() - before;
    assert!(
        spent <= Duration::from_millis(40),
        "{spent:?} in two seconds"
    );
    // One after the other, each while it sleeps: a program that is killed while it is inside takes its stack with it,
    // and the other end then asks for an answer for minutes.
    for child in lab.processes("netserver") {
        if child != server.id() {
            kill(child, "KILL");
        }
    }
    client.finish().success();
    let of_the_server = ["keeper", "link broker"];
    eventually("the client's keeper has ended", || {
        lab.processes(KEEPER).len() <= of_the_server.len()
    });
    drop(server);
    eventually("keeper and link broker have ended", || {
        lab.processes(KEEPER).is_empty()
    });
}

#[test]
fn programs_in_two_network_namespaces_do_not_meet_on_a_link_of_the_same_name() {
    let labs = [Lab::new(), Lab::new()];
    // On one link the second would be refused: it has the same address.
    let servers = labs.each_ref().map(serve);
    for (lab, _server) in labs.iter().zip(&servers) {
        Outcome::of(&mut netperf(lab, "TCP_RR", "-10")).success();
    }
}
