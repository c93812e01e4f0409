//! `nstk sysctl`.

use std::process::{Command, Output};

fn sysctl(settings: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nstk"));
    command.arg("sysctl").args(arguments);
    for name in [
        "NSTK_CONFIG",
        "NSTK_SYSCTL_INHERIT",
        "LKL_SYSCTL",
        "LKL_HIJACK_SYSCTL",
    ] {
        command.env_remove(name);
    }
    command
        .env("NSTK_SYSCTL", settings)
        .output()
        .expect("nstk starts")
}

/// Standard output, of a run that must be well.
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn all_keys_are_listed_in_order_with_their_values() {
    let output = sysctl("net.ipv4.tcp_sack=0", &["-a"]);
    let all = said(&output);
    let names: Vec<&str> = all
        .lines()
        .filter_map(|line| line.split(" = ").next())
        .collect();
    assert!(names.len() >= 28 && names.is_sorted(), "{all}");
    for line in [
        "net.ipv4.tcp_sack = 0",
        "net.ipv4.tcp_congestion_control = cubic",
        "net.core.somaxconn = 4096",
    ] {
        assert!(
            all.lines().any(|own| own == line),
            "{line} is missing: {all}"
        );
    }
    assert!(output.stderr.is_empty());
}

#[test]
fn keys_are_shown_as_asked_for() {
    let output = sysctl("", &["net.ipv4.tcp_wmem", "net.core.busy_poll"]);
    assert_eq!(
        said(&output),
        "net.ipv4.tcp_wmem = 4096 16384 4194304\nnet.core.busy_poll = 0\n"
    );
}

#[test]
fn an_explanation_has_value_layer_default_range_and_meaning() {
    let explain = ["--explain", "net.ipv4.tcp_sack"];
    let set = said(&sysctl("net.ipv4.tcp_sack=0", &explain));
    let lines: Vec<&str> = set.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "net.ipv4.tcp_sack",
            "meaning  selective acknowledgements (RFC 2018)",
            "value    0",
            "from     NSTK_SYSCTL",
            "default  1",
            "takes    a number in 0..=1 (off or on)",
        ]
    );
    assert!(said(&sysctl("", &explain)).contains("from     default"));
}

#[test]
fn an_unknown_key_ends_with_a_suggestion_and_status_2() {
    for (key, hint) in [
        ("net.ipv4.tcp_sakc", "did you mean net.ipv4.tcp_sack?"),
        ("something.else", "no such key"),
    ] {
        let output = sysctl("", &[key]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(
            said.starts_with(&format!("nstk: {key}: ")) && said.contains(hint),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn what_is_not_obeyed_is_warned_about() {
    let output = sysctl("net.ipv4.tcp_sack=2;net.ipv4.tcp_retries2=3", &["-a"]);
    assert!(said(&output).contains("net.ipv4.tcp_retries2 = 3\n"));
    let warned = String::from_utf8(output.stderr).expect("text");
    assert!(warned.contains("net.ipv4.tcp_sack=2"), "{warned}");
}
