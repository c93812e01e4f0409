//! The result of routing a socket.

/// Where a call is to be done, once its socket has been routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Routed<T = ()> {
    /// In the stack; with the call's result.
    Stack(T),
    /// The descriptor is a kernel socket from now on: the caller calls the real function.
    Kernel,
}

/// `FileRecord::flags` of a file whose socket is the stack's for good: it is never routed again.
/// `fcntl(F_GETFL)` does not show it.
pub(crate) const ROUTED: u32 = 1 << 31;
