use super::*;

fn v4(port: u16, ip: [u8; 4]) -> Vec<u8> {
    let mut bytes = (libc::AF_INET as sa_family_t).to_ne_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    bytes.extend(ip);
    bytes.extend([0; 8]);
    bytes
}

fn v6(port: u16, ip: [u8; 16], scope: u32) -> Vec<u8> {
    let mut bytes = (libc::AF_INET6 as sa_family_t).to_ne_bytes().to_vec();
    bytes.extend(port.to_be_bytes());
    // Flow information, which changes nothing.
    bytes.extend([0xff; 4]);
    bytes.extend(ip);
    bytes.extend(scope.to_ne_bytes());
    bytes
}

/// 2001:db8::5
const GLOBAL: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
/// fe80::5
const LINK_LOCAL: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];

fn read_bytes(bytes: &[u8], domain: Domain) -> Result<Parsed, Errno> {
    // SAFETY: the slice is readable for its length.
    unsafe { read(bytes.as_ptr().cast(), bytes.len() as socklen_t, domain) }
}

#[test]
fn both_families_are_read_with_port_and_address() {
    assert_eq!(
        read_bytes(&v4(8080, [192, 0, 2, 1]), Domain::Inet),
        Ok(Parsed::Inet(Endpoint::new(Addr::v4([192, 0, 2, 1]), 8080)))
    );
    assert_eq!(
        read_bytes(&v6(8080, GLOBAL, 0), Domain::Inet6),
        Ok(Parsed::Inet(Endpoint::new(Addr::v6(GLOBAL), 8080)))
    );
}

#[test]
fn an_address_may_be_longer_than_its_family_needs_but_not_shorter() {
    let (inet, inet6) = (v4(80, [192, 0, 2, 1]), v6(80, GLOBAL, 0));
    let mut long = inet.clone();
    long.extend([0xee; 112]);
    assert!(read_bytes(&long, Domain::Inet).is_ok());
    assert!(read_bytes(&inet6[..INET6_LEN_MIN], Domain::Inet6).is_ok());
    for (bytes, domain) in [
        (&inet[..15], Domain::Inet),
        (&inet[..2], Domain::Inet),
        (&inet[..1], Domain::Inet),
        (&inet[..0], Domain::Inet),
        (&inet6[..23], Domain::Inet6),
    ] {
        let length = bytes.len();
        assert_eq!(
            read_bytes(bytes, domain),
            Err(Errno(libc::EINVAL)),
            "{length}"
        );
    }
}

#[test]
fn a_negative_length_is_invalid() {
    let bytes = v4(80, [192, 0, 2, 1]);
    // SAFETY: nothing is read with such a length.
    let result = unsafe { read(bytes.as_ptr().cast(), -1i32 as socklen_t, Domain::Inet) };
    assert_eq!(result, Err(Errno(libc::EINVAL)));
}

#[test]
fn null_faults() {
    // SAFETY: null is allowed.
    let result = unsafe { read(core::ptr::null(), 16, Domain::Inet) };
    assert_eq!(result, Err(Errno(libc::EFAULT)));
}

#[test]
fn the_family_has_to_be_the_sockets_or_none() {
    let unspec = [0u8; 2];
    let mut unix = v4(80, [192, 0, 2, 1]);
    unix[..2].copy_from_slice(&(libc::AF_UNIX as sa_family_t).to_ne_bytes());
    for domain in [Domain::Inet, Domain::Inet6] {
        assert_eq!(read_bytes(&unspec, domain), Ok(Parsed::Unspec));
        assert_eq!(read_bytes(&unix, domain), Err(Errno(libc::EAFNOSUPPORT)));
    }
    assert_eq!(
        read_bytes(&v4(80, [192, 0, 2, 1]), Domain::Inet6),
        Err(Errno(libc::EAFNOSUPPORT))
    );
    assert_eq!(
        read_bytes(&v6(80, GLOBAL, 0), Domain::Inet),
        Err(Errno(libc::EAFNOSUPPORT))
    );
}

