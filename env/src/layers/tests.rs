use proptest::prelude::*;

use super::*;
use crate::on_failure::OnFailure;
use crate::settings::Settings;
use crate::sysctl::Sysctls;
use crate::testing::Made;

const SACK: &str = "net.ipv4.tcp_sack";
const SACK_FILE: &str = "/proc/sys/net/ipv4/tcp_sack";

/// Surroundings with a device and an address, and a settings file that says `text`.
fn with_file(text: &str) -> Made {
    let mut made = Made::new(&[
        ("NSTK_IF", "tap:tap0"),
        ("NSTK_ADDR", "10.0.0.2/24"),
        ("NSTK_CONFIG", "/nstk.toml"),
    ]);
    made.write("/nstk.toml", text);
    made
}

fn good(made: &Made) -> Settings {
    let settings = Settings::read(made).expect("good settings");
    settings.expect("a device is named")
}

/// Value and layer of a key.
fn sysctl(made: &Made, name: &str) -> (String, Option<String>) {
    let sysctls = Sysctls::read(made).expect("good layers");
    let found = sysctls.find(name).expect("the key is known");
    (found.value.clone(), found.layer.clone())
}

#[test]
fn every_layer_overrules_the_ones_below_it() {
    let layer = |name: &str| Some(name.to_owned());
    let mut made = Made::default();
    assert_eq!(sysctl(&made, SACK), ("1".to_owned(), None));

    made.write(SACK_FILE, "0\n");
    assert_eq!(sysctl(&made, SACK), ("1".to_owned(), None), "not asked for");
    made.set("NSTK_SYSCTL_INHERIT", "1");
    let kernel = layer("kernel /proc/sys/net/ipv4/tcp_sack");
    assert_eq!(sysctl(&made, SACK), ("0".to_owned(), kernel));

    made.set("NSTK_CONFIG", "/nstk.toml");
    made.write("/nstk.toml", "[sysctl]\nnet.ipv4.tcp_sack = 1");
    let file = layer("file /nstk.toml");
    assert_eq!(sysctl(&made, SACK), ("1".to_owned(), file.clone()));

    made.set("LKL_HIJACK_SYSCTL", "net.ipv4.tcp_sack=0");
    let hijack = layer("LKL_HIJACK_SYSCTL");
    assert_eq!(sysctl(&made, SACK), ("0".to_owned(), hijack));
    made.set("LKL_SYSCTL", "net.ipv4.tcp_sack=1");
    assert_eq!(sysctl(&made, SACK), ("1".to_owned(), layer("LKL_SYSCTL")));
    made.set("NSTK_SYSCTL", "net.ipv4.tcp_sack=0");
    assert_eq!(sysctl(&made, SACK), ("0".to_owned(), layer("NSTK_SYSCTL")));
    made.set("NSTK_SYSCTL", "net.ipv4.tcp_timestamps=0");
    let lower = |made: &Made| sysctl(made, SACK);
    assert_eq!(lower(&made), ("1".to_owned(), layer("LKL_SYSCTL")));
    made.set("LKL_SYSCTL", "net.ipv4.tcp_sack=5;net.ipv4.tcp_dsack=0");
    assert_eq!(lower(&made), ("0".to_owned(), layer("LKL_HIJACK_SYSCTL")));
    made.set("LKL_HIJACK_SYSCTL", " ");
    assert_eq!(lower(&made), ("1".to_owned(), file), "key by key");
}

#[test]
fn a_bad_value_keeps_the_lower_layer_s() {
    let mut made = with_file("[sysctl]\nnet.ipv4.tcp_sack = 0\n");
    made.set("NSTK_SYSCTL", "net.ipv4.tcp_sack=7");
    let settings = good(&made);
    assert_eq!(settings.stack.sack, 0);
    assert_eq!(
        settings.warnings,
        [
            "NSTK_SYSCTL: net.ipv4.tcp_sack=7 ignored: must be a number in 0..=1 (off or on); \
             the value stays 0"
        ]
    );
}

