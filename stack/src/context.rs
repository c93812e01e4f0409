//! What protocol code borrows of the stack while it works.

use crate::bufs::Bufs;
use crate::error::Error;
use crate::events::Events;
use crate::global::Global;
use crate::ip::output::Idents;
use crate::loopback::Loopback;
use crate::packet::Packet;
use crate::ports::Ports;
use crate::qdisc::Qdisc;
use crate::sock::{Ready, Sock, SockId};
use crate::time::Instant;
use crate::timers::Timers;
use region::{Id, Table};

/// Everything that the code of each protocol may touch beside its own tables and the table of endpoints.
pub(crate) struct Context<'a> {
    /// The time of this call.
    pub(crate) now: Instant,
    /// Buffer pools.
    pub(crate) bufs: &'a mut Bufs,
    /// IP packets waiting to leave or to be read.
    pub(crate) packets: &'a mut Table<Packet>,
    /// What is to be sent.
    pub(crate) qdisc: &'a mut Qdisc,
    /// Frames to the stack itself.
    pub(crate) loopback: &'a mut Loopback,
    /// Identifications of packets.
    pub(crate) idents: &'a mut Idents,
    /// Deadlines.
    pub(crate) timers: &'a mut Timers,
    /// News for the program.
    pub(crate) events: &'a mut Events,
    /// Local ports.
    pub(crate) ports: &'a mut Ports,
    /// Settings, counters, randomness.
    pub(crate) global: &'a mut Global,
}

impl Context<'_> {
    /// Frees a packet that is in no list, with its buffers.
    pub(crate) fn release_packet(&mut self, id: Id<Packet>) {
        if let Some(packet) = self.packets.remove(id) {
            packet.data.release(self.bufs);
        }
    }

    /// Leaves `error` on an endpoint and tells the program.
    pub(crate) fn fail(&mut self, id: SockId, sock: &mut Sock, error: Error) {
        sock.set_error(error);
        self.events
            .raise(id, sock, Ready::ERR | Ready::IN | Ready::OUT);
    }
}
