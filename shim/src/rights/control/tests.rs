use super::*;

/// A control message, with the length that it claims to have.
fn control(level: c_int, kind: c_int, numbers: &[c_int], claimed: usize) -> Vec<u8> {
    let mut bytes = claimed.to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    for number in numbers {
        bytes.extend(number.to_ne_bytes());
    }
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn rights(numbers: &[c_int]) -> Vec<u8> {
    let len = HEADER_BYTES + size_of_val(numbers);
    control(libc::SOL_SOCKET, libc::SCM_RIGHTS, numbers, len)
}

fn found(mut data: Vec<u8>, shift: usize) -> Vec<c_int> {
    let mut found = Vec::new();
    data.splice(0..0, vec![0; shift]);
    let begin = data.as_mut_ptr().wrapping_add(shift);
    let each = |place: *mut c_int| {
        // SAFETY: a place in `data`.
        found.push(unsafe { place.read_unaligned() });
    };
    // SAFETY: all that is behind the shift can be read.
    unsafe { for_each_descriptor(begin, data.len() - shift, each) };
    found
}

#[test]
fn descriptors_of_all_messages_are_found_whatever_the_alignment() {
    let other = control(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, &[7, 8, 9], 28);
    let data = [rights(&[3, 4, 5]), other, rights(&[6]), rights(&[])].concat();
    for shift in 0..8 {
        assert_eq!(found(data.clone(), shift), [3, 4, 5, 6]);
    }
}

#[test]
fn a_message_that_claims_too_much_counts_as_far_as_it_is_there() {
    let claimed = [HEADER_BYTES + 12, 1 << 20, usize::MAX - 3, usize::MAX];
    for claimed in claimed {
        let data = control(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[3, 4], claimed);
        assert_eq!(found(data, 0), [3, 4], "{claimed}");
    }
}

#[test]
fn a_message_that_claims_too_little_ends_the_search() {
    let data = [
        control(libc::SOL_SOCKET, libc::SCM_RIGHTS, &[3], HEADER_BYTES - 1),
        rights(&[4]),
    ]
    .concat();
    assert_eq!(found(data, 0), []);
    assert_eq!(found(rights(&[3])[..HEADER_BYTES - 1].to_vec(), 0), []);
}
