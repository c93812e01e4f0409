//! The end of this process.

use crate::descriptors::{self, Descriptor};
use crate::guard::guarded;
use crate::{membership, report, running, stdio, thread};

/// Closes what the process has open: its parent may count on that when it hears of the end. If a signal cuts this
/// short, the keeper closes the rest.
pub(crate) fn exit() {
    let may_enter = || membership::may_enter() && !thread::is_inside();
    let Some(family) = running::family().filter(|_| may_enter()) else {
        return;
    };
    let member = family.member();
    guarded(|| {
        // A dead stack has nothing to close.
        let _ = family.enter(|state, now| {
            for (_, descriptor) in descriptors::all() {
                match descriptor {
                    Descriptor::Stack(file) => {
                        state.release(now, file, member);
                    }
                    Descriptor::Epoll(set) => {
                        state.epolls.release(set, member, &mut state.files);
                    }
                    Descriptor::Kernel => {}
                }
            }
        });
        report::ended();
        family.flush_capture();
    });
}

/// The loader runs this when the program returns or calls exit(3), after the program's own handlers.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;

extern "C" fn at_exit() {
    stdio::flush();
    exit();
}
