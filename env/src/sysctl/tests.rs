use std::fs;
use std::path::Path;

use proptest::prelude::*;
use stack::{CcKind, Config};

use super::*;
use crate::testing::Made;

/// A value other than the default for every key, and values it cannot have.
const VALUES: &[(&str, &str, &[&str])] = &[
    ("net.core.busy_poll", "50", &["1000001", "-1", "", "1 2"]),
    ("net.core.rmem_default", "300000", &["2303", "2147483648"]),
    ("net.core.rmem_max", "8388608", &["0", "x"]),
    ("net.core.somaxconn", "128", &["2147483648", "1.5"]),
    ("net.core.wmem_default", "300000", &["4607"]),
    (
        "net.core.wmem_max",
        "8388608",
        &["4607", "9999999999999999999999"],
    ),
    ("net.ipv4.icmp_echo_ignore_all", "1", &["2"]),
    ("net.ipv4.icmp_msgs_burst", "5", &["2147483648"]),
    ("net.ipv4.icmp_msgs_per_sec", "10", &["2147483648"]),
    ("net.ipv4.ip_default_ttl", "128", &["0", "256"]),
    (
        "net.ipv4.ip_local_port_range",
        "1024 65535",
        &["0 1", "1", "3 2", "1 65536", "1 2 3"],
    ),
    ("net.ipv4.ipfrag_time", "5", &["-1", "4194305"]),
    ("net.ipv4.tcp_abort_on_overflow", "1", &["2"]),
    ("net.ipv4.tcp_autocorking", "0", &["2"]),
    ("net.ipv4.tcp_challenge_ack_limit", "100", &["2147483648"]),
    (
        "net.ipv4.tcp_congestion_control",
        "bbr",
        &["vegas", "", "BBR", "bbr cubic"],
    ),
    ("net.ipv4.tcp_dsack", "0", &["2"]),
    ("net.ipv4.tcp_early_retrans", "0", &["5"]),
    ("net.ipv4.tcp_fin_timeout", "30", &["0", "32768"]),
    ("net.ipv4.tcp_frto", "0", &["3"]),
    ("net.ipv4.tcp_invalid_ratelimit", "100", &["2147483648"]),
    ("net.ipv4.tcp_keepalive_intvl", "10", &["0", "32768"]),
    ("net.ipv4.tcp_keepalive_probes", "3", &["0", "128"]),
    ("net.ipv4.tcp_keepalive_time", "60", &["0", "32768"]),
    ("net.ipv4.tcp_max_reordering", "1000", &["0"]),
    ("net.ipv4.tcp_max_syn_backlog", "128", &["2147483648"]),
    ("net.ipv4.tcp_max_tw_buckets", "1000", &["0", "4194305"]),
    (
        "net.ipv4.tcp_mem",
        "1000 2000 3000",
        &["1000", "2000 1000 3000", "1 2 3"],
    ),
    ("net.ipv4.tcp_min_rtt_wlen", "10", &["86401"]),
    ("net.ipv4.tcp_min_tso_segs", "4", &["0", "256"]),
    ("net.ipv4.tcp_moderate_rcvbuf", "0", &["2"]),
    ("net.ipv4.tcp_notsent_lowat", "16384", &["0", "4294967296"]),
    ("net.ipv4.tcp_orphan_retries", "2", &["256"]),
    ("net.ipv4.tcp_pacing_ca_ratio", "150", &["1001"]),
    ("net.ipv4.tcp_pacing_ss_ratio", "300", &["1001", "+300"]),
    ("net.ipv4.tcp_reordering", "10", &["0"]),
    ("net.ipv4.tcp_retries2", "8", &["256"]),
    ("net.ipv4.tcp_rfc1337", "1", &["2"]),
    (
        "net.ipv4.tcp_rmem",
        "4096 16384 100000000",
        &["4096 16384 1073741825", "1 2 3", "4096"],
    ),
    ("net.ipv4.tcp_rto_max_ms", "5000", &["999", "120001"]),
    ("net.ipv4.tcp_rto_min_us", "5000", &["0"]),
    ("net.ipv4.tcp_sack", "0", &["2", "on"]),
    ("net.ipv4.tcp_slow_start_after_idle", "0", &["2"]),
    ("net.ipv4.tcp_syn_linear_timeouts", "0", &["128"]),
    ("net.ipv4.tcp_syn_retries", "2", &["0", "128"]),
    ("net.ipv4.tcp_synack_retries", "2", &["256"]),
    ("net.ipv4.tcp_syncookies", "2", &["3"]),
    ("net.ipv4.tcp_thin_linear_timeouts", "1", &["2"]),
    ("net.ipv4.tcp_timestamps", "0", &["2"]),
    ("net.ipv4.tcp_tso_rtt_log", "0", &["64"]),
    ("net.ipv4.tcp_tso_win_divisor", "8", &["256"]),
    ("net.ipv4.tcp_tw_reuse", "2", &["3"]),
    ("net.ipv4.tcp_tw_reuse_delay", "3000", &["0"]),
    ("net.ipv4.tcp_window_scaling", "0", &["-0"]),
    (
        "net.ipv4.tcp_wmem",
        "4096 16384 100000000",
        &["16384 4096 100000000", "4096 16384 2147483648"],
    ),
];

