//! Why a family cannot start, and that one is gone.

use core::fmt;
use std::path::{Path, PathBuf};

use nicio::capture::CaptureError;
use nicio::{DeviceSpec, Holder};
use stack::Addr;

/// The stack is dead: an owner of its lock died inside and it cannot be repaired, or it was given up. Its sockets answer `ECONNRESET`.
/// Or it lives, out of this process's reach ([`crate::Family::is_in_reach`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// Why the stack could not be started. Displays as one line: what, why, what to do.
#[derive(Debug)]
pub enum StartError {
    /// The device cannot be opened.
    Device(nicio::OpenError),
    /// The region cannot be made or mapped.
    Region(region::RegionError),
    /// Another live program has the device; of a link, the end with this address. Which one, as far as that is known.
    InUse(DeviceSpec, Option<Holder>),
    /// A link has two programs already.
    LinkFull(DeviceSpec),
    /// The program at a link's other end has this address too.
    SameAddress(Addr),
    /// The link broker cannot be reached or started.
    LinkBroker(&'static str),
    /// The frames cannot be captured in the file of this name.
    Capture(PathBuf, CaptureError),
    /// The family that has the device has another address: this one.
    OtherAddress(DeviceSpec, Addr),
    /// The keeper that has the device cannot be joined.
    Keeper(&'static str),
    /// The stack has an IPv6 address, and the device's packets are shorter than IPv6 needs.
    MtuForIpv6(u16),
    /// A system call failed.
    System(&'static str, i32),
}

impl StartError {
    /// Looks for the program that has the device.
    pub(crate) fn name_holder(mut self) -> Self {
        if let Self::InUse(device, holder) = &mut self {
            *holder = nicio::holder(device);
        }
        self
    }

    pub(crate) fn errno(what: &'static str, errno: sys::Errno) -> Self {
        Self::System(what, errno.0)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(error) => write!(f, "{error}"),
            Self::Region(region::RegionError::System {
                call: "mmap",
                errno: sys::Errno(libc::ENOMEM),
            }) => f.write_str(
                "the address space is limited (ulimit -v) and leaves too little for the stack's shared memory; raise the limit",
            ),
            Self::Region(region::RegionError::Full) => f.write_str(
                "the limits (ulimit -v, ulimit -f) leave too little for the stack's shared memory; raise them",
            ),
            Self::Region(error) => write!(f, "no shared memory for the stack: {error}"),
            Self::InUse(DeviceSpec::Link(_), _) => f.write_str(
                "another running program has this address on the link; give each end an NSTK_ADDR of its own",
            ),
            Self::InUse(DeviceSpec::Packet(name), _) => write!(
                f,
                "another running program has this address on {name}; give each an NSTK_ADDR of its own, or wait for \
                 its end (NSTK_WAIT=SECONDS)"
            ),
            Self::InUse(device, Some(holder)) if holder.is_keeper() => write!(
                f,
                "{device} is held by {holder}, which goes on with the connections of a program that has ended; \
                 wait until it has closed them (NSTK_WAIT=SECONDS)"
            ),
            Self::InUse(device, holder) => {
                match holder {
                    Some(holder) => write!(f, "{device} is held by {holder}")?,
                    None => write!(f, "{device} is held by a program of another user")?,
                }
                f.write_str(
                    "; wait for its end (NSTK_WAIT=SECONDS), or give each program an interface of its own",
                )
            }
            Self::LinkFull(device) => write!(
                f,
                "{device} joins two other running programs already; name another link, or wait for one of them to end"
            ),
            Self::SameAddress(address) => write!(
                f,
                "the program at the other end of the link has the address {address} too; give each end an \
                 NSTK_ADDR of its own"
            ),
            Self::LinkBroker(why) => write!(f, "no connection to the link broker: {why}"),
            Self::Capture(path, why) => {
                write!(f, "NSTK_PCAP={}: {why}", one_line(path))
            }
            Self::OtherAddress(device, address) => write!(
                f,
                "a running program has {device} with the address {address}; give this program the same NSTK_ADDR, or an interface of \
                 its own"
            ),
            Self::Keeper(why) => {
                write!(f, "cannot join the stack that runs there: {why}")
            }
            Self::MtuForIpv6(mtu) => write!(
                f,
                "its MTU is {mtu} bytes, but IPv6 needs 1280; raise it by `ip link set mtu`, or leave the IPv6 address out"
            ),
            Self::System(what, errno) => {
                write!(f, "{what}: {}", sys::Errno(*errno))
            }
        }
    }
}

/// A path fit for a message of one line.
pub(crate) fn one_line(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

impl From<nicio::OpenError> for StartError {
    fn from(error: nicio::OpenError) -> Self {
        Self::Device(error)
    }
}

impl From<region::RegionError> for StartError {
    fn from(error: region::RegionError) -> Self {
        Self::Region(error)
    }
}
