use super::*;

const INVALID: Result<Setting, Errno> = Err(Errno(libc::EINVAL));

fn parse_bytes(level: c_int, name: c_int, value: &[u8]) -> Result<Setting, Errno> {
    // SAFETY: the slice is readable for its length.
    let value = unsafe { Value::read(value.as_ptr().cast(), value.len() as socklen_t) }?;
    parse(level, name, &value)
}

fn parse_int(level: c_int, name: c_int, value: c_int) -> Result<Setting, Errno> {
    parse_bytes(level, name, &value.to_ne_bytes())
}

fn sets(option: SockOpt) -> Result<Setting, Errno> {
    Ok(Setting::Stack(option))
}

#[test]
fn each_option_of_one_number_reaches_the_stack_under_its_name() {
    use libc::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET};
    for (level, name, value, option) in [
        (SOL_SOCKET, libc::SO_REUSEADDR, 2, SockOpt::ReuseAddr(true)),
        (SOL_SOCKET, libc::SO_REUSEPORT, 1, SockOpt::ReusePort(true)),
        (SOL_SOCKET, libc::SO_BROADCAST, 1, SockOpt::Broadcast(true)),
        (SOL_SOCKET, libc::SO_KEEPALIVE, 0, SockOpt::KeepAlive(false)),
        (SOL_SOCKET, libc::SO_SNDBUF, 9, SockOpt::SendBuffer(9)),
        (SOL_SOCKET, libc::SO_SNDBUFFORCE, 9, SockOpt::SendBuffer(9)),
        (SOL_SOCKET, libc::SO_RCVBUF, 9, SockOpt::ReceiveBuffer(9)),
        (
            SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            -1,
            SockOpt::ReceiveBuffer(0xffff_ffff),
        ),
        (SOL_SOCKET, libc::SO_RCVLOWAT, 9, SockOpt::RcvLowat(9)),
        (
            SOL_SOCKET,
            libc::SO_RCVLOWAT,
            -1,
            SockOpt::RcvLowat(c_int::MAX as u32),
        ),
        (IPPROTO_TCP, libc::TCP_NODELAY, 1, SockOpt::NoDelay(true)),
        (IPPROTO_TCP, libc::TCP_CORK, 1, SockOpt::Cork(true)),
        (IPPROTO_TCP, libc::TCP_QUICKACK, 0, SockOpt::QuickAck(false)),
        (IPPROTO_TCP, libc::TCP_LINGER2, -1, SockOpt::Linger2(-1)),
        (
            IPPROTO_TCP,
            libc::TCP_DEFER_ACCEPT,
            -1,
            SockOpt::DeferAccept(0),
        ),
        (
            IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            -1,
            SockOpt::NotSentLowat(u32::MAX),
        ),
        (IPPROTO_IP, libc::IP_TOS, 0x10, SockOpt::Tos(0x10)),
        (IPPROTO_IP, libc::IP_TTL, -1, SockOpt::Ttl(64)),
        (IPPROTO_IPV6, libc::IPV6_V6ONLY, 1, SockOpt::V6Only(true)),
        (IPPROTO_IPV6, libc::IPV6_TCLASS, -1, SockOpt::Tos(0)),
        (IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 9, SockOpt::Ttl(9)),
    ] {
        let parsed = parse_int(level, name, value);
        assert_eq!(parsed, sets(option), "{level} {name} {value}");
    }
}

