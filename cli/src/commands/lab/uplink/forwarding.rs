//! Interfaces of the machine that forward while there are labs with a way out.
//!
//! Forwarding is turned on for single interfaces, as the switch for all of them resets more than that.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::reason::reason;

/// Forwarding for one lab.
pub(super) struct Forwarding {
    /// They do not forward without labs.
    borrowed: Vec<String>,
    /// A lock on the network namespace, which all labs share. Who gets it alone is the last.
    labs: File,
}

impl Forwarding {
    /// Looks which interfaces lead somewhere and do not forward yet.
    pub(super) fn prepare(ip: &Path) -> Result<Self, String> {
        let labs = File::open("/proc/self/ns/net").map_err(failed)?;
        labs.lock_shared().map_err(failed)?;
        let mut borrowed = leading_somewhere(ip).map_err(failed)?;
        borrowed.retain(|device| !forwards(device));
        Ok(Self { borrowed, labs })
    }

    /// The interfaces that will forward for labs only.
    pub(super) fn borrowed(&self) -> &[String] {
        &self.borrowed
    }

    /// Lets them, and the lab's veth, pass packets on.
    pub(super) fn turn_on(&self, own: &str) -> Result<(), String> {
        let mut devices = self.borrowed.iter().map(String::as_str).chain([own]);
        devices.try_for_each(|device| set(device, true).map_err(failed))
    }

    /// Puts back what was changed, when no other lab needs it any more.
    pub(super) fn turn_off(self) {
        if self.borrowed.is_empty() {
            return;
        }
        if self.labs.try_lock().is_err() {
            // The lab has ended for its user, who may wait for the end of its output; this process waits on.
            let _ = rustix::stdio::dup2_stdout(&self.labs);
            let _ = rustix::stdio::dup2_stderr(&self.labs);
            let _ = self.labs.lock();
        }
        for device in &self.borrowed {
            let _ = set(device, false); // It may have gone.
        }
    }
}

/// The interfaces of the routing table.
fn leading_somewhere(ip: &Path) -> std::io::Result<Vec<String>> {
    let listed = Command::new(ip)
        .args(["-4", "-oneline", "route", "show"])
        .output()?;
    let listed = String::from_utf8_lossy(&listed.stdout);
    let mut devices: Vec<String> = listed.lines().filter_map(device_of).collect();
    devices.sort_unstable();
    devices.dedup();
    Ok(devices)
}

fn device_of(route: &str) -> Option<String> {
    let mut words = route.split_whitespace();
    words.find(|word| *word == "dev")?;
    words.next().map(str::to_owned)
}

fn forwards(device: &str) -> bool {
    std::fs::read_to_string(switch(device)).is_ok_and(|text| text == "1\n")
}

fn set(device: &str, on: bool) -> std::io::Result<()> {
    std::fs::write(switch(device), if on { "1" } else { "0" })
}

fn switch(device: &str) -> PathBuf {
    Path::new("/proc/sys/net/ipv4/conf")
        .join(device)
        .join("forwarding")
}

fn failed(error: std::io::Error) -> String {
    format!("packets of the lab cannot be forwarded: {}", reason(&error))
}
