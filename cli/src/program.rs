//! A program file: whether the library can get between it and the kernel.

mod binary;
mod find;
mod obstacle;
mod privileges;

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use memchr::memmem;

use binary::Binary;
pub(crate) use find::{find, is_executable};
pub(crate) use obstacle::Obstacle;

use crate::reason::reason;

/// What runs when a file is executed.
pub(crate) struct Program {
    /// The scripts on the way, each run by the next; most programs have none.
    pub(crate) scripts: Vec<PathBuf>,
    /// What is run in the end.
    pub(crate) path: PathBuf,
    /// It is an ELF program. Otherwise it does not run at all, and the obstacle says why.
    pub(crate) is_binary: bool,
    has_liburing: bool,
    /// What keeps the library out. Empty: nothing known does.
    pub(crate) obstacles: Vec<Obstacle>,
}

/// What a program has to do with io_uring, by which system calls go past every library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IoUring {
    /// Nothing in the file speaks of it.
    Absent,
    /// The word is in the file.
    Mentioned,
    /// It is linked with liburing.
    Linked,
}

/// As the kernel: a script's interpreter may be a script, up to this depth (`exec_binprm` in fs/exec.c).
const SCRIPTS_MAX: usize = 5;

impl Program {
    /// Looks at the file at `path`, and for a script at its interpreter.
    pub(crate) fn inspect(path: &Path) -> Self {
        let mut program = Self {
            scripts: Vec::new(),
            path: path.to_path_buf(),
            is_binary: false,
            has_liburing: false,
            obstacles: Vec::new(),
        };
        while program.scripts.len() <= SCRIPTS_MAX {
            match interpreter(&program.path) {
                Ok(None) => {
                    program.inspect_binary();
                    return program;
                }
                Ok(Some(interpreter)) => {
                    let script = std::mem::replace(&mut program.path, interpreter);
                    program.scripts.push(script);
                }
                Err(reason) => {
                    program.obstacles.push(Obstacle::NotAProgram(reason));
                    return program;
                }
            }
        }
        let reason = "its interpreter is a script, whose interpreter is one, and so on".to_owned();
        program.obstacles.push(Obstacle::NotAProgram(reason));
        program
    }

    /// Looks through the whole file.
    pub(crate) fn io_uring(&self) -> IoUring {
        if self.has_liburing {
            return IoUring::Linked;
        }
        let bytes = fs::read(&self.path).unwrap_or_default();
        match memmem::find(&bytes, b"io_uring") {
            Some(_) => IoUring::Mentioned,
            None => IoUring::Absent,
        }
    }

    fn inspect_binary(&mut self) {
        match Binary::read(&self.path) {
            Ok(binary) => {
                self.obstacles.extend(binary.obstacles());
                self.obstacles.extend(privileges::gained(&self.path));
                self.is_binary = true;
                self.has_liburing = binary.has_liburing();
            }
            Err(obstacle) => self.obstacles.push(obstacle),
        }
    }
}

/// The program that a script names in its first line; `Ok(None)`: the file is no script. `Err`: why nothing can be run.
fn interpreter(path: &Path) -> Result<Option<PathBuf>, String> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => format!("{} is not there", path.display()),
        _ => format!("{} cannot be read: {}", path.display(), reason(&error)),
    };
    // Opening another kind of file may wait, as with a pipe, or do something, as with a device.
    let kind = fs::metadata(path).map_err(unreadable)?.file_type();
    if !kind.is_file() {
        let what = if kind.is_dir() {
            "directory"
        } else {
            "pipe, socket or device"
        };
        return Err(format!("{} is a {what}", path.display()));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    // The kernel looks at as much (BINPRM_BUF_SIZE).
    file.take(256).read_to_end(&mut start).map_err(unreadable)?;
    let Some(line) = start.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or(line);
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let Some(interpreter) = words.next() else {
        return Err("its first line names no interpreter".to_owned());
    };
    if Path::new(interpreter).file_name() != Some("env".as_ref()) {
        return Ok(Some(interpreter.into()));
    }
    // env(1) looks the program up; with -S it may be given options and variables.
    let name = words.find(|word| !word.starts_with('-') && !word.contains('='));
    let name = name.ok_or("its first line names no interpreter")?;
    let found =
        find(name.as_ref()).ok_or_else(|| format!("its interpreter {name} is not in PATH"))?;
    Ok(Some(found))
}
