//! What is in the test network.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// For who sits in front of it.
pub(super) const INTRODUCTION: &str = "\
nstk: a test network with the tap nstk0: the kernel is 10.77.1.1 and fd77::1, a program under `nstk run` 10.77.1.2 and fd77::2;
nstk: `exit` removes it";

const SET_UP: &str = "\
link set lo up
tuntap add dev nstk0 mode tap vnet_hdr
address add 10.77.1.1/24 dev nstk0
link set nstk0 up
";

/// There are kernels without IPv6.
const SET_UP_IPV6: &str = "address add fd77::1/64 dev nstk0 nodad\n";

/// Makes it in this process's namespace. Returns the variables for the programs in it. `ip`: where ip(8) is.
pub(super) fn make(ip: &Path) -> Result<[(&'static str, &'static str); 3], String> {
    run(ip, SET_UP).map_err(|why| format!("the tap nstk0 cannot be made: {why}"))?;
    let addresses = match run(ip, SET_UP_IPV6) {
        Ok(()) => "10.77.1.2/24,fd77::2/64",
        Err(_) => "10.77.1.2/24",
    };
    Ok([
        ("NSTK_IF", "tap:nstk0"),
        ("NSTK_ADDR", addresses),
        ("NSTK_PEER", "10.77.1.1"),
    ])
}

/// Runs the commands, one a line, up to the first that fails.
fn run(ip: &Path, commands: &str) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", ip.display());
    let mut child = Command::new(ip)
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(commands.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("ip failed").to_owned())
}
