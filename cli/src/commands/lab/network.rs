//! What is in the test network.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// For who sits in front of it.
pub(super) const INTRODUCTION: &str = "\
nstk: a test network with the tap nstk0: the kernel is 10.77.1.1, programs under `nstk run` are 10.77.1.2; `exit` removes it";

/// For the programs in it.
pub(super) const VARIABLES: [(&str, &str); 3] = [
    ("NSTK_IF", "tap:nstk0"),
    ("NSTK_ADDR", "10.77.1.2/24"),
    ("NSTK_PEER", "10.77.1.1"),
];

const SET_UP: &str = "\
link set lo up
tuntap add dev nstk0 mode tap vnet_hdr
address add 10.77.1.1/24 dev nstk0
link set nstk0 up
";

/// Makes it in this process's namespace. `ip`: where ip(8) is.
pub(super) fn make(ip: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", ip.display());
    let mut child = Command::new(ip)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(SET_UP.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "the tap nstk0 cannot be made: {}",
        said.lines().next().unwrap_or("ip failed")
    ))
}
