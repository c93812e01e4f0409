//! Programs that this process starts and into which the library does not come: their sockets are the kernel's, and the
//! user is told so.
//!
//! Such a program is never refused, whatever NSTK_FAIL says: nobody knows whether it will make a socket at all.
//! `nstk doctor PROGRAM` tells more about a program than is looked at here.

mod elf;
mod preload;
mod privileges;
mod why;

use core::ffi::CStr;
use core::fmt;

use crate::complain::complain;
use crate::environment::List;
use crate::start;
use crate::told::{self, Told};
use preload::Preload;
use why::Outside;

/// What is known of a program before it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It cannot be started: it is not there, or its environment cannot be read, so that the kernel will answer `EFAULT`.
    CannotRun,
    HasLibrary,
    /// The library will not be in it.
    LacksLibrary,
}

/// Names the program on stderr if the library will not be in it, once for each file. With `gets_preload` an environment that lacks
/// LD_PRELOAD gets it.
///
/// # Safety
/// `environment` is null, or such a list; parts of it may be addresses where nothing is.
pub(crate) unsafe fn name(path: &CStr, environment: List, gets_preload: bool) -> Known {
    if !start::is_wanted() {
        return Known::HasLibrary;
    }
    // SAFETY: whoever calls `name` passes null or such a list.
    let Some(preload) = (unsafe { preload::read(environment) }) else {
        return Known::CannotRun;
    };
    let why = find(path).or(match preload {
        Preload::Absent => (!gets_preload).then_some(Outside::NoPreload),
        Preload::Closed => Some(Outside::Closed),
        Preload::Loads => None,
    });
    let is_new = || {
        let file = sys::status_of_path(path);
        file.map_or(true, |file| {
            told::first_time(Told::Outside(file.device, file.inode))
        })
    };
    let Some(why) = why else {
        return Known::HasLibrary;
    };
    if is_new() {
        complain(format_args!(
            "{} is started without the library, so its sockets are the kernel's: {why}",
            Path(path)
        ));
    }
    Known::LacksLibrary
}

/// What the file itself says. A script's interpreter counts, as the kernel runs that.
fn find(path: &CStr) -> Option<Outside> {
    // Who runs the dynamic linker itself lets it load the library.
    if elf::is_glibc(path.to_bytes()) {
        return None;
    }
    let mut file = elf::Start::read(path)?;
    let mut is_script = false;
    for _ in 0..SCRIPTS_MAX {
        let Some(interpreter) = file.interpreter_of_script() else {
            break;
        };
        is_script = true;
        file = elf::Start::read(interpreter.as_c_str()?)?;
    }
    // A script's own privileges do not count.
    let is_privileged = if is_script {
        sys::has_other_effective_ids()
    } else {
        privileges::gains(path)
    };
    file.obstacle()
        .or(is_privileged.then_some(Outside::Privileges))
}

/// An interpreter may be a script itself, as far as the kernel follows (execve(2)).
const SCRIPTS_MAX: usize = 4;

/// Of a long path the end is shown.
const PATH_SHOWN: usize = 128;

/// A path for a message of one line.
struct Path<'a>(&'a CStr);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.to_bytes();
        let (cut, shown) = match bytes.len().checked_sub(PATH_SHOWN) {
            Some(from) if from > 0 => ("...", bytes.get(from..).unwrap_or_default()),
            _ => ("", bytes),
        };
        write!(f, "{cut}{}", shown.escape_ascii())
    }
}

#[cfg(test)]
mod tests;
