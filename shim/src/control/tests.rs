use super::*;

/// A message with this control data.
fn message(control: &mut [u8]) -> msghdr {
    // SAFETY: all zeros is a message.
    let mut message: msghdr = unsafe { core::mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = control.len();
    message
}

/// Control data of one piece; `len` is what its header says.
fn piece(level: c_int, kind: c_int, len: usize, data: &[u8]) -> Vec<u8> {
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(data);
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

fn good(level: c_int, kind: c_int, data: &[u8]) -> Vec<u8> {
    piece(level, kind, HEADER + data.len(), data)
}

fn said(control: &[u8]) -> Result<DatagramInfo, Errno> {
    let mut control = control.to_vec();
    // SAFETY: the message leads to the control data.
    unsafe { read(&message(&mut control)) }
}

#[test]
fn what_a_message_says_is_read() {
    use libc::{IPPROTO_IP, IPPROTO_IPV6};
    let own = Addr::v4([127, 0, 0, 1]);
    let pktinfo = [[0; 4], [127, 0, 0, 1], [0; 4]].concat();
    let with = |own, ttl, tos| Ok(DatagramInfo { own, ttl, tos });
    let none = Addr::UNSPECIFIED;
    let refused = Err(Errno(libc::EINVAL));
    for (control, wanted) in [
        (vec![], with(none, None, None)),
        (
            good(IPPROTO_IP, libc::IP_TTL, &9i32.to_ne_bytes()),
            with(none, Some(9), None),
        ),
        (good(IPPROTO_IP, libc::IP_TTL, &0i32.to_ne_bytes()), refused),
        (
            good(IPPROTO_IP, libc::IP_TOS, &[4]),
            with(none, None, Some(4)),
        ),
        (
            good(IPPROTO_IP, libc::IP_PKTINFO, &pktinfo),
            with(own, None, None),
        ),
        (good(IPPROTO_IP, libc::IP_PKTINFO, &pktinfo[..8]), refused),
        (
            good(IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &(-1i32).to_ne_bytes()),
            with(none, None, None),
        ),
        (
            good(IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &256i32.to_ne_bytes()),
            refused,
        ),
        (
            good(IPPROTO_IPV6, libc::IPV6_TCLASS, &7i32.to_ne_bytes()),
            with(none, None, Some(7)),
        ),
        (
            good(IPPROTO_IPV6, libc::IPV6_PKTINFO, &[7; 20]),
            with(Addr::v6([7; 16]), None, None),
        ),
        (
            good(libc::SOL_SOCKET, libc::SCM_CREDENTIALS, &[0; 12]),
            with(none, None, None),
        ),
        (good(99, 1, &[0; 4]), refused),
        // Lengths that lead nowhere, or out of the control data.
        (piece(libc::SOL_SOCKET, 2, 0, &[]), refused),
        (piece(libc::SOL_SOCKET, 2, usize::MAX, &[]), refused),
        (piece(libc::SOL_SOCKET, 2, HEADER + 1, &[]), refused),
    ] {
        assert_eq!(said(&control), wanted, "{control:?}");
    }
    let mut two = good(IPPROTO_IPV6, libc::IPV6_HOPLIMIT, &3i32.to_ne_bytes());
    two.extend(good(IPPROTO_IPV6, libc::IPV6_TCLASS, &5i32.to_ne_bytes()));
    assert_eq!(said(&two), with(none, Some(3), Some(5)));
}

#[test]
fn what_has_no_room_is_cut_off_and_said_to_be_missing() {
    let info = DatagramInfo {
        own: Addr::UNSPECIFIED,
        ttl: Some(64),
        tos: Some(3),
    };
    for (room, used, is_short) in [
        (0, 0, true),
        (HEADER - 1, 0, true),
        (HEADER, HEADER, true),
        (HEADER + 2, HEADER + 2, true),
        (HEADER + 4, HEADER + 4, true),
        (HEADER + 8, HEADER + 8, true),
        (2 * HEADER + 12, 2 * HEADER + 12, false),
        (100, 2 * HEADER + 16, false),
    ] {
        let mut control = vec![0xee; room + 8];
        let mut message = message(&mut control[..room]);
        // SAFETY: the message leads to the control data.
        unsafe { write(&mut message, info, Domain::Inet6) };
        assert_eq!(message.msg_controllen, used, "{room}");
        assert_eq!(
            message.msg_flags & libc::MSG_CTRUNC != 0,
            is_short,
            "{room}"
        );
        assert_eq!(control[room..], [0xee; 8], "beyond the room");
    }
}

#[test]
fn a_program_without_room_gets_nothing() {
    let info = DatagramInfo {
        own: Addr::v4([10, 0, 0, 2]),
        ttl: None,
        tos: None,
    };
    let mut message = message(&mut []);
    message.msg_control = core::ptr::null_mut();
    message.msg_controllen = 100;
    // SAFETY: null is looked for.
    unsafe { write(&mut message, info, Domain::Inet) };
    assert_eq!(
        (message.msg_controllen, message.msg_flags),
        (0, libc::MSG_CTRUNC)
    );
}
