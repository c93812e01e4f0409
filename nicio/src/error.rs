//! What can go wrong with a device.

use core::fmt;

use sys::Errno;

use crate::spec::{InterfaceName, NameError};

/// Why a burst failed for good. A full or an empty device is no error but a short count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NicError {
    /// The device has been removed; nothing will ever move again.
    Gone,
    /// The device refuses to work for another reason.
    Io(Errno),
}

impl fmt::Display for NicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str("the network device has been removed"),
            Self::Io(errno) => write!(f, "the network device failed: {errno}"),
        }
    }
}

impl core::error::Error for NicError {}

/// Why a device cannot be opened. Displays as one line: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// There is no interface of this name.
    NoDevice(InterfaceName),
    /// The interface is something else than a tap with one queue.
    NotATap(InterfaceName),
    /// Another program has the tap open.
    Busy(InterfaceName),
    /// The tap belongs to another user.
    Permission(InterfaceName),
    /// This machine has no usable `/dev/net/tun`.
    NoTun(Errno),
    /// `/dev/net/tun` may not be opened by this user.
    TunPermission,
    /// There is no interface of this name, and none of its kind is made by hand.
    NoInterface(InterfaceName),
    /// The interface has no Ethernet addresses.
    NotEthernet(InterfaceName),
    /// This process may not make packet sockets.
    RawPermission(InterfaceName),
    /// A packet socket cannot be set up: a system call failed.
    Packet(&'static str, Errno),
    /// No interface can have such a name.
    BadName(NameError),
    /// A system call failed unexpectedly.
    Io(&'static str, Errno),
    /// A link cannot be made: a system call failed.
    Link(&'static str, Errno),
    /// What another process passed on is no link of this version of nstk.
    NotALink,
    /// Another process passed on other descriptors than those of such a device.
    WrongHandles,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDevice(name) => write!(
                f,
                "cannot open tap {name}: there is no such interface; create it with \
                 `ip tuntap add dev {name} mode tap` and `ip link set {name} up`"
            ),
            Self::NotATap(name) => write!(
                f,
                "cannot open tap {name}: the interface is not a tap with one queue; create one \
                 with `ip tuntap add dev OTHER mode tap` and name it instead"
            ),
            Self::Busy(name) => write!(
                f,
                "cannot open tap {name}: another program has it open; wait for that program to \
                 end, or create a second tap"
            ),
            Self::Permission(name) => write!(
                f,
                "cannot open tap {name}: it belongs to another user; create it with \
                 `ip tuntap add dev {name} mode tap user USER`, or run as root"
            ),
            Self::NoTun(errno) => write!(
                f,
                "cannot open /dev/net/tun: {errno}; load the kernel's tun module \
                 (`modprobe tun`), or give this container the device"
            ),
            Self::TunPermission => f.write_str(
                "cannot open /dev/net/tun: permission denied; make it writable for this user \
                 (`chmod 666 /dev/net/tun`), or run as root",
            ),
            Self::NoInterface(name) => write!(
                f,
                "cannot open the interface {name}: there is none of this name; `ip link` lists them"
            ),
            Self::NotEthernet(name) => write!(
                f,
                "cannot open the interface {name}: it has no Ethernet addresses; name one that has"
            ),
            Self::RawPermission(name) => write!(
                f,
                "cannot open the interface {name}: packet sockets are not allowed; run as root or with CAP_NET_RAW, or use a tap"
            ),
            Self::Packet(call, errno) => write!(
                f,
                "cannot open the packet socket: {call} failed: {errno}; see whether this kernel has packet sockets \
                 (CONFIG_PACKET) and memory for the ring"
            ),
            Self::BadName(error) => error.fmt(f),
            Self::Io(call, errno) => write!(
                f,
                "cannot open the tap: {call} failed: {errno}; see whether \
                 `ip tuntap` works on this machine"
            ),
            Self::Link(call, errno) => write!(
                f,
                "cannot make the link: {call} failed: {errno}; see whether the limits on \
                 memory, files and descriptors (`ulimit -a`) leave room for it"
            ),
            Self::WrongHandles => f.write_str(
                "cannot open the device: the program that has it open passed on other descriptors; end that \
                 program, and try again",
            ),
            Self::NotALink => f.write_str(
                "cannot open the link: it was made by another version of nstk; end the programs \
                 that use it, or name another one",
            ),
        }
    }
}

impl core::error::Error for OpenError {}

impl From<NameError> for OpenError {
    fn from(error: NameError) -> Self {
        Self::BadName(error)
    }
}
