use stack::CcKind;
use zerocopy::IntoBytes;

use super::*;

/// What the program gets, with `room` for so many bytes, if the stack has this number for the option.
fn given(level: c_int, name: c_int, number: u64, room: usize) -> Option<Vec<u8>> {
    let (_, form) = find(level, name)?;
    let answer = form(number).expect("a good number");
    Some(answer.bytes(room).to_vec())
}

#[test]
fn each_option_is_the_stacks_of_its_name() {
    use libc::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET};
    for (level, name, option) in [
        (SOL_SOCKET, libc::SO_REUSEADDR, OptName::ReuseAddr),
        (SOL_SOCKET, libc::SO_REUSEPORT, OptName::ReusePort),
        (SOL_SOCKET, libc::SO_BROADCAST, OptName::Broadcast),
        (SOL_SOCKET, libc::SO_KEEPALIVE, OptName::KeepAlive),
        (SOL_SOCKET, libc::SO_SNDBUF, OptName::SendBuffer),
        (SOL_SOCKET, libc::SO_RCVBUF, OptName::ReceiveBuffer),
        (SOL_SOCKET, libc::SO_RCVLOWAT, OptName::RcvLowat),
        (SOL_SOCKET, libc::SO_LINGER, OptName::Linger),
        (SOL_SOCKET, libc::SO_MAX_PACING_RATE, OptName::MaxPacingRate),
        (IPPROTO_TCP, libc::TCP_NODELAY, OptName::NoDelay),
        (IPPROTO_TCP, libc::TCP_CORK, OptName::Cork),
        (IPPROTO_TCP, libc::TCP_QUICKACK, OptName::QuickAck),
        (IPPROTO_TCP, libc::TCP_MAXSEG, OptName::MaxSegment),
        (IPPROTO_TCP, libc::TCP_KEEPIDLE, OptName::KeepIdle),
        (IPPROTO_TCP, libc::TCP_KEEPINTVL, OptName::KeepInterval),
        (IPPROTO_TCP, libc::TCP_KEEPCNT, OptName::KeepCount),
        (IPPROTO_TCP, libc::TCP_SYNCNT, OptName::SynCount),
        (IPPROTO_TCP, libc::TCP_LINGER2, OptName::Linger2),
        (IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, OptName::DeferAccept),
        (IPPROTO_TCP, libc::TCP_WINDOW_CLAMP, OptName::WindowClamp),
        (IPPROTO_TCP, libc::TCP_USER_TIMEOUT, OptName::UserTimeout),
        (IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, OptName::NotSentLowat),
        (IPPROTO_TCP, libc::TCP_CONGESTION, OptName::Congestion),
        (IPPROTO_IP, libc::IP_TOS, OptName::Tos),
        (IPPROTO_IP, libc::IP_TTL, OptName::Ttl),
        (IPPROTO_IPV6, libc::IPV6_V6ONLY, OptName::V6Only),
        (IPPROTO_IPV6, libc::IPV6_TCLASS, OptName::Tos),
        (IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, OptName::Ttl),
    ] {
        let found = find(level, name).map(|(option, _)| option);
        assert_eq!(found, Some(option), "{level} {name}");
    }
    assert!(find(SOL_SOCKET, 9999).is_none());
    assert!(find(9999, libc::SO_REUSEADDR).is_none());
}

#[test]
fn a_number_is_an_int_which_its_largest_value_bounds() {
    let size = |number| given(libc::SOL_SOCKET, libc::SO_SNDBUF, number, 4);
    assert_eq!(size(9), Some(9i32.to_ne_bytes().to_vec()));
    assert_eq!(size(1 << 40), Some(c_int::MAX.to_ne_bytes().to_vec()));
}

#[test]
fn numbers_without_a_bound_keep_their_lowest_bits() {
    for (name, number) in [
        (libc::TCP_LINGER2, -1i64 as u64),
        (libc::TCP_NOTSENT_LOWAT, u64::from(u32::MAX)),
    ] {
        let value = given(libc::IPPROTO_TCP, name, number, 4);
        assert_eq!(value, Some((-1i32).to_ne_bytes().to_vec()), "{name}");
    }
}

#[test]
fn options_of_ip_fit_into_one_byte() {
    let ttl = |room| given(libc::IPPROTO_IP, libc::IP_TTL, 64, room);
    for room in [1, 2, 3] {
        assert_eq!(ttl(room), Some(vec![64]), "{room}");
    }
    for room in [0, 4, 8] {
        assert_eq!(ttl(room), Some(64i32.to_ne_bytes().to_vec()), "{room}");
    }
    let hops = given(libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 64, 1);
    assert_eq!(hops, Some(64i32.to_ne_bytes().to_vec()));
}

#[test]
fn linger_is_a_switch_and_a_time() {
    let linger = |number| given(libc::SOL_SOCKET, libc::SO_LINGER, number, 8);
    assert_eq!(linger(0), Some([0i32, 0].as_bytes().to_vec()));
    assert_eq!(linger(1), Some([1i32, 0].as_bytes().to_vec()));
    assert_eq!(linger(6), Some([1i32, 5].as_bytes().to_vec()));
}

#[test]
fn a_pacing_rate_has_four_bytes_where_there_is_no_room_for_eight() {
    let rate = |room| given(libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE, u64::MAX, room);
    assert_eq!(rate(7), Some(vec![0xff; 4]));
    assert_eq!(rate(8), Some(vec![0xff; 8]));
}

#[test]
fn a_congestion_control_is_a_name_of_sixteen_bytes() {
    let number = CcKind::Cubic as u64;
    let name = given(libc::IPPROTO_TCP, libc::TCP_CONGESTION, number, 16);
    assert_eq!(name, Some(b"cubic\0\0\0\0\0\0\0\0\0\0\0".to_vec()));
    let (_, form) = find(libc::IPPROTO_TCP, libc::TCP_CONGESTION).expect("an option");
    assert!(form(255).is_err());
}

#[test]
fn a_timeout_is_a_timeval_rounded_up() {
    let value = |ns| time(ns).bytes(16).to_vec();
    assert_eq!(value(0), [0i64, 0].as_bytes());
    assert_eq!(value(1), [0i64, 1].as_bytes());
    assert_eq!(value(2_000_005_000), [2i64, 5].as_bytes());
}
