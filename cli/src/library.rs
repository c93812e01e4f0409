//! Where libnstk.so and its keeper are.

use std::env::{current_exe, var_os};
use std::path::{Path, PathBuf};

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
    /// The one that NSTK_LIBRARY names. Without it the one beside this program, or else the installed one.
    pub(crate) fn find() -> Result<Self, String> {
        let named = var_os("NSTK_LIBRARY").filter(|path| !path.is_empty());
        let path = match named {
            Some(path) => std::path::absolute(path),
            None => current_exe().map(|program| near(&program)),
        };
        let path =
            path.map_err(|error| format!("{LIBRARY}: {error}; say where it is with NSTK_LIBRARY"))?;
        if !path.is_file() {
            return Err(format!(
                "{} is not there; build it with scripts/build, or say where it is with NSTK_LIBRARY",
                path.display()
            ));
        }
        let keeper = path.with_file_name(KEEPER);
        Ok(Self { path, keeper })
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