fn sysctls(text: &str) -> Sysctls {
    let surroundings = Made::new(&[("NSTK_SYSCTL", text)]);
    Sysctls::read(&surroundings).expect("no layer is bad as a whole")
}

fn applied(text: &str) -> (Config, Vec<String>) {
    let sysctls = sysctls(text);
    let mut config = Config::default();
    sysctls.apply(&mut config);
    (config, sysctls.warnings)
}

#[test]
fn every_key_has_a_test_value_and_keys_are_sorted() {
    assert!(
        ROWS.iter()
            .map(|row| row.name)
            .eq(VALUES.iter().map(|(name, ..)| *name))
    );
    assert!(ROWS.is_sorted_by_key(|row| row.name));
    assert!(ROWS.iter().all(|row| !row.doc.is_empty()));
}

#[test]
fn a_good_value_is_set_and_shown_and_changes_nothing_else() {
    for (name, value, _) in VALUES {
        let (config, warnings) = applied(&format!("{name}={value}"));
        assert_eq!(warnings, [""; 0], "{name}");
        for row in ROWS {
            let expected = if row.name == *name {
                (*value).to_owned()
            } else {
                row.default_text()
            };
            assert_eq!(
                row.show(&config),
                expected,
                "{} after setting {name}",
                row.name
            );
        }
    }
}

#[test]
fn a_bad_value_is_one_warning_and_the_lower_layer_stays() {
    for (name, _, bad) in VALUES {
        let row = find(name).expect("the key is known");
        for value in *bad {
            let (config, warnings) = applied(&format!("{name}={value}"));
            assert_eq!(config, Config::default(), "{name}={value}");
            let [warning] = warnings.as_slice() else {
                panic!("{name}={value} gives {warnings:?}");
            };
            let start = format!("NSTK_SYSCTL: {name}={value} ignored: must be ");
            let end = format!("; the value stays {}", row.default_text());
            assert!(
                warning.starts_with(&start) && warning.ends_with(&end),
                "{warning}"
            );
        }
    }
}

#[test]
fn defaults_may_be_set_by_what_they_show() {
    for row in ROWS {
        let mut config = Config::default();
        row.set(&mut config, &row.default_text())
            .expect("a default is in its range");
        assert_eq!(config, Config::default());
    }
}

