//! Whether the books agree with what the endpoints hold. The fuzzer asks after each step, and a repair at its end.

use crate::sock::{Sock, SockId, SockKind};
use crate::stack::Stack;
use crate::tcp::books::Holdings;
use crate::tcp::state::State;
use crate::walk::is_counted;

impl Stack {
    /// Adds up what all endpoints hold, and compares it with what the stack has counted, linked and indexed.
    ///
    /// # Errors
    /// What does not agree.
    pub fn check_books(&self) -> Result<(), &'static str> {
        let mut held = Holdings::default();
        let (mut live, mut orphans) = (0, 0);
        for (id, sock) in self.socks.iter() {
            if sock.kind() == SockKind::Datagram {
                continue;
            }
            let own = self.tcp.holdings(&sock.tcp);
            held = held + own.ok_or("a connection is not well-formed")?;
            live += u32::from(sock.tcp.state() != State::Closed);
            orphans += u32::from(sock.tcp.counts_as_orphan());
            self.check_is_found(id, sock)?;
            self.check_queue(id, sock)?;
        }
        self.tcp.check_holdings(&held)?;
        let global = self.global_record();
        if (live, orphans) != (global.live, global.orphans) {
            return Err("connections are not counted");
        }
        if !(self.timers.is_sound() && self.qdisc.is_sound() && self.tcp.requests.is_sound()) {
            return Err("a heap has no order");
        }
        if !(is_counted(&self.packets) && self.socks.is_counted()) {
            return Err("records are not counted");
        }
        Ok(())
    }

    /// Looks for what is left in the indexes and port tables of a stack that [`crate::Usage`] calls empty.
    ///
    /// # Panics
    /// Something is.
    #[cfg(fuzzing)]
    pub fn check_nothing_is_left(&self) {
        assert!(self.tcp.connections.is_empty(), "indexed connections");
        assert!(self.tcp.listeners.is_empty(), "indexed listeners");
        assert!(self.tcp.requests.is_index_empty(), "indexed requests");
        assert!(self.tcp.time_wait.is_index_empty(), "indexed TIME_WAITs");
        assert!(self.udp.is_empty(), "indexed UDP sockets");
        assert!(self.ports.is_empty(), "ports");
    }

    fn check_is_found(&self, id: SockId, sock: &Sock) -> Result<(), &'static str> {
        let key = &self.global_record().hash_key;
        let is_found = match sock.tcp.state() {
            State::Closed => true,
            State::Listen => {
                let mut listeners = self.tcp.listeners.candidates(key.port(sock.local.port));
                listeners.any(|listener| listener == id)
            }
            State::SynSent | State::SynReceived | State::Open(_) => {
                let ends = key.tuple(sock.local, sock.remote);
                self.tcp
                    .connections
                    .candidates(ends.hash)
                    .any(|found| found == id)
            }
        };
        if is_found {
            Ok(())
        } else {
            Err("an endpoint is not found")
        }
    }

    /// Looks at what waits for `accept`.
    fn check_queue(&self, id: SockId, sock: &Sock) -> Result<(), &'static str> {
        let accept = &sock.tcp.accept;
        if sock.tcp.state() != State::Listen {
            return Ok(());
        }
        let (mut at, mut last) = (accept.head, SockId::NONE);
        for _ in 0..accept.ready {
            let child = self.socks.get(at).filter(|child| child.tcp.is_unaccepted());
            (at, last) = (
                child.ok_or("a listener has a stranger")?.tcp.accept.next,
                at,
            );
        }
        if at.is_some() || last != accept.tail {
            return Err("a listener's queue has another length");
        }
        if accept.pending != self.tcp.requests.len_of(id, &accept.requests) {
            return Err("half-open connections are not counted");
        }
        Ok(())
    }
}
