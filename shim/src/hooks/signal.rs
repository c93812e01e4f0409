//! The calls that install signal handlers. Until the stack starts they pass on; from then on ours stands in
//! front of the program's, see `signals`.

use core::ffi::c_int;

use libc::sighandler_t;

use crate::hook::{guarded, hook, real};
use crate::signals;

hook! {
    /// sigaction(2).
    fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
        if !signals::standing() {
            let result = real!(sigaction(signal, new, old));
            // The stack may have started meanwhile.
            signals::overtaken(signal);
            return result;
        }
        // SAFETY: null or valid, as sigaction(2) demands.
        guarded(|| unsafe { signals::change(signal, new, old) })
    }
}

/// The older calls, which libc makes of a sigaction(2) of its own.
macro_rules! installers {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        hook! {
            $(#[$meta])*
            fn $name(signal: c_int, handler: sighandler_t) -> sighandler_t {
                signals::around(signal, || real!($name(signal, handler)))
            }
        }
    )*};
}

installers! {
    /// signal(2).
    signal,
    /// signal(2) by its BSD name.
    bsd_signal,
    /// signal(2) by its GNU name.
    ssignal,
    /// signal(2) as System V has it: one-shot, and not blocked meanwhile.
    sysv_signal,
    /// What signal(2) is in programs built for System V.
    __sysv_signal,
    /// sigset(3).
    sigset,
}

hook! {
    /// siginterrupt(3).
    fn siginterrupt(signal: c_int, interrupt: c_int) -> c_int {
        let result = real!(siginterrupt(signal, interrupt));
        if result == 0 {
            signals::set_restart(signal, interrupt == 0);
        }
        result
    }
}
