//! The first process of the lab: sets the network up, starts the command and collects what ends.

use std::env::{join_paths, split_paths, var_os};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use nix::mount::{MsFlags, mount};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::Pid;

use super::network::Network;
use super::uplink;
use crate::failure::Failure;
use crate::program;
use crate::reason::reason;
use crate::status;

/// By this name the program is started as the lab's first process. No subcommand: it is for nobody's hands.
pub(crate) const NAME: &str = "nstk-lab-inside";

/// The inner half of nstk lab
#[derive(Parser)]
#[command(name = NAME)]
pub(crate) struct Inside {
    outer: String,
    ip: PathBuf,
    network: Network,
    /// The addresses on the way out.
    #[arg(long)]
    uplink: Option<String>,
    #[arg(last = true)]
    command: Vec<OsString>,
}

impl Inside {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let own_failure = |reason: String| Failure::with_code(status::OWN_FAILURE, reason);
        self.end_with_outer().map_err(own_failure)?;
        mount_proc().map_err(own_failure)?;
        let mut variables = self.network.make(&self.ip).map_err(own_failure)?;
        if let Some(addresses) = &self.uplink {
            uplink::lead_to(&self.ip, addresses).map_err(own_failure)?;
            variables.push(("NSTK_GATEWAY", self.network.kernel()));
        }
        SigSet::all()
            .thread_unblock()
            .map_err(|error| own_failure(error.to_string()))?;
        let command = self.start(&variables)?;
        wait_for(command).map_err(own_failure)
    }

    /// This process dies when the outer one does, and all others in the lab with it.
    fn end_with_outer(&self) -> Result<(), String> {
        set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("prctl: {error}"))?;
        // It may have died before. This /proc is still the outer one's.
        let own = std::fs::read_to_string("/proc/self/status")
            .map_err(|error| format!("/proc: {}", reason(&error)))?;
        let parent = own.lines().find_map(|line| line.strip_prefix("PPid:"));
        if parent.map(str::trim) == Some(&self.outer) {
            Ok(())
        } else {
            Err("the lab was ended".to_owned())
        }
    }

    fn start(&self, variables: &[(&str, String)]) -> Result<Pid, Failure> {
        let shell = var_os("SHELL").filter(|shell| !shell.is_empty());
        let shell = [shell.unwrap_or_else(|| "/bin/sh".into())];
        let (name, arguments) = self.command.split_first().unwrap_or((&shell[0], &[]));
        let mut command = Command::new(name);
        // That of a network outside is none in here.
        command.args(arguments).env_remove("NSTK_GATEWAY");
        for (name, value) in variables {
            command.env(name, value);
        }
        if let Some(path) = path_with_nstk() {
            command.env("PATH", path);
        }
        let child = command
            .spawn()
            .map_err(|error| status::not_started(name, &error))?;
        let id = i32::try_from(child.id()).map_err(Failure::new)?;
        Ok(Pid::from_raw(id))
    }
}

/// A process namespace needs its own /proc, in a place that only it sees. Where a container's rules forbid that, the lab
/// does without.
fn mount_proc() -> Result<(), String> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(|error| format!("mounts: {error}"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    if let Err(error) = mount(Some("proc"), "/proc", Some("proc"), flags, none) {
        eprintln!(
            "nstk: /proc cannot be mounted ({error}): in the lab, ps and /proc show the processes outside"
        );
    }
    Ok(())
}

/// PATH with this program's directory, so that `nstk run` works in the lab; `None`: it does already.
fn path_with_nstk() -> Option<OsString> {
    if program::find(OsStr::new("nstk")).is_some() {
        return None;
    }
    let own = std::env::current_exe().ok()?;
    // Without one, programs are looked for where execvp(3) says; this directory alone would hide them.
    let path = var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let directories = split_paths(&path);
    join_paths(directories.chain([own.parent().map(Path::to_path_buf)?])).ok()
}

/// Collects every process that ends here, until the command is among them.
fn wait_for(command: Pid) -> Result<ExitCode, String> {
    loop {
        let code = match wait().map_err(|error| format!("wait: {error}"))? {
            WaitStatus::Exited(id, code) if id == command => code,
            WaitStatus::Signaled(id, signal, _) if id == command => 128 + signal as i32,
            _ => continue,
        };
        return Ok(ExitCode::from(
            u8::try_from(code).unwrap_or(status::OWN_FAILURE),
        ));
    }
}
