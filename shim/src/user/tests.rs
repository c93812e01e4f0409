use super::*;

fn buffer(base: *mut u8, len: usize) -> iovec {
    iovec {
        iov_base: base.cast(),
        iov_len: len,
    }
}

fn vector(buffers: &[iovec]) -> Result<UserBytes, Errno> {
    // SAFETY: the list is as long as it says.
    unsafe { UserBytes::vector(buffers.as_ptr(), buffers.len() as c_int) }
}

fn refused(bytes: Result<UserBytes, Errno>) -> Option<c_int> {
    bytes.err().map(|Errno(number)| number)
}

#[test]
fn null_is_a_buffer_only_if_it_is_empty() {
    let null = core::ptr::null_mut();
    assert!(UserBytes::one(null, 0).is_ok());
    assert!(vector(&[buffer(null, 0)]).is_ok());
    assert_eq!(refused(UserBytes::one(null, 1)), Some(libc::EFAULT));
    assert_eq!(refused(vector(&[buffer(null, 1)])), Some(libc::EFAULT));
    // SAFETY: null is allowed.
    let no_list = unsafe { UserBytes::vector(core::ptr::null(), 1) };
    assert_eq!(refused(no_list), Some(libc::EFAULT));
}

#[test]
fn a_list_has_a_bound_that_a_message_reports_by_another_error() {
    let mut byte = 0u8;
    let list = vec![buffer(&raw mut byte, 1); BUFFERS_MAX + 1];
    assert_eq!(refused(vector(&list)), Some(libc::EINVAL));
    assert_eq!(
        vector(&list[1..]).map(|bytes| bytes.remaining()).ok(),
        Some(BUFFERS_MAX)
    );
    // SAFETY: null pointers and numbers.
    let mut message: msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = list.as_ptr().cast_mut();
    message.msg_iovlen = list.len();
    // SAFETY: the list is as long as the message says.
    let whole = unsafe { UserBytes::message(&message) };
    assert_eq!(refused(whole), Some(libc::EMSGSIZE));
    // SAFETY: nothing is read with such a length.
    let negative = unsafe { UserBytes::vector(list.as_ptr(), -1) };
    assert_eq!(refused(negative), Some(libc::EINVAL));
}

#[test]
fn lengths_are_cut_to_what_one_call_moves_unless_they_are_negative() {
    let mut byte = 0u8;
    let byte = &raw mut byte;
    let cut = UserBytes::one(byte, usize::MAX).map(|bytes| bytes.remaining());
    assert_eq!(cut.ok(), Some(CALL_BYTES_MAX));
    let large = buffer(byte, isize::MAX as usize);
    let cut = vector(&[large, large, large]).map(|bytes| bytes.remaining());
    assert_eq!(cut.ok(), Some(CALL_BYTES_MAX));
    let negative = buffer(byte, isize::MAX as usize + 1);
    assert_eq!(refused(vector(&[negative])), Some(libc::EINVAL));
}

#[test]
fn skipping_passes_over_buffers_and_empty_ones_too() {
    let mut bytes = [0u8; 8];
    let start = bytes.as_mut_ptr();
    let list = [buffer(start, 3), buffer(start, 0), buffer(start, 5)];
    let mut user = vector(&list).expect("good buffers");
    for (count, remaining) in [(2, 6), (1, 5), (0, 5), (4, 1), (9, 0), (1, 0)] {
        user.skip(count);
        assert_eq!(user.remaining(), remaining);
    }
}
