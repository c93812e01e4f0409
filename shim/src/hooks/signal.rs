//! The calls that install signal handlers. Until the stack starts they call libc only. From then on our handler is put in
//! front of the program's, see `signals`.

use core::ffi::c_int;

use libc::sighandler_t;

use crate::guard::guarded;
use crate::hook::{hook, real};
use crate::signals;

hook! {
    /// sigaction(2).
    fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
        if !signals::is_installed() {
            let result = real!(sigaction(signal, new, old));
            // The stack may have started meanwhile.
            signals::changed_by_libc(signal);
            return result;
        }
        // SAFETY: null or valid, as sigaction(2) demands.
        guarded(|| unsafe { signals::change(signal, new, old) })
    }
}

/// The older calls, for which libc calls its own sigaction(2).
macro_rules! installers {
    ($($(#[$meta:meta])* $name:ident),* $(,)?) => {$(
        hook! {
            $(#[$meta])*
            fn $name(signal: c_int, handler: sighandler_t) -> sighandler_t {
                signals::change_by(signal, || real!($name(signal, handler)))
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