#[test]
fn the_file_says_all_that_variables_say_and_they_overrule_it() {
    let mut made = Made::new(&[("NSTK_CONFIG", "/nstk.toml"), ("NSTK_MTU", "1400")]);
    made.write(
        "/nstk.toml",
        r#"
        if = "tap:tap7"
        addr = "192.168.7.9/16"
        gateway = "192.168.0.1"
        mac = "02:00:00:00:00:07"
        mtu = 9000
        bypass = ["kernel tcp :22", "stack"]
        log = "info"
        fail = "exit"
        wait = 3
        pcap = "/tmp/frames.pcapng"
        pcap_limit = "64M"
        sysctl_inherit = false

        [sysctl]
        "net.ipv4.tcp_congestion_control" = "bbr"
        net.ipv4.tcp_sack = false
        net.ipv4.tcp_wmem = [4096, 16384, 100000000]
        net.ipv4."tcp_retries2" = "8"

        [sysctl.net.core]
        somaxconn = 128
        "#,
    );
    let settings = good(&made);
    assert_eq!(settings.warnings, [""; 0]);
    let by_variables = good(&Made::new(&[
        ("NSTK_IF", "tap:tap7"),
        ("NSTK_ADDR", "192.168.7.9/16"),
        ("NSTK_GATEWAY", "192.168.0.1"),
        ("NSTK_MAC", "02:00:00:00:00:07"),
        ("NSTK_MTU", "1400"),
        ("NSTK_BYPASS", "kernel tcp :22; stack"),
        ("NSTK_LOG", "info"),
        ("NSTK_FAIL", "exit"),
        ("NSTK_WAIT", "3"),
        ("NSTK_PCAP", "/tmp/frames.pcapng"),
        ("NSTK_PCAP_LIMIT", "64M"),
        (
            "NSTK_SYSCTL",
            "net.ipv4.tcp_congestion_control=bbr;net.ipv4.tcp_sack=0;net.core.somaxconn=128;\
             net.ipv4.tcp_wmem=4096 16384 100000000;net.ipv4.tcp_retries2=8",
        ),
    ]));
    // Each tells where its sysctls come from.
    let by_variables = Settings {
        sysctls: settings.sysctls.clone(),
        ..by_variables
    };
    assert_eq!(settings, by_variables);
}

#[test]
fn every_variable_but_two_has_a_key_and_names_differ() {
    let keys: Vec<_> = Variable::ALL
        .into_iter()
        .filter_map(Variable::key)
        .collect();
    assert_eq!(keys.len(), Variable::ALL.len() - 2);
    for variable in Variable::ALL {
        let expected = variable.name().trim_start_matches("NSTK_").to_lowercase();
        assert!(variable.key().is_none_or(|key| key == expected));
        assert!(!variable.doc().is_empty());
    }
}

#[test]
fn an_unknown_key_of_the_file_is_answered_with_the_nearest_one() {
    let settings = good(&with_file(
        "gatway = 1\ncolour = 2\nsysctls = 3\n[sysctl]\nnet.ipv4.tcp_smack = 1\n",
    ));
    assert_eq!(
        settings.warnings,
        [
            "file /nstk.toml: colour ignored: no such setting",
            "file /nstk.toml: gatway ignored: no such setting; did you mean gateway?",
            "file /nstk.toml: sysctls ignored: no such setting; did you mean sysctl?",
            "file /nstk.toml: net.ipv4.tcp_smack ignored: no such key; did you mean \
             net.ipv4.tcp_sack?",
        ]
    );
}

#[test]
fn a_bad_value_in_the_file_is_an_error_that_names_file_and_key() {
    for (text, line) in [
        (
            "mtu = 9",
            "file /nstk.toml: mtu=9: must be a number in 68..=65535 bytes",
        ),
        (
            "mtu = 1.5",
            "file /nstk.toml: mtu=1.5: must be a number in 68..=65535 bytes",
        ),
        (
            "[mtu]\nbytes = 1500",
            "file /nstk.toml: mtu: is a table; write a single value, as in mtu = 1500",
        ),
        (
            "sysctl_inherit = 'maybe'",
            "file /nstk.toml: sysctl_inherit=maybe: must be 1 (yes) or 0 (no)",
        ),
    ] {
        let error = Settings::read(&with_file(text)).expect_err(text);
        assert_eq!(error.to_string(), line);
    }
    assert_eq!(
        good(&with_file("sysctl = 'net.ipv4.tcp_sack=0'"))
            .warnings
            .len(),
        1
    );
}

