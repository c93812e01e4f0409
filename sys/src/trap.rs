//! One system call by number, for what rustix does not have.

use core::arch::asm;
use core::ffi::c_int;

use crate::errno::Errno;

/// One system call.
///
/// # Safety
/// What the call does with its arguments must be sound.
#[cfg(target_arch = "x86_64")]
pub(crate) unsafe fn syscall(number: libc::c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the x86-64 system call convention. The caller vouches for what the call does.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    decode(result)
}

/// One system call.
///
/// # Safety
/// What the call does with its arguments must be sound.
#[cfg(target_arch = "aarch64")]
pub(crate) unsafe fn syscall(number: libc::c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    let result: isize;
    // SAFETY: the AArch64 system call convention. The caller vouches for what the call does.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => result,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    decode(result)
}

/// A call of the program's own, which libnstk.so passes on: what the kernel answers.
///
/// # Safety
/// What the call does with its arguments must be sound.
pub unsafe fn pass_on(number: libc::c_long, arguments: [usize; 6]) -> Result<usize, Errno> {
    // SAFETY: the caller vouches for what the call does.
    unsafe { syscall(number, arguments) }
}

/// The kernel answers errors as -errno, within the last page of numbers.
fn decode(result: isize) -> Result<usize, Errno> {
    match result {
        -4095..=-1 => Err(Errno(-result as c_int)),
        value => Ok(value as usize),
    }
}

/// A number as an argument, with its sign: the kernel's entry code expects that of an int.
pub(crate) fn int(value: c_int) -> usize {
    (value as isize).cast_unsigned()
}
