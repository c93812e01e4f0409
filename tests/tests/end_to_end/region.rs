//! A family's region, seen from outside. What lies where is `region/src/header.rs`'s.

use std::fs::{self, File};

pub(crate) const KEEPER: &str = "nstk-keeper";

/// The word of the lock: its owner's thread, or 0. What is before it tells what the file is.
pub(crate) const LOCK_AT: u64 = 128;
/// The process that has the device's turn, or 0.
pub(crate) const TURN_AT: u64 = 640;

/// The region's file, as a process has it open.
pub(crate) fn region_of(process: u32) -> File {
    let open = fs::read_dir(format!("/proc/{process}/fd")).expect("it lives");
    let region = open
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            fs::read_link(path).is_ok_and(|to| to.to_string_lossy().contains("nstk-region"))
        });
    File::options()
        .read(true)
        .write(true)
        .open(region.expect("it has a region"))
        .expect("the user's own processes may open it")
}
