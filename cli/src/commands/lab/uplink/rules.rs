//! The packet filter's part of the way out, for nft(8).

use std::net::Ipv4Addr;

use super::devices::{INNER, OUTER_PREFIX};

/// In the machine: the lab may go out, nothing may come in, and interfaces that forward for labs only (`borrowed`) do nothing else.
pub(super) fn of_machine(device: &str, lab: Ipv4Addr, borrowed: &[String]) -> String {
    let guards: String = borrowed
        .iter()
        .map(|device| format!("    iifname \"{device}\" oifname != \"{OUTER_PREFIX}*\" drop\n"))
        .collect();
    format!(
        "table ip {device} {{\n\
           chain postrouting {{\n\
             type nat hook postrouting priority 100;\n\
             ip saddr {lab} oifname != \"{device}\" masquerade\n\
           }}\n\
           chain forward {{\n\
             type filter hook forward priority 0;\n\
             oifname \"{device}\" ct state established,related accept\n\
             oifname \"{device}\" drop\n\
             {guards}\
           }}\n\
         }}\n"
    )
}

/// In the lab: the stack goes out by the address of the kernel.
pub(super) fn of_lab() -> String {
    format!(
        "table ip nstk {{\n\
           chain postrouting {{\n\
             type nat hook postrouting priority 100;\n\
             oifname \"{INNER}\" masquerade\n\
           }}\n\
         }}\n"
    )
}
