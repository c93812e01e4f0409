//! Moving the stack pointer.

use core::arch::{asm, naked_asm};
use core::cell::Cell;
use core::ffi::c_void;

/// Where the stack pointer is.
#[inline(always)]
pub(crate) fn pointer() -> usize {
    let pointer;
    // SAFETY: only reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) pointer, options(nomem, nostack, preserves_flags)) };
    pointer
}

/// Runs `work` with the stack pointer at `to`, and puts into `left`, before that, where it was.
///
/// # Safety
/// Below `to`, which is a multiple of 16, lies memory for a stack that nobody uses. `work` does not panic.
pub(super) unsafe fn on<F: FnOnce()>(to: usize, left: &Cell<usize>, work: F) {
    unsafe extern "C" fn call<F: FnOnce()>(work: *mut c_void) {
        // SAFETY: what `on` passes, for this one call.
        let work = unsafe { &mut *work.cast::<Option<F>>() };
        if let Some(work) = work.take() {
            work();
        }
    }
    let mut work = Some(work);
    let function = call::<F>;
    // SAFETY: whoever calls `on` promises memory below `to`; `call` gets the value of its own type.
    unsafe { switch(to, function, (&raw mut work).cast(), left.as_ptr()) };
}

type Function = unsafe extern "C" fn(*mut c_void);

/// Calls `function(argument)` on another stack. rbp keeps the frame's address. The `.cfi` lines say so to debuggers and
/// unwinders, so that they find the frames on the first stack.
///
/// # Safety
/// As [`on`]; `left` must be writable.
#[unsafe(naked)]
unsafe extern "C" fn switch(
    to: usize,
    function: Function,
    argument: *mut c_void,
    left: *mut usize,
) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov [rcx], rsp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}
