//! The way out of the lab. A process that stays in the machine's network holds it, and removes it when the lab has gone.

mod devices;
mod forwarding;
mod inner_end;
mod link;
mod outside;
mod rules;

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(super) use inner_end::lead_to;
pub(crate) use outside::{NAME, Outside};

use super::namespaces::Rights;
use crate::reason::reason;

/// The process outside, which waits for the lab.
pub(super) struct Uplink {
    outside: Child,
    /// Closed by the kernel when this process dies: then the way out is removed.
    ended: ChildStdin,
    answers: ChildStdout,
    addresses: String,
}

impl Uplink {
    /// Starts the process outside. This process has not left the machine's network yet.
    pub(super) fn prepare(ip: &Path) -> Result<Self, String> {
        let mut command = Command::new("/proc/self/exe");
        command.arg0(NAME).arg(std::process::id().to_string());
        command.arg(ip).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut outside = command
            .spawn()
            .map_err(|error| format!("the process outside the lab: {}", reason(&error)))?;
        let pipes = outside.stdin.take().zip(outside.stdout.take());
        let (ended, answers) = pipes.ok_or("the process outside the lab has no pipes")?;
        Ok(Self {
            outside,
            ended,
            answers,
            addresses: String::new(),
        })
    }

    /// Makes the way out of the network that this process is in now.
    pub(super) fn open(mut self, rights: Rights) -> Result<Self, String> {
        let failed = |error| format!("the process outside the lab: {}", reason(&error));
        let word = match rights {
            Rights::Root => outside::ROOT,
            Rights::User => outside::USER,
        };
        self.ended.write_all(word.as_bytes()).map_err(failed)?;
        // One write, and short enough to come in one piece.
        let mut answer = [0; 256];
        let count = self.answers.read(&mut answer).map_err(failed)?;
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        match answer.strip_prefix(outside::READY) {
            Some(addresses) => {
                self.addresses = addresses.to_owned();
                Ok(self)
            }
            None if answer.is_empty() => {
                Err("the process outside the lab has ended; its message is above".to_owned())
            }
            None => Err(answer),
        }
    }

    /// For [`lead_to`].
    pub(super) fn addresses(&self) -> &str {
        &self.addresses
    }

    /// Returns when the way out has gone, but for what other labs still use.
    pub(super) fn close(mut self) {
        drop(self.ended);
        // A failure means that it has gone, too.
        let _ = self.answers.read_to_end(&mut Vec::new());
        let _ = self.outside.try_wait();
    }
}