#[test]
fn blanks_quotes_and_trailing_separators_are_tolerated() {
    let expected = |config: &Config| {
        config.tcp_wmem == [4096, 16384, 100_000_000] && config.congestion_kind() == CcKind::Bbr
    };
    for text in [
        "net.ipv4.tcp_wmem=4096 16384 100000000;net.ipv4.tcp_congestion_control=bbr",
        " net.ipv4.tcp_wmem = 4096\t16384  100000000 ; net.ipv4.tcp_congestion_control = bbr ; ; ",
        "\"net.ipv4.tcp_wmem='4096 16384 100000000';net.ipv4.tcp_congestion_control=bbr\"",
        "net.ipv4.tcp_wmem=\"4096 16384 100000000\"\nnet.ipv4.tcp_congestion_control=bbr;\n",
        ";;net.ipv4.tcp_congestion_control=cubic;net.ipv4.tcp_wmem=4096 16384 100000000;\
         net.ipv4.tcp_congestion_control=bbr;;",
    ] {
        let (config, warnings) = applied(text);
        assert!(expected(&config), "{text}");
        assert_eq!(warnings, [""; 0], "{text}");
    }
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_one_if_one_is_near() {
    for (key, nearest) in [
        ("net.ipv4.tcp_smack", "net.ipv4.tcp_sack"),
        ("net.ipv4.tcp_wmen", "net.ipv4.tcp_wmem"),
        ("net.core.rmax_max", "net.core.rmem_max"),
        ("tcp_congestion_control", "net.ipv4.tcp_congestion_control"),
        ("sack", "net.ipv4.tcp_sack"),
        ("NET.ipv4.tcp_mem", "net.ipv4.tcp_mem"),
    ] {
        let (config, warnings) = applied(&format!("{key}=1;net.ipv4.tcp_timestamps=0"));
        assert_eq!(
            warnings,
            [format!(
                "NSTK_SYSCTL: {key} ignored: no such key; did you mean {nearest}?"
            )]
        );
        assert_eq!(
            config.timestamps, 0,
            "the next entry is obeyed nevertheless"
        );
    }
    for key in ["x", "bandwidth", "tcp.fast", "net.ipv4.colour"] {
        let (_, warnings) = applied(&format!("{key}=1"));
        assert_eq!(
            warnings,
            [format!("NSTK_SYSCTL: {key} ignored: no such key")]
        );
    }
}

#[test]
fn a_key_that_only_linux_has_is_told_from_a_slip() {
    for key in [
        "net.ipv4.tcp_fastopen",
        "net.core.default_qdisc",
        "net.ipv4.conf.all.rp_filter",
        "net.ipv6.conf.all.disable_ipv6",
    ] {
        let (_, warnings) = applied(&format!("{key}=1"));
        let expected = format!(
            "NSTK_SYSCTL: {key} ignored: Linux has this key, but it is not implemented here"
        );
        assert_eq!(warnings, [expected]);
    }
    assert!(
        ROWS.iter().all(|row| linux::is_known(row.name)),
        "ours are Linux's"
    );
}

#[test]
fn an_entry_without_a_key_or_a_value_is_explained() {
    for text in ["net.ipv4.tcp_sack", "=", "= ", "=1", "|1", "' '=1"] {
        let (_, warnings) = applied(text);
        let [warning] = warnings.as_slice() else {
            panic!("{text} gives {warnings:?}");
        };
        assert!(
            warning.starts_with("NSTK_SYSCTL: `")
                && warning.ends_with("ignored: write it as key=value"),
            "{warning}"
        );
    }
}

#[test]
fn the_form_of_lkl_s_first_versions_is_read() {
    let (config, warnings) = applied("net.ipv4.tcp_wmem|4096 87380 100000000;net.ipv4.tcp_sack|0");
    assert_eq!(warnings, [""; 0]);
    assert_eq!(
        (config.tcp_wmem, config.sack),
        ([4096, 87380, 100_000_000], 0)
    );
}

#[test]
fn a_long_or_strange_key_or_value_is_repeated_on_one_short_line() {
    let long = "k".repeat(100_000);
    let (_, warnings) = applied(&format!(
        "{long}\u{1b}[31m\r\n=1;net.ipv4.tcp_sack={long};{long}=1"
    ));
    assert_eq!(warnings.len(), 4);
    for warning in warnings {
        assert!(
            warning.len() < 250 && !warning.contains(char::is_control),
            "{warning}"
        );
    }
}

#[test]
fn of_thousands_of_slips_the_first_are_named_and_the_rest_counted() {
    let text = "net.ipv4.tcp_smack=1;net.ipv4.tcp_sack=2;".repeat(20_000);
    let (config, warnings) = applied(&(text + "net.ipv4.tcp_sack=0"));
    assert_eq!(config.sack, 0, "what is right is obeyed");
    assert_eq!(warnings.len(), 21);
    assert_eq!(warnings[20], "39980 more settings ignored");
}

#[test]
fn each_value_says_which_layer_it_came_from() {
    let sysctls = sysctls("net.ipv4.tcp_sack=1;net.ipv4.tcp_timestamps=2");
    let found = |name| {
        let sysctl = sysctls.find(name).expect("the key is known");
        (sysctl.value.as_str(), sysctl.layer.as_deref())
    };
    assert_eq!(found("net.ipv4.tcp_sack"), ("1", Some("NSTK_SYSCTL")));
    assert_eq!(
        found("net.ipv4.tcp_timestamps"),
        ("1", None),
        "a bad value sets nothing"
    );
    assert_eq!(found("net.ipv4.tcp_window_scaling"), ("1", None));
    assert!(sysctls.find("net.ipv4.nonsense").is_none());
    assert!(sysctls.iter().map(|sysctl| sysctl.row).eq(ROWS));
}

/// Where tests of what the keys govern are.
const BEHAVIOUR_TESTS: &[&str] = &[
    "../stack/src/tests",
    "../stack/src/tcp/tests",
    "../tests/tests/end_to_end/settings.rs",
];

/// The names of the functions in a file, or in the files of a directory.
fn functions(path: &Path, names: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a directory") {
            functions(&entry.expect("a file").path(), names);
        }
        return;
    }
    let text = fs::read_to_string(path).expect("a source file");
    let found = text.lines().filter_map(|line| {
        let name = line.strip_prefix("fn ")?;
        Some(name.split(['(', '<']).next()?.to_owned())
    });
    names.extend(found);
}

