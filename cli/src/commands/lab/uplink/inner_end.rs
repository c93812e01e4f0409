//! The lab's end of the way out.

use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::super::batch;
use super::devices::INNER;
use super::rules;
use crate::reason::reason;

/// Sends what leaves the test network out by the uplink. `addresses`: those of its two ends; empty if the interface has its
/// address already.
pub(in super::super) fn lead_to(ip: &Path, addresses: &str) -> Result<(), String> {
    if let Some((own, other)) = addresses.split_once(' ') {
        let set_up = format!(
            "address add {own} peer {other} dev {INNER}\n\
             link set {INNER} up\n\
             route add default via {other} dev {INNER}\n"
        );
        batch::ip(ip, &set_up)
            .map_err(|why| format!("the lab's {INNER} cannot be set up: {why}"))?;
    }
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1")
        .map_err(|error| format!("the lab's kernel cannot forward: {}", reason(&error)))?;
    batch::nft(&rules::of_lab())
        .map_err(|why| format!("the lab's kernel cannot masquerade: {why}"))?;
    look_names_up_elsewhere();
    Ok(())
}

/// A name server on the machine's loopback is not to be reached from here. systemd-resolved has a list of those that it asks.
fn look_names_up_elsewhere() {
    const USED: &str = "/etc/resolv.conf";
    const ASKED_BY_RESOLVED: &str = "/run/systemd/resolve/resolv.conf";
    let servers = std::fs::read_to_string(USED).unwrap_or_default();
    if !servers
        .lines()
        .any(|line| line.starts_with("nameserver 127."))
    {
        return;
    }
    let none: Option<&str> = None;
    if mount(Some(ASKED_BY_RESOLVED), USED, none, MsFlags::MS_BIND, none).is_err() {
        eprintln!(
            "nstk: the name server in {USED} is the machine's own, which the lab cannot reach: in the lab use addresses, not names"
        );
    }
}