#[test]
fn numbers_outside_an_options_range_are_invalid() {
    use libc::{IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP};
    type Make = fn(u32) -> SockOpt;
    let ranges: [(c_int, c_int, c_int, c_int, Make); 10] = [
        (IPPROTO_TCP, libc::TCP_MAXSEG, 88, 32767, |value| {
            SockOpt::MaxSegment(value as u16)
        }),
        (IPPROTO_TCP, libc::TCP_KEEPIDLE, 1, 32767, SockOpt::KeepIdle),
        (
            IPPROTO_TCP,
            libc::TCP_KEEPINTVL,
            1,
            32767,
            SockOpt::KeepInterval,
        ),
        (IPPROTO_TCP, libc::TCP_KEEPCNT, 1, 127, SockOpt::KeepCount),
        (IPPROTO_TCP, libc::TCP_SYNCNT, 1, 127, |value| {
            SockOpt::SynCount(value as u8)
        }),
        (
            IPPROTO_TCP,
            libc::TCP_WINDOW_CLAMP,
            0,
            c_int::MAX,
            SockOpt::WindowClamp,
        ),
        (
            IPPROTO_TCP,
            libc::TCP_USER_TIMEOUT,
            0,
            c_int::MAX,
            SockOpt::UserTimeout,
        ),
        (IPPROTO_IP, libc::IP_TTL, 1, 255, |value| {
            SockOpt::Ttl(value as u8)
        }),
        (IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS, 1, 255, |value| {
            SockOpt::Ttl(value as u8)
        }),
        (IPPROTO_IPV6, libc::IPV6_TCLASS, 0, 255, |value| {
            SockOpt::Tos(value as u8)
        }),
    ];
    for (level, name, lowest, highest, option) in ranges {
        for value in [lowest, highest] {
            let parsed = parse_int(level, name, value);
            assert_eq!(parsed, sets(option(value as u32)), "{level} {name} {value}");
        }
        // Below some ranges lies a value with a meaning of its own: 0 or -1.
        let below = lowest.min(0) - 2;
        for value in [Some(below), highest.checked_add(1)].into_iter().flatten() {
            assert_eq!(
                parse_int(level, name, value),
                INVALID,
                "{level} {name} {value}"
            );
        }
    }
    assert_eq!(
        parse_int(IPPROTO_TCP, libc::TCP_MAXSEG, 0),
        sets(SockOpt::MaxSegment(0))
    );
    for value in [1, 87] {
        assert_eq!(parse_int(IPPROTO_TCP, libc::TCP_MAXSEG, value), INVALID);
    }
    assert_eq!(parse_int(IPPROTO_TCP, libc::TCP_KEEPIDLE, 0), INVALID);
}

#[test]
fn a_value_that_is_too_short_is_invalid() {
    for (level, name, len) in [
        (libc::SOL_SOCKET, libc::SO_REUSEADDR, 3),
        (libc::SOL_SOCKET, libc::SO_LINGER, 7),
        (libc::SOL_SOCKET, libc::SO_RCVTIMEO, 15),
        (libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE, 3),
        (libc::SOL_SOCKET, libc::SO_PRIORITY, 3),
        (libc::IPPROTO_TCP, libc::TCP_NODELAY, 0),
        (libc::IPPROTO_IP, libc::IP_TOS, 0),
        (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 3),
    ] {
        let parsed = parse_bytes(level, name, &[0; 16][..len]);
        assert_eq!(parsed, INVALID, "{level} {name}");
    }
}

#[test]
fn options_of_ip_may_be_one_byte() {
    let tos = |value: &[u8]| parse_bytes(libc::IPPROTO_IP, libc::IP_TOS, value);
    assert_eq!(tos(&[0x20]), sets(SockOpt::Tos(0x20)));
    assert_eq!(tos(&[0x20, 0xff, 0xff]), sets(SockOpt::Tos(0x20)));
    assert_eq!(tos(&0x0000_0020i32.to_ne_bytes()), sets(SockOpt::Tos(0x20)));
}

#[test]
fn linger_has_a_switch_and_a_time() {
    let linger = |on: c_int, seconds: c_int| {
        let value = [on.to_ne_bytes(), seconds.to_ne_bytes()].concat();
        parse_bytes(libc::SOL_SOCKET, libc::SO_LINGER, &value)
    };
    assert_eq!(linger(0, 5), sets(SockOpt::Linger(None)));
    assert_eq!(linger(1, 5), sets(SockOpt::Linger(Some(5))));
    assert_eq!(linger(1, 0), sets(SockOpt::Linger(Some(0))));
}