#[test]
fn a_file_that_cannot_be_used_is_one_line_and_nstk_fail_decides() {
    let message = |text: Option<Vec<u8>>| {
        let mut made = Made::new(&[("NSTK_CONFIG", "/nstk.toml"), ("NSTK_FAIL", "exit")]);
        if let Some(text) = text {
            made.write("/nstk.toml", text);
        }
        let error = Settings::read(&made).expect_err("no settings");
        assert_eq!(error.variable(), Variable::Config);
        assert_eq!(error.on_failure(), OnFailure::Exit);
        error.to_string()
    };
    assert_eq!(
        message(None),
        "NSTK_CONFIG=/nstk.toml: there is no such file; name one that exists, or unset the variable"
    );
    assert_eq!(
        message(Some(vec![b' '; 64 * 1024 + 1])),
        "NSTK_CONFIG=/nstk.toml: is longer than 64 KiB; name a settings file in TOML"
    );
    assert_eq!(
        message(Some(vec![0xff])),
        "NSTK_CONFIG=/nstk.toml: is not UTF-8 text; name a settings file in TOML"
    );
    let no_toml = message(Some(b"mtu = 1500\nif = tap:tap0\n".to_vec()));
    assert!(
        no_toml.starts_with("NSTK_CONFIG=/nstk.toml: is not TOML: line 2, column "),
        "{no_toml}"
    );
    let deep = message(Some(format!("a = {}", "[".repeat(60_000)).into_bytes()));
    assert!(deep.len() < 300 && !deep.contains('\n'), "{deep}");
}

#[test]
fn a_file_that_nobody_can_read_counts_as_exit() {
    let asked = |file: Option<&str>, fail: &str, config: &str| {
        let mut made = Made::new(&[("NSTK_CONFIG", config), ("NSTK_FAIL", fail)]);
        if let Some(text) = file {
            made.write("/nstk.toml", text);
        }
        let unread = OnFailure::unread(Some(fail.as_bytes()), Some(config.as_bytes()));
        (OnFailure::asked(&made), unread)
    };
    use OnFailure::{Exit, Kernel};
    let path = "/nstk.toml";
    for (file, fail, config, expected) in [
        (None, "", path, (Exit, Exit)),
        (Some("mtu = ["), " ", path, (Exit, Exit)),
        (Some("fail = 'exit'"), "", path, (Exit, Exit)),
        (Some("fail = 'yes'"), "", path, (Exit, Exit)),
        (Some("fail = 'kernel'"), "", path, (Kernel, Exit)),
        (Some("mtu = 1500"), "", path, (Kernel, Exit)),
        // The variable counts before the file.
        (None, "kernel", path, (Kernel, Kernel)),
        (Some("fail = 'kernel'"), "exit", path, (Exit, Exit)),
        // No file is named.
        (None, "", " ", (Kernel, Kernel)),
        (None, "exit", "", (Exit, Exit)),
    ] {
        assert_eq!(asked(file, fail, config), expected, "{file:?} {fail}");
    }
    assert_eq!(OnFailure::unread(None, None), Kernel);
    assert_eq!(OnFailure::unread(None, Some(b"\xff")), Exit);
}

#[test]
fn settings_that_cannot_be_read_are_exit_if_the_file_says_so_or_cannot_be_read() {
    let mut made = with_file("fail = 'exit'");
    // The file itself is good.
    made.set("NSTK_SYSCTL_INHERIT", "maybe");
    let asked = |made: &Made| Settings::read(made).expect_err("no settings").on_failure();
    assert_eq!(asked(&made), OnFailure::Exit);
    made.write("/nstk.toml", "fail = 'kernel'");
    assert_eq!(asked(&made), OnFailure::Kernel);
    made.write("/nstk.toml", "fail");
    assert_eq!(asked(&made), OnFailure::Exit);
}

