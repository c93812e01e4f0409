//! wrk, a benchmark with an event loop for each thread, against a web server on the kernel's stack.

use nstk_tests::{Lab, Outcome, WEB_ADDRESS, WebServer, noise};

/// Runs wrk on a page of `bytes` both ways: no socket errors, and each answer is the page.
fn same(bytes: usize, options: &[&str]) {
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("page", noise(bytes));
    let page = format!("http://{WEB_ADDRESS}/page");
    lab.same("wrk", |mut wrk, _| {
        let outcome = Outcome::of(wrk.args(["-d", "1"]).args(options).arg(&page));
        // `N requests in 1.00s, 12.34MB read`
        let requests: u64 = outcome
            .stdout
            .lines()
            .find_map(|line| line.trim().split_once(" requests in "))
            .and_then(|(requests, _)| requests.parse().ok())
            .unwrap_or_else(|| panic!("no summary: {}{}", outcome.stdout, outcome.stderr));
        assert!(requests > 20, "{}", outcome.stdout);
        outcome.only(|line| {
            ["Socket errors", "Non-2xx"]
                .iter()
                .any(|bad| line.contains(bad))
        })
    });
}

#[test]
fn requests_from_two_threads() {
    same(60, &["-t", "2", "-c", "50"]);
}

#[test]
fn a_thousand_connections() {
    same(60, &["-t", "1", "-c", "1000"]);
}

#[test]
fn a_connection_for_each_request() {
    same(60, &["-t", "1", "-c", "10", "-H", "Connection: close"]);
}

#[test]
fn large_pages() {
    same(1_000_000, &["-t", "2", "-c", "10"]);
}

#[test]
fn a_server_that_does_not_listen_is_an_error() {
    Lab::new().same("wrk", |mut wrk, _| {
        Outcome::of(wrk.args(["-t", "1", "-c", "1", "-d", "1", "http://10.77.1.1:1/"]))
    });
}
