//! Making regions, joining them, and taking views of what is inside.

use core::iter;
use core::sync::atomic::Ordering;

use sys::{Access, Errno, OwnedFd, RawFd};

use crate::error::failed;
use crate::header::{Head, Header};
use crate::memory::Memory;
use crate::slots::Slots;
use crate::{
    Array, Buffers, CHUNK_BYTES, Reader, Record, RegionError, TABLES_MAX, Table, Words, file,
    mapping,
};

/// One mapping of a family's memory.
///
/// The memory stays mapped while the region or any view taken from it lives. All members of a family
/// trust each other with data: whoever has the descriptor can read and write everything. What they
/// cannot do is make another member touch memory outside the region or die by SIGBUS.
pub struct Region {
    memory: Memory,
}

impl Region {
    /// Makes a region in a memfd (close-on-exec) that can grow to `max_bytes`, or to half of what RLIMIT_AS leaves. It starts
    /// with one chunk.
    ///
    /// # Errors
    /// [`RegionError::System`] or [`RegionError::Full`] if not even a small one can be had.
    pub fn create(max_bytes: usize) -> Result<Self, RegionError> {
        let fd = file::make(CHUNK_BYTES)?;
        let widest = whole_chunks(max_bytes);
        let widths = iter::successors(Some(widest), |width| (*width > 1).then_some(width / 2));
        let memory = Memory::of_file(fd, 1, widths, Access::ReadWrite)?;
        memory.header().initialise(memory.max_chunks())?;
        let region = Self { memory };
        region.settle_if_limited()?;
        Ok(region)
    }

    /// Maps a region that another member made; checks that it is one, and of the same build.
    ///
    /// # Errors
    /// [`RegionError::NotARegion`], [`RegionError::OtherBuild`], or a system call's error.
    pub fn attach(fd: impl Into<OwnedFd>) -> Result<Self, RegionError> {
        let memory = attach(fd.into(), Access::ReadWrite)?;
        let region = Self { memory };
        region.settle_if_limited()?;
        Ok(region)
    }

    /// A process without limits maps more whenever the region has grown. One with a limit, or one that may lose the right to
    /// make system calls, maps all that the region may ever have, as long as it can. If there are no addresses for that the
    /// region may grow to less from now on, but the program keeps at least as much address space as it loses. False: not
    /// even for a little more.
    pub fn settle(&self) -> bool {
        self.memory.settle()
    }

    /// Whether all that the region has so far can be reached in this process.
    #[inline]
    #[must_use]
    pub fn is_in_reach(&self) -> bool {
        self.memory.reaches_all()
    }

    fn settle_if_limited(&self) -> Result<(), RegionError> {
        if sys::address_space_limit().is_none() || self.settle() {
            return Ok(());
        }
        Err(failed("mmap")(Errno(libc::ENOMEM)))
    }

    /// Maps a region to look at, without its lock and without the right to change anything; an
    /// `O_RDONLY` descriptor will do.
    ///
    /// # Errors
    /// As [`Region::attach`].
    pub fn attach_read_only(fd: impl Into<OwnedFd>) -> Result<Reader, RegionError> {
        attach(fd.into(), Access::ReadOnly).map(Reader::new)
    }

    /// Makes a region on the process heap, for the simulator and for tests under memory checkers. It
    /// cannot be shared; all of `max_bytes` is taken at once.
    ///
    /// # Panics
    /// If there is no such amount of memory.
    #[must_use]
    pub fn on_heap(max_bytes: usize) -> Self {
        let max_chunks = whole_chunks(max_bytes);
        let memory = Memory::of_heap(max_chunks).expect("the heap has room for the region");
        let initialised = memory.header().initialise(max_chunks);
        initialised.expect("the C library makes robust mutexes");
        Self { memory }
    }

    /// The memfd's descriptor; `None` on the heap.
    #[must_use]
    pub fn fd(&self) -> Option<RawFd> {
        self.memory.fd()
    }

    /// Goes on with another descriptor of the same memfd, made with `F_DUPFD_CLOEXEC`, and closes the
    /// one used so far.
    ///
    /// # Errors
    /// [`RegionError::NotARegion`] if it is another file, or this region is on the heap.
    pub fn replace_fd(&self, fd: impl Into<OwnedFd>) -> Result<(), RegionError> {
        self.memory.replace_fd(fd.into())
    }

