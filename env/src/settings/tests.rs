use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use nicio::{NameError, SpecError};
use proptest::prelude::*;
use stack::{Addr, CcKind};

use super::*;
use crate::capture::LIMIT_RANGE;
use crate::mtu::MTU_RANGE;
use crate::testing::Made;
use crate::{Proto, Role, Route};

const NEEDED: [(&str, &str); 2] = [("NSTK_IF", "tap:tap0"), ("NSTK_ADDR", "10.0.0.2/24")];

/// Settings with the needed variables, and those given.
fn read(set: &[(&str, &str)]) -> Result<Option<Settings>, SettingsError> {
    let all: Vec<_> = NEEDED.iter().chain(set).copied().collect();
    Settings::read(&Made::new(&all))
}

fn good(set: &[(&str, &str)]) -> Settings {
    read(set)
        .expect("good settings")
        .expect("a device is named")
}

#[test]
fn without_a_device_the_library_stays_out_of_the_way() {
    assert_eq!(Settings::read(&Made::default()), Ok(None));
    assert_eq!(read(&[("NSTK_IF", " ")]), Ok(None));
    assert_eq!(
        read(&[("NSTK_IF", ""), ("NSTK_ADDR", "nonsense")]),
        Ok(None)
    );
}

#[test]
fn device_and_address_are_enough() {
    let settings = good(&[]);
    assert_eq!(settings.device.to_string(), "tap:tap0");
    assert_eq!(settings.stack.addr, Addr::v4([10, 0, 0, 2]));
    assert_eq!(settings.stack.prefix_len, 24);
    assert!(settings.stack.gateway.is_unspecified());
    assert_eq!(
        settings.stack.mac,
        [0x02, 0x4e, 10, 0, 0, 2],
        "locally administered, no group"
    );
    assert_eq!(settings.stack.mtu, 0, "the device's");
    assert_eq!(settings.on_failure, None);
    assert_eq!((settings.log, settings.warnings), (None, vec![]));
    assert_eq!(settings.capture, None);
}

#[test]
fn the_loopback_addresses_are_the_kernels_unless_the_stack_is_to_have_them() {
    for (word, loopback) in [("kernel", 0), ("stack", 1), (" ", 0)] {
        assert_eq!(good(&[("NSTK_LOOPBACK", word)]).stack.loopback, loopback);
    }
    let error = read(&[("NSTK_LOOPBACK", "yes")]).expect_err("no such word");
    assert_eq!(error.problem(), &Problem::LoopbackWord);
}

/// What the stack is told with this NSTK_ADDR and NSTK_GATEWAY.
fn placed(addr: &str, gateway: &str) -> stack::Config {
    good(&[("NSTK_ADDR", addr), ("NSTK_GATEWAY", gateway)]).stack
}

#[test]
fn an_address_of_each_family_may_be_given_in_any_order() {
    let v6 = |text: &str| Addr::from(text.parse::<std::net::IpAddr>().expect("an address"));
    let both = placed("10.0.0.2/24,fd00::2/64", "fe80::1, 10.0.0.1");
    assert_eq!(
        (both.addr, both.prefix_len, both.gateway),
        (v6("10.0.0.2"), 24, v6("10.0.0.1"))
    );
    assert_eq!(
        (both.addr6, both.prefix_len6, both.gateway6),
        (v6("fd00::2"), 64, v6("fe80::1"))
    );
    assert_eq!(
        placed(" fd00::2/64 , 10.0.0.2/24 ", "10.0.0.1,fe80::1"),
        both
    );
    assert_eq!(both.mac, [0x02, 0x4e, 10, 0, 0, 2]);

    let only_v6 = placed("fd00::abcd:2/64", "fd00::1");
    assert!(only_v6.has_v6() && !only_v6.has_v4());
    assert_eq!(only_v6.mac, [0x02, 0x4e, 0xab, 0xcd, 0, 2]);
    assert_eq!(
        (only_v6.gateway, only_v6.gateway6),
        (Addr::UNSPECIFIED, v6("fd00::1"))
    );
}

