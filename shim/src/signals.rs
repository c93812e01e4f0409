//! Deferring the program's signal handlers.
//!
//! A handler must not run while its thread is inside the stack: it may call us, and it may never come back (longjmp). So
//! the kernel calls a handler of ours. Outside the stack it runs the program's. Inside, it queues the signal again, blocked
//! until the thread leaves the stack. Faults are never deferred. This begins when the stack starts: programs without
//! internet sockets keep their handlers as they are.

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use libc::{sigaction, siginfo_t, ucontext_t};
use sys::SignalAction;

use crate::errno;
use crate::symbols::Symbol;
use crate::{running, thread};

/// Signals are numbered 1 to 64.
const SIGNALS: usize = 65;

/// The program's handler of one signal.
struct Action {
    handler: AtomicUsize,
    /// `SA_*` as the program gave them.
    flags: AtomicI32,
}

static ACTIONS: [Action; SIGNALS] = [const {
    Action {
        handler: AtomicUsize::new(0),
        flags: AtomicI32::new(0),
    }
}; SIGNALS];

/// Set once the stack runs in this process.
static INSTALLED: AtomicBool = AtomicBool::new(false);

type Handler = unsafe extern "C-unwind" fn(c_int, *mut siginfo_t, *mut c_void);

/// sigaction(2) of libc.
type Real = unsafe extern "C-unwind" fn(c_int, *const sigaction, *mut sigaction) -> c_int;

/// The real sigaction(2).
fn real() -> Real {
    static REAL: Symbol = Symbol::new("sigaction\0");
    unsafe extern "C-unwind" fn missing(_: c_int, _: *const sigaction, _: *mut sigaction) -> c_int {
        errno::fail(libc::ENOSYS)
    }
    match REAL.get() {
        // SAFETY: the address is that of the C function of this type.
        Some(address) => unsafe { core::mem::transmute::<*mut (), Real>(address) },
        None => missing,
    }
}

/// Puts our handler in front of all that are installed, and of those that will be.
pub(crate) fn install() {
    INSTALLED.store(true, Ordering::SeqCst);
    for signal in 1..SIGNALS as c_int {
        adopt(signal);
    }
}

/// Whether our handler is put in front of the program's.
#[inline]
pub(crate) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed)
}

/// sigaction(2) as the program sees it.
///
/// # Safety
/// The pointers are null or valid, as sigaction(2) demands.
pub(crate) unsafe fn change(signal: c_int, new: *const sigaction, old: *mut sigaction) -> c_int {
    let Some(action) = action(signal) else {
        // SAFETY: the program's own pointers, which the hook passes on, or those of `adopt`.
        return unsafe { real()(signal, new, old) };
    };
    let (handler, flags) = (
        action.handler.load(Ordering::Relaxed),
        action.flags.load(Ordering::Relaxed),
    );
    // SAFETY: null or valid: the program's own, which the hook passes on, or that of `adopt`.
    let wanted = unsafe { new.as_ref() }.copied();
    let result = match wanted {
        Some(wanted) if is_function(wanted.sa_sigaction) => {
            action.handler.store(wanted.sa_sigaction, Ordering::Relaxed);
            action.flags.store(wanted.sa_flags, Ordering::Release);
            let ours = in_front_of(wanted);
            // SAFETY: `ours` is a complete structure; `old` is null or the program's own, which the hook passes on.
            unsafe { real()(signal, &raw const ours, old) }
        }
        // SAFETY: the program's own pointers, which the hook passes on, or those of `adopt`.
        _ => unsafe { real()(signal, new, old) },
    };
    if result != 0 && wanted.is_some() {
        action.handler.store(handler, Ordering::Relaxed);
        action.flags.store(flags, Ordering::Release);
    }
    // SAFETY: null or valid: the program's own, which the hook passes on, or that of `adopt`.
    let old = unsafe { old.as_mut() };
    if result == 0
        && let Some(old) = old
        && old.sa_sigaction == ours()
    {
        old.sa_sigaction = handler;
        old.sa_flags = flags | old.sa_flags & SA_RESTORER;
    }
    result
}

/// Runs `install`, a function of libc that installs a handler past [`change`] and returns the one before. Puts ours in
/// front of the new one. The result is never our own handler.
pub(crate) fn change_by(signal: c_int, install: impl FnOnce() -> usize) -> usize {
    let before = action(signal).map_or(0, |action| action.handler.load(Ordering::Relaxed));
    let answer = install();
    changed_by_libc(signal);
    if answer == ours() { before } else { answer }
}

/// A handler has been installed past [`change`]: puts ours in front of it, if the stack runs by now.
pub(crate) fn changed_by_libc(signal: c_int) {
    if is_installed() {
        let errno = errno::last();
        adopt(signal);
        errno::set(errno);
    }
}

