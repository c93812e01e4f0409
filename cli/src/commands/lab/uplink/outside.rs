//! The process that stays in the machine's network while there is a lab with a way out.

use std::ffi::OsStr;
use std::io::{Read, Write, stdin, stdout};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use nix::sys::signal::SigSet;

use super::devices;
use super::link::Link;
use crate::failure::Failure;
use crate::program;
use crate::reason::reason;

/// By this name the program is started as that process.
pub(crate) const NAME: &str = "nstk-lab-outside";

/// What it is told when the lab's network is there.
pub(super) const ROOT: &str = "root";
pub(super) const USER: &str = "user";
/// What its answer begins with when there is a way out. Any other answer tells why there is none.
pub(super) const READY: &str = "1";

/// The part of nstk lab outside the lab
#[derive(Parser)]
#[command(name = NAME)]
pub(crate) struct Outside {
    /// A process in the lab's network.
    lab: u32,
    ip: PathBuf,
}

impl Outside {
    /// Returns when the lab has gone and nothing of the way out is left.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        // Those from the terminal are for the command; this process ends with the lab.
        SigSet::all().thread_block().map_err(Failure::new)?;
        let mut word = [0; 4];
        if stdin().read_exact(&mut word).is_err() {
            return Ok(ExitCode::SUCCESS); // No lab was made.
        }
        let made = if word == *ROOT.as_bytes() {
            self.hold_link()
        } else {
            self.hold_slirp()
        };
        if let Err(reason) = made {
            answer(&reason).map_err(Failure::new)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn hold_link(&self) -> Result<(), String> {
        let link = Link::make(&self.ip, self.lab)?;
        let ready = format!("{READY}{}", link.inner_addresses());
        let told = answer(&ready).map_err(|error| error.to_string());
        // It says nothing more: this waits for the end of it.
        let _ = stdin().read_to_end(&mut Vec::new());
        link.remove();
        told
    }

    /// An interface in the lab whose packets a program of this user's sends on.
    fn hold_slirp(&self) -> Result<(), String> {
        let slirp = program::find(OsStr::new("slirp4netns")).ok_or(
            "without root --uplink needs slirp4netns: install it, or run nstk lab as root",
        )?;
        let failed = |error: std::io::Error| format!("slirp4netns: {}", reason(&error));
        // It gets a copy that outlives the exec, and answers by itself.
        let ready = rustix::io::dup(stdout()).map_err(|error| failed(error.into()))?;
        let ended = Command::new(slirp)
            .args(["--configure", "--disable-host-loopback", "--exit-fd=0"])
            .arg(format!("--ready-fd={}", ready.as_raw_fd()))
            .args([&self.lab.to_string(), devices::INNER])
            .stdin(Stdio::inherit())
            .output()
            .map_err(failed)?;
        if ended.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&ended.stderr);
        let reason = said.lines().last().unwrap_or("it ended");
        Err(format!("slirp4netns gives the lab no way out: {reason}"))
    }
}

fn answer(text: &str) -> std::io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
