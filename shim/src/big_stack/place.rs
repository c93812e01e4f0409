//! Which stack the program has called us on, and how far down that one goes.

use core::ffi::{c_int, c_void};
use core::mem::{MaybeUninit, transmute};

use libc::{pthread_attr_t, pthread_t};

use super::alternate::Alternate;
use super::memory::Stack;
use crate::symbols::Symbol;
use crate::thread;

/// What the stack pointer leads into.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// The thread's own stack.
    Ordinary,
    /// The one that sigaltstack(2) names: a handler runs.
    Alternate(Alternate),
    /// A coroutine's, or another that we do not know: its end is unknown.
    Unknown,
}

/// Where this is, given the thread's own stack.
pub(super) fn of(pointer: usize, ordinary: Stack) -> Place {
    // It may lie inside the thread's own stack, so this question comes first.
    if let Some(alternate) = Alternate::current() {
        return Place::Alternate(alternate);
    }
    if ordinary.contains(pointer) {
        Place::Ordinary
    } else {
        Place::Unknown
    }
}

/// The calling thread's own stack. `None`: it cannot be found out now.
pub(super) fn ordinary() -> Option<Stack> {
    if sys::is_first_thread() {
        return Some(main_stack());
    }
    // libc allocates to answer, which must not happen in a handler.
    (!thread::is_handling()).then(thread_stack)
}

/// The first thread's stack grows as far as `RLIMIT_STACK` says, of which arguments and environment have used
/// up to a quarter (execve(2)), or the least that they are granted.
fn main_stack() -> Stack {
    const ARGUMENTS_LEAST: u64 = 128 << 10;
    const UNLIMITED: u64 = 8 << 20;
    let limit = sys::stack_limit().min(UNLIMITED);
    let bytes = (limit / 4 * 3).saturating_sub(ARGUMENTS_LEAST);
    let Some(end) = LIBC_STACK_END.get() else {
        return Stack::NONE;
    };
    // SAFETY: the loader's variable, which it has set before any code of ours runs.
    let high = unsafe { *end.cast::<usize>() };
    Stack::of_the_program(high.saturating_sub(bytes as usize), high)
}

/// Another thread's stack, as it was made.
fn thread_stack() -> Stack {
    let functions = (
        PTHREAD_SELF.get(),
        PTHREAD_GETATTR_NP.get(),
        PTHREAD_ATTR_GETSTACK.get(),
        PTHREAD_ATTR_DESTROY.get(),
    );
    let (Some(own), Some(ask), Some(read), Some(destroy)) = functions else {
        return Stack::NONE;
    };
    // SAFETY: this is libc's pthread_self, of this type.
    let own = unsafe { transmute::<*mut (), unsafe extern "C" fn() -> pthread_t>(own) };
    // SAFETY: this is libc's pthread_getattr_np, of this type.
    let ask = unsafe { transmute::<*mut (), Ask>(ask) };
    // SAFETY: this is libc's pthread_attr_getstack, of this type.
    let read = unsafe { transmute::<*mut (), Read>(read) };
    // SAFETY: this is libc's pthread_attr_destroy, of this type.
    let destroy = unsafe { transmute::<*mut (), Destroy>(destroy) };
    let mut attributes = MaybeUninit::uninit();
    // SAFETY: no arguments.
    let this = unsafe { own() };
    // SAFETY: a place for the answer.
    if unsafe { ask(this, attributes.as_mut_ptr()) } != 0 {
        return Stack::NONE;
    }
    let (mut low, mut bytes) = (core::ptr::null_mut(), 0);
    // SAFETY: the attributes were filled in; places for the answers.
    unsafe { read(attributes.as_ptr(), &raw mut low, &raw mut bytes) };
    // SAFETY: not used any more.
    unsafe { destroy(attributes.as_mut_ptr()) };
    let low = low as usize;
    Stack::of_the_program(low, low + bytes)
}

type Ask = unsafe extern "C" fn(pthread_t, *mut pthread_attr_t) -> c_int;
type Read = unsafe extern "C" fn(*const pthread_attr_t, *mut *mut c_void, *mut usize) -> c_int;
type Destroy = unsafe extern "C" fn(*mut pthread_attr_t) -> c_int;

// Looked up when the stack starts. Were they imported, the loader would look them up in every program under the
// preload.
static LIBC_STACK_END: Symbol = Symbol::new("__libc_stack_end\0");
static PTHREAD_SELF: Symbol = Symbol::new("pthread_self\0");
static PTHREAD_GETATTR_NP: Symbol = Symbol::new("pthread_getattr_np\0");
static PTHREAD_ATTR_GETSTACK: Symbol = Symbol::new("pthread_attr_getstack\0");
static PTHREAD_ATTR_DESTROY: Symbol = Symbol::new("pthread_attr_destroy\0");

/// Looks up the symbols. Later it may be in a signal handler, where dlsym(3) must not be called.
pub(super) fn prepare() {
    let all = [
        &LIBC_STACK_END,
        &PTHREAD_SELF,
        &PTHREAD_GETATTR_NP,
        &PTHREAD_ATTR_GETSTACK,
        &PTHREAD_ATTR_DESTROY,
    ];
    for symbol in all {
        symbol.get();
    }
}
