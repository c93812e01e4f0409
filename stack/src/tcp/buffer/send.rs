//! The send chain: bytes written by the program lie in a chain of 64 KiB blocks and do not move
//! until they are acknowledged. Transmission units point into it.

use crate::tcp::seq::Seq;
use crate::walk::{is_list, mark_list};
use region::{BufId, Buffers, Id, Table};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of one block.
pub(crate) const BLOCK_BYTES: u32 = 64 * 1024;

/// Names a [`SendBlock`].
pub(crate) type BlockId = Id<SendBlock>;

/// One link of a chain.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SendBlock {
    buf: BufId,
    next: BlockId,
}

/// A place in a chain. No block: the start of the chain.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Cursor {
    block: BlockId,
    at: u32,
    _pad: u32,
}

impl Cursor {
    /// Moves on by `bytes`, to the block that holds the byte there, so that the cursor outlives the
    /// blocks before it.
    pub(crate) fn advance(&mut self, blocks: &Table<SendBlock>, bytes: u32) {
        self.at = self.at.saturating_add(bytes);
        while self.at >= BLOCK_BYTES {
            match blocks.get(self.block) {
                Some(block) if block.next.is_some() => self.block = block.next,
                Some(_) | None => break,
            }
            self.at -= BLOCK_BYTES;
        }
    }
}

/// Bytes of one block, for a frame or a span.
#[derive(Clone, Copy)]
pub(crate) struct Stretch {
    /// Buffer of the send pool.
    pub(crate) buf: BufId,
    /// First byte.
    pub(crate) at: u32,
    /// Bytes; at least 1.
    pub(crate) len: u32,
}

/// The chain of one connection. All-zero bytes are an empty chain.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct SendChain {
    head: BlockId,
    tail: BlockId,
    /// Where the next byte is written.
    write: Cursor,
    /// Where the next new byte is sent from.
    unsent: Cursor,
    /// Sequence number of the first byte of the head block.
    start: Seq,
    blocks: u32,
}

/// Tables and pool the chains of all connections live in.
pub(crate) struct SendStore<'a> {
    /// Links.
    pub(crate) blocks: &'a mut Table<SendBlock>,
    /// The 64 KiB pool.
    pub(crate) buffers: &'a mut Buffers,
}

impl SendChain {
    /// Blocks held, each of [`BLOCK_BYTES`].
    pub(crate) fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Bytes between `written` and the end of the chain: room that needs no further block.
    pub(crate) fn room(&self, written: Seq) -> u32 {
        if self.head.is_none() {
            return 0;
        }
        self.blocks
            .saturating_mul(BLOCK_BYTES)
            .saturating_sub(written.distance(self.start))
    }

    /// Adds a block. `written` is where writing stands. `false`: no memory.
    pub(crate) fn grow(&mut self, store: &mut SendStore<'_>, written: Seq) -> bool {
        let Some(buf) = store.buffers.alloc() else {
            return false;
        };
        let Some(id) = store.blocks.insert(SendBlock {
            buf,
            next: BlockId::NONE,
        }) else {
            store.buffers.release(buf);
            return false;
        };
        match store.blocks.get_mut(self.tail) {
            Some(mut tail) => tail.next = id,
            None => {
                *self = Self::default();
                self.head = id;
                self.start = written;
            }
        }
        self.tail = id;
        self.blocks += 1;
        true
    }

    /// The next stretch of room after `cursor`, at most `len` bytes; moves the cursor over it.
    pub(crate) fn stretch(
        blocks: &Table<SendBlock>,
        cursor: &mut Cursor,
        len: u32,
    ) -> Option<Stretch> {
        cursor.advance(blocks, 0);
        let buf = blocks.get(cursor.block)?.buf;
        let stretch = Stretch {
            buf,
            at: cursor.at,
            len: len.min(BLOCK_BYTES.saturating_sub(cursor.at)),
        };
        cursor.at += stretch.len;
        (stretch.len > 0).then_some(stretch)
    }

    /// Where the next byte is written.
    pub(crate) fn write_cursor(&self) -> Cursor {
        self.anchored(self.write)
    }

    /// `bytes` more were written.
    pub(crate) fn wrote(&mut self, blocks: &Table<SendBlock>, bytes: u32) {
        self.write = self.anchored(self.write);
        self.write.advance(blocks, bytes);
    }

    /// Where the next new byte is sent from.
    pub(crate) fn unsent_cursor(&self, blocks: &Table<SendBlock>) -> Cursor {
        let mut cursor = self.anchored(self.unsent);
        cursor.advance(blocks, 0);
        cursor
    }

    /// `bytes` more were sent for the first time.
    pub(crate) fn sent(&mut self, blocks: &Table<SendBlock>, bytes: u32) {
        self.unsent = self.anchored(self.unsent);
        self.unsent.advance(blocks, bytes);
    }

    /// All before `una` is acknowledged: frees the blocks that lie wholly before it.
    pub(crate) fn acknowledge(&mut self, store: &mut SendStore<'_>, una: Seq) {
        while self.head.is_some() && una.saturating_distance(self.start) >= BLOCK_BYTES {
            self.free_head(store);
        }
    }

    /// Frees all; whatever else holds a buffer keeps it.
    pub(crate) fn clear(&mut self, store: &mut SendStore<'_>) {
        while self.head.is_some() {
            self.free_head(store);
        }
        *self = Self::default();
    }

    /// Whether the chain is well-formed.
    pub(crate) fn is_sound(&self, blocks: &Table<SendBlock>) -> bool {
        is_list(blocks, (self.head, self.tail), self.blocks, |block| {
            block.next
        })
    }

    /// Marks the chain's links and counts it as a holder of its buffers, in a repair. False: another chain has them, too.
    pub(crate) fn mark(&self, store: &mut SendStore<'_>) -> bool {
        let SendStore { blocks, buffers } = store;
        mark_list(
            blocks,
            self.head,
            |block| block.next,
            |block| {
                buffers.count_holder(block.buf);
            },
        )
    }

    fn free_head(&mut self, store: &mut SendStore<'_>) {
        let Some(block) = store.blocks.remove(self.head) else {
            *self = Self::default();
            return;
        };
        store.buffers.release(block.buf);
        for cursor in [&mut self.write, &mut self.unsent] {
            if cursor.block == self.head || cursor.block.is_none() {
                // It stood at the end of this block: that is the start of the next.
                *cursor = Cursor {
                    block: block.next,
                    at: cursor.at.saturating_sub(BLOCK_BYTES),
                    _pad: 0,
                };
            }
        }
        self.head = block.next;
        self.start = self.start.add(BLOCK_BYTES);
        self.blocks = self.blocks.saturating_sub(1);
        if self.head.is_none() {
            self.tail = BlockId::NONE;
        }
    }

    fn anchored(&self, cursor: Cursor) -> Cursor {
        if cursor.block.is_some() {
            cursor
        } else {
            Cursor {
                block: self.head,
                ..cursor
            }
        }
    }
}

#[cfg(test)]
mod tests;
