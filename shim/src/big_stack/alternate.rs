//! The alternate signal stack (sigaltstack(2)).
//!
//! While the stack pointer is there, the kernel puts the frames of further handlers below it. While it is elsewhere,
//! they begin at the top again, over the frame of the first handler. So a thread that leaves it for a big stack
//! disables it until it comes back.

use core::ffi::c_int;

use libc::stack_t;

use crate::thread;

#[derive(Clone, Copy)]
pub(super) struct Alternate {
    stack: stack_t,
}

impl Alternate {
    /// The one that the calling thread is on.
    pub(super) fn current() -> Option<Self> {
        if !thread::may_be_on_alternate() {
            return None;
        }
        if let Some(mut stack) = sys::alternate_stack()
            && stack.ss_flags & libc::SS_ONSTACK != 0
        {
            stack.ss_flags = 0;
            return Some(Self { stack });
        }
        thread::is_not_on_alternate();
        None
    }

    pub(super) fn contains(&self, pointer: usize) -> bool {
        pointer.wrapping_sub(self.stack.ss_sp as usize) < self.stack.ss_size
    }

    /// Disables it in the kernel. The stack pointer has to be elsewhere.
    pub(super) fn disable(&self) {
        self.tell(libc::SS_DISABLE);
    }

    /// Enables it again. The stack pointer still has to be elsewhere.
    pub(super) fn enable(&self) {
        self.tell(0);
    }

    fn tell(&self, flags: c_int) {
        let mut stack = self.stack;
        stack.ss_flags = flags;
        // SAFETY: it is the one that the program has set.
        unsafe { sys::set_alternate_stack(&stack) };
    }
}
