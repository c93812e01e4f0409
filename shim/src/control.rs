//! Control data of messages: what sendmsg(2) and recvmsg(2) say of a datagram beside its bytes (cmsg(3), ip(7), ipv6(7)).

use core::ffi::{c_int, c_void};

use libc::{cmsghdr, in_addr, in_pktinfo, in6_addr, in6_pktinfo, msghdr};
use stack::{Addr, DatagramInfo, Domain};
use sys::Errno;

use crate::running;
use crate::user;

/// The kernel's index of the loopback interface (`LOOPBACK_IFINDEX`).
const LOOPBACK_INTERFACE: u32 = 1;
/// Longest data of a piece of control data.
const DATA_MAX: usize = size_of::<in6_pktinfo>();
const HEADER: usize = size_of::<cmsghdr>();

/// What a message to be sent says. Pieces for the socket level, such as credentials, are skipped as Linux does.
///
/// # Errors
/// `EINVAL`: a length or value out of range, or a piece that is not known.
///
/// # Safety
/// `msg_control` must be null or readable for `msg_controllen` bytes.
pub(crate) unsafe fn read(message: &msghdr) -> Result<DatagramInfo, Errno> {
    let mut info = DatagramInfo::default();
    let (mut at, mut left) = (message.msg_control.cast::<u8>(), message.msg_controllen);
    while left >= HEADER {
        // SAFETY: the caller promises `left` readable bytes.
        let header = unsafe { user::get(at.cast::<cmsghdr>()) }?;
        let len = header.cmsg_len;
        if !(HEADER..=left).contains(&len) {
            return Err(Errno(libc::EINVAL));
        }
        let mut data = [0; DATA_MAX];
        let data_len = (len - HEADER).min(DATA_MAX);
        // SAFETY: `len` bytes are there, and the array has room for as many as are copied.
        unsafe {
            core::ptr::copy_nonoverlapping(at.wrapping_add(HEADER), data.as_mut_ptr(), data_len)
        };
        note(
            &mut info,
            (header.cmsg_level, header.cmsg_type),
            &data[..data_len],
        )?;
        let step = aligned(len).min(left);
        (at, left) = (at.wrapping_add(step), left - step);
    }
    Ok(info)
}

/// Notes what one piece says.
fn note(info: &mut DatagramInfo, kind: (c_int, c_int), data: &[u8]) -> Result<(), Errno> {
    let int = || data.first_chunk().map(|bytes| c_int::from_ne_bytes(*bytes));
    let byte = |lowest: c_int, value: Option<c_int>| {
        let value = value.filter(|value| *value >= lowest);
        value.and_then(|value| u8::try_from(value).ok())
    };
    let known = match kind {
        (libc::SOL_SOCKET, _) => Some(()),
        (libc::IPPROTO_IP, libc::IP_TTL) => byte(1, int()).map(|ttl| info.ttl = Some(ttl)),
        (libc::IPPROTO_IP, libc::IP_TOS) => {
            let value = int().or_else(|| data.first().map(|tos| c_int::from(*tos)));
            byte(0, value).map(|tos| info.tos = Some(tos))
        }
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT | libc::IPV6_TCLASS) if int() == Some(-1) => {
            Some(())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => byte(0, int()).map(|ttl| info.ttl = Some(ttl)),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => byte(0, int()).map(|tos| info.tos = Some(tos)),
        // The address to send from stands behind the interface's index.
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            data.get(..size_of::<in_pktinfo>()).and_then(|data| {
                let octets: &[u8; 4] = data.get(4..)?.first_chunk()?;
                info.own = Addr::v4(*octets);
                Some(())
            })
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let octets = data.first_chunk::<16>().filter(|_| data.len() >= DATA_MAX);
            octets.map(|octets| info.own = Addr::v6(*octets))
        }
        _ => None,
    };
    known.ok_or(Errno(libc::EINVAL))
}

