//! What is in the test network.

use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use super::batch;
use crate::reason::reason;

/// The network by its number: in that numbered 1 the kernel is 10.77.1.1 and the stack 10.77.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network(u8);

/// Variables for the programs in it.
pub(super) type Variables = Vec<(&'static str, String)>;

/// The addresses from 10.77.128.0 are for the ways out.
const NUMBER_MAX: u8 = 127;

impl Network {
    /// The first, or the next one that this machine has no address in: what both ends of a way out call their own
    /// cannot be reached over it, and the machine may be a lab itself.
    pub(super) fn choose(ip: &Path, with_uplink: bool) -> Result<Self, String> {
        if !with_uplink {
            return Ok(Self(1));
        }
        let listed = Command::new(ip)
            .args(["-4", "-oneline", "address"])
            .output()
            .map_err(|error| format!("{}: {}", ip.display(), reason(&error)))?;
        let addresses = String::from_utf8_lossy(&listed.stdout).into_owned();
        (1..=NUMBER_MAX)
            .map(Self)
            .find(|network| !addresses.contains(&format!(" {}", network.prefix())))
            .ok_or_else(|| "all of 10.77.0.0/17 is in use here".to_owned())
    }

    pub(super) fn number(self) -> String {
        self.0.to_string()
    }

    /// The kernel's address in it.
    pub(super) fn kernel(self) -> String {
        format!("{}1", self.prefix())
    }

    /// For who sits in front of it.
    pub(super) fn introduction(self) -> String {
        format!(
            "nstk: a test network with the tap nstk0: the kernel is {} and {}, a program under `nstk run` {} and {}\n\
             nstk: to leave it type `exit`; the network then goes, and so does what still runs in it",
            self.kernel(),
            self.ipv6(1),
            self.stack(),
            self.ipv6(2),
        )
    }

    /// Makes it in this process's namespace. `ip`: where ip(8) is.
    pub(super) fn make(self, ip: &Path) -> Result<Variables, String> {
        let set_up = format!(
            "link set lo up\n\
             tuntap add dev nstk0 mode tap vnet_hdr\n\
             address add {}/24 dev nstk0\n\
             link set nstk0 up\n",
            self.kernel()
        );
        batch::ip(ip, &set_up).map_err(|why| format!("the tap nstk0 cannot be made: {why}"))?;
        // There are kernels without IPv6.
        let set_up_ipv6 = format!("address add {}/64 dev nstk0 nodad\n", self.ipv6(1));
        let addresses = match batch::ip(ip, &set_up_ipv6) {
            Ok(()) => format!("{}/24,{}/64", self.stack(), self.ipv6(2)),
            Err(_) => format!("{}/24", self.stack()),
        };
        Ok(vec![
            ("NSTK_IF", "tap:nstk0".to_owned()),
            ("NSTK_ADDR", addresses),
            ("NSTK_PEER", self.kernel()),
        ])
    }

    fn stack(self) -> String {
        format!("{}2", self.prefix())
    }

    fn prefix(self) -> String {
        format!("10.77.{}.", self.0)
    }

    fn ipv6(self, host: u8) -> String {
        match self.0 {
            1 => format!("fd77::{host}"),
            number => format!("fd77:0:0:{number:x}::{host}"),
        }
    }
}

impl FromStr for Network {
    type Err = std::num::ParseIntError;

    fn from_str(number: &str) -> Result<Self, Self::Err> {
        number.parse().map(Self)
    }
}
