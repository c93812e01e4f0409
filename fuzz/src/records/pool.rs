//! A pool of buffers, and what is done with it.

use arbitrary::{Result, Unstructured};
use region::{Buffer, Buffers, Region};

use super::ids::Ids;

pub(super) struct Pool {
    buffers: Buffers,
    held: Ids<Buffer>,
}

impl Pool {
    pub(super) fn new(region: &Region, (index, size, count): (u16, u32, u32)) -> Self {
        Self {
            buffers: region.buffers(index, size, count).expect("there is room"),
            held: Ids::new(),
        }
    }

    pub(super) fn step(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let id = self.held.pick(bytes)?;
        match bytes.arbitrary::<u8>()? % 8 {
            0..=2 => {
                let made = self.buffers.alloc();
                assert!(made.is_none_or(|id| id.slot() < self.buffers.max_count()));
                self.held.keep(made);
            }
            3 => self.buffers.release(id),
            4 => {
                let _ = self.buffers.retain(id);
            }
            5 => {
                let _ = self.buffers.give_back_idle(bytes.arbitrary::<u8>()?.into());
            }
            6 => {
                let _ = (self.buffers.is_slack(), self.buffers.resident_bytes());
                let _ = self.buffers.in_use();
            }
            _ => self.copy(bytes)?,
        }
        Ok(())
    }

    /// Copies in, out and between: what does not fit is refused. A buffer that now lies over the pool's own books may be gone
    /// once it was written to, so nothing is said of what is read.
    fn copy(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let (id, other) = (self.held.pick(bytes)?, self.held.pick(bytes)?);
        let size = self.buffers.size();
        // A little beyond the end, too.
        let within = |number: u16| u32::from(number) * 2 % (size + size / 8);
        let (at, len) = (within(bytes.arbitrary()?), within(bytes.arbitrary()?));
        let fits = at + len <= size;
        match bytes.arbitrary::<u8>()? % 4 {
            0 => assert!(fits || !self.buffers.copy(id, at, other, 0, len)),
            1 => assert!(fits || self.buffers.checksum(id, at, len, 0).is_none()),
            2 => assert!(fits || self.buffers.piece(id, at, len).is_none()),
            _ => {
                let mut text = vec![0x55; len as usize];
                assert!(fits || !self.buffers.write(id, at, &text));
                assert!(fits || !self.buffers.read(id, at, &mut text));
            }
        }
        Ok(())
    }
}
