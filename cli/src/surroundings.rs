//! What settings are read from: this process's environment, with changes, and files.

use std::env::{var_os, vars_os};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

use env::Surroundings;
use rustix::fs::{Mode, OFlags};

/// A variable for a program, and what it says.
pub(crate) type Assignment = (&'static str, OsString);

/// What a program will see that is started with these variables over this process's own.
pub(crate) struct Changed<'a>(pub(crate) &'a [Assignment]);

impl Surroundings for Changed<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        let own = self.0.iter().find(|(own, _)| *own == name);
        own.map(|(_, text)| text.clone()).or_else(|| var_os(name))
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect()
    }

    fn read_file(&self, path: &Path, limit: usize) -> Result<Vec<u8>> {
        // Without waiting for a pipe's other end.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(Error::from(ErrorKind::InvalidInput));
        }
        let mut bytes = Vec::new();
        file.take(limit.try_into().unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
