//! What the library knows about the calling thread: whether it is inside the stack, and which signal
//! handlers have run on it.
//!
//! One `const`-initialised structure of cells without a destructor: signal handlers read it, and it is
//! there until the thread's last instruction.

use core::cell::Cell;
use core::ffi::c_int;
use core::marker::PhantomData;

struct Thread {
    /// How deep the thread is inside; 0: outside.
    depth: Cell<u32>,
    /// Handlers run so far.
    signals: Cell<u32>,
    /// Those among them that were installed without `SA_RESTART`.
    interruptions: Cell<u32>,
    /// Signals that were deferred, bit `number - 1`; they are blocked until the thread is outside.
    deferred: Cell<u64>,
    /// Where the stack pointer is known to leave room for one of our calls.
    room: Cell<Room>,
    /// A handler of the program's runs, or has left by longjmp.
    handling: Cell<bool>,
    /// A handler has run that asks for the alternate stack (sigaltstack(2)), and may not have ended.
    on_alternate: Cell<bool>,
    /// What of the family's the thread holds while it rests; 0: nothing. A handler gives it back before it runs.
    held: Cell<u64>,
}

std::thread_local! {
    static THREAD: Thread = const {
        Thread {
            depth: Cell::new(0),
            signals: Cell::new(0),
            interruptions: Cell::new(0),
            deferred: Cell::new(0),
            room: Cell::new(Room::NONE),
            handling: Cell::new(false),
            on_alternate: Cell::new(false),
            held: Cell::new(0),
        }
    };
}

/// A range of addresses.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    from: usize,
    len: usize,
}

impl Room {
    pub(crate) const NONE: Self = Self { from: 0, len: 0 };

    pub(crate) fn new(from: usize, end: usize) -> Self {
        Self {
            from,
            len: end.saturating_sub(from),
        }
    }

    #[inline]
    fn holds(self, address: usize) -> bool {
        address.wrapping_sub(self.from) < self.len
    }
}

/// The thread is inside the stack until this is dropped. Its signal handlers wait until then.
pub(crate) struct Inside(PhantomData<*mut ()>);

impl Drop for Inside {
    fn drop(&mut self) {
        leave();
    }
}

/// Goes inside. Nests.
pub(crate) fn inside() -> Inside {
    enter();
    Inside(PhantomData)
}

/// Goes inside, and says whether the stack pointer is known to leave room for one of our calls.
#[inline]
pub(crate) fn inside_with_room(pointer: usize) -> (Inside, bool) {
    let roomy = THREAD.with(|thread| {
        thread.depth.set(thread.depth.get() + 1);
        thread.room.get().holds(pointer)
    });
    (Inside(PhantomData), roomy)
}

/// Whether the stack pointer is known to leave room for one of our calls.
pub(crate) fn has_room(pointer: usize) -> bool {
    THREAD.with(|thread| thread.room.get().holds(pointer))
}

/// Sets where there is room; returns what was known before.
pub(crate) fn set_room(room: Room) -> Room {
    THREAD.with(|thread| thread.room.replace(room))
}

/// A handler of the program begins; `on_alternate`: it was installed with `SA_ONSTACK`. The result is for
/// [`end_handler`], which is never called if the handler leaves by longjmp.
pub(crate) fn begin_handler(on_alternate: bool) -> bool {
    THREAD.with(|thread| {
        if on_alternate {
            thread.on_alternate.set(true);
            // The alternate stack may lie where there seemed to be room.
            thread.room.set(Room::NONE);
        }
        thread.handling.replace(true)
    })
}

/// A handler has returned.
pub(crate) fn end_handler(before: bool) {
    THREAD.with(|thread| thread.handling.set(before));
}

/// Whether a handler may be running.
pub(crate) fn is_handling() -> bool {
    THREAD.with(|thread| thread.handling.get())
}

/// Whether the alternate stack may be in use.
pub(crate) fn may_be_on_alternate() -> bool {
    THREAD.with(|thread| thread.on_alternate.get())
}

/// The kernel has said that the alternate stack is not in use.
pub(crate) fn is_not_on_alternate() {
    THREAD.with(|thread| thread.on_alternate.set(false));
}

/// How many signal handlers have run on this thread; wraps.
pub(crate) fn signals() -> u32 {
    THREAD.with(|thread| thread.signals.get())
}

/// How many of them were installed without `SA_RESTART`. A waiting call that signal(7) lets restart ends with `EINTR`
/// only if this number has changed since it began.
pub(crate) fn interruptions() -> u32 {
    THREAD.with(|thread| thread.interruptions.get())
}

/// A handler is about to run on this thread.
pub(crate) fn count_signal(restarts: bool) {
    THREAD.with(|thread| {
        thread.signals.set(thread.signals.get().wrapping_add(1));
        if !restarts {
            thread
                .interruptions
                .set(thread.interruptions.get().wrapping_add(1));
        }
    });
}

/// Whether the thread is inside.
pub(crate) fn is_inside() -> bool {
    THREAD.with(|thread| thread.depth.get() > 0)
}

/// The signal is queued in the kernel again, and blocked: [`leave`] unblocks it.
pub(crate) fn defer(signal: c_int) {
    THREAD.with(|thread| thread.deferred.set(thread.deferred.get() | bit(signal)));
}

/// A signal's place in a mask of the kernel's.
fn bit(signal: c_int) -> u64 {
    1 << ((signal - 1) & 63)
}

/// Takes what the thread held when it went to rest.
pub(crate) fn take_held() -> u64 {
    THREAD.with(|thread| thread.held.take())
}

/// The thread goes to rest, and is outside until [`resume`]; `held` is what it holds. Returns how deep it was inside,
/// for [`resume`], and the signals to unblock.
pub(crate) fn rest(held: u64) -> (u32, u64) {
    THREAD.with(|thread| {
        thread.held.set(held);
        (thread.depth.take(), thread.deferred.take())
    })
}

/// The thread is inside again. `false`: a handler has taken what it held.
pub(crate) fn resume(depth: u32) -> bool {
    THREAD.with(|thread| {
        thread.depth.set(depth);
        thread.held.take() != 0
    })
}

/// Goes inside once more.
pub(crate) fn enter() {
    THREAD.with(|thread| thread.depth.set(thread.depth.get() + 1));
}

/// Goes outside once.
pub(crate) fn leave() {
    let deferred = THREAD.with(|thread| {
        let depth = thread.depth.get().saturating_sub(1);
        thread.depth.set(depth);
        if depth == 0 {
            thread.deferred.take()
        } else {
            0
        }
    });
    if deferred != 0 {
        sys::unblock_signals(deferred);
    }
}
