//! Sockets that the program was started with: systemd's (`LISTEN_FDS`) and inetd's (descriptor 0). They are the kernel's,
//! as whoever made them had no library.

use core::ffi::{CStr, c_int};

use env::OnFailure;

use crate::kernel_use::KernelUse;
use crate::start;

/// The first descriptor of systemd's (sd_listen_fds(3)).
const LISTEN_FDS_START: c_int = 3;
/// Descriptors behind these are not looked at.
const LISTEN_FDS_MAX: c_int = 64;

/// Names an inherited internet socket, or ends the program if the user wants the stack or nothing. To be called when the
/// library is loaded: later the numbers may belong to the program's own sockets.
pub(crate) fn look() {
    if !start::is_wanted() {
        return;
    }
    let end = LISTEN_FDS_START + listen_fds().clamp(0, LISTEN_FDS_MAX);
    let descriptors = [libc::STDIN_FILENO]
        .into_iter()
        .chain(LISTEN_FDS_START..end);
    for fd in descriptors.filter(|fd| is_internet(*fd)) {
        let what = format_args!("descriptor {fd}");
        if KernelUse::Inherited.admit(what, libc::EBADF).is_err() {
            sys::exit(OnFailure::STATUS);
        }
    }
}

/// An internet socket that is not bound to the loopback's address, which is the kernel's anyway.
fn is_internet(fd: c_int) -> bool {
    sys::local_address(fd).is_ok_and(|local| !local.ip().is_loopback())
}

/// What LISTEN_FDS says; 0: nothing. A text that is no number may be read as one by the program.
fn listen_fds() -> c_int {
    // SAFETY: the name is a C string, and the library is being loaded: no thread changes the environment.
    let value = unsafe { libc::getenv(c"LISTEN_FDS".as_ptr()) };
    if value.is_null() {
        return 0;
    }
    // SAFETY: getenv gives a C string.
    let value = unsafe { CStr::from_ptr(value) }.to_bytes();
    match str::from_utf8(value).map(str::trim) {
        Ok("") => 0,
        Ok(number) => number.parse().unwrap_or(LISTEN_FDS_MAX),
        Err(_) => LISTEN_FDS_MAX,
    }
}
