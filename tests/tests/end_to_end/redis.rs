//! redis-cli and redis-benchmark against a redis-server on the kernel's stack.

use nstk_tests::{Lab, Outcome, PEER_ADDRESS, Running, Scratch, eventually, noise};

/// A server in memory only. It is killed with the value.
fn server(lab: &Lab) -> Running {
    let mut redis = lab.kernel("redis-server");
    redis
        .args(["--bind", PEER_ADDRESS, "--protected-mode", "no"])
        .args(["--save", "", "--dir", "/"]);
    let server = Running::start(&mut redis);
    eventually("redis listens", || lab.accepts(PEER_ADDRESS, 6379));
    server
}

/// `blob` has 3 MB. Each step says what came of it.
const SCRIPT: &str = r"
cli='redis-cli -h 10.77.1.1'
$cli flushall
$cli set greeting hello
$cli get greeting
$cli -r 5 -i 0.01 incr number
$cli -x set blob <blob
$cli get blob | md5sum
for i in $(seq 10000); do printf 'SET key%d %d\r\n' $i $i; done | $cli --pipe
$cli --scan --pattern 'key*' | sort | md5sum
printf 'multi\nset a 1\nget a\nexec\n' | $cli
$cli lpush nothing
timeout 0.3 $cli subscribe channel; echo $?
$cli client list | grep -c addr=$address:
$cli -p 1 ping; echo $?
";

#[test]
fn commands_are_answered_as_on_the_kernel() {
    let lab = Lab::new();
    let _server = server(&lab);
    let scratch = Scratch::new();
    scratch.write("blob", noise(3_000_000));
    lab.same("sh", |mut command, address| {
        command
            .args(["-c", SCRIPT])
            .env("address", address)
            .current_dir(scratch.path());
        Outcome::of(&mut command)
    });
}

/// Runs redis-benchmark both ways; the server must have been asked the same. Rates are not compared.
fn benchmark(options: &[&str]) {
    let lab = Lab::new();
    let _server = server(&lab);
    let cli = |words: &str| {
        let mut command = lab.kernel("redis-cli");
        command.args(["-h", PEER_ADDRESS]).args(words.split(' '));
        Outcome::of(&mut command).success()
    };
    lab.same("redis-benchmark", |mut benchmark, _| {
        cli("config resetstat");
        benchmark.args(["-h", PEER_ADDRESS, "--csv"]).args(options);
        let outcome = Outcome::of(&mut benchmark);
        let asked: String = cli("info commandstats")
            .lines()
            .filter_map(|line| line.split_once(",usec="))
            .filter(|(command, _)| !command.contains("config"))
            .map(|(command, _)| format!("{command}\n"))
            .collect();
        assert!(asked.contains("calls="), "{}", outcome.stderr);
        // The names of the tests that came to their end.
        let ended: String = outcome
            .stdout
            .lines()
            .filter_map(|line| line.split_once(','))
            .map(|(test, _)| format!("{test}\n"))
            .collect();
        Outcome {
            stdout: asked + &ended,
            ..outcome
        }
    });
}

#[test]
fn fifty_clients() {
    benchmark(&["-n", "10000", "-t", "set,get,lpush,mset"]);
}

#[test]
fn fifty_clients_of_two_threads() {
    benchmark(&["-n", "10000", "--threads", "2", "-t", "get"]);
}

#[test]
fn a_thousand_clients() {
    benchmark(&["-n", "5000", "-c", "1000", "-t", "get"]);
}

#[test]
fn pipelined_requests() {
    benchmark(&["-n", "50000", "-P", "16", "-t", "get"]);
}

#[test]
fn large_values() {
    benchmark(&["-n", "1000", "-d", "100000", "-t", "set,get"]);
}

#[test]
fn a_connection_for_each_request() {
    benchmark(&["-n", "2000", "-k", "0", "-t", "ping"]);
}
