use super::*;

/// Whether the library is found in an environment of these entries.
fn found(entries: &[*const c_char]) -> Option<bool> {
    // SAFETY: the tests below make lists of C strings, or of addresses where nothing is.
    unsafe { library(entries.as_ptr()) }.map(|path| path.is_some())
}

const NULL: *const c_char = core::ptr::null();
/// No process may map the first page.
const NOTHING_THERE: *const c_char = core::ptr::without_provenance(8);

#[test]
fn the_library_may_be_one_of_several() {
    let other = c"LD_PRELOADED=/lib/libnstk.so".as_ptr();
    for (preload, expected) in [
        (c"LD_PRELOAD=/usr/lib/nstk/libnstk.so", true),
        (c"LD_PRELOAD=/lib/other.so libnstk.so", true),
        (c"LD_PRELOAD=libnstk.so:/lib/other.so", true),
        (c"LD_PRELOAD=/lib/other.so", false),
        (c"LD_PRELOAD=/lib/libnstk.so.old", false),
        (c"LD_PRELOAD=", false),
        (c"A=libnstk.so", false),
    ] {
        assert_eq!(found(&[other, preload.as_ptr(), NULL]), Some(expected));
    }
    assert_eq!(found(&[other, NULL]), Some(false));
    // SAFETY: null is allowed.
    assert_eq!(unsafe { library(core::ptr::null()) }, Some(None));
}

#[test]
fn what_cannot_be_read_is_no_fault() {
    // SAFETY: nothing can be read there.
    let nowhere = unsafe { library(NOTHING_THERE.cast()) };
    assert_eq!(nowhere, None);
    let library = c"LD_PRELOAD=libnstk.so".as_ptr();
    assert_eq!(found(&[c"A=1".as_ptr(), NOTHING_THERE, NULL]), None);
    // What comes after it is not looked at.
    assert_eq!(found(&[library, NOTHING_THERE, NULL]), Some(true));
}

#[test]
fn a_list_and_a_string_may_end_with_their_page() {
    let page = sys::PAGE_BYTES;
    let pages = sys::map_private(2 * page).expect("memory");
    let (start, end) = (pages.as_ptr(), pages.as_ptr().wrapping_add(page));
    // SAFETY: the second of the two pages, where nothing lies.
    unsafe { sys::forbid(core::ptr::NonNull::new(end).expect("not null"), page) };
    // A string whose end is missing.
    let string = end.wrapping_sub(3);
    // SAFETY: the last bytes of the first page.
    unsafe { core::ptr::copy_nonoverlapping(b"A=1".as_ptr(), string, 3) };
    assert_eq!(found(&[string.cast(), NULL]), None);
    // SAFETY: the last byte of the first page.
    unsafe { string.wrapping_add(2).write(0) };
    assert_eq!(found(&[string.cast(), NULL]), Some(false));
    // A list whose end is missing, and one that reaches over the edge.
    for missing in [0, 4] {
        let list = end.wrapping_sub(16 - missing);
        let entry = c"A=1".as_ptr().expose_provenance().to_ne_bytes();
        // SAFETY: in the first page.
        unsafe { core::ptr::copy_nonoverlapping(entry.as_ptr(), list, 8) };
        if missing == 0 {
            // SAFETY: in the first page.
            unsafe { core::ptr::copy_nonoverlapping(entry.as_ptr(), list.wrapping_add(8), 8) };
        }
        // SAFETY: a list as far as it can be read.
        assert_eq!(unsafe { library(list.cast()) }, None, "{missing}");
    }
    // SAFETY: mapped above, and used by nobody any more.
    unsafe { sys::unmap(core::ptr::NonNull::new(start).expect("not null"), 2 * page) };
}

#[test]
fn a_library_that_cannot_be_opened_is_closed() {
    for (preload, expected) in [
        (c"LD_PRELOAD=libnstk.so", Preload::Loads),
        (c"LD_PRELOAD=/no/such/libnstk.so", Preload::Closed),
        (c"LD_PRELOAD=/dev/null/libnstk.so", Preload::Closed),
        (c"LD_PRELOAD=/lib/other.so", Preload::Absent),
    ] {
        let entries = [preload.as_ptr(), NULL];
        // SAFETY: a list of C strings.
        assert_eq!(unsafe { read(entries.as_ptr()) }, Some(expected));
    }
}
