//! Big stacks for our calls. Programs call us on threads with 16 KiB of stack, from handlers on an alternate stack of
//! 8 KiB, and from coroutines. One of our calls may take more than that.
//!
//! If the stack pointer is known to have [`NEEDED_BYTES`] below it, a call runs right there. Otherwise it runs on a
//! stack that the library keeps for the thread. The program's handlers never run on that one. They wait while a call
//! is inside, and a call that sleeps goes back to the program's stack before. So a handler may call us again, fork,
//! leave by longjmp, or look where its stack is: it finds what it would find without us.

mod alternate;
mod memory;
mod place;
mod switch;
mod valgrind;

use core::cell::Cell;
use core::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};

use crate::thread::{self, Room};
use alternate::Alternate;
use memory::Stack;
use place::Place;

pub(crate) use switch::pointer;

/// Twice what the deepest of our calls takes, since a signal's frame needs room too. The test
/// `no_call_takes_more_stack_than_it_may` measures what our calls take.
const NEEDED_BYTES: usize = 32 << 10;
/// Size of a thread's big stack. Calls inside handlers inside calls lie below each other on it.
const STACK_BYTES: usize = 2 * NEEDED_BYTES;
/// Size for the start of the TCP/IP stack, which takes a third of it.
const START_BYTES: usize = 1 << 20;

struct State {
    /// The thread's own stack; `None`: not known yet.
    ordinary: Cell<Option<Stack>>,
    /// The stack for the next call that finds no room, and the address below which it is free.
    stack: Cell<Stack>,
    free: Cell<usize>,
    /// The stack pointer of the call that has left the program's stack.
    home: Cell<usize>,
    /// The alternate stack, if the call has left that one.
    alternate: Cell<Option<Alternate>>,
    /// The `home` of a call that has gone back there to sleep; 0: none.
    resting: Cell<usize>,
}

std::thread_local! {
    static STATE: State = const {
        State {
            ordinary: Cell::new(None),
            stack: Cell::new(Stack::NONE),
            free: Cell::new(0),
            home: Cell::new(0),
            alternate: Cell::new(None),
            resting: Cell::new(0),
        }
    };
}

/// To be called when the TCP/IP stack starts. A thread's big stack is unmapped at the thread's end.
pub(crate) fn prepare() {
    place::prepare();
    memory::watch_threads(thread_ends);
}

extern "C" fn thread_ends(_: *mut c_void) {
    STATE.with(|state| {
        let stack = state.stack.replace(Stack::NONE);
        if stack.high != 0 {
            stack.unmap();
            state.free.set(0);
        }
    });
}

/// Runs `work`, which does not panic, where there is room for it. Without memory for a stack it does not run.
pub(crate) fn call(work: &mut dyn FnMut()) {
    STATE.with(|state| {
        let pointer = switch::pointer();
        let place = state.place(pointer);
        // Already on a big stack, whose end is guarded.
        if thread::has_room(pointer) || state.stack.get().contains(pointer) {
            return work();
        }
        state.forget_the_dead(pointer, place);
        let has_room = state.free.get() >= state.stack.get().low + NEEDED_BYTES;
        if has_room || state.keep_one() {
            state.run_on((state.stack.get(), state.free.get()), place, work);
        } else {
            state.run_once(STACK_BYTES, place, work);
        }
    });
}

/// Why the start of the TCP/IP stack did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotStarted {
    /// There is no memory for a stack to run on.
    NoMemory,
    /// It panicked, and has told the user.
    Panicked,
}

/// Runs the start of the TCP/IP stack on a stack that is unmapped afterwards.
pub(crate) fn start<R>(work: impl FnOnce() -> R) -> Result<R, NotStarted> {
    STATE.with(|state| {
        let (mut work, mut result) = (Some(work), None);
        let place = state.place(switch::pointer());
        let ran = state.run_once(START_BYTES, place, &mut || {
            let work = work.take();
            result = work.and_then(|work| panic::catch_unwind(AssertUnwindSafe(work)).ok());
        });
        if !ran {
            return Err(NotStarted::NoMemory);
        }
        result.ok_or(NotStarted::Panicked)
    })
}

/// Runs `work` on the program's stack, where its signal handlers expect to run.
pub(crate) fn on_program_stack(work: &mut dyn FnMut()) {
    STATE.with(|state| {
        if state.stack.get().contains(switch::pointer()) {
            state.visit_home(work);
        } else {
            work();
        }
    });
}

