use super::*;

fn kernel_socket(kind: c_int) -> sys::OwnedFd {
    sys::socket(libc::AF_INET, kind | libc::SOCK_CLOEXEC, 0).expect("a socket")
}

#[test]
fn it_is_known_by_each_of_its_descriptors_and_by_no_other() {
    for (kind, number) in [
        (SockKind::Stream, libc::SOCK_STREAM),
        (SockKind::Datagram, libc::SOCK_DGRAM),
    ] {
        let (socket, other) = (kernel_socket(number), kernel_socket(number));
        let copy = sys::duplicate(socket.as_raw()).expect("a copy");
        let noted = HandedOver::new(socket.as_raw(), kind).expect("a cookie");
        assert_eq!(noted.kind(), kind);
        assert!(noted.is_behind(socket.as_raw()));
        assert!(noted.is_behind(copy.as_raw()));
        assert!(!noted.is_behind(other.as_raw()));
        assert!(!noted.is_behind(-1));
    }
}

#[test]
fn a_note_is_kept_until_it_is_forgotten() {
    let socket = kernel_socket(libc::SOCK_DGRAM);
    let fd = socket.as_raw();
    let noted = HandedOver::new(fd, SockKind::Datagram).expect("a cookie");
    assert!(HandedOver::noted(fd).is_none());
    noted.note(fd);
    assert!(HandedOver::noted(fd) == Some(noted));
    HandedOver::forget(fd);
    assert!(HandedOver::noted(fd).is_none());
}

#[test]
fn a_connected_stream_and_a_loopback_address_leave_no_choice() {
    let stream = kernel_socket(libc::SOCK_STREAM);
    let noted = HandedOver::new(stream.as_raw(), SockKind::Stream).expect("a cookie");
    assert!(noted.is_free(stream.as_raw()));
    sys::listen(stream.as_raw(), 1).expect("a listener");
    assert!(!noted.is_free(stream.as_raw()));

    let datagrams = kernel_socket(libc::SOCK_DGRAM);
    let noted = HandedOver::new(datagrams.as_raw(), SockKind::Datagram).expect("a cookie");
    assert!(noted.is_free(datagrams.as_raw()));
    let loopback = stack::Addr::v4([127, 0, 0, 1]);
    let local =
        crate::address::SockAddr::new(stack::Endpoint::new(loopback, 0), stack::Domain::Inet);
    sys::bind(datagrams.as_raw(), local.as_bytes()).expect("a port");
    assert!(!noted.is_free(datagrams.as_raw()));
}