#[test]
fn what_is_to_be_done_about_an_error_may_be_said_by_the_file() {
    let mut made = with_file("fail = 'exit'\nmtu = 'x'");
    let asked = |made: &Made| Settings::read(made).expect_err("a bad mtu").on_failure();
    assert_eq!(asked(&made), OnFailure::Exit);
    made.set("NSTK_FAIL", "kernel");
    assert_eq!(asked(&made), OnFailure::Kernel);
}

#[test]
fn the_kernel_s_values_are_inherited_as_far_as_they_can_be() {
    let mut made = Made::new(&[
        ("NSTK_IF", "tap:tap0"),
        ("NSTK_ADDR", "10.0.0.2/24"),
        ("NSTK_SYSCTL_INHERIT", "1"),
    ]);
    for (name, value) in [
        ("ipv4/tcp_rmem", "4096\t131072\t33554432\n"),
        ("ipv4/tcp_wmem", "1\t16384\t99999999999\n"),
        ("ipv4/tcp_congestion_control", "vegas\n"),
        ("ipv4/tcp_retries2", "-1\n"),
        ("core/somaxconn", "\n"),
    ] {
        made.write(&format!("/proc/sys/net/{name}"), value);
    }
    let settings = good(&made);
    assert_eq!(settings.stack.tcp_rmem, [4096, 131_072, 33_554_432]);
    assert_eq!(settings.stack.tcp_wmem, [4096, 16384, i32::MAX as u64]);
    assert_eq!(settings.stack.retries2, 0);
    let [wmem, retries, somaxconn, congestion] = [
        "tcp_wmem",
        "tcp_retries2",
        "somaxconn",
        "tcp_congestion_control",
    ]
    .map(|name| {
        let mut lines = settings.warnings.iter().filter(|line| line.contains(name));
        lines.next().expect("a warning about it")
    });
    assert!(
        wmem.ends_with("; here it is 4096 16384 2147483647"),
        "{wmem}"
    );
    assert!(retries.ends_with("; here it is 0"), "{retries}");
    assert!(somaxconn.ends_with("; the value stays 4096"), "{somaxconn}");
    assert!(
        congestion.ends_with("; the value stays cubic"),
        "{congestion}"
    );
    assert_eq!(settings.warnings.len(), 4);
}

/// What is said about one variable beside good ones.
fn said_about(name: &str, value: &str) -> Vec<String> {
    let mut made = with_file("");
    made.set(name, value);
    good(&made).warnings
}

#[test]
fn variables_that_look_like_ours_are_named_with_what_may_be_meant() {
    for (name, cure) in [
        ("NSTK_ADRR", "did you mean NSTK_ADDR?"),
        ("NSTK_SYSCTRL", "did you mean NSTK_SYSCTL?"),
        (
            "NSTK_DEVICE",
            "use NSTK_IF, with another value: the kind of device is missing; write it as tap:NAME, packet:NAME or link:NAME, such as tap:tap0",
        ),
        (
            "NSTK_CC",
            "use NSTK_SYSCTL, with another value: net.ipv4.tcp_congestion_control=x: must be one of cubic, bbr, reno",
        ),
        ("NSTK_ROUTER", "write NSTK_GATEWAY=x"),
        (
            "NSTK_COLOUR",
            "`nstk run --help` and docs/settings.md list them",
        ),
    ] {
        let line = format!("{name} ignored: no such setting; {cure}");
        assert_eq!(said_about(name, "x"), [line]);
    }
    for name in [
        "NSTK_LIBRARY",
        "NSTK_PEER",
        "NSTK_FUZZ_TELL",
        "NSTK_",
        "NSTKIF",
    ] {
        assert_eq!(said_about(name, "x"), [""; 0], "{name}");
    }
}