impl State {
    /// Finds out which stack this is, and notes for the next calls where there is room.
    fn place(&self, pointer: usize) -> Place {
        if self.ordinary.get().is_none() {
            self.ordinary.set(place::ordinary());
        }
        let ordinary = self.ordinary.get().unwrap_or(Stack::NONE);
        let place = place::of(pointer, ordinary);
        if let Place::Ordinary = place {
            thread::set_room(room_of(ordinary, ordinary.high));
        }
        place
    }

    /// If a handler has left by longjmp, the call that it had interrupted is gone. Frees what that call had on the
    /// big stack.
    fn forget_the_dead(&self, pointer: usize, place: Place) {
        let resting = self.resting.get();
        let ordinary = self.ordinary.get().unwrap_or(Stack::NONE);
        let lives = match place {
            Place::Ordinary => ordinary.contains(resting) && pointer < resting,
            Place::Alternate(alternate) => !alternate.contains(resting) || pointer < resting,
            Place::Unknown => true,
        };
        if resting != 0 && !lives {
            self.resting.set(0);
            self.free.set(self.stack.get().high);
        }
    }

    /// Maps the thread's big stack. `false`: it has one, which is used up; or there is no memory; or it could not be
    /// unmapped at the thread's end.
    fn keep_one(&self) -> bool {
        if self.stack.get().high != 0 || !memory::remember() {
            return false;
        }
        let Some(stack) = Stack::map(STACK_BYTES) else {
            return false;
        };
        self.stack.set(stack);
        self.free.set(stack.high);
        true
    }

    /// Runs `work` on a stack of its own. `false`: there is no memory for one.
    fn run_once(&self, bytes: usize, place: Place, work: &mut dyn FnMut()) -> bool {
        let Some(stack) = Stack::map(bytes) else {
            return false;
        };
        self.run_on((stack, stack.high), place, work);
        stack.unmap();
        true
    }

    fn run_on(&self, (stack, free): (Stack, usize), place: Place, work: &mut dyn FnMut()) {
        let alternate = match place {
            Place::Alternate(alternate) => Some(alternate),
            Place::Ordinary | Place::Unknown => None,
        };
        let (stack_before, free_before) = (self.stack.replace(stack), self.free.replace(free));
        let (home, alternate_before) = (self.home.get(), self.alternate.replace(alternate));
        let room = thread::set_room(room_of(stack, free));
        match alternate {
            // SAFETY: nothing lies below `free`, and `work` does not panic: the callers of `call` see to that.
            None => unsafe { switch::on(free, &self.home, work) },
            Some(alternate) => {
                let mask = Cell::new(sys::block_all_signals());
                let work = || {
                    alternate.disable();
                    sys::set_signal_mask(mask.get());
                    work();
                    mask.set(sys::block_all_signals());
                    alternate.enable();
                };
                // SAFETY: nothing lies below `free`, and `work` does not panic: the callers of `call` see to that.
                unsafe { switch::on(free, &self.home, work) };
                sys::set_signal_mask(mask.get());
            }
        }
        self.stack.set(stack_before);
        self.free.set(free_before);
        self.home.set(home);
        self.alternate.set(alternate_before);
        thread::set_room(room);
    }

    fn visit_home(&self, work: &mut dyn FnMut()) {
        let (stack, free) = (self.stack.get(), self.free.get());
        let (home, alternate) = (self.home.get(), self.alternate.get());
        let resting = self.resting.replace(home);
        let room = thread::set_room(Room::NONE);
        match alternate {
            // SAFETY: the frame at `home` belongs to our own call, which waits for `work`. Nothing lies below it.
            None => unsafe { switch::on(home, &self.free, work) },
            Some(alternate) => {
                let mask = Cell::new(sys::block_all_signals());
                alternate.enable();
                let work = || {
                    sys::set_signal_mask(mask.get());
                    work();
                    mask.set(sys::block_all_signals());
                };
                // SAFETY: the frame at `home` belongs to our own call, which waits for `work`. Nothing lies below it.
                unsafe { switch::on(home, &self.free, work) };
                alternate.disable();
                sys::set_signal_mask(mask.get());
            }
        }
        self.stack.set(stack);
        self.free.set(free);
        self.home.set(home);
        self.alternate.set(alternate);
        self.resting.set(resting);
        thread::set_room(room);
    }
}

/// Where on a stack there is room for a call, from `free` down.
fn room_of(stack: Stack, free: usize) -> Room {
    Room::new(stack.low + NEEDED_BYTES, free)
}
