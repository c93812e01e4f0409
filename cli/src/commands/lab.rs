//! `nstk lab`: two processes. The outer one enters new namespaces and waits; the inner one is the first process of the new
//! process namespace, so that the kernel ends all that runs in the lab as soon as it ends, and it ends with the outer one.
//! The network goes with the last process in it. With a way out there is a third one, which stays in the machine's network.

mod batch;
mod inside;
mod namespaces;
mod network;
mod uplink;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitCode, ExitStatus};

use clap::{Args, ValueHint};
use nix::sys::signal::{SigSet, Signal};

pub(crate) use inside::{Inside, NAME as INSIDE_NAME};
pub(crate) use uplink::{NAME as OUTSIDE_NAME, Outside};

use crate::failure::Failure;
use crate::machine;
use crate::reason::reason;
use crate::status;
use network::Network;
use uplink::Uplink;

/// Make a test network, run a command in it and remove it
///
/// The network is a namespace of its own with nothing in it but the tap nstk0. On one side of the tap is the kernel with
/// the addresses 10.77.1.1 and fd77::1, on the other the stack of a program that `nstk run` starts, with 10.77.1.2 and fd77::2.
/// The command may start both ends: what it starts is in the lab too. Without a command a shell is started.
///
/// NSTK_IF and NSTK_ADDR are set for `nstk run`, so that it needs no options; NSTK_PEER is the kernel's address.
///
/// With --uplink the lab reaches what the machine reaches over IPv4, and nothing out there reaches the lab. Root gets a veth
/// with forwarding and masquerade, all removed at the end. Everybody else needs slirp4netns. A lab may be made inside a lab;
/// with --uplink its addresses are then 10.77.2.1 and so on.
///
/// Root may do this, and everybody where user namespaces are allowed and /dev/net/tun can be opened: then the command
/// believes to be root. Whatever still runs when the command ends is ended, and so is everything when nstk lab is killed.
#[derive(Args)]
#[command(after_long_help = "\
Exit codes:
  that of the command, 128 and the signal's number if a signal ended it; otherwise
  2    an option is wrong
  125  the test network cannot be made; `nstk doctor` tells more
  126  the command was found but cannot be run
  127  the command was not found

Examples:
  nstk lab
  nstk lab -- sh -c 'python3 -m http.server & sleep 2; nstk run -- curl http://10.77.1.1:8000/'
  nstk lab --uplink -- nstk run --cc bbr -- curl https://www.kernel.org/")]
pub(crate) struct Options {
    /// Give the lab a way out to the networks of this machine
    #[arg(long)]
    uplink: bool,
    /// The command and its arguments; a shell without them
    #[arg(
        trailing_var_arg = true,
        value_name = "COMMAND",
        value_hint = ValueHint::CommandWithArguments
    )]
    command: Vec<OsString>,
}

impl Options {
    /// Returns when the lab has gone, with the command's status.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let status = self
            .run_lab()
            .map_err(|reason| Failure::with_code(status::OWN_FAILURE, reason))?;
        Ok(exit_code(status))
    }

    fn run_lab(&self) -> Result<ExitStatus, String> {
        machine::open_tun()?;
        let ip = machine::find_ip().ok_or("ip is missing: install iproute2")?;
        // Asked before the namespaces change.
        let own_id = std::fs::read_link("/proc/self")
            .map_err(|error| format!("/proc/self: {}", reason(&error)))?;
        let network = Network::choose(&ip, self.uplink)?;
        let uplink = self.uplink.then(|| Uplink::prepare(&ip)).transpose()?;
        let rights = namespaces::enter()?;
        let uplink = uplink.map(|uplink| uplink.open(rights)).transpose()?;
        if self.command.is_empty() && std::io::stderr().is_terminal() {
            eprintln!("{}", network.introduction());
        }
        // Interrupts from the terminal are for the command.
        let interrupts: SigSet = [Signal::SIGINT, Signal::SIGQUIT].into_iter().collect();
        interrupts
            .thread_block()
            .map_err(|error| format!("signals: {error}"))?;
        let mut inner = Command::new("/proc/self/exe");
        inner.arg0(INSIDE_NAME).arg(own_id).arg(ip);
        inner.arg(network.number());
        if let Some(uplink) = &uplink {
            inner.args(["--uplink", uplink.addresses()]);
        }
        inner.arg("--").args(&self.command);
        let status = inner.status();
        if let Some(uplink) = uplink {
            uplink.close();
        }
        status.map_err(|error| format!("the lab's first process: {}", reason(&error)))
    }
}

/// As a shell gives it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let signal = status.signal().unwrap_or_default();
    let code = status.code().unwrap_or(128 + signal);
    ExitCode::from(u8::try_from(code).unwrap_or(status::OWN_FAILURE))
}
