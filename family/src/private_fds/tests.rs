use std::os::fd::AsRawFd;

use super::{forget_closed, is_private, note, private_copy};

/// Numbers that the system does not give out.
const CLOSED: i32 = 1_000_000_000;
const OTHER: i32 = CLOSED + 1;

#[test]
fn a_private_copy_has_a_high_number_and_the_program_keeps_its_own() {
    let (program, _peer) = std::os::unix::net::UnixStream::pair().expect("there are descriptors");
    let fd = program.as_raw_fd();
    let copy = private_copy(fd).expect("there are descriptors");
    assert!(copy.as_raw() > fd + 100, "{}", copy.as_raw());
    assert!(is_private(copy.as_raw()));
    for other in [fd, -1, OTHER] {
        assert!(!is_private(other), "{other}");
    }
    let flags = sys::fd_flags(copy.as_raw());
    assert_eq!(flags, Ok(libc::FD_CLOEXEC));
}

#[test]
fn only_what_is_closed_is_forgotten() {
    let (program, _peer) = std::os::unix::net::UnixStream::pair().expect("there are descriptors");
    let copy = private_copy(program.as_raw_fd()).expect("there are descriptors");
    note(CLOSED);
    assert!(is_private(CLOSED));
    forget_closed();
    assert!(!is_private(CLOSED));
    assert!(is_private(copy.as_raw()));
}
