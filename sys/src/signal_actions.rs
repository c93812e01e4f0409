//! Handlers of signals, and the stack that they run on. rustix has none of this, or for who writes a libc only.

use core::ffi::c_int;
use core::ptr;

use libc::{siginfo_t, stack_t};

use crate::errno::Errno;
use crate::processes::process_id;
use crate::signal_mask::SignalMask;
use crate::threads::thread_id;
use crate::trap::{int, syscall};

/// What happens at a signal, as the kernel has it (rt_sigaction(2)).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct SignalAction {
    /// The address of the handler, or `SIG_DFL` or `SIG_IGN`.
    pub handler: usize,
    /// `SA_…`.
    pub flags: usize,
    /// The address of what a handler returns to.
    pub restorer: usize,
    /// The signals that are blocked while the handler runs.
    pub mask: SignalMask,
}

/// What happens at this signal now.
#[must_use]
pub fn signal_action(signal: c_int) -> SignalAction {
    let mut action = SignalAction::default();
    let place = ptr::from_mut(&mut action).expose_provenance();
    let args = [int(signal), 0, place, size_of::<SignalMask>(), 0, 0];
    // SAFETY: the place has the kernel's layout and outlives the call.
    let _ = unsafe { syscall(libc::SYS_rt_sigaction, args) };
    action
}

/// Sets what happens at this signal.
///
/// # Safety
/// The handler may run at any time from now on.
pub unsafe fn set_signal_action(signal: c_int, action: &SignalAction) {
    let place = ptr::from_ref(action).expose_provenance();
    let args = [int(signal), place, 0, size_of::<SignalMask>(), 0, 0];
    // SAFETY: the place has the kernel's layout and outlives the call. The caller vouches for the handler.
    let _ = unsafe { syscall(libc::SYS_rt_sigaction, args) };
}

/// Queues a signal that has come for this thread once more; rt_tgsigqueueinfo(2).
///
/// # Safety
/// `info` is what the kernel gave the signal's handler.
pub unsafe fn queue_signal_again(signal: c_int, info: *const siginfo_t) -> Result<(), Errno> {
    let (process, thread) = (process_id() as usize, thread_id() as usize);
    let args = [process, thread, int(signal), info.expose_provenance(), 0, 0];
    // SAFETY: the caller passes what the kernel gave a handler, so it is a whole structure.
    unsafe { syscall(libc::SYS_rt_tgsigqueueinfo, args) }.map(drop)
}

/// The thread's alternate signal stack, if the kernel tells; sigaltstack(2).
#[must_use]
pub fn alternate_stack() -> Option<stack_t> {
    let mut stack = stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: 0,
        ss_size: 0,
    };
    let place = ptr::from_mut(&mut stack).expose_provenance();
    // SAFETY: a place for the answer.
    let asked = unsafe { syscall(libc::SYS_sigaltstack, [0, place, 0, 0, 0, 0]) };
    asked.is_ok().then_some(stack)
}

/// Sets the thread's alternate signal stack.
///
/// # Safety
/// Handlers may use its memory from now on.
pub unsafe fn set_alternate_stack(stack: &stack_t) {
    let place = ptr::from_ref(stack).expose_provenance();
    // SAFETY: the structure outlives the call. The caller lends its memory to the handlers.
    let _ = unsafe { syscall(libc::SYS_sigaltstack, [place, 0, 0, 0, 0, 0]) };
}
