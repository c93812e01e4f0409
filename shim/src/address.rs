//! Socket addresses between the program's form and the stack's.

use core::ffi::c_int;

use libc::{sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};
use stack::{Addr, Domain, Endpoint};
use sys::Errno;

use crate::{running, user};

/// Shortest `sockaddr_in6` that Linux takes: without the scope (`SIN6_LEN_RFC2133`).
const INET6_LEN_MIN: usize = 24;
const INET_LEN: usize = size_of::<sockaddr_in>();
const INET6_LEN: usize = size_of::<sockaddr_in6>();

/// What an address of the program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// An IPv4 or IPv6 address and port.
    Inet(Endpoint),
    /// A link-local IPv6 address on an interface that is not the stack's.
    OtherInterface,
    /// `AF_UNSPEC`: connect(2) takes it for "no peer any more".
    Unspec,
}

/// Reads an address for a socket of `domain`. An IPv6 socket takes IPv4 addresses only as v4-mapped
/// ones (`EAFNOSUPPORT`).
///
/// # Safety
/// `address` must be null or readable for `len` bytes.
pub(crate) unsafe fn read(
    address: *const sockaddr,
    len: socklen_t,
    domain: Domain,
) -> Result<Parsed, Errno> {
    // SAFETY: the callers pass on the program's own pointers and lengths.
    match unsafe { read_any(address, len) }? {
        (_, Parsed::Unspec) => Ok(Parsed::Unspec),
        (family, name) if family == domain => Ok(name),
        _ => Err(Errno(libc::EAFNOSUPPORT)),
    }
}

/// Reads an address of either family, and says of which.
///
/// # Safety
/// As [`read`].
pub(crate) unsafe fn read_any(
    address: *const sockaddr,
    len: socklen_t,
) -> Result<(Domain, Parsed), Errno> {
    let len = len as usize;
    if c_int::try_from(len).is_err() || len < size_of::<sa_family_t>() {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: the family is the first field, and within `len`.
    let family = unsafe { user::get(address.cast::<sa_family_t>()) }?;
    match c_int::from(family) {
        libc::AF_UNSPEC => Ok((Domain::Inet, Parsed::Unspec)),
        libc::AF_INET => {
            if len < INET_LEN {
                return Err(Errno(libc::EINVAL));
            }
            // SAFETY: `len` covers the structure.
            let inet = unsafe { user::get(address.cast::<sockaddr_in>()) }?;
            let addr = Addr::v4(inet.sin_addr.s_addr.to_ne_bytes());
            Ok((
                Domain::Inet,
                Parsed::Inet(Endpoint::new(addr, u16::from_be(inet.sin_port))),
            ))
        }
        libc::AF_INET6 => {
            if len < INET6_LEN_MIN {
                return Err(Errno(libc::EINVAL));
            }
            // SAFETY: `len` covers port and address.
            let bytes = unsafe { user::get(address.cast::<[u8; INET6_LEN_MIN]>()) }?;
            let [_, _, high, low, _, _, _, _, ip @ ..] = bytes;
            let (addr, port) = (Addr::v6(ip), u16::from_be_bytes([high, low]));
            let scope = if len < INET6_LEN {
                0
            } else {
                // SAFETY: `len` covers the structure.
                unsafe { user::get(address.cast::<sockaddr_in6>()) }?.sin6_scope_id
            };
            let is_other = addr.is_v6_link_local() && !running::is_own_interface(scope);
            let name = if is_other {
                Parsed::OtherInterface
            } else {
                Parsed::Inet(Endpoint::new(addr, port))
            };
            Ok((Domain::Inet6, name))
        }
        _ => Err(Errno(libc::EAFNOSUPPORT)),
    }
}

/// Gives an address to the program: as much as its buffer takes, and the full length.
///
/// # Safety
/// `len` must be null or writable, and `address` null or writable for `*len` bytes.
pub(crate) unsafe fn write(
    endpoint: Endpoint,
    domain: Domain,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> Result<(), Errno> {
    // SAFETY: the callers pass on the program's own pointers and lengths.
    let room = unsafe { user::get(len) }?;
    let room = c_int::try_from(room).map_err(|_| Errno(libc::EINVAL))?;
    let bytes = SockAddr::new(endpoint, domain);
    let fits = bytes.len.min(room.unsigned_abs() as usize);
    if address.is_null() && fits > 0 {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: whoever calls `write` promises `*len` writable bytes, and `fits` is no more.
    unsafe { core::ptr::copy_nonoverlapping(bytes.bytes.as_ptr(), address.cast::<u8>(), fits) };
    // SAFETY: the callers pass on the program's own pointers and lengths.
    unsafe { user::put(len, bytes.len as socklen_t) }
}

/// An address as the kernel and the program know it.
pub(crate) struct SockAddr {
    bytes: [u8; INET6_LEN],
    len: usize,
}

impl SockAddr {
    pub(crate) fn new(endpoint: Endpoint, domain: Domain) -> Self {
        let mut bytes = [0; INET6_LEN];
        bytes[2..4].copy_from_slice(&endpoint.port.to_be_bytes());
        match domain {
            Domain::Inet => {
                bytes[..2].copy_from_slice(&(libc::AF_INET as sa_family_t).to_ne_bytes());
                bytes[4..8].copy_from_slice(&endpoint.addr.as_v4().unwrap_or_default());
                Self {
                    bytes,
                    len: INET_LEN,
                }
            }
            Domain::Inet6 => {
                bytes[..2].copy_from_slice(&(libc::AF_INET6 as sa_family_t).to_ne_bytes());
                // The stack may say 0.0.0.0 where an IPv6 socket has `::`.
                if !endpoint.addr.is_unspecified() {
                    bytes[8..24].copy_from_slice(&endpoint.addr.octets());
                }
                if endpoint.addr.is_v6_link_local() {
                    bytes[24..].copy_from_slice(&running::own_interface().to_ne_bytes());
                }
                Self {
                    bytes,
                    len: INET6_LEN,
                }
            }
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests;