    /// The atomics that need no lock.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.memory.header().words
    }

    /// The table at `index`, made if the index is empty. Each index can be taken once from one
    /// `Region` value.
    ///
    /// # Errors
    /// See [`RegionError`]; `Mismatch` if the table was made with another size.
    pub fn table<T: Record>(&self, index: u16, max_slots: u32) -> Result<Table<T>, RegionError> {
        self.take(index, |header| {
            let head = header.head(index).ok_or(RegionError::BadIndex)?;
            self.open_table(head, max_slots)
        })
    }

    /// The array at `index`, made of zeroes if the index is empty.
    ///
    /// # Errors
    /// As [`Region::table`].
    pub fn array<T: Record>(&self, index: u16, len: u32) -> Result<Array<T>, RegionError> {
        self.take(index, |header| {
            let head = header.head(index).ok_or(RegionError::BadIndex)?;
            let make = || Array::<T>::append(&self.memory, len);
            let place = head.open(Array::<T>::shape(len), make)?;
            Array::at(&self.memory, place, len)
        })
    }

    /// The pool at `index` of buffers of `size` bytes (a power of two, at most a chunk), made if the
    /// index is empty.
    ///
    /// # Errors
    /// As [`Region::table`].
    pub fn buffers(&self, index: u16, size: u32, max_count: u32) -> Result<Buffers, RegionError> {
        let shape = Buffers::shape(size, max_count)?;
        self.take(index, |header| {
            let content = header.head(index).ok_or(RegionError::BadIndex)?;
            let counts = header.second_head(index).ok_or(RegionError::BadIndex)?;
            content.open(shape, || Buffers::append(&self.memory, shape))?;
            let counts = self.open_table(counts, max_count)?;
            Buffers::at(&self.memory, counts, content, shape)
        })
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    fn open_table<T: Record>(&self, head: &Head, max: u32) -> Result<Table<T>, RegionError> {
        let make = || Slots::<T>::append(&self.memory, max);
        let place = head.open(Slots::<T>::shape(max), make)?;
        Slots::at(&self.memory, head, place, max).map(Table::new)
    }

    /// Gives out one index, unless `make` fails.
    fn take<V>(
        &self,
        index: u16,
        make: impl FnOnce(&Header) -> Result<V, RegionError>,
    ) -> Result<V, RegionError> {
        if index >= TABLES_MAX {
            return Err(RegionError::BadIndex);
        }
        if !self.memory.take_index(index) {
            return Err(RegionError::Taken);
        }
        make(self.memory.header()).inspect_err(|_| self.memory.give_back_index(index))
    }
}

fn attach(fd: OwnedFd, access: Access) -> Result<Memory, RegionError> {
    let (used, max_chunks) = peek(&fd)?;
    let memory = Memory::of_file(fd, used, iter::once(max_chunks), access)?;
    // The header may have changed since; what counts is what the mapping can hold.
    memory.header().check()?;
    Ok(memory)
}

/// How many chunks the region in this file has, and how many it may grow to, as its header says.
fn peek(fd: &OwnedFd) -> Result<(u32, u32), RegionError> {
    if file::status(fd.as_raw())?.bytes < CHUNK_BYTES as u64
        || !file::is_sealed_against_shrinking(fd.as_raw())
    {
        return Err(RegionError::NotARegion);
    }
    let base = mapping::map_file(fd.as_raw(), CHUNK_BYTES, Access::ReadOnly)?;
    // SAFETY: a chunk is mapped, stays within the file, and a header is nothing but atomics.
    let header = unsafe { base.cast::<Header>().as_ref() };
    let sizes = header
        .check()
        .map(|max_chunks| (header.chunks_used.load(Ordering::Relaxed), max_chunks));
    // SAFETY: mapped above, and the header is not used any more.
    unsafe { sys::unmap(base, CHUNK_BYTES) };
    sizes
}

fn whole_chunks(bytes: usize) -> u32 {
    u32::try_from(bytes / CHUNK_BYTES)
        .unwrap_or(u32::MAX)
        .max(1)
}
