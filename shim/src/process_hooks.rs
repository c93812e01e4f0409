//! What the family asks of this process while it enters the stack, waits and leaves it.

use family::ProcessHooks;

use crate::complain::complain;
use crate::{big_stack, thread};

/// The hooks, for [`family::Family::start`].
pub(crate) fn hooks() -> ProcessHooks {
    ProcessHooks {
        enter: thread::enter,
        leave: thread::leave,
        signals: thread::signals,
        rest,
        resume: thread::resume,
        surface: big_stack::on_program_stack,
        complain,
    }
}

fn rest(held: u64) -> u32 {
    let (depth, deferred) = thread::rest(held);
    if deferred != 0 {
        // Their handlers run at once, on the stack that the program expects.
        big_stack::on_program_stack(&mut || sys::unblock_signals(deferred));
    }
    depth
}
