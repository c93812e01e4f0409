//! What a hook returns to the program.

use core::ffi::c_int;

use sys::Errno;

use crate::errno::{Failed, fail};
use crate::routed::Routed;

/// Result of a call that answers with a number or -1.
#[inline]
pub(crate) fn answer<R: Failed + TryFrom<usize>>(result: Result<usize, Errno>) -> R {
    match result {
        // Lengths were cut to what the type can hold before anything was done.
        Ok(number) => R::try_from(number).unwrap_or(R::FAILED),
        Err(errno) => fail(errno),
    }
}

/// Result of a call that answers with 0 or -1.
#[inline]
pub(crate) fn done(result: Result<(), Errno>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(errno) => fail(errno),
    }
}

/// Result of a call that may route its socket. `None`: the socket is the kernel's now, and the caller calls the
/// real function.
#[inline]
pub(crate) fn unless_kernel<R, N>(result: Result<Routed<N>, Errno>) -> Option<R>
where
    R: Failed + TryFrom<usize>,
    N: Number,
{
    match result {
        Ok(Routed::Stack(number)) => Some(answer(Ok(number.number()))),
        Ok(Routed::Kernel) => None,
        Err(errno) => Some(fail(errno)),
    }
}

/// What a successful call returns.
pub(crate) trait Number {
    fn number(self) -> usize;
}

impl Number for () {
    fn number(self) -> usize {
        0
    }
}

impl Number for usize {
    fn number(self) -> usize {
        self
    }
}

/// What a hook answers for one of our sockets: the call's value, or `None` for "ask the kernel".
pub(crate) trait Ours<R> {
    fn answer(self) -> Option<R>;
}

impl<R> Ours<R> for R {
    fn answer(self) -> Option<R> {
        Some(self)
    }
}

impl<R> Ours<R> for Option<R> {
    fn answer(self) -> Self {
        self
    }
}
