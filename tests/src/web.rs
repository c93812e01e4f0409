//! A web server on the kernel's stack.

use std::fs::OpenOptions;

use crate::lab::{Lab, PEER_ADDRESS};
use crate::outcome::{Outcome, Running};
use crate::process::eventually;
use crate::scratch::Scratch;

/// nginx, serving a directory of its own at [`PEER_ADDRESS`], port 8000: files below `/`, and `PUT` as well. It is killed with the value.
pub struct WebServer {
    /// What it serves.
    pub files: Scratch,
    state: Scratch,
    // Last, so that the directories outlive it.
    _server: Running,
}

/// Where a [`WebServer`] listens.
pub const WEB_ADDRESS: &str = "10.77.1.1:8000";

impl WebServer {
    /// Starts the server and waits until it listens.
    ///
    /// # Panics
    /// When it does not come to listen.
    #[must_use]
    pub fn start(lab: &Lab) -> WebServer {
        let (files, state) = (Scratch::new(), Scratch::new());
        let directory = state.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {directory}/{kind};"))
            .concat();
        let configuration = format!(
            "daemon off; master_process off; pid {directory}/pid; error_log {directory}/errors;
             events {{ worker_connections 4096; }}
             http {{
               {temporary}
               log_format visitor '$remote_addr $request_method $uri $status'; access_log {directory}/log visitor;
               client_max_body_size 1g; keepalive_requests 1000000;
               server {{ listen {WEB_ADDRESS} backlog=4096; root {}; location / {{ dav_methods PUT; }} }}
             }}",
            files.path().display()
        );
        state.write("configuration", configuration);
        state.write("log", "");
        let mut nginx = lab.kernel("nginx");
        nginx
            .arg("-e")
            .arg(state.path().join("errors"))
            .arg("-c")
            .arg(state.path().join("configuration"));
        let server = Running::start(&mut nginx);
        eventually("the web server listens", || lab.accepts(PEER_ADDRESS, 8000));
        WebServer {
            files,
            state,
            _server: server,
        }
    }

    /// Runs a script of the shell on both stacks, in the directory of the files and with the client's address in `$address`: it must say the same on
    /// both, and the server must have got at least `requests`, all from that address.
    ///
    /// # Panics
    /// When it does not.
    pub fn same(&self, lab: &Lab, script: &str, requests: usize) {
        lab.same("sh", |mut command, address| {
            command
                .args(["-c", script])
                .env("address", address)
                .current_dir(self.files.path());
            let outcome = Outcome::of(&mut command);
            assert_eq!(self.visitors(requests), [address], "{}", outcome.stderr);
            outcome
        });
    }

    /// Waits until at least `count` requests have been served since the start or the last call, and says where they came from: the addresses
    /// of clients, each once.
    ///
    /// # Panics
    /// When there are fewer after 20 seconds.
    pub fn visitors(&self, count: usize) -> Vec<String> {
        let visits = || String::from_utf8_lossy(&self.state.read("log")).into_owned();
        eventually(&format!("{count} requests are served"), || {
            visits().lines().count() >= count
        });
        let visits = visits();
        // The server appends to whatever is there.
        let log = OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(self.state.path().join("log"));
        log.expect("the log is ours");
        let mut addresses: Vec<String> = visits
            .lines()
            .filter_map(|visit| visit.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }
}
