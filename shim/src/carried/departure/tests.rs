use core::ffi::c_int;

use family::FileId;

use super::*;
use crate::descriptors::Descriptor;

fn carried(fd: c_int, descriptor: Descriptor, is_undecided: bool) -> Carried {
    Carried(Entry {
        fd,
        descriptor,
        is_undecided,
    })
}

#[test]
fn the_new_program_s_environment_has_the_variable_once() {
    let given = [
        c"A=1",
        c"LD_PRELOAD=mine",
        c"NSTK_FDS=old",
        c"NSTK_FDSX=stays",
    ];
    let mut list: Vec<*const c_char> = given.iter().map(|text| text.as_ptr()).collect();
    list.push(core::ptr::null());
    let file = Descriptor::Stack(FileId::from_bits(0x1f));
    let stays = [carried(3, file, false), carried(4, file, true)];
    // SAFETY: C strings, and a null pointer at the end.
    let departure = unsafe { Departure::new(list.as_ptr(), 77, stays.into_iter()) };
    let departure = departure.expect("there is memory");
    let mut found = Vec::new();
    let mut at = departure.list();
    loop {
        // SAFETY: the list has a null pointer at its end.
        let entry = unsafe { at.read() };
        if entry.is_null() {
            break;
        }
        // SAFETY: each entry is a C string.
        found.push(
            unsafe { CStr::from_ptr(entry) }
                .to_str()
                .expect("it is text"),
        );
        at = at.wrapping_add(1);
    }
    let variable = format!("NSTK_FDS={}.77.3s1f.4u1f", std::process::id());
    assert_eq!(
        found,
        ["A=1", "LD_PRELOAD=mine", "NSTK_FDSX=stays", &variable]
    );
    assert!(departure.entries().eq(stays.map(|Carried(entry)| entry)));
}

#[test]
fn without_sockets_the_environment_stays_as_it_is() {
    let list = [core::ptr::null()];
    // SAFETY: an empty list.
    assert!(unsafe { Departure::new(list.as_ptr(), 77, core::iter::empty()) }.is_none());
}
