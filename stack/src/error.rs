//! The one error type of socket calls.

use core::fmt;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// What a socket call can answer. Names follow `errno(3)`; the number is decided in one place outside the stack.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Error { $($(#[$doc])* $name),* }

        impl Error {
            /// As stored in a record; 0 is never used, so that zero bytes mean "no error".
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code),* }
            }

            /// Decodes [`Self::code`]; `None` for 0 and for impossible values.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

errors! {
    /// `EAGAIN`: nothing to do now; readiness will tell.
    WouldBlock = 1, "resource temporarily unavailable";
    /// `EINPROGRESS`: the connection is being opened.
    InProgress = 2, "operation now in progress";
    /// `EALREADY`: a connection attempt is already under way.
    Already = 3, "operation already in progress";
    /// `EISCONN`.
    IsConnected = 4, "already connected";
    /// `ENOTCONN`.
    NotConnected = 5, "not connected";
    /// `ECONNREFUSED`: RST in answer to a SYN, or port unreachable.
    ConnectionRefused = 6, "connection refused";
    /// `ECONNRESET`.
    ConnectionReset = 7, "connection reset by peer";
    /// `ECONNABORTED`.
    ConnectionAborted = 8, "connection aborted";
    /// `ETIMEDOUT`.
    TimedOut = 9, "connection timed out";
    /// `EHOSTUNREACH`: the neighbour does not answer, or an ICMP message said so.
    HostUnreachable = 10, "no route to host";
    /// `ENETUNREACH`: no route.
    NetworkUnreachable = 11, "network is unreachable";
    /// `EADDRINUSE`.
    AddressInUse = 12, "address already in use";
    /// `EADDRNOTAVAIL`: not an address of this stack, or no port left.
    AddressNotAvailable = 13, "cannot assign requested address";
    /// `EINVAL`.
    InvalidArgument = 14, "invalid argument";
    /// `EBADF`: the id is stale.
    BadDescriptor = 15, "bad descriptor";
    /// `EPIPE`: the sending side is shut down.
    BrokenPipe = 16, "broken pipe";
    /// `EDESTADDRREQ`.
    DestinationRequired = 17, "destination address required";
    /// `EMSGSIZE`: the datagram is longer than IP can carry.
    MessageSize = 18, "message too long";
    /// `ENOBUFS`: a pool or table is used up.
    NoBuffers = 19, "no buffer space available";
    /// `ENOMEM`.
    NoMemory = 20, "cannot allocate memory";
    /// `EOPNOTSUPP`.
    NotSupported = 21, "operation not supported";
    /// `ENOPROTOOPT`.
    NoProtocolOption = 22, "protocol not available";
    /// `EAFNOSUPPORT`.
    AddressFamily = 23, "address family not supported";
    /// `ENETDOWN`.
    NetworkDown = 24, "network is down";
    /// `EACCES`: broadcast without `SO_BROADCAST`.
    PermissionDenied = 25, "permission denied";
    /// `EPROTONOSUPPORT`.
    ProtocolNotSupported = 26, "protocol not supported";
    /// `EPROTO`: a peer does not understand what was sent (ICMPv6 parameter problem).
    Protocol = 27, "protocol error";
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_decodes_to_the_error_it_came_from() {
        assert_eq!(Error::from_code(0), None);
        let decoded = (1..=u8::MAX)
            .filter_map(Error::from_code)
            .collect::<std::vec::Vec<_>>();
        assert_eq!(decoded.len(), 27);
        for error in decoded {
            assert_eq!(Error::from_code(error.code()), Some(error));
        }
    }
}
