use core::ffi::c_int;

use super::*;

fn carried(fd: c_int, descriptor: Descriptor, is_undecided: bool) -> Carried {
    Carried(Entry {
        fd,
        descriptor,
        is_undecided,
    })
}

#[test]
fn what_is_written_is_read_again() {
    let file = FileId::from_bits(0xffff_ffff_0000_0001);
    for right in [
        carried(0, Descriptor::Stack(file), false),
        carried(1_048_575, Descriptor::Stack(file), true),
        carried(3, Descriptor::Epoll(EpollId::from_bits(7)), false),
    ] {
        assert_eq!(Carried::parse(&right.to_string()), Some(right));
    }
}

#[test]
fn what_nobody_has_written_is_not_read() {
    for text in [
        "",
        "3",
        "s1",
        "3s",
        "3x1",
        "3s1g",
        "-3s1",
        "99999999999s1",
        "3sé",
    ] {
        assert_eq!(Carried::parse(text), None, "{text}");
    }
}
