//! Which stack a socket goes to, decided as late as possible: at bind to an address, connect,
//! listen or first send.

use core::ffi::c_int;
use core::fmt;

use env::{Proto, Role, Route};
use family::FileId;
use stack::{Addr, Domain, Endpoint, OptName, SockKind};

use crate::address::Encoded;
use crate::blocking::ROUTED;
use crate::epoll;
use crate::errno::Errno;
use crate::{descriptors, replay, start, sys};

/// Port of name servers.
const DNS_PORT: u16 = 53;

/// Where a program wants to go with a socket.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// connect, or a datagram to this peer.
    Reach(Endpoint),
    /// Something with a link that is not the stack's.
    OtherLink,
    /// bind to this address. A wildcard leaves the question open.
    Bind(Endpoint),
    /// listen on what the socket is bound to.
    Listen,
}

/// Where a call is to be done, once its socket has been routed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way<T = ()> {
    /// In the stack; with what came of it.
    Stack(T),
    /// The number is a kernel socket from now on: the real function has to be called.
    Kernel,
}

/// Routes the socket behind `fd` unless that has been done. After [`Way::Kernel`] the caller
/// repeats its call on the real function.
pub(crate) fn route(fd: c_int, file: FileId, purpose: Purpose) -> Result<Way, Errno> {
    if !descriptors::is_undecided(fd) {
        return Ok(Way::Stack(()));
    }
    let Some(socket) = Undecided::look(file)? else {
        descriptors::set_decided(file);
        return Ok(Way::Stack(()));
    };
    let Some((route, why)) = socket.decide(purpose) else {
        return Ok(Way::Stack(()));
    };
    match route {
        Route::Stack => {
            tracing::info!("socket {fd} {}: stack ({why})", socket.intent(purpose));
            keep(file)?;
            Ok(Way::Stack(()))
        }
        Route::Kernel => {
            tracing::info!("socket {fd} {}: kernel ({why})", socket.intent(purpose));
            socket.hand_to_kernel(file)?;
            Ok(Way::Kernel)
        }
    }
}

/// The socket is the stack's for good.
fn keep(file: FileId) -> Result<(), Errno> {
    start::enter(|state, _| {
        if let Some(mut record) = state.files.get_mut(file) {
            record.flags |= ROUTED;
        }
    })?;
    descriptors::set_decided(file);
    replay::forget(file);
    Ok(())
}

/// A socket that has not been routed yet.
struct Undecided {
    kind: SockKind,
    domain: Domain,
    is_v6_only: bool,
    local: Endpoint,
    flags: u32,
}

impl Undecided {
    /// `None`: it has been routed, by another process perhaps.
    fn look(file: FileId) -> Result<Option<Self>, Errno> {
        start::enter(|state, _| {
            let record = state
                .files
                .get(file)
                .ok_or_else(|| descriptors::gone(file))?;
            if record.flags & ROUTED != 0 {
                return Ok(None);
            }
            let found = (|| {
                Some(Self {
                    kind: state.stack.kind(record.sock)?,
                    domain: state.stack.domain(record.sock)?,
                    is_v6_only: state.stack.option(record.sock, OptName::V6Only) == Ok(1),
                    local: state.stack.local(record.sock)?,
                    flags: record.flags,
                })
            })();
            found.map(Some).ok_or(Errno(libc::EBADF))
        })?
    }

    /// What the program is about to do, in words for NSTK_LOG.
    fn intent(&self, purpose: Purpose) -> impl fmt::Display {
        fmt::from_fn(move |f| match purpose {
            Purpose::Reach(peer) => write!(f, "connect {peer}"),
            Purpose::OtherLink => f.write_str("on another interface"),
            Purpose::Bind(local) => write!(f, "bind {local}"),
            Purpose::Listen => write!(f, "listen {}", self.local),
        })
    }

    /// Where to, and why. `None`: not yet.
    fn decide(&self, purpose: Purpose) -> Option<(Route, &'static str)> {
        let settings = start::settings()?;
        let proto = match self.kind {
            SockKind::Stream => Proto::Tcp,
            SockKind::Datagram => Proto::Udp,
        };
        let (role, end) = match purpose {
            Purpose::Reach(peer) => (Role::Connect, peer),
            Purpose::Bind(local) => (Role::Listen, local),
            Purpose::Listen => (Role::Listen, self.local),
            Purpose::OtherLink => return Some((Route::Kernel, NOT_OURS)),
        };
        if matches!(purpose, Purpose::Bind(_)) && end.addr.is_unspecified() {
            return None;
        }
        if let Some(route) = settings.bypass.decide(proto, role, end.addr, end.port) {
            return Some((route, "NSTK_BYPASS"));
        }
        Some(match purpose {
            Purpose::Reach(peer) => to_peer(&settings.stack, proto, peer),
            Purpose::Bind(_) if settings.stack.is_own(end.addr) => (Route::Stack, "NSTK_ADDR"),
            Purpose::Bind(_) | Purpose::OtherLink => (Route::Kernel, NOT_OURS),
            // A wildcard, or the stack's own address.
            Purpose::Listen if self.can_be_reached(&settings.stack) => (Route::Stack, "NSTK_ADDR"),
            Purpose::Listen => (Route::Kernel, "NSTK_ADDR has no address of this family"),
        })
    }

