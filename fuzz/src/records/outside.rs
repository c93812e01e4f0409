//! Other members: one that joins, and one that only looks.

use std::fs::File;
use std::os::fd::{OwnedFd, RawFd};

use arbitrary::{Result, Unstructured};
use region::{Reader, Region};

use super::state::{ARRAY, LARGE, Large, POOLS, SMALL, Small};

pub(super) fn look(fd: RawFd, bytes: &mut Unstructured<'_>) -> Result<()> {
    if bytes.arbitrary()? {
        if let Ok(member) = Region::attach(open(fd, true)) {
            join(&member);
        }
    } else if let Ok(reader) = Region::attach_read_only(open(fd, false)) {
        read(&reader, bytes)?;
    }
    Ok(())
}

fn open(fd: RawFd, write: bool) -> OwnedFd {
    let mut options = File::options();
    let options = options.read(true).write(write);
    let file = options.open(format!("/proc/self/fd/{fd}"));
    file.expect("a file of our own").into()
}

/// Takes its views of everything, and something out of each.
fn join(member: &Region) {
    if let Ok(table) = member.table::<Small>(SMALL.0, SMALL.1) {
        assert!(table.iter().count() <= SMALL.1 as usize);
    }
    if let Ok(mut table) = member.table::<Large>(LARGE.0, LARGE.1) {
        let _ = table.insert([0; 500]);
    }
    if let Ok(array) = member.array::<u64>(ARRAY.0, ARRAY.1) {
        assert!(array.get(ARRAY.1 - 1).is_some());
    }
    for (index, size, count) in POOLS {
        if let Ok(mut pool) = member.buffers(index, size, count)
            && let Some(id) = pool.alloc()
        {
            let _ = pool.write(id, size - 8, &[1; 8]);
        }
    }
    // An index where there is nothing yet, unless somebody wrote there.
    if let Ok(mut table) = member.table::<u64>(UNUSED, 100) {
        let _ = table.insert(1);
    }
}

/// Looks at some slots: one that does not hold still takes a thousand looks.
fn read(reader: &Reader, bytes: &mut Unstructured<'_>) -> Result<()> {
    let _ = reader.words();
    let small = reader.table::<Small>(SMALL.0).ok();
    let large = reader.table::<Large>(LARGE.0).ok();
    let any = reader.table::<u64>(bytes.arbitrary()?).ok();
    for _ in 0..4 {
        let slot = u32::from(bytes.arbitrary::<u16>()?);
        let _ = small.as_ref().and_then(|table| table.snapshot(slot % 64));
        let _ = large.as_ref().and_then(|table| table.snapshot(slot % 512));
        let _ = any.as_ref().and_then(|table| table.snapshot(slot));
    }
    Ok(())
}

const UNUSED: u16 = 5;
