//! What several commands want to know about the machine.

use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use crate::program;
use crate::reason::reason;

/// Opens the tun device as the library does. `Err`: why not, and what to do.
pub(crate) fn open_tun() -> Result<File, String> {
    const DEVICE: &str = "/dev/net/tun";
    let opened = File::options().read(true).write(true).open(DEVICE);
    opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("no {DEVICE}: load the module (modprobe tun)"),
        ErrorKind::PermissionDenied => {
            format!("no permission to open {DEVICE}: run as root, or make the device writable (chmod 666 {DEVICE})")
        }
        _ => format!("{DEVICE}: {}; load the module (modprobe tun)", reason(&error)),
    })
}

/// ip(8).
pub(crate) fn find_ip() -> Option<PathBuf> {
    find_tool("ip")
}

/// A tool of root's, which users without privileges often do not have in their PATH.
pub(crate) fn find_tool(name: &str) -> Option<PathBuf> {
    let places = ["", "/usr/sbin/", "/sbin/"].map(|place| OsString::from(format!("{place}{name}")));
    let mut found = places.iter().filter_map(|place| program::find(place));
    found.find(|path| program::is_executable(path))
}
