//! Socket options: socket(7), tcp(7), ip(7), ipv6(7).

mod answer;
mod get;
mod set;
mod value;

pub(crate) use get::get;
pub(crate) use set::set;
use sys::Errno;

use core::ffi::c_int;

/// Longest name of a congestion control, with the zero byte (`TCP_CA_NAME_MAX`).
const CONGESTION_NAME_MAX: usize = 16;

// These are in linux/tcp.h and linux/in.h. The libc crate lacks them.
const IP_BIND_ADDRESS_NO_PORT: c_int = 24;
const IPV6_AUTOFLOWLABEL: c_int = 70;

/// Options that can be set and change nothing: hints to a kernel, and options about what never happens here, such as
/// urgent data. If the socket is routed to the kernel the kernel's socket gets them.
fn is_hint(level: c_int, name: c_int) -> bool {
    matches!(
        (level, name),
        (
            libc::SOL_SOCKET,
            libc::SO_DEBUG
                | libc::SO_DONTROUTE
                | libc::SO_OOBINLINE
                | libc::SO_PRIORITY
                | libc::SO_BUSY_POLL
                | libc::SO_NO_CHECK
        ) | (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER | libc::IP_RECVERR | libc::IP_FREEBIND | IP_BIND_ADDRESS_NO_PORT
        ) | (
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER | libc::IPV6_RECVERR | IPV6_AUTOFLOWLABEL
        )
    )
}

const UNKNOWN: Errno = Errno(libc::ENOPROTOOPT);
