//! What the C library has told the kernel about a thread.

use core::ptr;

use crate::errno::Errno;
use crate::threads::thread_id;
use crate::trap::{int, syscall};

/// Where the C library keeps the calling thread's id, and the list of robust mutexes that the thread holds. fork(3) puts both
/// right in a child. A child that was made by clone(2) alone has its parent's id there, and its death would free no mutex.
#[derive(Clone, Copy, Debug)]
pub struct ThreadRecords {
    id: usize,
    list: usize,
    list_bytes: usize,
}

impl ThreadRecords {
    /// Those of the calling thread; `None`: the kernel does not tell.
    #[must_use]
    pub fn of_this_thread() -> Option<Self> {
        const SELF: usize = 0;
        let id = id_address().ok().filter(|id| *id != 0)?;
        let (mut list, mut list_bytes) = (0usize, 0usize);
        let places = [&raw mut list, &raw mut list_bytes].map(|place| place.expose_provenance());
        let arguments = [SELF, places[0], places[1], 0, 0, 0];
        // SAFETY: the kernel writes a word to each of the two places.
        unsafe { syscall(libc::SYS_get_robust_list, arguments) }.ok()?;
        (list != 0).then_some(Self {
            id,
            list,
            list_bytes,
        })
    }

    /// Puts both right, in a child that was made with a copy of its parent's memory.
    ///
    /// # Safety
    /// These are the records of the parent's thread that has made this child.
    pub unsafe fn renew(self) {
        let Self {
            id,
            list,
            list_bytes,
        } = self;
        // SAFETY: the C library keeps the thread's id there, for as long as there is the thread.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(id).write(thread_id()) };
        // The program may have asked for another place.
        if id_address() == Ok(0) {
            // SAFETY: the kernel writes 0 there at the thread's end, as in every thread of the C library.
            let _ = unsafe { syscall(libc::SYS_set_tid_address, [id, 0, 0, 0, 0, 0]) };
        }
        let arguments = [list, list_bytes, 0, 0, 0, 0];
        // SAFETY: the C library's list for this thread; the copy is the child's own.
        let _ = unsafe { syscall(libc::SYS_set_robust_list, arguments) };
    }
}

/// Where the kernel writes 0 at the calling thread's end: where the C library keeps the id. 0: nowhere.
fn id_address() -> Result<usize, Errno> {
    const PR_GET_TID_ADDRESS: libc::c_int = 40;
    let mut address = 0usize;
    let place = (&raw mut address).expose_provenance();
    // SAFETY: the kernel writes one word there.
    unsafe {
        syscall(
            libc::SYS_prctl,
            [int(PR_GET_TID_ADDRESS), place, 0, 0, 0, 0],
        )
    }?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_records_name_the_calling_thread() {
        let records = ThreadRecords::of_this_thread().expect("the kernel tells");
        // SAFETY: the C library keeps the id there.
        let id = unsafe { ptr::with_exposed_provenance::<u32>(records.id).read() };
        assert_eq!(id, thread_id());
        // SAFETY: these are this thread's own, so nothing changes.
        unsafe { records.renew() };
    }
}