#[test]
fn timeouts_are_timevals() {
    let timeout = |name, seconds: i64, micros: i64| {
        let value = [seconds.to_ne_bytes(), micros.to_ne_bytes()].concat();
        parse_bytes(libc::SOL_SOCKET, name, &value)
    };
    assert_eq!(
        timeout(libc::SO_RCVTIMEO, 2, 5),
        Ok(Setting::ReceiveTimeout(2_000_005_000))
    );
    assert_eq!(
        timeout(libc::SO_SNDTIMEO, 0, 0),
        Ok(Setting::SendTimeout(0))
    );
    // A negative time has passed already.
    assert_eq!(
        timeout(libc::SO_SNDTIMEO, -1, 0),
        Ok(Setting::SendTimeout(1))
    );
    for micros in [-1, 1_000_000] {
        assert_eq!(
            timeout(libc::SO_RCVTIMEO, 0, micros),
            Err(Errno(libc::EDOM))
        );
    }
    assert_eq!(
        timeout(libc::SO_RCVTIMEO, i64::MAX, 0),
        Ok(Setting::ReceiveTimeout(u64::MAX))
    );
}

#[test]
fn a_pacing_rate_has_four_or_eight_bytes_and_all_ones_for_no_limit() {
    let rate = |value: &[u8]| parse_bytes(libc::SOL_SOCKET, libc::SO_MAX_PACING_RATE, value);
    assert_eq!(rate(&9u32.to_ne_bytes()), sets(SockOpt::MaxPacingRate(9)));
    assert_eq!(
        rate(&(1u64 << 40).to_ne_bytes()),
        sets(SockOpt::MaxPacingRate(1 << 40))
    );
    assert_eq!(rate(&[0xff; 4]), sets(SockOpt::MaxPacingRate(u64::MAX)));
}

#[test]
fn a_congestion_control_is_named_with_or_without_a_zero_byte() {
    let named = |value: &[u8]| parse_bytes(libc::IPPROTO_TCP, libc::TCP_CONGESTION, value);
    for value in [&b"cubic"[..], b"cubic\0", b"cubic\0bbr"] {
        assert_eq!(named(value), sets(SockOpt::Congestion(CcKind::Cubic)));
    }
    assert_eq!(named(b"vegas"), Err(Errno(libc::ENOENT)));
    assert_eq!(named(b"\xff"), Err(Errno(libc::ENOENT)));
    for empty in [&b""[..], b"\0"] {
        assert_eq!(named(empty), INVALID);
    }
}

#[test]
fn hints_are_taken_and_unknown_options_are_not() {
    assert_eq!(
        parse_int(libc::SOL_SOCKET, libc::SO_PRIORITY, 6),
        Ok(Setting::Hint)
    );
    assert_eq!(
        parse_int(libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, 2),
        Ok(Setting::Hint)
    );
    for (level, name) in [
        (libc::SOL_SOCKET, libc::SO_TYPE),
        (libc::IPPROTO_TCP, libc::TCP_INFO),
        (libc::IPPROTO_IP, 9999),
        (libc::IPPROTO_IPV6, 9999),
        (9999, libc::SO_REUSEADDR),
    ] {
        assert_eq!(parse_int(level, name, 1), Err(UNKNOWN), "{level} {name}");
    }
}

#[test]
fn a_value_is_refused_for_a_negative_length_or_a_null_pointer() {
    let one = 1;
    let place: *const c_int = &raw const one;
    // SAFETY: nothing is read with such a length.
    let negative = unsafe { Value::read(place.cast(), -1i32 as socklen_t) };
    assert_eq!(negative.err(), Some(Errno(libc::EINVAL)));
    // SAFETY: null is allowed.
    let null = unsafe { Value::read(core::ptr::null(), 4) };
    assert_eq!(null.err(), Some(Errno(libc::EFAULT)));
    // SAFETY: null is allowed.
    let empty = unsafe { Value::read(core::ptr::null(), 0) };
    assert!(empty.is_ok());
}
