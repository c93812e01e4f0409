use proptest::prelude::*;

use super::*;

const TEN: [u8; 4] = [10, 0, 0, 1];

fn decide(rules: &str, proto: Proto, role: Role, addr: [u8; 4], port: u16) -> Option<Route> {
    Bypass::parse(rules)
        .expect("good rules")
        .decide(proto, role, Addr::v4(addr), port)
}

#[test]
fn the_first_rule_that_matches_wins() {
    use Proto::{Tcp, Udp};
    use Role::{Connect, Listen};
    use Route::{Kernel, Stack};
    for (rules, proto, role, addr, port, expected) in [
        ("", Tcp, Connect, TEN, 80, None),
        (" ; ;", Tcp, Connect, TEN, 80, None),
        ("kernel", Udp, Listen, TEN, 80, Some(Kernel)),
        ("'stack; kernel'", Tcp, Connect, TEN, 80, Some(Stack)),
        ("kernel tcp", Udp, Connect, TEN, 80, None),
        ("kernel tcp connect", Tcp, Listen, TEN, 80, None),
        ("kernel listen", Udp, Listen, TEN, 80, Some(Kernel)),
        ("kernel :22; stack", Tcp, Connect, TEN, 22, Some(Kernel)),
        ("kernel :22; stack", Tcp, Connect, TEN, 23, Some(Stack)),
        ("kernel :20-25", Tcp, Connect, TEN, 25, Some(Kernel)),
        ("kernel :20-25", Tcp, Connect, TEN, 26, None),
        ("kernel 10.0.0.0/8", Tcp, Connect, TEN, 1, Some(Kernel)),
        ("kernel 10.0.0.77/8", Tcp, Connect, TEN, 1, Some(Kernel)),
        ("kernel 10.0.0.2", Tcp, Connect, TEN, 1, None),
        (
            "kernel 0.0.0.0/0:1",
            Tcp,
            Connect,
            [255; 4],
            1,
            Some(Kernel),
        ),
        (
            "kernel udp connect 10.0.0.0/31:53",
            Udp,
            Connect,
            TEN,
            53,
            Some(Kernel),
        ),
        ("kernel [::/0]:1-2", Tcp, Connect, TEN, 1, Some(Kernel)),
        ("kernel [2001:db8::/32]", Tcp, Connect, TEN, 1, None),
    ] {
        assert_eq!(decide(rules, proto, role, addr, port), expected, "{rules}");
    }
    let v6 = Bypass::parse("kernel [2001:db8::/32]:443").expect("good rules");
    let inside = Addr::from(
        "2001:db8:1::1"
            .parse::<std::net::IpAddr>()
            .expect("an address"),
    );
    assert_eq!(v6.decide(Tcp, Connect, inside, 443), Some(Kernel));
}

#[test]
fn a_bad_rule_is_named_with_its_reason() {
    for (rule, problem) in [
        ("tcp", Problem::RuleRoute),
        ("Kernel", Problem::RuleRoute),
        ("kernel connect tcp", Problem::RuleAddress),
        ("kernel tcp tcp", Problem::RuleAddress),
        ("kernel 10.0.0.0/33", Problem::RuleAddress),
        ("kernel 10.0.0", Problem::RuleAddress),
        ("kernel 10.0.0.0/", Problem::RuleAddress),
        ("kernel [2001:db8::/129]", Problem::RuleAddress),
        ("kernel [2001:db8::", Problem::RuleAddress),
        ("kernel [10.0.0.1]", Problem::RuleAddress),
        ("kernel [::]/0", Problem::RuleWord),
        ("kernel :", Problem::RulePort),
        ("kernel :65536", Problem::RulePort),
        ("kernel :5-4", Problem::RulePort),
        ("kernel :5-", Problem::RulePort),
        ("kernel ::1", Problem::RulePort),
        ("kernel 10%", Problem::RuleShare),
        ("kernel tcp :80 50%", Problem::RuleShare),
        ("kernel :80 tcp", Problem::RuleWord),
    ] {
        let error = Bypass::parse(&format!("stack :1; {rule}")).expect_err(rule);
        assert_eq!(
            error,
            SettingsError::new("NSTK_BYPASS", Some(rule), problem),
            "{rule}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}|((stack|kernel|tcp|udp|listen|[0-9./:%\\[\\]-]{1,9})[ ;]?){0,8}") {
        let _ = Bypass::parse(&text);
    }
}
