//! What a connection holds in pools and tables, and what it is charged for it.

use super::buffer::memory::{BLOCK_PAGES, Memory, Need, RECEIVE_PAGES};
use super::tcp_sock::TcpSock;

impl TcpSock<'_, '_> {
    /// Frees everything written and not acknowledged.
    pub(crate) fn drop_unsent(&mut self) {
        let snd = &mut self.sock.tcp.snd;
        let blocks = u64::from(snd.chain.blocks());
        snd.queue.clear(&mut self.tcp.tx_segs);
        snd.chain.clear(&mut self.tcp.send(self.cx.bufs));
        self.sock.tcp.loss.board.clear();
        self.uncharge(blocks * BLOCK_PAGES);
    }

    /// Frees what arrived beyond a gap.
    pub(crate) fn drop_ahead(&mut self) {
        let ahead = &mut self.sock.tcp.rcv.ahead;
        let buffers = u64::from(ahead.buffers());
        ahead.clear(&mut self.tcp.ahead(self.cx.bufs));
        self.uncharge(buffers * RECEIVE_PAGES);
    }

    /// Frees what the program has not read.
    pub(crate) fn drop_received(&mut self) {
        let freed = self
            .sock
            .tcp
            .rcv
            .queue
            .clear(&mut self.tcp.rx(self.cx.bufs));
        self.sock.tcp.rcv.copied = self.sock.tcp.rcv.nxt;
        self.uncharge(u64::from(freed) * RECEIVE_PAGES);
    }

    /// Frees send blocks that are acknowledged as a whole; all of them once nothing is left to be
    /// acknowledged and nobody writes.
    pub(crate) fn free_acknowledged(&mut self, is_writing: bool) {
        let snd = &mut self.sock.tcp.snd;
        let before = snd.chain.blocks();
        if before == 0 {
            return;
        }
        let mut store = self.tcp.send(self.cx.bufs);
        if snd.una.at_or_after(snd.written) && !is_writing {
            snd.chain.clear(&mut store);
        } else {
            snd.chain.acknowledge(&mut store, snd.una);
        }
        let freed = before - snd.chain.blocks();
        self.uncharge(u64::from(freed) * BLOCK_PAGES);
    }

    /// One more send block, if memory allows.
    pub(crate) fn grow_chain(&mut self) -> bool {
        let snd = &self.sock.tcp.snd;
        // Every connection may have one block, as Linux guarantees tcp_wmem's minimum.
        let need = if snd.chain.blocks() == 0 {
            Need::Minimum
        } else {
            Need::More
        };
        let written = snd.written;
        if !self.charge(BLOCK_PAGES, need) {
            return false;
        }
        let grown = self
            .sock
            .tcp
            .snd
            .chain
            .grow(&mut self.tcp.send(self.cx.bufs), written);
        if !grown {
            self.uncharge(BLOCK_PAGES);
        }
        grown
    }

    /// Bytes of receive buffers held (Linux: sk_rmem_alloc).
    pub(crate) fn receive_held(&self) -> u64 {
        self.sock.tcp.rcv.held()
    }

    /// Asks for memory.
    #[must_use]
    pub(crate) fn charge(&mut self, pages: u64, need: Need) -> bool {
        let marks = &self.cx.global.config.tcp_mem;
        self.tcp
            .shared()
            .is_some_and(|shared| shared.memory.charge(marks, pages, need))
    }

    /// Gives memory back.
    pub(crate) fn uncharge(&mut self, pages: u64) {
        let marks = &self.cx.global.config.tcp_mem;
        if let Some(shared) = self.tcp.shared() {
            shared.memory.uncharge(marks, pages);
        }
    }

    /// Memory of all connections.
    pub(crate) fn memory(&self) -> Memory {
        self.tcp.memory()
    }
}
