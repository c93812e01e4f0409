//! Messages: datagrams with addresses, and the structures of sendmsg(2) and its relatives.

use core::ffi::c_int;
use core::time::Duration;

use env::Role;
use family::FileId;
use libc::{mmsghdr, msghdr, sockaddr, socklen_t, timespec};
use stack::DatagramInfo;
use sys::Errno;

use crate::address::{self, Parsed};
use crate::control;
use crate::entering::on_socket;
use crate::receiving::{self, Received};
use crate::route::{self, Purpose};
use crate::routed::Routed;
use crate::sending;
use crate::user::{self, UserBytes};

/// Most messages of one call (`UIO_MAXIOV`).
pub(crate) const MESSAGES_MAX: u32 = 1024;

/// What a call wants to send, and to whom.
pub(crate) struct Outgoing {
    pub(crate) bytes: Result<UserBytes, Errno>,
    /// Null: to the peer.
    pub(crate) addr: *const sockaddr,
    pub(crate) addr_len: socklen_t,
    pub(crate) flags: c_int,
    pub(crate) info: DatagramInfo,
}

/// sendto(2).
///
/// # Safety
/// The address must be null or readable for its length.
pub(crate) unsafe fn send_to(
    fd: c_int,
    file: FileId,
    message: Outgoing,
) -> Result<Routed<usize>, Errno> {
    let Outgoing {
        bytes,
        addr,
        addr_len,
        flags,
        info,
    } = message;
    let mut to = None;
    if !addr.is_null() && addr_len > 0 {
        // SAFETY: the hook passes on the program's own pointers and lengths.
        let (_, name) = unsafe { address::read_any(addr, addr_len) }?;
        let purpose = match name {
            Parsed::Inet(peer) => Some(Purpose::Connect(peer)),
            Parsed::OtherInterface => Some(Purpose::OtherInterface(Role::Connect)),
            Parsed::Unspec => None,
        };
        if let Some(purpose) = purpose
            && route::route(fd, file, purpose)? == Routed::Kernel
        {
            return Ok(Routed::Kernel);
        }
        to = match name {
            Parsed::Inet(peer) => Some(peer),
            Parsed::OtherInterface => return Err(Errno(libc::ENETUNREACH)),
            Parsed::Unspec => None,
        };
    }
    sending::send(file, bytes?, flags, to, info).map(Routed::Stack)
}

/// sendmsg(2).
///
/// # Safety
/// `message` must be null or what sendmsg(2) takes.
pub(crate) unsafe fn send(
    fd: c_int,
    file: FileId,
    message: *const msghdr,
    flags: c_int,
) -> Result<Routed<usize>, Errno> {
    // SAFETY: the hook passes on the program's own pointers and lengths.
    let message = unsafe { user::get(message) }?;
    let outgoing = Outgoing {
        // SAFETY: the hook passes on the program's own pointers and lengths.
        bytes: unsafe { UserBytes::message(&message) },
        addr: message.msg_name.cast(),
        addr_len: message.msg_namelen,
        flags,
        // SAFETY: the control data is as long as the message says.
        info: unsafe { control::read(&message) }?,
    };
    // SAFETY: the hook passes on the program's own pointers and lengths.
    unsafe { send_to(fd, file, outgoing) }
}