/// Gives the program what a received datagram says, as much as has room. Sets the message's length of control data, and
/// `MSG_CTRUNC` where something is missing.
///
/// # Safety
/// `msg_control` must be null or writable for `msg_controllen` bytes.
pub(crate) unsafe fn write(message: &mut msghdr, info: DatagramInfo, domain: Domain) {
    let mut room = Room {
        at: message.msg_control,
        left: if message.msg_control.is_null() {
            0
        } else {
            message.msg_controllen
        },
        used: 0,
        is_short: false,
    };
    let is_v6 = domain == Domain::Inet6;
    let level = if is_v6 {
        libc::IPPROTO_IPV6
    } else {
        libc::IPPROTO_IP
    };
    if !info.own.is_unspecified() && is_v6 {
        let own = in6_pktinfo {
            ipi6_addr: in6_addr {
                s6_addr: info.own.octets(),
            },
            ipi6_ifindex: interface(info.own),
        };
        // SAFETY: the caller's promise.
        unsafe { room.put(level, libc::IPV6_PKTINFO, own) };
    } else if let Some(octets) = info.own.as_v4() {
        let addr = in_addr {
            s_addr: u32::from_ne_bytes(octets),
        };
        let own = in_pktinfo {
            ipi_ifindex: interface(info.own).cast_signed(),
            ipi_spec_dst: addr,
            ipi_addr: addr,
        };
        // SAFETY: the caller's promise.
        unsafe { room.put(level, libc::IP_PKTINFO, own) };
    }
    if let Some(ttl) = info.ttl {
        let kind = if is_v6 {
            libc::IPV6_HOPLIMIT
        } else {
            libc::IP_TTL
        };
        // SAFETY: the caller's promise.
        unsafe { room.put(level, kind, c_int::from(ttl)) };
    }
    match info.tos {
        // SAFETY: the caller's promise.
        Some(tos) if is_v6 => unsafe { room.put(level, libc::IPV6_TCLASS, c_int::from(tos)) },
        // SAFETY: the caller's promise.
        Some(tos) => unsafe { room.put(level, libc::IP_TOS, tos) },
        None => {}
    }
    message.msg_controllen = room.used;
    if room.is_short {
        message.msg_flags |= libc::MSG_CTRUNC;
    }
}

/// The interface by which an own address is reached.
fn interface(own: Addr) -> u32 {
    if own.is_loopback() {
        LOOPBACK_INTERFACE
    } else {
        running::own_interface()
    }
}

/// The program's room for control data.
struct Room {
    at: *mut c_void,
    left: usize,
    used: usize,
    is_short: bool,
}

impl Room {
    /// Appends a piece as Linux's `put_cmsg` does: what has no room is cut off.
    ///
    /// # Safety
    /// `left` bytes from `at` on must be writable.
    unsafe fn put<T: Copy>(&mut self, level: c_int, kind: c_int, data: T) {
        if self.left < HEADER {
            self.is_short = true;
            return;
        }
        let wanted = HEADER + size_of::<T>();
        let len = wanted.min(self.left);
        self.is_short |= len < wanted;
        // SAFETY: all zeros is a header.
        let mut header: cmsghdr = unsafe { core::mem::zeroed() };
        (header.cmsg_len, header.cmsg_level, header.cmsg_type) = (len, level, kind);
        // SAFETY: the room takes a header, as was looked at above.
        unsafe { self.at.cast::<cmsghdr>().write_unaligned(header) };
        let place = self.at.wrapping_byte_add(HEADER).cast::<u8>();
        // SAFETY: `len` bytes are writable, of which the header took the first ones; the data is as long at least.
        unsafe { core::ptr::copy_nonoverlapping((&raw const data).cast(), place, len - HEADER) };
        let step = aligned(wanted).min(self.left);
        self.at = self.at.wrapping_byte_add(step);
        (self.left, self.used) = (self.left - step, self.used + step);
    }
}

/// `CMSG_ALIGN`
const fn aligned(len: usize) -> usize {
    len.next_multiple_of(size_of::<usize>())
}

#[cfg(test)]
mod tests;