#[test]
fn what_is_to_be_written_in_place_of_a_variable_is_obeyed() {
    for (name, value, cure) in [
        ("NSTK_IFACE", "tap:t0", "write NSTK_IF=tap:t0"),
        (
            "NSTK_CC",
            "bbr",
            "write NSTK_SYSCTL=\"net.ipv4.tcp_congestion_control=bbr\"",
        ),
        (
            "NSTK_SOMAXCONN",
            "9",
            "write NSTK_SYSCTL=\"net.core.somaxconn=9\"",
        ),
        (
            "NSTK_CC",
            "bbr2",
            "use NSTK_SYSCTL, with another value: net.ipv4.tcp_congestion_control=bbr2: must be one of cubic, bbr, reno; did you mean bbr?",
        ),
        (
            "NSTK_TCP_WMEM",
            "100MB",
            "use NSTK_SYSCTL, with another value: net.ipv4.tcp_wmem=100MB: must be three ascending numbers in 4096..=2147483647 bytes; \
             write all three: 4096 16384 100000000",
        ),
        (
            "NSTK_DEBUG",
            "1",
            "use NSTK_LOG, with another value: `1` is neither a level (off, error, warn, info, debug, trace) nor a part of the library, \
             as in nstk_stack=debug",
        ),
        (
            "NSTK_IP",
            "10.0.0.2",
            "use NSTK_ADDR, with another value: is no address with a prefix length; write it as 10.0.0.2/24, fd00::2/64 or both with a comma between",
        ),
    ] {
        let line = format!("{name} ignored: no such setting; {cure}");
        assert_eq!(said_about(name, value), [line]);
    }
}

#[test]
fn the_ancestor_s_variables_lead_to_ours() {
    for (name, cure) in [
        ("LKL_HIJACK_NET_QDISC", "nstk has no such setting"),
        ("LKL_HIJACK_NET_MTU", "nstk reads NSTK_MTU in its place"),
        (
            "LKL_HIJACK_NET_GATEWAY6",
            "nstk reads NSTK_GATEWAY in its place",
        ),
    ] {
        assert_eq!(said_about(name, "1"), [format!("{name} ignored: {cure}")]);
    }
    // Ours is set, or nothing is said.
    assert_eq!(said_about("LKL_HIJACK_NET_IP", "10.0.0.3"), [""; 0]);
    assert_eq!(said_about("LKL_HIJACK_NET_MTU", ""), [""; 0]);
}

#[test]
fn a_file_in_the_form_of_sysctl_conf_is_a_layer_of_sysctls() {
    let made =
        with_file("# tuning\nnet.ipv4.tcp_wmem = 4096 16384 100000000\nnet.ipv4.tcp_sack=7\n");
    let wmem = sysctl(&made, "net.ipv4.tcp_wmem");
    let file = "file /nstk.toml".to_owned();
    assert_eq!(wmem, ("4096 16384 100000000".to_owned(), Some(file)));
    assert_eq!(
        good(&made).warnings,
        [
            "file /nstk.toml: net.ipv4.tcp_sack=7 ignored: must be a number in 0..=1 (off or on); \
             the value stays 1"
        ]
    );
    let mixed = with_file("mtu = 1400\nnet.ipv4.tcp_sack = 0\n");
    assert_eq!(
        good(&mixed).warnings,
        ["file /nstk.toml: net ignored: sysctls stand below a line [sysctl]"]
    );
}

proptest! {
    #[test]
    fn no_file_panics_and_every_line_is_short(
        text in "\\PC{0,80}|([a-z\"']{1,9}[.= \n\\[\\]{}]{1,3}[0-9a-z\"']{0,5}\n?){0,8}",
        bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        for text in [text.into_bytes(), bytes] {
            let mut made = with_file("");
            made.write("/nstk.toml", text);
            let lines = match Settings::read(&made) {
                Ok(settings) => settings.map(|settings| settings.warnings).unwrap_or_default(),
                Err(error) => vec![error.to_string()],
            };
            for line in lines {
                prop_assert!(line.len() < 500 && !line.contains(char::is_control), "{}", line);
            }
        }
    }

    #[test]
    fn no_value_of_the_kernel_panics(value in "[-0-9 \t\n.a-z]{0,40}|\\PC{0,40}") {
        let mut made = with_file("sysctl_inherit = true");
        for row in crate::sysctl::ROWS {
            made.write(&format!("/proc/sys/{}", row.name.replace('.', "/")), value.clone());
        }
        prop_assert!(Settings::read(&made).is_ok());
    }
}
