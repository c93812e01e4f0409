//! A member gone wild writes anything anywhere; the others get wrong answers, but no faults.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use nstk_region::{BufId, Id, Region};

use crate::sealed::{Dice, Sealed};

/// Behind the lock, which nobody may write to, lies everything else. A page is far enough.
const BEHIND_THE_LOCK: u64 = 4096;

#[test]
fn overwritten_headers_directories_and_slots_cause_no_fault() {
    let mut dice = Dice(0xbad);
    for _ in 0..100 {
        let region = Region::create(16 << 20).expect("memfd");
        // SAFETY: the region keeps its descriptor open while it is borrowed.
        let fd = unsafe { BorrowedFd::borrow_raw(region.fd().expect("memfd")) };
        let fd: OwnedFd = fd.try_clone_to_owned().expect("dup");
        let member = Region::attach(fd.try_clone().expect("dup")).expect("attach");
        let file = File::from(fd);
        let mut table = region.table::<Sealed>(0, 5000).expect("table");
        let mut pool = region.buffers(1, 4096, 500).expect("pool");
        let mut array = region.array::<u64>(2, 1000).expect("array");
        let mut ids: Vec<Id<Sealed>> = Vec::new();
        let mut held: Vec<BufId> = Vec::new();
        for step in 0..300 {
            if step > 100 {
                scribble(&file, &mut dice);
            }
            ids.extend(table.insert(Sealed::new(step)));
            held.extend(pool.alloc());
            let id = ids[dice.below(ids.len() as u64) as usize];
            let buffer = held[dice.below(held.len() as u64) as usize];
            if let Some(mut entry) = table.get_mut(id) {
                entry.change(step);
            }
            if dice.below(3) == 0 {
                table.remove(id);
                pool.release(buffer);
            }
            pool.write(buffer, 0, &[step as u8; 4096]);
            pool.copy(buffer, 0, held[0], 2048, 2048);
            let _ = pool.checksum(buffer, 0, 4096, 0);
            *array.get_mut(dice.below(1000) as u32).expect("in range") = step;
        }
        assert!(table.iter().count() <= 5000);
        // Another member takes its views of what is left, if it can.
        let _ = member
            .table::<Sealed>(0, 5000)
            .map(|table| table.iter().count());
        let _ = member.buffers(1, 4096, 500).map(|mut pool| pool.alloc());
        let _ = member
            .array::<u64>(2, 1000)
            .map(|array| array.get(999).copied());
    }
}

/// Writes a word that is small, large or random somewhere, mostly where tables are described.
fn scribble(file: &File, dice: &mut Dice) {
    let word = match dice.below(3) {
        0 => dice.below(100),
        1 => u64::MAX - dice.below(100),
        _ => dice.below(u64::MAX),
    };
    let end = match dice.below(3) {
        0 => file.metadata().expect("stat").len() - 8,
        _ => 32 * 1024,
    };
    let at = BEHIND_THE_LOCK + dice.below(end - BEHIND_THE_LOCK);
    file.write_all_at(&word.to_ne_bytes(), at & !3)
        .expect("write");
}