#[test]
fn a_link_local_address_without_the_stacks_scope_is_on_another_interface() {
    for scope in [0, 7] {
        let bytes = v6(80, LINK_LOCAL, scope);
        assert_eq!(
            read_bytes(&bytes, Domain::Inet6),
            Ok(Parsed::OtherInterface)
        );
    }
    let without_scope = &v6(80, LINK_LOCAL, 7)[..INET6_LEN_MIN];
    assert_eq!(
        read_bytes(without_scope, Domain::Inet6),
        Ok(Parsed::OtherInterface)
    );
}

#[test]
fn what_is_written_can_be_read_again() {
    for (domain, endpoint, len) in [
        (
            Domain::Inet,
            Endpoint::new(Addr::v4([192, 0, 2, 1]), 8080),
            16,
        ),
        (Domain::Inet6, Endpoint::new(Addr::v6(GLOBAL), 8080), 28),
        // An IPv4 peer of an IPv6 socket: v4-mapped.
        (
            Domain::Inet6,
            Endpoint::new(Addr::v4([192, 0, 2, 1]), 8080),
            28,
        ),
    ] {
        let address = SockAddr::new(endpoint, domain);
        assert_eq!(address.as_bytes().len(), len);
        assert_eq!(
            read_bytes(address.as_bytes(), domain),
            Ok(Parsed::Inet(endpoint))
        );
    }
}

#[test]
fn the_wildcard_of_an_ipv6_socket_is_all_zeros() {
    let address = SockAddr::new(Endpoint::new(Addr::v4([0; 4]), 80), Domain::Inet6);
    assert_eq!(address.as_bytes()[8..24], [0; 16]);
}

/// Writes an address to a buffer of 32 bytes that is said to have `room`; answers the buffer and the length.
fn written(room: socklen_t) -> ([u8; 32], socklen_t) {
    let (mut buffer, mut len) = ([0xee; 32], room);
    let endpoint = Endpoint::new(Addr::v4([192, 0, 2, 1]), 80);
    // SAFETY: the buffer is longer than `room`, the length writable.
    let result = unsafe {
        write(
            endpoint,
            Domain::Inet,
            buffer.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    assert_eq!(result, Ok(()));
    (buffer, len)
}

#[test]
fn a_short_buffer_gets_a_part_and_is_told_the_whole_length() {
    let whole = v4(80, [192, 0, 2, 1]);
    for room in [0, 1, 7, 15, 16, 32] {
        let (buffer, len) = written(room as socklen_t);
        let fits = room.min(16);
        assert_eq!(buffer[..fits], whole[..fits], "{room}");
        assert_eq!(buffer[fits..], [0xee; 32][fits..], "{room}");
        assert_eq!(len, 16, "{room}");
    }
}

#[test]
fn writing_needs_a_length_that_is_not_negative_and_a_buffer_for_it() {
    let endpoint = Endpoint::new(Addr::v4([192, 0, 2, 1]), 80);
    let mut buffer = [0u8; 32];
    let place: *mut sockaddr = buffer.as_mut_ptr().cast();
    let null = core::ptr::null_mut();
    let (mut negative, mut some, mut none) = (-1i32 as socklen_t, 16, 0);
    let cases: [(*mut sockaddr, *mut socklen_t, _); 4] = [
        (place, &raw mut negative, Err(Errno(libc::EINVAL))),
        (place, core::ptr::null_mut(), Err(Errno(libc::EFAULT))),
        (null, &raw mut some, Err(Errno(libc::EFAULT))),
        (null, &raw mut none, Ok(())),
    ];
    for (address, len, expected) in cases {
        // SAFETY: each pointer is null or leads to enough room.
        let result = unsafe { write(endpoint, Domain::Inet, address, len) };
        assert_eq!(result, expected);
    }
}