/// siginterrupt(3) has changed the kernel's flags, and now changes ours.
pub(crate) fn set_restart(signal: c_int, restart: bool) {
    let Some(action) = action(signal) else { return };
    if restart {
        action.flags.fetch_or(libc::SA_RESTART, Ordering::Relaxed);
    } else {
        action.flags.fetch_and(!libc::SA_RESTART, Ordering::Relaxed);
    }
}

/// `sa_flags` bit that libc adds for the kernel.
const SA_RESTORER: c_int = 0x0400_0000;

fn action(signal: c_int) -> Option<&'static Action> {
    usize::try_from(signal)
        .ok()
        .filter(|at| *at > 0)
        .and_then(|at| ACTIONS.get(at))
}

fn ours() -> usize {
    handle as *const () as usize
}

fn is_function(handler: usize) -> bool {
    handler != libc::SIG_DFL
        && handler != libc::SIG_IGN
        && handler != libc::SIG_ERR
        && handler != ours()
}

/// What the kernel gets for a handler of the program. Ours itself removes a one-shot handler, when it really runs.
fn in_front_of(mut wanted: sigaction) -> sigaction {
    wanted.sa_sigaction = ours();
    wanted.sa_flags = (wanted.sa_flags | libc::SA_SIGINFO) & !libc::SA_RESETHAND;
    wanted
}

/// Puts ours in front of the handler that the kernel has for `signal`, if that is the program's.
fn adopt(signal: c_int) {
    let mut current = blank();
    // SAFETY: `current` is a place for the answer.
    let known = unsafe { real()(signal, core::ptr::null(), &raw mut current) } == 0;
    if known && is_function(current.sa_sigaction) {
        // SAFETY: both pointers are null or valid.
        unsafe { change(signal, &raw const current, core::ptr::null_mut()) };
    }
}

fn blank() -> sigaction {
    // SAFETY: the structure holds numbers and an optional function only; zero is `SIG_DFL` without flags.
    unsafe { core::mem::zeroed() }
}

/// What the kernel calls. The program's handler is called last, since it may leave by longjmp.
unsafe extern "C-unwind" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(action) = action(signal) else { return };
    if thread::is_inside() && !is_fault(signal, info) && requeue(signal, info, context) {
        return;
    }
    let flags = action.flags.load(Ordering::Acquire);
    let handler = action.handler.load(Ordering::Relaxed);
    if flags & libc::SA_RESETHAND != 0 {
        reset(signal, flags);
    }
    thread::count_signal(flags & libc::SA_RESTART != 0);
    let held = thread::take_held();
    if let Some(family) = running::family()
        && held != 0
    {
        family.abandon(held);
    }
    if !is_function(handler) {
        return;
    }
    // SAFETY: the program gave this address as its handler. One that takes only the number finds it where
    // the ABI puts the first argument.
    let handler = unsafe { core::mem::transmute::<usize, Handler>(handler) };
    let before = thread::begin_handler(flags & libc::SA_ONSTACK != 0);
    // SAFETY: the arguments are those that the kernel gave for this handler.
    unsafe { handler(signal, info, context) };
    thread::end_handler(before);
}

/// Whether the thread's own instruction caused the signal: returning to it would cause it again.
fn is_fault(signal: c_int, info: *const siginfo_t) -> bool {
    let of_faults = matches!(
        signal,
        libc::SIGSEGV | libc::SIGBUS | libc::SIGFPE | libc::SIGILL | libc::SIGTRAP | libc::SIGSYS
    );
    // SAFETY: the kernel gives every handler with SA_SIGINFO a valid structure.
    of_faults && unsafe { (*info).si_code } > 0
}

/// Queues the same signal again for this thread, and keeps it blocked after the return. `false`: the
/// kernel has refused it.
fn requeue(signal: c_int, info: *mut siginfo_t, context: *mut c_void) -> bool {
    // SAFETY: `info` is the kernel's own structure.
    if unsafe { sys::queue_signal_again(signal, info) }.is_err() {
        return false;
    }
    let context: *mut ucontext_t = context.cast();
    // SAFETY: the kernel gives every handler its context; the return restores the mask from there.
    let mask = unsafe { &raw mut (*context).uc_sigmask };
    // The kernel's form: a bit for each signal, from 1 on. sigaddset(3) would be one more name for the loader to find.
    let mask: *mut u64 = mask.cast();
    // SAFETY: `mask` leads into that context, and a set begins with the first 64 signals.
    unsafe { *mask |= 1 << (signal - 1) };
    thread::defer(signal);
    true
}

/// Does what the kernel does for `SA_RESETHAND`: removes the handler; flags and mask stay.
fn reset(signal: c_int, flags: c_int) {
    let action = SignalAction {
        handler: libc::SIG_DFL,
        flags: (flags | SA_RESTORER) as usize,
        ..sys::signal_action(signal)
    };
    // SAFETY: no handler.
    unsafe { sys::set_signal_action(signal, &action) };
}
