//! ab, Apache's benchmark, against a web server on the kernel's stack.

use nstk_tests::{Lab, Outcome, WEB_ADDRESS, WebServer, noise};

/// Runs ab both ways on `/page`, a file of `bytes`; its counts must be the same. `requests` is what ab sends.
fn same(bytes: usize, requests: usize, options: &[&str]) {
    const COUNTS: [&str; 6] = [
        "Document Length",
        "Complete requests",
        "Failed requests",
        "Keep-Alive requests",
        "Total transferred",
        "HTML transferred",
    ];
    let lab = Lab::new();
    let server = WebServer::start(&lab);
    server.files.write("page", noise(bytes));
    lab.same("ab", |mut ab, address| {
        ab.args(["-q", "-n", &requests.to_string()])
            .args(options)
            .arg(format!("http://{WEB_ADDRESS}/page"))
            .current_dir(server.files.path());
        let outcome = Outcome::of(&mut ab);
        assert_eq!(server.visitors(requests), [address], "{}", outcome.stderr);
        outcome.only(|line| COUNTS.iter().any(|count| line.starts_with(count)))
    });
}

#[test]
fn a_connection_for_each_request() {
    same(60, 5000, &["-c", "50"]);
}

#[test]
fn connections_that_are_kept() {
    same(60, 20_000, &["-c", "100", "-k"]);
}

#[test]
fn a_thousand_connections_at_once() {
    same(60, 2000, &["-c", "1000"]);
}

#[test]
fn large_pages() {
    same(1_000_000, 200, &["-c", "10"]);
}

#[test]
fn uploads() {
    same(200_000, 200, &["-c", "10", "-u", "page"]);
}

#[test]
fn a_server_that_does_not_listen_is_an_error() {
    Lab::new().same("ab", |mut ab, _| {
        Outcome::of(ab.args(["-q", "-n", "3", "-s", "5", "http://10.77.1.1:1/"]))
    });
}