#[test]
fn ipv6_needs_a_link_of_its_least_size() {
    let with_mtu = |mtu| read(&[("NSTK_ADDR", "fd00::2/64"), ("NSTK_MTU", mtu)]);
    assert_eq!(
        with_mtu("1279").map_err(|error| error.problem().clone()),
        Err(Problem::MtuForIpv6)
    );
    assert_eq!(
        with_mtu("1280").map(|found| found.map(|s| s.stack.mtu)),
        Ok(Some(1280))
    );
}

#[test]
fn every_variable_is_obeyed() {
    let settings = good(&[
        ("NSTK_IF", "\"tap:other\""),
        ("NSTK_ADDR", " 192.168.7.9/16 "),
        ("NSTK_GATEWAY", "192.168.0.1"),
        ("NSTK_MAC", "02:AB:cd-00:00:01"),
        ("NSTK_MTU", "9000"),
        ("NSTK_SYSCTL", "net.ipv4.tcp_congestion_control=bbr"),
        ("NSTK_BYPASS", "kernel tcp connect :22"),
        ("NSTK_LOG", "nstk_stack=debug,info"),
        ("NSTK_FAIL", "exit"),
        ("NSTK_PCAP", "/tmp/frames.pcapng"),
        ("NSTK_PCAP_LIMIT", "64M"),
    ]);
    assert_eq!(settings.device.to_string(), "tap:other");
    assert_eq!(settings.stack.addr, Addr::v4([192, 168, 7, 9]));
    assert_eq!(settings.stack.prefix_len, 16);
    assert_eq!(settings.stack.gateway, Addr::v4([192, 168, 0, 1]));
    assert_eq!(settings.stack.mac, [2, 0xab, 0xcd, 0, 0, 1]);
    assert_eq!(settings.stack.mtu, 9000);
    assert_eq!(settings.stack.congestion_kind(), CcKind::Bbr);
    let route = settings
        .bypass
        .decide(Proto::Tcp, Role::Connect, settings.stack.gateway, 22);
    assert_eq!(route, Some(Route::Kernel));
    assert_eq!(settings.log.as_deref(), Some("nstk_stack=debug,info"));
    assert_eq!(settings.on_failure, Some(OnFailure::Exit));
    let capture = settings.capture.expect("a file is named");
    assert_eq!(capture.path.to_str(), Some("/tmp/frames.pcapng"));
    assert_eq!(capture.limit_bytes, 64 << 20);
}

#[test]
fn the_ancestor_s_sysctls_are_a_layer_below_ours() {
    let ancestor = ("LKL_SYSCTL", "net.ipv4.tcp_sack=0;net.ipv4.nonsense=1");
    let settings = good(&[ancestor]);
    assert_eq!((settings.stack.sack, settings.warnings.len()), (0, 1));
    assert!(settings.warnings[0].starts_with("LKL_SYSCTL: net.ipv4.nonsense ignored"));
    let settings = good(&[ancestor, ("NSTK_SYSCTL", "net.ipv4.tcp_timestamps=0")]);
    assert_eq!((settings.stack.sack, settings.stack.timestamps), (0, 0));
    assert_eq!(settings.warnings.len(), 1);
    let settings = good(&[ancestor, ("NSTK_SYSCTL", "net.ipv4.tcp_sack=1")]);
    assert_eq!(settings.stack.sack, 1);
}

