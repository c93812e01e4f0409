//! Whether the books agree with what the endpoints hold.

use crate::sock::SockKind;
use crate::stack::Stack;
use crate::tcp::fuzzing::Holdings;

impl Stack {
    /// Adds up what all connections hold, and compares it with what the stack has counted.
    ///
    /// # Panics
    /// They differ.
    pub fn check_books(&self) {
        let held = self
            .socks
            .iter()
            .filter(|(_, sock)| sock.kind() == SockKind::Stream)
            .map(|(_, sock)| self.tcp.holdings(&sock.tcp))
            .fold(Holdings::default(), |sum, one| sum + one);
        self.tcp.check_holdings(&held);
    }

    /// Looks for what is left in the indexes and port tables of a stack that [`crate::Usage`] calls empty.
    ///
    /// # Panics
    /// Something is.
    pub fn check_nothing_is_left(&self) {
        assert!(self.tcp.connections.is_empty(), "indexed connections");
        assert!(self.tcp.listeners.is_empty(), "indexed listeners");
        assert!(self.tcp.requests.is_index_empty(), "indexed requests");
        assert!(self.tcp.time_wait.is_index_empty(), "indexed TIME_WAITs");
        assert!(self.udp.is_empty(), "indexed UDP sockets");
        assert!(self.ports.is_empty(), "ports");
    }
}