#[test]
fn every_key_has_a_test_of_what_it_governs() {
    let mut names = Vec::new();
    for place in BEHAVIOUR_TESTS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
        functions(&path, &mut names);
    }
    let key = |row: &Row| row.name.rsplit('.').next().expect("a name");
    // The test's name begins with the key; of two keys that do, with the longer one.
    let tested: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let fits = |row: &&Row| {
                name.strip_prefix(key(row))
                    .is_some_and(|rest| rest.starts_with('_'))
            };
            ROWS.iter().filter(fits).max_by_key(|row| row.name.len())
        })
        .collect();
    let untested: Vec<_> = ROWS.iter().filter(|row| !tested.contains(row)).collect();
    assert!(untested.is_empty(), "{untested:?}");
}

proptest! {
    #[test]
    fn no_text_panics_and_every_warning_is_one_line(text in "\\PC{0,80}|[a-z.=; \"'0-9\n\t]{0,200}") {
        let (_, warnings) = applied(&text);
        prop_assert!(warnings.iter().all(|warning| !warning.contains(char::is_control)));
    }

    #[test]
    fn no_value_of_a_known_key_panics(row in 0..ROWS.len(), value in "[-+0-9 a-z\t.]{0,40}") {
        let mut config = Config::default();
        if ROWS[row].set(&mut config, &value).is_some() {
            let shown = ROWS[row].show(&config);
            let mut again = Config::default();
            prop_assert!(ROWS[row].set(&mut again, &shown).is_some(), "{} does not take {shown}", ROWS[row].name);
            prop_assert_eq!(again, config);
        }
    }
}