/// sendmmsg(2).
///
/// # Safety
/// `messages` must be null or lead to `count` messages.
pub(crate) unsafe fn send_many(
    fd: c_int,
    file: FileId,
    messages: *mut mmsghdr,
    count: u32,
    flags: c_int,
) -> Result<Routed<usize>, Errno> {
    let mut done = 0;
    while done < count.min(MESSAGES_MAX) as usize {
        let (header, len) = parts(messages.wrapping_add(done));
        // SAFETY: the hook passes on the program's own pointers and lengths.
        match unsafe { send(fd, file, header, flags) } {
            Ok(Routed::Stack(sent)) => {
                // SAFETY: the hook passes on the program's own pointers and lengths.
                unsafe { user::put(len, u32::try_from(sent).unwrap_or(u32::MAX)) }?;
            }
            Ok(Routed::Kernel) => return Ok(Routed::Kernel),
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
        done += 1;
    }
    Ok(Routed::Stack(done))
}

/// recvfrom(2).
///
/// # Safety
/// The address must be null, or it and its length writable as recvfrom(2) says.
pub(crate) unsafe fn receive_from(
    file: FileId,
    bytes: Result<UserBytes, Errno>,
    flags: c_int,
    (addr, addr_len): (*mut sockaddr, *mut socklen_t),
) -> Result<usize, Errno> {
    let received = receiving::receive(file, bytes?, flags)?;
    if addr.is_null() {
        return Ok(received.len);
    }
    match received.from {
        Some(from) => {
            let domain = on_socket(file, |state, _, sock| state.stack.domain(sock))?;
            let domain = domain.ok_or(Errno(libc::EBADF))?;
            // SAFETY: the hook passes on the program's own pointers and lengths.
            unsafe { address::write(from, domain, addr, addr_len) }?;
        }
        // A stream does not say who sent.
        // SAFETY: the hook passes on the program's own pointers and lengths.
        None if !addr_len.is_null() => unsafe { user::put(addr_len, 0) }?,
        None => {}
    }
    Ok(received.len)
}

/// recvmsg(2).
///
/// # Safety
/// `message` must be null or what recvmsg(2) takes.
pub(crate) unsafe fn receive(
    file: FileId,
    message: *mut msghdr,
    flags: c_int,
) -> Result<usize, Errno> {
    // SAFETY: the hook passes on the program's own pointers and lengths.
    let mut header = unsafe { user::get(message) }?;
    // SAFETY: the hook passes on the program's own pointers and lengths.
    let bytes = unsafe { UserBytes::message(&header) };
    let Received {
        len,
        from,
        flags: received_flags,
        info,
    } = receiving::receive(file, bytes?, flags)?;
    if header.msg_name.is_null() || from.is_none() {
        header.msg_namelen = 0;
    }
    header.msg_flags = received_flags;
    let domain = || {
        let domain = on_socket(file, |state, _, sock| state.stack.domain(sock))?;
        domain.ok_or(Errno(libc::EBADF))
    };
    if info == DatagramInfo::default() {
        header.msg_controllen = 0;
    } else {
        // SAFETY: the program's header says how much room there is.
        unsafe { control::write(&mut header, info, domain()?) };
    }
    if let Some(from) = from.filter(|_| !header.msg_name.is_null()) {
        let name_len = &raw mut header.msg_namelen;
        // SAFETY: the program's header says how much room its name has; the length is our own copy.
        unsafe { address::write(from, domain()?, header.msg_name.cast(), name_len) }?;
    }
    // SAFETY: the hook passes on the program's own pointers and lengths.
    unsafe { user::put(message, header) }?;
    Ok(len)
}

/// recvmmsg(2). As in Linux the timeout is only looked at between two messages.
///
/// # Safety
/// `messages` must be null or lead to `count` messages; `timeout` must be null or valid.
pub(crate) unsafe fn receive_many(
    file: FileId,
    messages: *mut mmsghdr,
    count: u32,
    flags: c_int,
    timeout: *mut timespec,
) -> Result<usize, Errno> {
    let deadline = if timeout.is_null() {
        None
    } else {
        // SAFETY: the hook passes on the program's own pointers and lengths.
        Some(family::now() + duration(unsafe { user::get(timeout) }?)?)
    };
    let mut flags = flags;
    let mut done = 0;
    while done < count.min(MESSAGES_MAX) as usize {
        let (header, len) = parts(messages.wrapping_add(done));
        // SAFETY: the hook passes on the program's own pointers and lengths.
        match unsafe { receive(file, header, flags & !libc::MSG_WAITFORONE) } {
            // SAFETY: the hook passes on the program's own pointers and lengths.
            Ok(got) => unsafe { user::put(len, u32::try_from(got).unwrap_or(u32::MAX)) }?,
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
        done += 1;
        if flags & libc::MSG_WAITFORONE != 0 {
            flags |= libc::MSG_DONTWAIT;
        }
        if deadline.is_some_and(|deadline| family::now() >= deadline) {
            break;
        }
    }
    Ok(done)
}

/// The addresses of a list entry's message and length.
pub(crate) fn parts(message: *mut mmsghdr) -> (*mut msghdr, *mut u32) {
    const { assert!(core::mem::offset_of!(mmsghdr, msg_hdr) == 0) };
    let len = message.wrapping_byte_add(core::mem::offset_of!(mmsghdr, msg_len));
    (message.cast(), len.cast())
}

fn duration(time: timespec) -> Result<Duration, Errno> {
    let seconds = u64::try_from(time.tv_sec).ok();
    let nanos = u32::try_from(time.tv_nsec)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    seconds
        .zip(nanos)
        .map(|(s, ns)| Duration::new(s, ns))
        .ok_or(Errno(libc::EINVAL))
}
