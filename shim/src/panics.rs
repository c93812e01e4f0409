//! Printing a panic: one line, by a raw write. std's own message would go through our hooks.

use core::sync::atomic::{AtomicBool, Ordering};
use std::panic::{self, PanicHookInfo};

use crate::complain::complain;

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// From now on we print this library's panics. A second call costs next to nothing.
pub(crate) fn install() {
    if !INSTALLED.swap(true, Ordering::Relaxed) {
        panic::set_hook(Box::new(tell));
    }
}

fn tell(info: &PanicHookInfo<'_>) {
    let Some(place) = info.location() else { return };
    // redhook has not found a function in libc: its hook answers ENOSYS, and nothing is printed.
    if place.file().contains("redhook") {
        return;
    }
    let what = info.payload_as_str().unwrap_or("panic");
    complain(format_args!(
        "{what} at {place}; the stack has stopped, its sockets answer ENETDOWN"
    ));
}
