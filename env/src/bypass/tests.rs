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
        ("kernel [::/0]", Tcp, Connect, TEN, 1, None),
        (
            "kernel [::ffff:10.0.0.0/104]",
            Tcp,
            Connect,
            TEN,
            1,
            Some(Kernel),
        ),
        ("kernel 0.0.0.0/0:1-2", Tcp, Connect, TEN, 1, Some(Kernel)),
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
    let families = Bypass::parse("kernel 0.0.0.0/0; stack [::/0]").expect("good rules");
    assert_eq!(families.decide(Tcp, Connect, inside, 443), Some(Stack));
}

#[test]
fn a_bad_word_of_a_rule_is_named_with_its_reason() {
    use Problem::{RuleAddress, RulePort, RuleRoute, RuleWord};
    type Named = fn(String) -> Problem;
    let named: &[(&str, &str, Named)] = &[
        ("tcp", "tcp", RuleRoute),
        ("Kernel", "Kernel", RuleRoute),
        ("kernel connect tcp", "tcp", RuleWord),
        ("kernel tcp tcp", "tcp", RuleWord),
        ("kernel tpc", "tpc", RuleWord),
        ("kernel :80 tcp", "tcp", RuleWord),
        ("kernel 10.0.0.0/33", "10.0.0.0/33", RuleAddress),
        ("kernel 10.0.0", "10.0.0", RuleAddress),
        ("kernel 10.0.0.0/", "10.0.0.0/", RuleAddress),
        ("kernel [2001:db8::/129]", "[2001:db8::/129]", RuleAddress),
        ("kernel [2001:db8::", "[2001:db8::", RuleAddress),
        ("kernel [10.0.0.1]", "[10.0.0.1]", RuleAddress),
        ("kernel [::]/0", "[::]/0", RuleAddress),
        ("kernel ::1", "::1", RuleAddress),
        ("kernel 2001:db8::/32", "2001:db8::/32", RuleAddress),
        ("kernel :", ":", RulePort),
        ("kernel :65536", ":65536", RulePort),
        ("kernel :5-4", ":5-4", RulePort),
        ("kernel :5-", ":5-", RulePort),
        ("kernel :+5", ":+5", RulePort),
        ("kernel 10.0.0.1:http", "10.0.0.1:http", RulePort),
    ];
    let shares = ["kernel 10%", "kernel tcp :80 50%"].map(|rule| (rule, Problem::RuleShare));
    let named = named
        .iter()
        .map(|(rule, word, problem)| (*rule, problem((*word).to_owned())));
    for (rule, problem) in named.chain(shares) {
        let error = Bypass::parse(&format!("stack :1; {rule}")).expect_err(rule);
        assert_eq!(error, problem, "{rule}");
    }
}

#[test]
fn a_long_word_is_repeated_in_short() {
    let error = Bypass::parse(&format!("kernel {}", "k".repeat(100_000))).expect_err("no rule");
    assert!(error.to_string().len() < 250, "{error}");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}|((stack|kernel|tcp|udp|listen|[0-9./:%\\[\\]-]{1,9})[ ;]?){0,8}") {
        let _ = Bypass::parse(&text);
    }
}

#[test]
fn commas_between_rules_are_told_from_other_slips() {
    let problem = |rules| Bypass::parse(rules).expect_err(rules);
    for rules in ["kernel :22, kernel udp :53", "kernel tcp connect :22,stack"] {
        assert_eq!(problem(rules), Problem::RuleComma);
    }
    assert_eq!(
        problem("kernel :22,80"),
        Problem::RulePort(":22,80".to_owned())
    );
}
