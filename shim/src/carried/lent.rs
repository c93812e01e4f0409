//! What a child in borrowed memory (vfork) carries across its exec. It leaves that to its parent's thread, which goes on when the
//! exec has happened.

use core::cell::Cell;
use core::mem::ManuallyDrop;

use super::departure::Departure;

std::thread_local! {
    /// Never dropped with the thread, as that would take a destructor.
    static LEFT: Cell<Option<ManuallyDrop<Departure>>> = const { Cell::new(None) };
}

/// In the child: what it carries; `None` after an exec that has failed. Uses no heap.
pub(crate) fn leave_to_lender(departure: Option<Departure>) {
    let before = LEFT.replace(departure.map(ManuallyDrop::new));
    drop(before.map(ManuallyDrop::into_inner));
}

/// In the parent: what the child of this thread carries, if it has done its exec.
pub(crate) fn take_left() -> Option<Departure> {
    LEFT.take().map(ManuallyDrop::into_inner)
}
