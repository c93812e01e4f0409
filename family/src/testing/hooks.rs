//! What a family says to the user.

use std::cell::RefCell;

use crate::process_hooks::ProcessHooks;

thread_local! {
    static COMPLAINTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Hooks that remember what is said to the user.
pub(crate) fn remembering_hooks() -> ProcessHooks {
    ProcessHooks {
        complain: |line| COMPLAINTS.with_borrow_mut(|lines| lines.push(line.to_string())),
        ..ProcessHooks::none()
    }
}

/// What this thread has said to the user since the last call.
pub(crate) fn complaints() -> Vec<String> {
    COMPLAINTS.take()
}
