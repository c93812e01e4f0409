//! A peer on the kernel's stack.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::lab::Lab;
use crate::process::PATIENCE;

/// The program `peer` (see its source for what it can do) listening in a lab on the kernel's stack. It is killed with the value.
pub struct Peer {
    child: Child,
    lines: Receiver<String>,
    /// The port it listens on, TCP and UDP.
    pub port: u16,
}

impl Peer {
    /// Starts a peer and waits until it listens. `program` is the test's `env!("CARGO_BIN_EXE_peer")`.
    ///
    /// # Panics
    /// When it does not come to listen.
    #[must_use]
    pub fn start(lab: &Lab, program: &str, behaviour: &str) -> Peer {
        let mut child = lab
            .kernel(program)
            .args(["0.0.0.0", behaviour])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut peer = Peer {
            child,
            lines,
            port: 0,
        };
        peer.port = peer
            .next_line()
            .parse()
            .expect("the peer's first line is its port");
        peer
    }

    /// What the peer says next.
    ///
    /// # Panics
    /// When it says nothing for 20 seconds, or has ended.
    #[must_use]
    pub fn next_line(&self) -> String {
        self.lines
            .recv_timeout(PATIENCE)
            .expect("the peer says something")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
