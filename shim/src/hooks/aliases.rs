//! Other names under which libc exports functions that have hooks.

use core::arch::naked_asm;

use super::clock::{gettimeofday, nanosleep};
use super::data::{read, send, write};
use super::fd::{close, dup2, fcntl};
use super::poll::poll;
use super::process::{fork, vfork};
use super::select::select;
use super::signal::sigaction;
use super::socket::connect;
use super::stdio::fdopen;

macro_rules! aliases {
    ($($alias:ident => $name:ident,)*) => {$(
        #[doc = concat!("`", stringify!($name), "`")]
        ///
        /// # Safety
        /// As the function.
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, allow(dead_code, non_snake_case, reason = "see `hook!`"))]
        pub(crate) unsafe extern "C" fn $alias() {
            naked_asm!("jmp {hook}", hook = sym $name)
        }
    )*};
}

aliases! {
    _IO_fdopen => fdopen,
    __close => close,
    __connect => connect,
    __dup2 => dup2,
    __fcntl => fcntl,
    __fork => fork,
    __gettimeofday => gettimeofday,
    __nanosleep => nanosleep,
    __poll => poll,
    __read => read,
    __select => select,
    __send => send,
    __sigaction => sigaction,
    __vfork => vfork,
    __write => write,
}
