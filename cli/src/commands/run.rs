//! `nstk run`.

mod capture;
mod device;
mod settings;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::{Args, ValueHint};
use env::OnFailure;

use crate::failure::Failure;
use crate::library::Library;
use crate::program::{self, Program};
use crate::status;

/// Run a program on a TCP/IP stack of its own
///
/// The program's internet sockets then run inside the program, over a device and with an address that are given here or
/// by the NSTK_* variables; an option counts more than its variable. Nothing else about the program changes.
#[derive(Args)]
#[command(after_long_help = "\
Exit codes:
  that of the program; otherwise
  2    an option or a setting cannot be obeyed
  69   the stack cannot be had: the device, its address or the machine's limits
  125  nstk itself failed: the library is not there, or cannot come into the program
  126  the program was found but cannot be run
  127  the program was not found

Examples:
  nstk lab -- sh -c 'python3 -m http.server & sleep 2; nstk run --cc bbr -- curl http://10.77.1.1:8000/'
  nstk run --if tap:tap0 --addr 10.0.0.2/24 --cc bbr -- curl http://10.0.0.1/")]
pub(crate) struct Options {
    #[command(flatten)]
    settings: settings::SettingsOptions,
    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "PROGRAM",
        value_hint = ValueHint::CommandWithArguments
    )]
    command: Vec<OsString>,
}

impl Options {
    /// Does not return when the program could be started.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let mut assignments = self.settings.assignments()?;
        let settings = settings::check(&mut assignments)?;
        let on_failure = settings.on_failure.unwrap_or_default();
        let own_failure = |message: String| Failure::with_code(status::OWN_FAILURE, message);
        let library = Library::find().map_err(own_failure)?;
        if !program::is_executable(&library.keeper) {
            warn(&format!(
                "{} is not there: connections end with the program",
                library.keeper.display()
            ));
        }
        let Some((name, arguments)) = self.command.split_first() else {
            return Err(Failure::with_code(status::USAGE, "no program is given"));
        };
        check_program(name, on_failure)?;
        if on_failure == OnFailure::Exit {
            device::wait_for(&settings)?;
        }
        let error = Command::new(name)
            .args(arguments)
            .env("LD_PRELOAD", preload(&library).map_err(own_failure)?)
            .envs(assignments)
            .exec();
        Err(status::not_started(name, &error))
    }
}

/// Says what keeps the library out of the program. That ends the matter for who wants the stack or nothing.
fn check_program(name: &OsStr, on_failure: OnFailure) -> Result<(), Failure> {
    let Some(path) = program::find(name) else {
        return Ok(()); // The exec will say it.
    };
    let obstacles = Program::inspect(&path).obstacles;
    // Files that cannot be run at all are the exec's matter, too.
    let outside = obstacles
        .iter()
        .find(|obstacle| !matches!(obstacle, program::Obstacle::NotAProgram(_)));
    let Some(obstacle) = outside else {
        return Ok(());
    };
    let reason = format!(
        "{} will use the kernel's stack: {obstacle}; {}",
        name.display(),
        obstacle.remedy()
    );
    match on_failure {
        OnFailure::Kernel => warn(&reason),
        OnFailure::Exit => return Err(Failure::with_code(status::OWN_FAILURE, reason)),
    }
    Ok(())
}

/// LD_PRELOAD with the library first and all that was there behind it.
fn preload(library: &Library) -> Result<OsString, String> {
    let path = library.path.as_os_str();
    if path.as_bytes().iter().any(|byte| b" :".contains(byte)) {
        return Err(format!(
            "{}: LD_PRELOAD takes no path with blanks or colons; move the file",
            path.display()
        ));
    }
    let mut list = path.to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        list.push(":");
        list.push(others);
    }
    Ok(list)
}

fn warn(message: &str) {
    eprintln!("nstk: {message}");
}
