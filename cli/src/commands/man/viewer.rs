//! Who reads a manual page wants to see it as man(1) shows it, and not its source.

use std::io::{IsTerminal, Write, stdout};
use std::process::{Command, Stdio};

/// Shows the page in the terminal. `false`: there is no terminal, or no man(1).
pub(super) fn show(page: &[u8]) -> bool {
    if !stdout().is_terminal() {
        return false;
    }
    let mut man = Command::new("man");
    let viewer = man.args(["-l", "-"]).stdin(Stdio::piped()).spawn();
    let Ok(mut viewer) = viewer else {
        return false;
    };
    if let Some(mut input) = viewer.stdin.take() {
        // A reader may leave before the end.
        let _ = input.write_all(page);
    }
    viewer.wait().is_ok_and(|status| status.success())
}