#[test]
fn a_bad_value_is_an_error_that_names_the_variable() {
    let bad_name = |error| Problem::Device(SpecError::BadName(error));
    for (variable, value, problem) in [
        ("NSTK_IF", "tap0", Problem::Device(SpecError::NoKind)),
        (
            "NSTK_IF",
            "pcap:tap0",
            Problem::Device(SpecError::UnknownKind),
        ),
        ("NSTK_IF", "tap:", bad_name(NameError::Empty)),
        (
            "NSTK_IF",
            "tap:a-name-too-long-",
            bad_name(NameError::TooLong),
        ),
        ("NSTK_IF", "tap:a b", bad_name(NameError::Characters)),
        ("NSTK_ADDR", "10.0.0.2", Problem::AddressForm),
        ("NSTK_ADDR", "10.0.0.2/", Problem::AddressForm),
        ("NSTK_ADDR", "10.0.0/24", Problem::AddressForm),
        ("NSTK_ADDR", "10.0.0.2/+24", Problem::AddressForm),
        ("NSTK_ADDR", "host/24", Problem::AddressForm),
        ("NSTK_ADDR", "2001:db8::1", Problem::AddressForm),
        ("NSTK_ADDR", "2001:db8::g/64", Problem::AddressForm),
        ("NSTK_ADDR", "10.0.0.2/24,", Problem::AddressForm),
        (
            "NSTK_ADDR",
            "10.0.0.2/24,10.0.0.3/24",
            Problem::AddressTwice,
        ),
        ("NSTK_ADDR", "fd00::2/64,fd00::3/64", Problem::AddressTwice),
        ("NSTK_ADDR", "fd00::2/129", Problem::Prefix),
        ("NSTK_ADDR", "fd00::2/0", Problem::Prefix),
        ("NSTK_ADDR", "fd00::/64", Problem::NotAHost),
        ("NSTK_ADDR", "::1/128", Problem::NotAHost),
        ("NSTK_ADDR", "ff02::1/64", Problem::NotAHost),
        ("NSTK_ADDR", "fe80::2/64", Problem::NotAHost),
        ("NSTK_ADDR", "::ffff:10.0.0.2/120", Problem::NotAHost),
        ("NSTK_ADDR", "10.0.0.2/33", Problem::Prefix),
        ("NSTK_ADDR", "10.0.0.2/0", Problem::Prefix),
        ("NSTK_ADDR", "10.0.0.2/999", Problem::Prefix),
        ("NSTK_ADDR", "0.0.0.0/8", Problem::NotAHost),
        ("NSTK_ADDR", "127.0.0.1/8", Problem::NotAHost),
        ("NSTK_ADDR", "224.0.0.1/24", Problem::NotAHost),
        ("NSTK_ADDR", "255.255.255.255/32", Problem::NotAHost),
        ("NSTK_ADDR", "10.0.0.0/24", Problem::NotAHost),
        ("NSTK_ADDR", "10.0.0.255/24", Problem::NotAHost),
        ("NSTK_GATEWAY", "10.0.0.1/24", Problem::GatewayForm),
        ("NSTK_GATEWAY", "gate", Problem::GatewayForm),
        ("NSTK_GATEWAY", "10.0.0.1,10.0.0.3", Problem::AddressTwice),
        ("NSTK_GATEWAY", "fd00::1", Problem::GatewayUnreachable),
        ("NSTK_GATEWAY", "10.0.1.1", Problem::GatewayUnreachable),
        ("NSTK_GATEWAY", "10.0.0.2", Problem::GatewayUnreachable),
        ("NSTK_GATEWAY", "10.0.0.255", Problem::GatewayUnreachable),
        ("NSTK_MAC", "02:00:00:00:00", Problem::MacForm),
        ("NSTK_MAC", "02:00:00:00:00:00:00", Problem::MacForm),
        ("NSTK_MAC", "2:0:0:0:0:1", Problem::MacForm),
        ("NSTK_MAC", "02:00:00:00:00:+1", Problem::MacForm),
        ("NSTK_MAC", "01:00:5e:00:00:01", Problem::MacNotAHost),
        ("NSTK_MAC", "00:00:00:00:00:00", Problem::MacNotAHost),
        ("NSTK_MTU", "67", Problem::Number(MTU_RANGE)),
        ("NSTK_MTU", "65536", Problem::Number(MTU_RANGE)),
        ("NSTK_MTU", "many", Problem::Number(MTU_RANGE)),
        ("NSTK_FAIL", "panic", Problem::FailWord),
        ("NSTK_PCAP_LIMIT", "5", Problem::Size(LIMIT_RANGE)),
        ("NSTK_BYPASS", "tcp", Problem::RuleRoute("tcp".to_owned())),
        ("NSTK_SYSCTL_INHERIT", "yes", Problem::Switch),
    ] {
        let error = read(&[(variable, value)]).expect_err(value);
        assert_eq!(
            (error.variable().name(), error.problem()),
            (variable, &problem),
            "{value}"
        );
        let line = error.to_string();
        assert!(line.starts_with(&format!("{variable}={value}: ")), "{line}");
    }
}

