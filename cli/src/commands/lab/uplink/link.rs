//! The machine's end of the way out: a veth, its address, and packets passed on.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::super::batch;
use super::devices::{INNER, OUTER_PREFIX};
use super::forwarding::Forwarding;
use super::rules;

/// All of it.
pub(super) struct Link {
    ip: PathBuf,
    device: String,
    outer: Ipv4Addr,
    inner: Ipv4Addr,
    forwarding: Option<Forwarding>,
}

impl Link {
    /// Makes it to the network that the process `lab` is in.
    pub(super) fn make(ip: &Path, lab: u32) -> Result<Self, String> {
        let device = format!("{OUTER_PREFIX}{lab}");
        let add = format!(
            "link add {device} type veth peer name {INNER} netns {lab}\nlink set {device} up\n"
        );
        batch::ip(ip, &add)
            .map_err(|why| format!("the veth {device} to the lab cannot be made: {why}"))?;
        let mut link = Self {
            ip: ip.to_path_buf(),
            device,
            outer: Ipv4Addr::UNSPECIFIED,
            inner: Ipv4Addr::UNSPECIFIED,
            forwarding: None,
        };
        match link.set_up(lab) {
            Ok(()) => Ok(link),
            Err(why) => {
                link.remove();
                Err(why)
            }
        }
    }

    /// The address of the lab's end, and that of this one.
    pub(super) fn inner_addresses(&self) -> String {
        format!("{} {}", self.inner, self.outer)
    }

    /// Removes all that was made. What has gone already is no failure.
    pub(super) fn remove(self) {
        let _ = batch::ip(&self.ip, &format!("link delete {}\n", self.device));
        // The rules guard the machine while it forwards.
        if let Some(forwarding) = self.forwarding {
            forwarding.turn_off();
        }
        let _ = batch::nft(&format!("delete table ip {}\n", self.device));
    }

    fn set_up(&mut self, lab: u32) -> Result<(), String> {
        // Before the veth leads somewhere, too.
        let forwarding = Forwarding::prepare(&self.ip)?;
        self.take_addresses(lab)?;
        let forwarding = self.forwarding.insert(forwarding);
        let rules = rules::of_machine(&self.device, self.inner, forwarding.borrowed());
        batch::nft(&rules)
            .map_err(|why| format!("packets of the lab cannot be masqueraded: {why}"))?;
        forwarding.turn_on(&self.device)
    }

    /// Takes a pair of addresses that no other lab has. The route is what only one can have.
    fn take_addresses(&mut self, lab: u32) -> Result<(), String> {
        let device = &self.device;
        for pair in 0..PAIRS {
            let (outer, inner) = pair_of_addresses(lab.wrapping_add(pair));
            let take = format!(
                "route add {inner} dev {device}\naddress add {outer} peer {inner} dev {device} noprefixroute\n"
            );
            match batch::ip(&self.ip, &take) {
                Ok(()) => {
                    (self.outer, self.inner) = (outer, inner);
                    return Ok(());
                }
                Err(why) if why.contains("File exists") => {}
                Err(why) => return Err(format!("{device} cannot have an address: {why}")),
            }
        }
        Err("all of 10.77.128.0/17 is in use here".to_owned())
    }
}

const PAIRS: u32 = 1 << 14;

/// From 10.77.128.0/17.
fn pair_of_addresses(number: u32) -> (Ipv4Addr, Ipv4Addr) {
    const FIRST: u32 = u32::from_be_bytes([10, 77, 128, 0]);
    let outer = FIRST + number % PAIRS * 2;
    (Ipv4Addr::from(outer), Ipv4Addr::from(outer + 1))
}
