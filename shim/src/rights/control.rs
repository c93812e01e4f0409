//! Control data, cmsg(3).

use core::ffi::c_int;

use libc::cmsghdr;

/// What is in front of a control message's data.
const HEADER_BYTES: usize = size_of::<cmsghdr>();

/// Calls `each` for every descriptor that is passed, with the place of its number, which may have any alignment. A control
/// message counts as far as it lies within the data.
///
/// # Safety
/// `len` bytes can be read at `data`.
pub(super) unsafe fn for_each_descriptor(
    data: *mut u8,
    len: usize,
    mut each: impl FnMut(*mut c_int),
) {
    let mut at = 0;
    while len.saturating_sub(at) >= HEADER_BYTES {
        let place = data.wrapping_add(at).cast::<cmsghdr>();
        // SAFETY: a whole header lies within the `len` bytes.
        let header = unsafe { place.read_unaligned() };
        if header.cmsg_len < HEADER_BYTES {
            return;
        }
        let bytes = header.cmsg_len.min(len - at) - HEADER_BYTES;
        if header.cmsg_level == libc::SOL_SOCKET && header.cmsg_type == libc::SCM_RIGHTS {
            let numbers = data.wrapping_add(at + HEADER_BYTES).cast::<c_int>();
            for index in 0..bytes / size_of::<c_int>() {
                each(numbers.wrapping_add(index));
            }
        }
        let Some(aligned) = header.cmsg_len.checked_next_multiple_of(size_of::<usize>()) else {
            return;
        };
        at = at.saturating_add(aligned);
    }
}

#[cfg(test)]
mod tests;