#[test]
fn errors_say_what_why_and_what_to_do_on_one_line() {
    let error = |variable, value| read(&[(variable, value)]).expect_err(value).to_string();
    assert_eq!(
        error("NSTK_ADDR", "10.0.0.2"),
        "NSTK_ADDR=10.0.0.2: is no address with a prefix length; write it as 10.0.0.2/24, \
         fd00::2/64 or both with a comma between"
    );
    assert_eq!(
        error("NSTK_MTU", "9"),
        "NSTK_MTU=9: must be a number in 68..=65535 bytes"
    );
    assert_eq!(
        error("NSTK_ADDR", ""),
        "NSTK_ADDR: is not set, but NSTK_IF is; give the stack an address of its own, such as \
         NSTK_ADDR=10.0.0.2/24"
    );
    assert_eq!(
        error("NSTK_FAIL", "a\nb"),
        "NSTK_FAIL=a\\nb: is not known; use `kernel` (go on with the kernel's stack) or `exit`"
    );
}

#[test]
fn bytes_that_are_no_text_are_an_error_of_their_variable() {
    for (name, variable) in [
        ("NSTK_LOG", Variable::Log),
        ("LKL_HIJACK_SYSCTL", Variable::Sysctl),
    ] {
        let mut made = Made::default();
        made.set(name, OsString::from_vec(vec![b'a', 0xff]));
        let error = Settings::read(&made).expect_err("no text");
        assert_eq!(
            (error.variable(), error.problem()),
            (variable, &Problem::NotText)
        );
        assert!(
            error.to_string().starts_with(&format!("{name}=a")),
            "{error}"
        );
    }
}

#[test]
fn the_fingerprint_follows_what_a_family_shares_and_nothing_else() {
    let fingerprint = |set: &[(&str, &str)]| good(set).fingerprint();
    let plain = fingerprint(&[]);
    for same in [
        ("NSTK_LOG", "info"),
        ("NSTK_FAIL", "exit"),
        ("NSTK_PCAP", "frames.pcapng"),
        ("NSTK_BYPASS", "kernel :22"),
        ("NSTK_SYSCTL", "net.ipv4.tcp_sack=1;nonsense=2"),
        ("NSTK_MAC", "02:4e:0a:00:00:02"),
    ] {
        assert_eq!(fingerprint(&[same]), plain, "{same:?}");
    }
    for other in [
        ("NSTK_IF", "tap:tap1"),
        ("NSTK_ADDR", "10.0.0.3/24"),
        ("NSTK_ADDR", "10.0.0.2/25"),
        ("NSTK_ADDR", "10.0.0.2/24,fd00::2/64"),
        ("NSTK_GATEWAY", "10.0.0.1"),
        ("NSTK_MAC", "02:00:00:00:00:01"),
        ("NSTK_MTU", "1500"),
        ("NSTK_SYSCTL", "net.ipv4.tcp_sack=0"),
    ] {
        assert_ne!(fingerprint(&[other]), plain, "{other:?}");
    }
}

proptest! {
    #[test]
    fn no_value_of_any_variable_panics_and_every_error_is_one_line(
        variable in prop::sample::select(vec![
            "NSTK_IF", "NSTK_ADDR", "NSTK_GATEWAY", "NSTK_MAC", "NSTK_MTU", "NSTK_SYSCTL",
            "LKL_SYSCTL", "LKL_HIJACK_SYSCTL", "NSTK_SYSCTL_INHERIT", "NSTK_CONFIG", "NSTK_BYPASS", "NSTK_LOG", "NSTK_FAIL", "NSTK_PCAP", "NSTK_PCAP_LIMIT",
        ]),
        value in "\\PC{0,40}|[0-9a-f:./ ]{0,30}|tap:\\PC{0,20}|[\\x01-\\x7f]{0,40}",
    ) {
        if let Err(error) = read(&[(variable, &value)]) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }
}
