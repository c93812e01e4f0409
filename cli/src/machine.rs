//! What several commands want to know about the machine.

use std::ffi::OsStr;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::program;

/// Opens the tun device as the library does. `Err`: why not, and what to do.
pub(crate) fn open_tun() -> Result<File, String> {
    const DEVICE: &str = "/dev/net/tun";
    let opened = File::options().read(true).write(true).open(DEVICE);
    opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("no {DEVICE}: load the module (modprobe tun)"),
        ErrorKind::PermissionDenied => {
            format!("no permission to open {DEVICE}: run as root, or make the device writable (chmod 666 {DEVICE})")
        }
        _ => format!("{DEVICE}: {error}; load the module (modprobe tun)"),
    })
}

/// ip(8), which users without privileges often do not have in their PATH.
pub(crate) fn find_ip() -> Option<PathBuf> {
    let places = ["ip", "/usr/sbin/ip", "/sbin/ip"].map(OsStr::new);
    let mut found = places.into_iter().filter_map(program::find);
    found.find(|path| program::is_executable(path))
}
