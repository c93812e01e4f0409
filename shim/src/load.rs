//! What is done when the library is loaded, before the program runs.

use core::ffi::c_int;

use crate::environment::{self, List};
use crate::{carried, fork, inherited, start};

/// The loader runs this, with the program's arguments and environment (glibc). Every program under the preload pays for
/// it. So it does little, and does not import `environ`, which the loader would have to look up.
#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn(c_int, List, List) = at_load;

extern "C" fn at_load(_count: c_int, _arguments: List, environment: List) {
    environment::keep(environment);
    inherited::look();
    carried::note(start::arrive);
    if carried::any_waits() {
        // Without memory for it the start of the stack fails, too.
        let _ = fork::watch();
    }
}
