//! Readiness of an endpoint.

use bitflags::bitflags;

bitflags! {
    /// Readiness, with epoll's own values.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Ready: u32 {
        /// Data, an end of file or a connection to accept.
        const IN = 0x1;
        /// Room to send.
        const OUT = 0x4;
        /// A pending error.
        const ERR = 0x8;
        /// Both directions are closed.
        const HUP = 0x10;
        /// The peer has closed its direction.
        const RDHUP = 0x2000;
    }
}