    /// Whether the stack has an address of a family that the socket listens to.
    fn can_be_reached(&self, stack: &stack::Config) -> bool {
        match self.domain {
            Domain::Inet => stack.has_v4(),
            Domain::Inet6 => stack.has_v6() || (stack.has_v4() && !self.is_v6_only),
        }
    }

    /// Lays a kernel socket over every number of the file in this process.
    fn hand_to_kernel(&self, file: FileId) -> Result<(), Errno> {
        let domain = match self.domain {
            Domain::Inet => libc::AF_INET,
            Domain::Inet6 => libc::AF_INET6,
        };
        let (kind, protocol) = match self.kind {
            SockKind::Stream => (libc::SOCK_STREAM, libc::IPPROTO_TCP),
            SockKind::Datagram => (libc::SOCK_DGRAM, libc::IPPROTO_UDP),
        };
        let nonblock = self.flags as c_int & libc::O_NONBLOCK;
        let socket = sys::socket(domain, kind | nonblock | libc::SOCK_CLOEXEC, protocol)?;
        let moved = self.move_numbers(file, socket);
        let _ = sys::close(socket);
        moved
    }

    fn move_numbers(&self, file: FileId, socket: c_int) -> Result<(), Errno> {
        replay::replay(file, socket);
        if self.local.port != 0 {
            // The stack's reservation of the port keeps nobody from it in the kernel.
            sys::bind(socket, Encoded::new(self.local, self.domain).as_bytes())?;
        }
        let member = start::entered()?.member();
        for (fd, descriptor) in descriptors::all() {
            if descriptor != descriptors::Descriptor::Stack(file) {
                continue;
            }
            let close_on_exec = sys::fcntl(fd, libc::F_GETFD, 0)? & libc::FD_CLOEXEC != 0;
            sys::dup3(socket, fd, if close_on_exec { libc::O_CLOEXEC } else { 0 })?;
            epoll::moved_to_kernel(fd, file);
            let _ = descriptors::take(fd);
            start::enter(|state, now| state.release(now, file, member))?;
        }
        Ok(())
    }
}

/// The stack reaches its own networks, and the rest of a family's world if it has a gateway there.
/// What the kernel keeps to itself (this host's addresses) only the kernel reaches; names are asked
/// for there too.
fn to_peer(stack: &stack::Config, proto: Proto, peer: Endpoint) -> (Route, &'static str) {
    if stack.is_on_link(peer.addr) {
        return (Route::Stack, "NSTK_ADDR's network");
    }
    let gateway = if peer.addr.is_v4() {
        stack.gateway
    } else {
        stack.gateway6
    };
    if peer.addr.is_unspecified() || peer.addr.is_loopback() {
        (Route::Kernel, "loopback")
    } else if peer.addr.is_multicast() || peer.addr == Addr::V4_BROADCAST {
        (Route::Kernel, "more than one peer")
    } else if proto == Proto::Udp && peer.port == DNS_PORT {
        (Route::Kernel, "a name look-up")
    } else if gateway.is_unspecified() {
        (Route::Kernel, "no NSTK_GATEWAY")
    } else if is_host_address(peer.addr) {
        (Route::Kernel, "this machine's own address")
    } else {
        (Route::Stack, "NSTK_GATEWAY")
    }
}

/// Why the kernel has what is on none of the stack's addresses.
const NOT_OURS: &str = "not an address of NSTK_ADDR";

/// Interfaces that are looked at; a host with more addresses may see one of its own taken for a
/// stranger's.
const HOST_ADDRESSES_MAX: usize = 64;

/// Whether the kernel has this address on an interface: asked each time, since addresses come and
/// go and only peers outside the stack's networks are asked about.
pub(crate) fn is_host_address(addr: Addr) -> bool {
    match addr.as_v4() {
        Some(ip) => is_host_address_v4(ip),
        None => is_host_address_v6(addr),
    }
}

/// No ioctl lists IPv6 addresses, but only the host's own can be bound.
fn is_host_address_v6(addr: Addr) -> bool {
    let Ok(socket) = sys::socket(libc::AF_INET6, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) else {
        return false;
    };
    let local = Encoded::new(Endpoint::new(addr, 0), Domain::Inet6);
    let bound = sys::bind(socket, local.as_bytes());
    let _ = sys::close(socket);
    bound.is_ok()
}

fn is_host_address_v4(ip: [u8; 4]) -> bool {
    let mut entries = [[0u8; size_of::<libc::ifreq>()]; HOST_ADDRESSES_MAX];
    let Ok(count) = sys::interface_addresses(&mut entries) else {
        return false;
    };
    // The name takes 16 bytes, then come family and port of a sockaddr_in.
    entries.iter().take(count).any(|entry| entry[20..24] == ip)
}
