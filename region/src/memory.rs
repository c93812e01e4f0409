//! One mapping of a region in this process: where it lies, how far it may be touched, how it grows.

use core::alloc::Layout;
use core::iter;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use sys::{Access, Advice, OwnedFd, PAGE_BYTES, RawFd};

use crate::header::Header;
use crate::{CHUNK_BYTES, RegionError, TABLES_MAX, file, mapping};

/// A counted reference to a mapping; the last one unmaps it.
///
/// Everything below [`Mapping::grown`] chunks is mapped and, since the file is sealed against
/// shrinking, stays accessible while any `Memory` lives. All offsets that come out of the region are
/// checked against that before use.
pub(crate) struct Memory {
    mapping: NonNull<Mapping>,
}

/// What a process knows about its mapping. It lives in a private page of its own: a fork's child has
/// its own copy, as it has its own copy of the views, and no heap is needed.
struct Mapping {
    views: AtomicUsize,
    base: NonNull<u8>,
    /// Chunks that the mapping may ever have.
    max_chunks: u32,
    /// Chunks that have addresses.
    mapped: AtomicU32,
    /// Chunks of these that are known to lie within the file.
    grown: AtomicU32,
    /// Table indexes that were given out.
    taken: AtomicU64,
    backing: Backing,
}

enum Backing {
    File {
        fd: AtomicI32,
        identity: (u64, u64),
    },
    Heap {
        allocation: NonNull<u8>,
        layout: Layout,
    },
}

impl Memory {
    /// Maps the first chunks of a file that is sealed against shrinking, with room to grow to the first of `widths` (chunks).
    /// Where mappings cannot grow, all chunks of the first width are mapped for which there are addresses.
    pub(crate) fn of_file(
        fd: OwnedFd,
        first: u32,
        widths: impl Iterator<Item = u32>,
        access: Access,
    ) -> Result<Self, RegionError> {
        let status = file::status(fd.as_raw())?;
        if !file::is_sealed_against_shrinking(fd.as_raw()) {
            return Err(RegionError::NotARegion);
        }
        let mut mapped = Err(RegionError::Full);
        for width in widths {
            let first = first.clamp(1, width);
            mapped = match mapping::map_file_that_grows(fd.as_raw(), bytes(first), access) {
                Some(base) => Ok((base, first, width)),
                None => mapping::map_file(fd.as_raw(), bytes(width), access)
                    .map(|base| (base, width, width)),
            };
            if mapped.is_ok() {
                break;
            }
        }
        let (base, mapped, max_chunks) = mapped?;
        let backing = Backing::File {
            fd: AtomicI32::new(fd.as_raw()),
            identity: file::identity(&status),
        };
        let grown = whole_chunks(status.bytes).min(mapped);
        let memory = Self::new(base, max_chunks, (mapped, grown), backing).inspect_err(|_| {
            // SAFETY: mapped above, and nobody was told.
            unsafe { sys::unmap(base, bytes(mapped)) };
        })?;
        // From here on the mapping closes it.
        let _ = fd.into_raw();
        Ok(memory)
    }

    /// Takes all of `max_chunks` from the process heap, zeroed.
    pub(crate) fn of_heap(max_chunks: u32) -> Result<Self, RegionError> {
        // Aligned by hand: asking the allocator for pages would make it write all the zeroes.
        let layout = Layout::from_size_align(bytes(max_chunks) + PAGE_BYTES, 16)
            .map_err(|_| RegionError::Full)?;
        // SAFETY: the layout is not empty.
        let allocation = unsafe { alloc::alloc::alloc_zeroed(layout) };
        let allocation = NonNull::new(allocation).ok_or(RegionError::Full)?;
        let base = allocation.map_addr(|addr| {
            let aligned = addr.get().next_multiple_of(PAGE_BYTES);
            addr.saturating_add(aligned - addr.get())
        });
        let backing = Backing::Heap { allocation, layout };
        Self::new(base, max_chunks, (max_chunks, max_chunks), backing).inspect_err(|_| {
            // SAFETY: allocated above with this layout, and nobody was told.
            unsafe { alloc::alloc::dealloc(allocation.as_ptr(), layout) };
        })
    }

