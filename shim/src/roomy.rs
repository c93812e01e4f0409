//! A stack with room: programs make their first socket on threads that may have 16 KB, and starting
//! takes more.

use core::arch::asm;
use core::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};

use crate::sys;

/// Mapped for the time of one call; pages cost memory when they are first touched.
const STACK_BYTES: usize = 1 << 20;

/// Runs `work` on a stack of its own. `None`: there is no memory for one, or `work` panicked; the user
/// has been told.
pub(crate) fn run<R, F: FnOnce() -> R>(work: F) -> Option<R> {
    let stack = sys::map(STACK_BYTES);
    if stack.is_null() {
        sys::complain(format_args!(
            "no memory to start in; raise the limit on address space"
        ));
        return None;
    }
    let mut call = Call {
        work: Some(work),
        result: None,
    };
    // SAFETY: the mapping is one piece, page-aligned, and nobody else's.
    let top = unsafe { stack.byte_add(STACK_BYTES) };
    // SAFETY: `top` is the end of unused memory; `enter` gets the call it is made for, and no panic
    // leaves it.
    unsafe { switch(top, enter::<R, F>, (&raw mut call).cast()) };
    sys::unmap(stack, STACK_BYTES);
    call.result
}

struct Call<R, F> {
    work: Option<F>,
    result: Option<R>,
}

/// # Safety
/// `call` must lead to a `Call` of these types.
unsafe extern "C" fn enter<R, F: FnOnce() -> R>(call: *mut c_void) {
    // SAFETY: the caller's promise.
    let call = unsafe { &mut *call.cast::<Call<R, F>>() };
    if let Some(work) = call.work.take() {
        call.result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    }
}

/// # Safety
/// `top` must be the 16-byte aligned end of memory for a stack, and `function` must return.
unsafe fn switch(
    top: *mut c_void,
    function: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
) {
    // SAFETY: the stack pointer comes back: r12 survives the call, which the ABI promises.
    unsafe {
        asm!(
            "xchg rsp, r12",
            "call {function}",
            "mov rsp, r12",
            function = in(reg) function,
            in("rdi") argument,
            inout("r12") top => _,
            clobber_abi("C"),
        );
    }
}
