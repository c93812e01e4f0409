//! Telling valgrind about our stacks. Otherwise it takes a switch between two stacks that lie near each other for a push
//! or pop of all that is between them.

use core::arch::asm;

/// `VALGRIND_STACK_REGISTER` and `VALGRIND_STACK_DEREGISTER` of valgrind.h.
const REGISTER: usize = 0x1501;
const DEREGISTER: usize = 0x1502;

/// Registers a stack from `low` up to `high`. Returns valgrind's id for it; 0 without valgrind.
pub(super) fn register(low: usize, high: usize) -> usize {
    request([REGISTER, low, high, 0, 0, 0])
}

/// The stack of this id is gone.
pub(super) fn deregister(id: usize) {
    request([DEREGISTER, id, 0, 0, 0, 0]);
}

/// A client request: instructions that do nothing, and that valgrind knows.
fn request(request: [usize; 6]) -> usize {
    let answer;
    // SAFETY: rdi is turned round by 128 bits, rbx exchanged with itself.
    unsafe {
        asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") &raw const request,
            inout("rdx") 0usize => answer,
            options(nostack),
        );
    }
    answer
}
