//! The library's own heap: none of our calls enters the program's malloc.
//!
//! Each process has its own heap. A fork may happen while another thread is inside the allocator. So the child neither
//! waits for the inherited lock nor touches the inherited heap. It makes a fresh one at its first allocation, and never
//! frees what its parent had allocated. That is little: the library allocates when it starts, and hardly ever after.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use dlmalloc::Dlmalloc;

use crate::lock::ProcessLock;
use crate::pid;

/// The allocator of everything in this library.
pub(crate) struct ProcessHeap(ProcessLock<Heap>);

struct Heap {
    /// The process that made this heap; 0: none yet.
    owner: u32,
    /// Where its address space begins.
    start: usize,
    blocks: Dlmalloc<Span>,
}

impl ProcessHeap {
    pub(crate) const fn new() -> Self {
        let blocks = Dlmalloc::new_with_allocator(Span::none());
        Self(ProcessLock::new(Heap {
            owner: 0,
            start: 0,
            blocks,
        }))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Heap) -> R) -> R {
        self.0.with(|heap, _| {
            let pid = pid::current();
            if heap.owner != pid {
                let span = Span::reserve();
                let start = span.start;
                let blocks = Dlmalloc::new_with_allocator(span);
                // The old heap stays where it is; there is nothing to drop in it.
                *heap = Heap {
                    owner: pid,
                    start,
                    blocks,
                };
            }
            work(heap)
        })
    }
}

impl Heap {
    /// Whether the block is of this heap, and not of one inherited over fork.
    fn owns(&self, block: *mut u8) -> bool {
        (block as usize).wrapping_sub(self.start) < SPAN_BYTES
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
    let Ok(span) = sys::map_private(SPAN_BYTES) else {
        return false;
    };
    // SAFETY: mapped above, and never used.
    unsafe { sys::unmap(span, SPAN_BYTES) };
    true
}

/// Address space of one heap, handed to dlmalloc piece by piece and never given back.
struct Span {
    start: usize,
    used: core::cell::Cell<usize>,
}

/// Reserved, not used: pages cost memory when they are first touched.
const SPAN_BYTES: usize = 64 << 20;
const PAGE_BYTES: usize = 4096;

impl Span {
    const fn none() -> Self {
        Self {
            start: 0,
            used: core::cell::Cell::new(SPAN_BYTES),
        }
    }

    fn reserve() -> Self {
        let Ok(start) = sys::map_private(SPAN_BYTES) else {
            return Self::none();
        };
        Self {
            start: start.as_ptr() as usize,
            used: core::cell::Cell::new(0),
        }
    }
}

// SAFETY: pieces are disjoint parts of one private mapping that stays for ever.
unsafe impl dlmalloc::Allocator for Span {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let from = self.used.get();
        let size = size.next_multiple_of(PAGE_BYTES);
        if size > SPAN_BYTES - from {
            return (ptr::null_mut(), 0, 0);
        }
        self.used.set(from + size);
        ((self.start + from) as *mut u8, size, 0)
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
        PAGE_BYTES
    }
}
