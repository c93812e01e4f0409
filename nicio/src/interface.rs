//! What the kernel says about an interface (netdevice(7)).

use sys::OwnedFd;

use crate::{InterfaceName, OpenError};

/// A socket to ask about interfaces; of the local family, since it is to touch no network.
pub(crate) struct Control(OwnedFd);

impl Control {
    pub(crate) fn new() -> Result<Self, OpenError> {
        sys::socket(libc::AF_UNIX, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0)
            .map(Self)
            .map_err(|errno| OpenError::Io("socket", errno))
    }

    pub(crate) fn index(&self, name: InterfaceName) -> Result<i32, OpenError> {
        self.ask("SIOCGIFINDEX", SIOCGIFINDEX, name)
    }

    pub(crate) fn mtu(&self, name: InterfaceName) -> Result<u16, OpenError> {
        let mtu = self.ask("SIOCGIFMTU", SIOCGIFMTU, name)?;
        Ok(u16::try_from(mtu).unwrap_or(u16::MAX))
    }

    fn is_up(&self, name: InterfaceName) -> Result<bool, OpenError> {
        let flags = self.ask("SIOCGIFFLAGS", SIOCGIFFLAGS, name)?;
        Ok(flags & i32::from(IFF_UP) != 0)
    }

    /// The interface's address, if it is an Ethernet one (`ARPHRD_ETHER`).
    pub(crate) fn mac(&self, name: InterfaceName) -> Result<Option<[u8; 6]>, OpenError> {
        let [k0, k1, a, b, c, d, e, f, ..] = self.ask_for("SIOCGIFHWADDR", SIOCGIFHWADDR, name)?;
        let kind = u16::from_ne_bytes([k0, k1]);
        Ok((kind == libc::ARPHRD_ETHER).then_some([a, b, c, d, e, f]))
    }

    /// Asks for a number about an interface.
    fn ask(&self, what: &'static str, request: u32, name: InterfaceName) -> Result<i32, OpenError> {
        let [a, b, c, d, ..] = self.ask_for(what, request, name)?;
        Ok(i32::from_ne_bytes([a, b, c, d]))
    }

    /// The union that the kernel fills in.
    fn ask_for(
        &self,
        what: &'static str,
        request: u32,
        name: InterfaceName,
    ) -> Result<[u8; 24], OpenError> {
        let mut ifreq = ifreq(name, 0);
        // SAFETY: the requests above read the name of an ifreq and fill in its union.
        unsafe {
            sys::ioctl(
                self.0.as_raw(),
                request,
                (&raw mut ifreq).expose_provenance(),
            )
        }
        .map_err(|errno| match errno.0 {
            libc::ENODEV | libc::ENXIO => OpenError::NoDevice(name),
            _ => OpenError::Io(what, errno),
        })?;
        Ok(ifreq.value)
    }
}

/// Whether the interface is set up; frames are lost while it is not.
///
/// # Errors
/// There is no such interface.
pub(crate) fn is_up(name: InterfaceName) -> Result<bool, OpenError> {
    Control::new()?.is_up(name)
}

/// A request about an interface, with its flags.
pub(crate) fn ifreq(name: InterfaceName, flags: u16) -> IfReq {
    let mut ifreq = IfReq {
        name: [0; libc::IFNAMSIZ],
        value: [0; 24],
    };
    // A name is shorter than the field, which therefore ends with a zero.
    for (to, from) in ifreq.name.iter_mut().zip(name.as_str().bytes()) {
        *to = from;
    }
    let [low, high, ..] = &mut ifreq.value;
    [*low, *high] = flags.to_ne_bytes();
    ifreq
}

/// `struct ifreq`, with the union as plain bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct IfReq {
    pub(crate) name: [u8; libc::IFNAMSIZ],
    /// The union; its largest member, `struct ifmap`, has 24 bytes on 64-bit machines.
    pub(crate) value: [u8; 24],
}

const _: () = assert!(size_of::<IfReq>() == size_of::<libc::ifreq>());

/// The interface's flags.
const SIOCGIFFLAGS: u32 = 0x8913;
/// The interface's MTU.
const SIOCGIFMTU: u32 = 0x8921;
/// The interface's link-layer address.
const SIOCGIFHWADDR: u32 = 0x8927;
/// The interface's number.
const SIOCGIFINDEX: u32 = 0x8933;
/// Set in the flags while the interface is administratively up.
const IFF_UP: u16 = 0x0001;
