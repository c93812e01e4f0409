//! What the library knows about the calling thread: whether it is inside the stack, and which signal
//! handlers have run on it.
//!
//! One `const`-initialised structure of cells without a destructor: signal handlers read it, and it is
//! there until the thread's last instruction.

use core::cell::Cell;
use core::ffi::c_int;
use core::marker::PhantomData;

use family::Host;

use crate::{child, roomy, signals, sys};

struct Thread {
    /// How many times over the thread is inside.
    depth: Cell<u32>,
    /// Handlers run so far.
    signals: Cell<u32>,
    /// Those among them that were installed without `SA_RESTART`.
    interruptions: Cell<u32>,
    /// Signals that were put off, bit `number - 1`; they are blocked until the thread is outside.
    put_off: Cell<u64>,
    /// Where the stack pointer leaves room for a call of ours, as far as is known.
    room: Cell<Room>,
    /// A handler of the program's runs, or has left by longjmp.
    handling: Cell<bool>,
    /// A handler has run that asks for the alternate stack (sigaltstack(2)), and may not have ended.
    on_alternate: Cell<bool>,
    /// What the family wants back before a handler runs while the thread rests; 0: nothing.
    held: Cell<u64>,
}

std::thread_local! {
    static THREAD: Thread = const {
        Thread {
            depth: Cell::new(0),
            signals: Cell::new(0),
            interruptions: Cell::new(0),
            put_off: Cell::new(0),
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

/// The thread is inside the stack until this is dropped: handlers of its signals are put off.
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

/// Goes inside, and says whether the stack pointer is known to leave room for a call of ours.
#[inline]
pub(crate) fn inside_with_room(pointer: usize) -> (Inside, bool) {
    let roomy = THREAD.with(|thread| {
        thread.depth.set(thread.depth.get() + 1);
        thread.room.get().holds(pointer)
    });
    (Inside(PhantomData), roomy)
}

/// Whether the stack pointer is known to leave room for a call of ours.
pub(crate) fn has_room(pointer: usize) -> bool {
    THREAD.with(|thread| thread.room.get().holds(pointer))
}

/// Where there is room from now on; answers what was known before.
pub(crate) fn set_room(room: Room) -> Room {
    THREAD.with(|thread| thread.room.replace(room))
}

/// A handler of the program's begins; `on_alternate`: it was installed with `SA_ONSTACK`. The answer is for
/// [`end_handler`], which may be left out.
pub(crate) fn begin_handler(on_alternate: bool) -> bool {
    THREAD.with(|thread| {
        if on_alternate {
            thread.on_alternate.set(true);
            // The alternate stack may lie in what looked like room.
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

/// The kernel says that it is not.
pub(crate) fn is_not_on_alternate() {
    THREAD.with(|thread| thread.on_alternate.set(false));
}

/// What the family does at its door.
pub(crate) fn host() -> Host {
    Host {
        enter,
        leave,
        signals,
        rest,
        resume,
        surface: roomy::surface,
        complain: sys::complain,
    }
}

/// Whether this process may use the stack: not a child that was made behind libc's back, nor one that
/// still shares its parent's memory.
#[inline]
pub(crate) fn usable() -> bool {
    child::may_enter()
}

/// Signal handlers run on this thread so far; wraps.
pub(crate) fn signals() -> u32 {
    THREAD.with(|thread| thread.signals.get())
}

/// Handlers run on this thread so far that were installed without `SA_RESTART`: a call that waits, and
/// that signal(7) lets restart, ends with `EINTR` only if this has changed since it began.
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

/// The signal has been given back to the kernel and is blocked: the way out unblocks it.
pub(crate) fn put_off(signal: c_int) {
    THREAD.with(|thread| thread.put_off.set(thread.put_off.get() | bit(signal)));
}

/// A signal's place in a mask of the kernel's.
pub(crate) fn bit(signal: c_int) -> u64 {
    1 << ((signal - 1) & 63)
}

/// What the thread held when it went to rest; from now on it holds nothing.
pub(crate) fn take_held() -> u64 {
    THREAD.with(|thread| thread.held.take())
}

fn rest(held: u64) -> u32 {
    let (depth, put_off) = THREAD.with(|thread| {
        thread.held.set(held);
        (thread.depth.take(), thread.put_off.take())
    });
    if put_off != 0 {
        roomy::surface(&mut || signals::unblock(put_off));
    }
    depth
}

fn resume(depth: u32) -> bool {
    THREAD.with(|thread| {
        thread.depth.set(depth);
        thread.held.take() != 0
    })
}

fn enter() {
    THREAD.with(|thread| thread.depth.set(thread.depth.get() + 1));
}

fn leave() {
    let put_off = THREAD.with(|thread| {
        let depth = thread.depth.get().saturating_sub(1);
        thread.depth.set(depth);
        if depth == 0 { thread.put_off.take() } else { 0 }
    });
    if put_off != 0 {
        signals::unblock(put_off);
    }
}