    fn new(
        base: NonNull<u8>,
        max_chunks: u32,
        (mapped, grown): (u32, u32),
        backing: Backing,
    ) -> Result<Self, RegionError> {
        let mapping = mapping::map_page()?.cast::<Mapping>();
        let value = Mapping {
            views: AtomicUsize::new(1),
            base,
            max_chunks,
            mapped: AtomicU32::new(mapped),
            grown: AtomicU32::new(grown),
            taken: AtomicU64::new(0),
            backing,
        };
        // SAFETY: the page is ours, writable, aligned and large enough (asserted below).
        unsafe { mapping.write(value) };
        Ok(Self { mapping })
    }

    /// Chunks that the mapping may ever have.
    pub(crate) fn max_chunks(&self) -> u32 {
        self.mapping().max_chunks
    }

    /// Chunks that the region may grow to, as far as this mapping can follow.
    fn limit(&self) -> u32 {
        self.max_chunks().min(self.header().max_chunks())
    }

    /// Whether this process reaches all chunks that are used so far. Only its limits can be in the way.
    #[inline]
    pub(crate) fn reaches_all(&self) -> bool {
        let used = self.header().chunks_used.load(Ordering::Relaxed);
        used <= self.grown() || self.reaches_used(used)
    }

    #[cold]
    fn reaches_used(&self, used: u32) -> bool {
        let in_file = self.file_chunks().map(|(_, chunks)| chunks);
        // A member gone wild has written there what is no number of chunks.
        let is_nonsense = in_file.is_some_and(|chunks| used > chunks);
        is_nonsense || self.reaches(used - 1)
    }

    /// Maps all that the region may ever have, so that it needs no system call and no address space later. Before, it lowers the
    /// region's maximum to half of what the limits of this process leave. False: they leave too little.
    pub(crate) fn settle(&self) -> bool {
        let mapped = self.mapped();
        let max_chunks = self.limit();
        let used = self.header().chunks_used.load(Ordering::Relaxed);
        let least = used.saturating_add(SPARE_CHUNKS).min(max_chunks);
        let most = max_chunks.saturating_sub(mapped);
        let mut more = iter::successors(Some(most), |more| {
            (*more > 0).then_some(more - more.div_ceil(8))
        })
        .take_while(|more| mapped + more >= least);
        // The program keeps at least as much address space as it loses.
        let is_fair = |more: u32| more == 0 || mapping::address_space_holds(2 * bytes(more));
        let has_settled = more.any(|more| is_fair(more) && self.extend_to(mapped + more));
        if has_settled {
            let all = self.mapped().min(max_chunks);
            self.header().lower_max_chunks(all);
            self.grow_to(all);
        }
        has_settled
    }

    /// The region's header. Chunk 0 must have been checked to be there.
    pub(crate) fn header(&self) -> &Header {
        debug_assert!(self.grown() > 0);
        // SAFETY: chunk 0 is mapped while `self` lives, begins with the header, and every field of it
        // is an atomic, for which all bit patterns are valid.
        unsafe { self.mapping().base.cast().as_ref() }
    }

    /// The descriptor of a region that is a file.
    pub(crate) fn fd(&self) -> Option<RawFd> {
        match &self.mapping().backing {
            Backing::File { fd, .. } => Some(fd.load(Ordering::Relaxed)),
            Backing::Heap { .. } => None,
        }
    }

    /// Goes on with another descriptor of the same file and closes the one used so far.
    pub(crate) fn replace_fd(&self, new: OwnedFd) -> Result<(), RegionError> {
        let Backing::File { fd, identity } = &self.mapping().backing else {
            return Err(RegionError::NotARegion);
        };
        if file::identity(&file::status(new.as_raw())?) != *identity {
            return Err(RegionError::NotARegion);
        }
        let old = fd.swap(new.into_raw(), Ordering::Relaxed);
        // SAFETY: the mapping owned it, and has forgotten it.
        drop(unsafe { OwnedFd::from_raw(old) });
        Ok(())
    }

