//! Where libnstk.so and its keeper are.

use std::env::{current_exe, var_os};
use std::path::{Path, PathBuf};

use crate::reason::reason;

const LIBRARY: &str = "libnstk.so";
const KEEPER: &str = "nstk-keeper";
/// Where an installation has them, seen from the directory of the command: `bin/nstk`, `lib/nstk/libnstk.so`.
const INSTALLED: &str = "../lib/nstk";

/// The library, found or not.
pub(crate) struct Library {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// The keeper lies beside it.
    pub(crate) keeper: PathBuf,
}

impl Library {
    /// The one that NSTK_LIBRARY names, or that is in the directory it names. Without it the one beside this program, or else
    /// the installed one.
    pub(crate) fn find() -> Result<Self, String> {
        let named = var_os("NSTK_LIBRARY").filter(|path| !path.is_empty());
        let path = match &named {
            Some(path) => std::path::absolute(path).map(in_directory),
            None => current_exe().map(|program| near(&program)),
        };
        let path = path.map_err(|error| {
            format!(
                "{LIBRARY}: {}; say where it is with NSTK_LIBRARY",
                reason(&error)
            )
        })?;
        if !path.is_file() {
            return Err(missing(&path, named.is_some()));
        }
        // The dynamic linker takes any library, and the program would be on the kernel's stack.
        if path.file_name() != Some(LIBRARY.as_ref()) {
            return Err(format!(
                "NSTK_LIBRARY: {} is another file; name libnstk.so, or the directory that it is in",
                path.display()
            ));
        }
        let keeper = path.with_file_name(KEEPER);
        Ok(Self { path, keeper })
    }
}

/// The library itself, where its directory may be meant.
fn in_directory(path: PathBuf) -> PathBuf {
    if path.is_dir() {
        path.join(LIBRARY)
    } else {
        path
    }
}

/// The library that belongs to this program: beside it, as cargo builds it, or where an installation puts it.
fn near(program: &Path) -> PathBuf {
    let beside = program.with_file_name(LIBRARY);
    let installed = program
        .parent()
        .and_then(|directory| directory.join(INSTALLED).join(LIBRARY).canonicalize().ok());
    match installed {
        Some(installed) if !beside.is_file() => installed,
        _ => beside,
    }
}

fn missing(path: &Path, is_named: bool) -> String {
    let path = path.display();
    if is_named {
        format!(
            "NSTK_LIBRARY: {path} is not there; name libnstk.so, or the directory that it is in"
        )
    } else {
        format!(
            "{path} is not there, nor in {INSTALLED} (`cargo install` brings the command alone): \
             run scripts/install, which brings library and keeper too, or say with NSTK_LIBRARY where they are"
        )
    }
}
