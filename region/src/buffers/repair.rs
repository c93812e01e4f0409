//! Making a pool sound again after a member died that was changing it: all holders of a buffer are counted anew.

use core::sync::atomic::Ordering;

use super::Buffers;
use crate::BufId;
use crate::directory::Idle;

impl Buffers {
    /// Begins a repair: no buffer has a holder.
    pub fn forget_holders(&mut self) {
        self.counts.unmark_all();
    }

    /// Counts one holder. False: there is no such buffer.
    pub fn count_holder(&mut self, id: BufId) -> bool {
        if self.counts.mark(id) {
            if let Some(mut buffer) = self.counts.get_mut(id) {
                buffer.holders = 1;
            }
            return true;
        }
        self.retain(id)
    }

    /// Ends a repair: frees the buffers that nobody holds.
    pub fn sweep(&mut self) {
        self.counts.sweep();
        let chunks = self.counts.max_slots() >> self.per_chunk_log2();
        let has_memory =
            |chunk: &u32| !matches!(self.content.idle(*chunk), None | Some(Idle::Gone));
        let resident = (0..=chunks).filter(has_memory).count();
        let resident = u32::try_from(resident).unwrap_or(0);
        self.head().len.store(resident, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use crate::{BufId, Buffers, Region};

    fn pool() -> Buffers {
        let region = Region::on_heap(8 << 20);
        region.buffers(0, 4096, 100).expect("pool")
    }

    fn holders(pool: &mut Buffers, id: BufId) -> u32 {
        let mut count = 0;
        while pool.piece(id, 0, 1).is_some() {
            pool.release(id);
            count += 1;
        }
        count
    }

    #[test]
    fn buffers_have_the_holders_that_were_counted() {
        let mut pool = pool();
        let mut alloc = || pool.alloc().expect("room");
        let (none, one, two) = (alloc(), alloc(), alloc());
        for _ in 0..5 {
            pool.retain(none);
            pool.retain(one);
        }
        pool.forget_holders();
        assert!(pool.count_holder(one) && pool.count_holder(two) && pool.count_holder(two));
        let before = pool.resident_bytes();
        pool.sweep();
        assert_eq!(pool.resident_bytes(), before);
        assert_eq!(pool.in_use(), 2);
        let counted = [none, one, two].map(|id| holders(&mut pool, id));
        assert_eq!(counted, [0, 1, 2]);
        assert_eq!(pool.in_use(), 0);
        let all: Vec<_> = core::iter::from_fn(|| pool.alloc()).collect();
        assert_eq!(all.len(), 100);
        assert!(!pool.count_holder(one), "its id is stale");
    }

    use std::vec::Vec;

    #[test]
    fn memory_that_went_back_to_the_system_is_not_counted() {
        let mut pool = pool();
        let id = pool.alloc().expect("room");
        pool.release(id);
        for _ in 0..3 {
            pool.give_back_idle(10);
        }
        pool.forget_holders();
        pool.sweep();
        assert_eq!(pool.resident_bytes(), 0);
        pool.alloc().expect("room");
        assert_eq!(pool.resident_bytes(), crate::CHUNK_BYTES as u64);
    }
}
