//! errno(3): this is the one place where the stack's errors become numbers.

use core::ffi::c_int;

use stack::Error;
use sys::Errno;

/// The error number of what the stack says.
pub(crate) fn of(error: Error) -> Errno {
    Errno(match error {
        Error::WouldBlock => libc::EAGAIN,
        Error::InProgress => libc::EINPROGRESS,
        Error::Already => libc::EALREADY,
        Error::IsConnected => libc::EISCONN,
        Error::NotConnected => libc::ENOTCONN,
        Error::ConnectionRefused => libc::ECONNREFUSED,
        Error::ConnectionReset => libc::ECONNRESET,
        Error::ConnectionAborted => libc::ECONNABORTED,
        Error::TimedOut => libc::ETIMEDOUT,
        Error::HostUnreachable => libc::EHOSTUNREACH,
        Error::NetworkUnreachable => libc::ENETUNREACH,
        Error::AddressInUse => libc::EADDRINUSE,
        Error::AddressNotAvailable => libc::EADDRNOTAVAIL,
        Error::InvalidArgument => libc::EINVAL,
        Error::BadDescriptor => libc::EBADF,
        Error::BrokenPipe => libc::EPIPE,
        Error::DestinationRequired => libc::EDESTADDRREQ,
        Error::MessageSize => libc::EMSGSIZE,
        Error::NoBuffers => libc::ENOBUFS,
        Error::NoMemory => libc::ENOMEM,
        Error::NotSupported => libc::EOPNOTSUPP,
        Error::NoProtocolOption => libc::ENOPROTOOPT,
        Error::AddressFamily => libc::EAFNOSUPPORT,
        Error::NetworkDown => libc::ENETDOWN,
        Error::PermissionDenied => libc::EACCES,
        Error::ProtocolNotSupported => libc::EPROTONOSUPPORT,
        Error::Protocol => libc::EPROTO,
    })
}

/// What a hook can fail with.
pub(crate) trait IntoErrno {
    /// The number.
    fn into_errno(self) -> Errno;
}

impl IntoErrno for Errno {
    fn into_errno(self) -> Errno {
        self
    }
}

impl IntoErrno for c_int {
    fn into_errno(self) -> Errno {
        Errno(self)
    }
}

/// What a function of libc returns when it has failed.
pub(crate) trait Failed {
    /// The value; errno says why.
    const FAILED: Self;
}

impl Failed for i32 {
    const FAILED: Self = -1;
}

impl Failed for i64 {
    const FAILED: Self = -1;
}

impl Failed for isize {
    const FAILED: Self = -1;
}

/// For functions that return a pointer or a handler, as signal(2) does: `SIG_ERR`.
impl Failed for usize {
    const FAILED: Self = usize::MAX;
}

/// For fdopen(3): null.
impl<T> Failed for *mut T {
    const FAILED: Self = core::ptr::null_mut();
}

/// For sleep(3), which cannot fail.
impl Failed for u32 {
    const FAILED: Self = 0;
}

/// For calls that may find that the kernel must answer.
impl<R: Failed> Failed for Option<R> {
    const FAILED: Self = Some(R::FAILED);
}

impl Failed for () {
    const FAILED: Self = ();
}

/// Sets errno and gives the value to return.
#[cold]
pub(crate) fn fail<R: Failed>(error: impl IntoErrno) -> R {
    set(error.into_errno());
    R::FAILED
}

/// Sets errno.
pub(crate) fn set(errno: Errno) {
    // SAFETY: libc gives the address of this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is this thread's, for as long as it runs.
    unsafe { *place = errno.0 };
}

/// Reads errno, as a real function left it.
pub(crate) fn last() -> Errno {
    // SAFETY: libc gives the address of this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is this thread's, for as long as it runs.
    Errno(unsafe { *place })
}
