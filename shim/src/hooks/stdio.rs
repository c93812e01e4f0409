//! stdio on our sockets: fdopen(3) and dprintf(3).

use core::arch::naked_asm;
use core::ffi::{c_char, c_int, c_void};

use libc::FILE;

use crate::descriptors::owned;
use crate::hook::{hook, real};
use crate::{libc_stdio, stdio};

hook! {
    /// fdopen(3)
    fn fdopen(fd: c_int, mode: *const c_char) -> *mut FILE {
        if owned(fd).is_none() {
            return real!(fdopen(fd, mode));
        }
        // SAFETY: the program gives a mode.
        unsafe { stdio::open(fd, mode) }
    }
}

/// The arguments of a function with any number of them: the address of a `va_list`.
type Arguments = *mut c_void;

hook! {
    /// vdprintf(3)
    fn vdprintf(fd: c_int, format: *const c_char, arguments: Arguments) -> c_int {
        if owned(fd).is_none() {
            return real!(vdprintf(fd, format, arguments));
        }
        let mut text = core::ptr::null_mut();
        // SAFETY: the program's own format and arguments.
        let len = unsafe { libc_stdio::vasprintf(&raw mut text, format, arguments) };
        // SAFETY: vasprintf(3) has just stored it.
        unsafe { stdio::write_text(fd, text, len) }
    }
}

hook! {
    /// vdprintf(3) of fortified programs.
    fn __vdprintf_chk(fd: c_int, flag: c_int, format: *const c_char, arguments: Arguments) -> c_int {
        if owned(fd).is_none() {
            return real!(__vdprintf_chk(fd, flag, format, arguments));
        }
        // What `flag` asks for, no `%n` in writable memory, is not checked here.
        // SAFETY: the program's own arguments.
        unsafe { vdprintf(fd, format, arguments) }
    }
}

/// Functions with any number of arguments that have a form with a `va_list`, which is made here as the calling convention
/// (System V ABI, section 3.5.7) has it. The registers are kept below it. `named`: bytes of registers before the first of
/// the unnamed arguments, `list`: the register for the `va_list`.
macro_rules! variadic {
    ($($(#[$meta:meta])* $name:ident => $with_list:ident, named $named:literal, list $list:literal;)*) => {$(
        $(#[$meta])*
        ///
        /// # Safety
        /// As printf(3).
        #[unsafe(naked)]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, allow(dead_code, non_snake_case, reason = "see `hook!`"))]
        pub(crate) unsafe extern "C" fn $name() {
            naked_asm!(
                "sub rsp, 216",
                "mov [rsp + 32], rdi",
                "mov [rsp + 40], rsi",
                "mov [rsp + 48], rdx",
                "mov [rsp + 56], rcx",
                "mov [rsp + 64], r8",
                "mov [rsp + 72], r9",
                "test al, al",
                "je 2f",
                "movaps [rsp + 80], xmm0",
                "movaps [rsp + 96], xmm1",
                "movaps [rsp + 112], xmm2",
                "movaps [rsp + 128], xmm3",
                "movaps [rsp + 144], xmm4",
                "movaps [rsp + 160], xmm5",
                "movaps [rsp + 176], xmm6",
                "movaps [rsp + 192], xmm7",
                "2:",
                concat!("mov dword ptr [rsp], ", $named),
                "mov dword ptr [rsp + 4], 48",
                "lea rax, [rsp + 224]",
                "mov [rsp + 8], rax",
                "lea rax, [rsp + 32]",
                "mov [rsp + 16], rax",
                concat!("mov ", $list, ", rsp"),
                "call {with_list}",
                "add rsp, 216",
                "ret",
                with_list = sym $with_list,
            )
        }
    )*};
}

variadic! {
    /// dprintf(3)
    dprintf => vdprintf, named "16", list "rdx";
    /// dprintf(3) of fortified programs.
    __dprintf_chk => __vdprintf_chk, named "24", list "rcx";
}
