//! A socket as the program that holds it sees it.

use arbitrary::{Result, Unstructured};
use stack::SockId;

use super::world::World;

/// Sockets that the programs hold at most.
pub(super) const SOCKETS_MAX: usize = 48;

#[derive(Clone, Copy, Debug)]
pub(super) struct Socket {
    pub(super) id: SockId,
    /// Bytes written into its stream.
    pub(super) written: u32,
    /// The byte that it must read next, if it has read any.
    pub(super) next_read: Option<u8>,
}

impl World {
    /// A new socket of the program.
    pub(super) fn hold(&mut self, id: SockId) {
        self.stack.set_tag(id, id.to_bits());
        self.sockets.push(Socket {
            id,
            written: 0,
            next_read: None,
        });
    }

    /// One of the sockets; `None`: there is none.
    pub(super) fn choose(&self, bytes: &mut Unstructured<'_>) -> Result<Option<SockId>> {
        let number = usize::from(bytes.arbitrary::<u8>()?);
        let socket = self.sockets.get(number % self.sockets.len().max(1));
        Ok(socket.map(|socket| socket.id))
    }

    pub(super) fn socket(&mut self, id: SockId) -> Option<&mut Socket> {
        self.sockets.iter_mut().find(|socket| socket.id == id)
    }

    pub(super) fn close(&mut self, id: SockId) {
        self.tell(|| format!("close {id:?}"));
        self.sockets.retain(|socket| socket.id != id);
        self.stack.close(self.now, id);
    }
}
