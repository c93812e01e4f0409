//! The library's own heap: none of our calls enters the program's malloc.
//!
//! Each process has its own heap. A fork may happen while another thread is inside the allocator. So the child neither
//! waits for the inherited lock nor touches the inherited heap. It makes a fresh one at its first allocation, and never
//! frees what its parent had allocated. That is little: the library allocates when it starts, and hardly ever after.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

use dlmalloc::Dlmalloc;

use crate::lock::ProcessLock;
use crate::pid;

/// The allocator of everything in this library.
pub(crate) struct ProcessHeap(ProcessLock<Heap>);

struct Heap {
    /// The process that made this heap; 0: none yet.
    owner: u32,
    blocks: Dlmalloc<Spans>,
}

impl ProcessHeap {
    pub(crate) const fn new() -> Self {
        let blocks = Dlmalloc::new_with_allocator(Spans::none());
        Self(ProcessLock::new(Heap { owner: 0, blocks }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Heap) -> R) -> R {
        self.0.with(|heap, _| {
            let pid = pid::current();
            if heap.owner != pid {
                // The old heap stays where it is; there is nothing to drop in it.
                *heap = Heap {
                    owner: pid,
                    blocks: Dlmalloc::new_with_allocator(Spans::none()),
                };
            }
            work(heap)
        })
    }
}

impl Heap {
    /// Whether the block is of this heap, and not of one inherited over fork.
    fn owns(&self, block: *mut u8) -> bool {
        self.blocks.allocator().contain(block as usize)
    }
}

// SAFETY: blocks come from dlmalloc, which keeps the trait's promises; blocks of a parent's heap
// are never handed out again.
unsafe impl GlobalAlloc for ProcessHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout is not of size 0.
        self.with(|heap| unsafe { heap.blocks.malloc(layout.size(), layout.align()) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.with(|heap| {
            if heap.owns(block) {
                // SAFETY: the caller gives back a block with the layout it was made with; it is of
                // this heap.
                unsafe { heap.blocks.free(block, layout.size(), layout.align()) };
            }
        });
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.with(|heap| {
            if heap.owns(block) {
                // SAFETY: the caller gives the block's own layout, and the block is of this heap.
                return unsafe {
                    heap.blocks
                        .realloc(block, layout.size(), layout.align(), new_size)
                };
            }
            // SAFETY: whoever calls `realloc` promises a size that is not 0 (`GlobalAlloc`).
            let copy = unsafe { heap.blocks.malloc(new_size, layout.align()) };
            if !copy.is_null() {
                // SAFETY: both blocks have at least so many bytes, and one of them is new.
                unsafe { ptr::copy_nonoverlapping(block, copy, layout.size().min(new_size)) };
            }
            copy
        })
    }
}

/// Whether this process's limits leave room for a heap. If not, the first allocation would end the program.
pub(crate) fn has_room() -> bool {
    let Ok(span) = sys::map_private(ROOM_BYTES) else {
        return false;
    };
    // SAFETY: mapped above, and never used.
    unsafe { sys::unmap(span, ROOM_BYTES) };
    true
}

/// Address space of one heap, handed to dlmalloc piece by piece and never given back. A page costs memory when it is first
/// touched.
struct Spans {
    all: Cell<[Span; SPANS_MAX]>,
    /// How much of the newest one is in use.
    used: Cell<usize>,
}

/// One mapping.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    len: usize,
}

/// The first span is as long as most programs ever need, each further one twice as long as that before it.
const SPAN_BYTES: usize = 1 << 20;
const SPANS_MAX: usize = 12;
/// What a start of the stack takes, its own stack included.
const ROOM_BYTES: usize = 4 << 20;

impl Span {
    const NONE: Self = Self { start: 0, len: 0 };

    fn map(len: usize) -> Option<Self> {
        let start = sys::map_private(len).ok()?.as_ptr() as usize;
        Some(Self { start, len })
    }
}

impl Spans {
    const fn none() -> Self {
        Self {
            all: Cell::new([Span::NONE; SPANS_MAX]),
            used: Cell::new(0),
        }
    }

    fn contain(&self, address: usize) -> bool {
        let all = self.all.get();
        all.iter()
            .any(|span| address.wrapping_sub(span.start) < span.len)
    }

    /// The newest span, if it has so many bytes left, or a fresh one.
    fn with_room(&self, bytes: usize) -> Option<Span> {
        let mut all = self.all.get();
        let count = all.iter().take_while(|span| span.len != 0).count();
        if let Some(newest) = count.checked_sub(1).and_then(|at| all.get(at))
            && bytes <= newest.len - self.used.get()
        {
            return Some(*newest);
        }
        let place = all.get_mut(count)?;
        let ample = bytes.max(SPAN_BYTES << count);
        *place = Span::map(ample).or_else(|| Span::map(bytes))?;
        let span = *place;
        self.all.set(all);
        self.used.set(0);
        Some(span)
    }
}

// SAFETY: pieces are disjoint parts of private mappings that stay for ever.
unsafe impl dlmalloc::Allocator for Spans {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let size = size.next_multiple_of(sys::PAGE_BYTES);
        let Some(span) = self.with_room(size) else {
            return (ptr::null_mut(), 0, 0);
        };
        let from = self.used.get();
        self.used.set(from + size);
        ((span.start + from) as *mut u8, size, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        sys::PAGE_BYTES
    }
}
