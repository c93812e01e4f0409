//! Tools that set networks up, with their commands on standard input.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::machine;
use crate::reason::reason;

/// Runs commands of ip(8), one a line, up to the first that fails. `Err`: its complaint.
pub(super) fn ip(ip: &Path, commands: &str) -> Result<(), String> {
    run(Command::new(ip).args(["-batch", "-"]), commands)
}

/// Loads a ruleset of nft(8), all or nothing. `Err`: its complaint.
pub(super) fn nft(rules: &str) -> Result<(), String> {
    let nft = machine::find_tool("nft").ok_or("nft is missing: install nftables")?;
    run(Command::new(nft).args(["-f", "-"]), rules)
}

fn run(command: &mut Command, input: &str) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let failed = |error| format!("{name}: {}", reason(&error));
    let mut child = command
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("it failed").to_owned())
}