    /// Notes that a table index is given out; false if it was before.
    pub(crate) fn take_index(&self, index: u16) -> bool {
        let bit = 1u64 << index;
        self.mapping().taken.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// Takes back [`Memory::take_index`].
    pub(crate) fn give_back_index(&self, index: u16) {
        let bit = 1u64 << index;
        self.mapping().taken.fetch_and(!bit, Ordering::Relaxed);
    }

    /// The memory of one chunk of tables; `None` for chunk 0 and for what lies beyond the file.
    #[inline]
    pub(crate) fn chunk(&self, number: u32) -> Option<NonNull<u8>> {
        let mapping = self.mapping();
        if number == 0 || (number >= mapping.grown.load(Ordering::Relaxed) && !self.reaches(number))
        {
            return None;
        }
        // SAFETY: the chunk lies below `grown`, hence within the mapping.
        Some(unsafe { mapping.base.add(bytes(number)) })
    }

    /// The memory from byte `place` on, behind the header, if all `bytes` of it are there.
    pub(crate) fn span(&self, place: u64, bytes: u64) -> Option<NonNull<u8>> {
        let end = place.checked_add(bytes)?;
        let chunks = u32::try_from(end.div_ceil(CHUNK_BYTES as u64)).ok()?;
        let behind_header = place >= size_of::<Header>() as u64;
        if !behind_header || (chunks > self.grown() && !self.reaches(chunks - 1)) {
            return None;
        }
        // SAFETY: the span lies below `grown`, hence within the mapping.
        Some(unsafe { self.mapping().base.add(place as usize) })
    }

    /// Appends zeroed chunks, one after the other; the number of the first.
    ///
    /// Safe against other threads and members doing the same, even without the lock.
    pub(crate) fn append_chunks(&self, count: u32) -> Option<u32> {
        let used = &self.header().chunks_used;
        let mut first = used.load(Ordering::Relaxed);
        loop {
            let end = first.checked_add(count)?;
            if first == 0 || !self.grow_to(end) {
                return None;
            }
            match used.compare_exchange_weak(first, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(first),
                Err(now) => first = now,
            }
        }
    }

    /// Zeroed room for something small that is never given back; its byte offset, a multiple of 64.
    pub(crate) fn append_small(&self, bytes: usize) -> Option<u64> {
        let next = &self.header().small_next;
        let bytes = bytes.next_multiple_of(64) as u64;
        let chunk_bytes = CHUNK_BYTES as u64;
        let mut place = next.load(Ordering::Relaxed);
        loop {
            let room = place.checked_next_multiple_of(chunk_bytes)? - place;
            if bytes > room {
                let chunks = u32::try_from(bytes.div_ceil(chunk_bytes)).ok()?;
                let place = u64::from(self.append_chunks(chunks)?) * chunk_bytes;
                next.store(place + bytes, Ordering::Relaxed);
                return Some(place);
            }
            match next.compare_exchange_weak(
                place,
                place + bytes,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(place),
                Err(now) => place = now,
            }
        }
    }

    /// Gives the memory of a chunk to the system; it reads as zeroes from then on. False: that failed. Memory of the heap
    /// stays.
    pub(crate) fn give_back(&self, number: u32) -> bool {
        let Some(chunk) = self.chunk(number) else {
            return false;
        };
        match &self.mapping().backing {
            Backing::File { .. } => self.give_back_span(chunk, CHUNK_BYTES),
            Backing::Heap { .. } => true,
        }
    }

    /// Gives the memory of whole pages to the system; it reads as zeroes from then on. False: that failed, as for memory of
    /// the heap. The caller has nothing in these pages.
    pub(crate) fn give_back_span(&self, first: NonNull<u8>, bytes: usize) -> bool {
        let bytes = bytes.next_multiple_of(PAGE_BYTES);
        match &self.mapping().backing {
            Backing::File { .. } => {
                // SAFETY: the span lies within this mapping; the caller has nothing in it.
                unsafe { sys::advise(first, bytes, Advice::LinuxRemove) }.is_ok()
            }
            Backing::Heap { .. } => false,
        }
    }

    fn mapping(&self) -> &Mapping {
        // SAFETY: the page lives as long as any `Memory`, and is only ever read or changed by atomics.
        unsafe { self.mapping.as_ref() }
    }

    fn grown(&self) -> u32 {
        self.mapping().grown.load(Ordering::Relaxed)
    }

    fn mapped(&self) -> u32 {
        self.mapping().mapped.load(Ordering::Relaxed)
    }

    /// Whether the chunk lies within the file now, which another member may have made longer, and has an address.
    #[cold]
    fn reaches(&self, chunk: u32) -> bool {
        let mapping = self.mapping();
        if let Some((_, in_file)) = self.file_chunks() {
            let most = in_file.min(mapping.max_chunks);
            let ample = chunk.saturating_add(GROW_CHUNKS).min(most);
            if chunk < most && !self.extend_to(ample) {
                self.extend_to(chunk + 1);
            }
            let grown = in_file.min(self.mapped());
            mapping.grown.fetch_max(grown, Ordering::Relaxed);
        }
        chunk < self.grown()
    }

    /// Has addresses for so many chunks; false if a limit is in the way, or something that lies behind the mapping.
    ///
    /// Two threads that do it at the same moment may make one of them fail. The region's lock keeps them apart.
    fn extend_to(&self, chunks: u32) -> bool {
        let mapping = self.mapping();
        let mapped = self.mapped();
        if chunks <= mapped {
            return true;
        }
        // The last chunk is enough, and the program may have split the mapping before it (mlock(2), mbind(2)).
        // SAFETY: the last of the chunks that are mapped.
        let last = unsafe { mapping.base.add(bytes(mapped - 1)) };
        // SAFETY: it is the end of this mapping.
        let extended = unsafe { sys::extend(last, CHUNK_BYTES, bytes(chunks - mapped + 1)) };
        if extended.is_ok() {
            mapping.mapped.fetch_max(chunks, Ordering::Relaxed);
        }
        extended.is_ok()
    }

    /// Makes the file at least so long; false if a limit is in the way.
    fn grow_to(&self, chunks: u32) -> bool {
        if chunks <= self.grown() {
            return true;
        }
        let max_chunks = self.limit();
        if chunks > max_chunks {
            return false;
        }
        let Some((fd, _)) = self.file_chunks() else {
            return false;
        };
        let ample = chunks.saturating_add(GROW_CHUNKS).min(max_chunks);
        for target in [ample, chunks].map(bytes) {
            if target as u64 <= sys::file_limit() && sys::set_length(fd, target).is_ok() {
                break;
            }
        }
        // The file itself is asked: another member may have been faster and gone further, in which
        // case our own attempt, a shrinking one, was refused.
        self.reaches(chunks - 1)
    }

    /// The region's file and how many chunks long it is; `None` if it is another file by now because the host closed it. A
    /// file of the host must not be cut or lengthened.
    fn file_chunks(&self) -> Option<(RawFd, u32)> {
        let Backing::File { fd, identity } = &self.mapping().backing else {
            return None;
        };
        let fd = fd.load(Ordering::Relaxed);
        let status = sys::status(fd).ok()?;
        let is_ours = file::identity(&status) == *identity;
        is_ours.then(|| (fd, whole_chunks(status.bytes)))
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        self.mapping().views.fetch_add(1, Ordering::Relaxed);
        Self {
            mapping: self.mapping,
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.mapping().views.fetch_sub(1, Ordering::AcqRel) != 1 {
            return;
        }
        // SAFETY: this was the last view, so the page's content may be moved out.
        let Mapping {
            base,
            mapped,
            backing,
            ..
        } = unsafe { self.mapping.read() };
        match backing {
            Backing::File { fd, .. } => {
                // SAFETY: no view into the mapping is left.
                unsafe { sys::unmap(base, bytes(mapped.into_inner())) };
                // SAFETY: the mapping owned the descriptor.
                drop(unsafe { OwnedFd::from_raw(fd.into_inner()) });
            }
            Backing::Heap { allocation, layout } => {
                // SAFETY: allocated with this layout, and no view is left.
                unsafe { alloc::alloc::dealloc(allocation.as_ptr(), layout) };
            }
        }
        // SAFETY: the page was mapped by `new`, and its content moved out.
        unsafe { sys::unmap(self.mapping.cast(), PAGE_BYTES) };
    }
}

// SAFETY: the mapping's own fields change by atomics only; the region behind it is shared memory,
// which the typed views guard.
unsafe impl Send for Memory {}
// SAFETY: the mapping's own fields change by atomics only; the typed views guard the region behind it.
unsafe impl Sync for Memory {}

/// The file is made longer than asked by so many chunks, and as much more is mapped, to save system calls.
const GROW_CHUNKS: u32 = 16;
/// What a process with limits has to hold at least beyond what is used.
const SPARE_CHUNKS: u32 = 64;

const fn bytes(chunks: u32) -> usize {
    chunks as usize * CHUNK_BYTES
}

fn whole_chunks(bytes: u64) -> u32 {
    u32::try_from(bytes / CHUNK_BYTES as u64).unwrap_or(u32::MAX)
}

const _: () = assert!(size_of::<Mapping>() <= PAGE_BYTES && TABLES_MAX as u32 <= u64::BITS);
