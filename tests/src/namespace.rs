//! Network namespaces.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::process::{self, eventually};

/// A network namespace. Whatever runs in it ends with the value.
pub(crate) struct Namespace {
    // A `cat` that reads from us: should the test be killed, its input ends, and with it the namespace.
    holder: Child,
}

impl Namespace {
    /// Makes a namespace whose only interface is the loopback, up.
    ///
    /// # Panics
    /// Without the permission to make one.
    pub(crate) fn new() -> Namespace {
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare runs");
        let namespace = Namespace { holder };
        let ours = process::namespace("self");
        eventually("the namespace is there", || {
            let theirs = process::namespace(&namespace.id().to_string());
            theirs.is_some() && theirs != ours
        });
        namespace.run("ip link set lo up");
        namespace
    }

    /// A process in the namespace that lives as long as it.
    pub(crate) fn id(&self) -> u32 {
        self.holder.id()
    }

    /// A command that runs in the namespace. The child's process is the program itself.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.id()))
            .args(["--", "env"])
            .arg(program.as_ref())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of plain words.
    ///
    /// # Panics
    /// When the command fails.
    pub(crate) fn run(&self, line: &str) {
        let mut words = line.split_whitespace();
        let program = words.next().expect("a command");
        let output = self
            .command(program)
            .args(words)
            .output()
            .expect("nsenter runs");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The processes in the namespace, without the one that holds it.
    pub(crate) fn members(&self) -> Vec<u32> {
        let namespace = process::namespace(&self.id().to_string());
        process::all()
            .into_iter()
            .filter(|&id| {
                id != self.id()
                    && namespace.is_some()
                    && process::namespace(&id.to_string()) == namespace
            })
            .collect()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for id in self.members() {
            process::kill(id, "KILL");
        }
        drop(self.holder.stdin.take());
        // Nothing is left to be done about a failure, and a panic while a test unwinds would hide the test's own.
        let _ = self.holder.wait();
    }
}
