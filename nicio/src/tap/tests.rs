use super::*;
use crate::conformance;
use crate::interface::is_up;
use crate::testing::{Pools, Sent, lab, noise, plain_header};

/// Two taps on a bridge, on which the kernel says nothing itself.
fn two_taps_on_a_bridge(ip: &dyn Fn(&str)) -> (Tap, Tap) {
    for setting in [
        "net/ipv6/conf/all/disable_ipv6",
        "net/ipv6/conf/default/disable_ipv6",
    ] {
        // Without IPv6 in the kernel there is nothing to keep quiet.
        let _ = std::fs::write(format!("/proc/sys/{setting}"), "1");
    }
    ip("link add wire type bridge mcast_snooping 0 forward_delay 0");
    for tap in ["left", "right"] {
        ip(&format!("tuntap add dev {tap} mode tap"));
        ip(&format!("link set {tap} master wire up"));
    }
    ip("link set wire up");
    let open = |name| Tap::open(name).expect("the tap is there");
    (open("left"), open("right"))
}

#[test]
fn two_taps_on_a_bridge_do_what_every_device_must() {
    lab(|ip| {
        let (mut left, mut right) = two_taps_on_a_bridge(ip);
        conformance::run(&mut left, &mut right);
        assert_eq!((left.frames_lost(), right.frames_lost()), (0, 0));
    });
}

#[test]
fn two_taps_do_the_same_by_plain_calls() {
    lab(|ip| {
        // In a process of its own, as the lab is.
        use_plain_calls();
        let (mut left, mut right) = two_taps_on_a_bridge(ip);
        conformance::run(&mut left, &mut right);
        assert_eq!((left.frames_lost(), right.frames_lost()), (0, 0));
    });
}

#[test]
fn a_tap_says_why_it_cannot_be_opened() {
    lab(|ip| {
        let name = |text: &str| text.parse::<InterfaceName>().expect("a good name");
        let refusal = |text: &str| Tap::open(text).expect_err("it cannot be opened");
        assert_eq!(refusal("none"), OpenError::NoDevice(name("none")));
        assert_eq!(
            refusal("none"),
            OpenError::NoDevice(name("none")),
            "none was made by trying"
        );
        assert_eq!(refusal("lo"), OpenError::NotATap(name("lo")));
        ip("tuntap add dev tunnel mode tun");
        assert_eq!(refusal("tunnel"), OpenError::NotATap(name("tunnel")));
        ip("tuntap add dev taken mode tap");
        let _holder = Tap::open("taken").expect("nobody has it");
        assert_eq!(refusal("taken"), OpenError::Busy(name("taken")));
        assert!(
            refusal("taken")
                .to_string()
                .starts_with("cannot open tap taken: another program")
        );
    });
}

#[test]
fn a_tap_that_is_down_loses_frames_and_one_that_is_removed_is_gone() {
    lab(|ip| {
        ip("tuntap add dev t0 mode tap");
        ip("link set t0 mtu 9000");
        let mut tap = Tap::open("t0").expect("the tap is there");
        assert_eq!(tap.caps().mtu, 9000);
        assert_eq!(is_up(tap.name()), Ok(false));
        let mut pools = Pools::new();
        let frame = Sent {
            header: plain_header(),
            payload: noise(60, 1),
            ..Sent::default()
        };
        pools.send_all(&mut tap, std::slice::from_ref(&frame), 1);
        assert_eq!(tap.frames_lost(), 1);
        ip("link set t0 up");
        assert_eq!(is_up(tap.name()), Ok(true));
        pools.send_all(&mut tap, std::slice::from_ref(&frame), 1);
        assert_eq!(tap.frames_lost(), 1);
        ip("link delete t0");
        let mut burst = RxBurst::new();
        pools.supply(&mut burst, usize::MAX);
        assert_eq!(tap.rx_burst(&mut burst), Err(NicError::Gone));
        let mut burst = TxBurst::new();
        pools.queue(&mut burst, &frame, 1);
        assert_eq!(tap.tx_burst(&mut burst), Err(NicError::Gone));
        assert_eq!(burst.pins().count(), 1, "what was not sent is still pinned");
    });
}

#[test]
fn an_attached_descriptor_can_be_taken_over() {
    lab(|ip| {
        ip("tuntap add dev t0 mode tap");
        let tap = Tap::open("t0").expect("the tap is there");
        let copies = tap.handles().try_map(|fd| sys::duplicate(*fd));
        let again =
            Tap::from_handles(copies.expect("descriptors are left")).expect("it is attached");
        assert_eq!((again.name(), again.caps()), (tap.name(), tap.caps()));
        let null = std::fs::File::open("/dev/null").expect("there is always /dev/null");
        let refusal = Tap::from_fd(std::os::fd::OwnedFd::from(null)).expect_err("no tap");
        assert!(matches!(refusal, OpenError::Io("TUNGETIFF", _)));
    });
}

#[test]
fn names_that_no_interface_has_are_refused_before_anything_is_touched() {
    for name in [
        "",
        "sixteen-bytes-xx",
        "a/b",
        "a b",
        "tap%d",
        ".",
        "..",
        "a:b",
        "a\0b",
    ] {
        assert!(
            matches!(Tap::open(name), Err(OpenError::BadName(_))),
            "{name:?}"
        );
    }
}
