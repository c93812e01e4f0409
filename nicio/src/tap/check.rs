//! Whether an interface is a tap that this user may attach to, as far as that shows from outside.

use core::fmt;

use super::open_tun;
use super::proc_files::{path, read};
use crate::interface::Control;
use crate::tap_defs::{IFF_MULTI_QUEUE, IFF_TAP};
use crate::{InterfaceName, OpenError};

/// `CAP_NET_ADMIN`: whoever has it may attach to anybody's tap.
const NET_ADMIN: u64 = 1 << 12;

/// Looks without attaching: that would take the link up and down for its peer.
///
/// # Errors
/// See [`OpenError`].
pub(crate) fn check(name: InterfaceName) -> Result<(), OpenError> {
    let index = Control::new()?.index(name)?;
    open_tun(0)?;
    // /sys may be another network namespace's. Then nothing more is known.
    if attribute(name, "ifindex").is_none_or(|shown| shown.parse() != Ok(index)) {
        return Ok(());
    }
    let Some(flags) = attribute(name, "tun_flags") else {
        return Err(OpenError::NotATap(name));
    };
    let flags = flags.strip_prefix("0x").unwrap_or(&flags);
    let flags = u16::from_str_radix(flags, 16).unwrap_or(IFF_TAP);
    if flags & IFF_TAP == 0 || flags & IFF_MULTI_QUEUE != 0 {
        return Err(OpenError::NotATap(name));
    }
    // -1: anybody's.
    let owner = attribute(name, "owner").and_then(|owner| owner.parse().ok());
    if owner.is_some_and(|owner: u32| owner != sys::user_id()) && !is_net_admin() {
        return Err(OpenError::Permission(name));
    }
    Ok(())
}

/// Whether this process has the capability.
fn is_net_admin() -> bool {
    let mut text = [0; 4096];
    let set = path(format_args!("/proc/self/status")).and_then(|path| {
        read(&path, &mut text)?
            .lines()
            .find_map(|line| line.strip_prefix("CapEff:"))
    });
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_none_or(|set| set & NET_ADMIN != 0)
}

type Attribute = arrayvec::ArrayString<32>;

fn attribute(name: InterfaceName, attribute: impl fmt::Display) -> Option<Attribute> {
    let path = path(format_args!("/sys/class/net/{name}/{attribute}"))?;
    let mut text = [0; 32];
    Attribute::from(read(&path, &mut text)?.trim()).ok()
}
