//! Plausible mistakes on the command line of `nstk`, each with the one line that it gets. Those that only the library can
//! find are in the end-to-end tests (`mistakes.rs` there).

use std::process::Command;

/// Good settings, for mistakes in the others.
const PLACE: &str = "--if tap:t0 --addr 10.0.0.2/24";

/// What `nstk run` is given beside [`PLACE`], and its line.
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["--if", "tap0"],
        "NSTK_IF=tap0: the kind of device is missing; write it as tap:NAME, packet:NAME or link:NAME, such as tap:tap0",
    ),
    (
        &["--if", "eth:eth0"],
        "NSTK_IF=eth:eth0: only the kinds `tap`, `packet` and `link` are known; write it as tap:NAME, packet:NAME or link:NAME, such as tap:tap0",
    ),
    (
        &["--addr", "10.0.0.2"],
        "NSTK_ADDR=10.0.0.2: is no address with a prefix length; write it as 10.0.0.2/24, fd00::2/64 or both with a comma between",
    ),
    (
        &["--addr", "10.0.0.0/24"],
        "NSTK_ADDR=10.0.0.0/24: no host can have this address in this network; choose another one, such as 10.0.0.2/24 or fd00::2/64",
    ),
    (
        &["--gateway", "192.0.2.1"],
        "NSTK_GATEWAY=192.0.2.1: is not another address in the network of NSTK_ADDR; give the router's address there, or a shorter prefix",
    ),
    (
        &["--mac", "1:2:3"],
        "NSTK_MAC=1:2:3: is no Ethernet address; write it as 02:00:00:00:00:01",
    ),
    (
        &["--mtu", "9k"],
        "NSTK_MTU=9k: must be a number in 68..=65535 bytes",
    ),
    (
        &["--cc", "bbr2"],
        "net.ipv4.tcp_congestion_control=bbr2: must be one of cubic, bbr, reno; did you mean bbr?",
    ),
    (
        &["--cc", "BBR"],
        "net.ipv4.tcp_congestion_control=BBR: must be one of cubic, bbr, reno; did you mean bbr?",
    ),
    (
        &["--cc", "vegas"],
        "net.ipv4.tcp_congestion_control=vegas: must be one of cubic, bbr, reno",
    ),
    (
        &["--sysctl", "net.core.wmem_max=100MB"],
        "net.core.wmem_max=100MB: must be a number in 4608..=2147483647 bytes; write bytes: 100000000",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_wmem=100000000"],
        "net.ipv4.tcp_wmem=100000000: must be three ascending numbers in 4096..=2147483647 bytes; \
         write all three: 4096 16384 100000000",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_wmem=4096,16384,100000000"],
        "net.ipv4.tcp_wmem=4096,16384,100000000: must be three ascending numbers in 4096..=2147483647 bytes; \
         write bytes: 4096 16384 100000000",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_sack=0,net.ipv4.tcp_dsack=0"],
        "net.ipv4.tcp_sack=0,net.ipv4.tcp_dsack=0: must be a number in 0..=1 (off or on); separate entries by `;`",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_sack=off"],
        "net.ipv4.tcp_sack=off: must be a number in 0..=1 (off or on); write 0",
    ),
    (
        &["--sysctl", "tcp_wmem=4096 16384 100000000"],
        "tcp_wmem: no such key; did you mean net.ipv4.tcp_wmem?",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_sack"],
        "`net.ipv4.tcp_sack`: write it as key=value",
    ),
    (
        &["--sysctl", "net.ipv4.tcp_fastopen=3"],
        "net.ipv4.tcp_fastopen: Linux has this key, but it is not implemented here",
    ),
    (
        &["--bypass", "kernel :22, kernel :53"],
        "NSTK_BYPASS=kernel :22, kernel :53: has `,` between rules; separate them by `;`, as in `kernel :22; kernel :53`",
    ),
    (
        &["--bypass", "kernel udp 53"],
        "NSTK_BYPASS=kernel udp 53: `53` is no port or range of ports; write :80 or :8000-8999",
    ),
    (
        &["--bypass", ":22"],
        "NSTK_BYPASS=:22: a rule begins with `:22`; it must begin with `stack` or `kernel`, as in `kernel tcp connect :22`",
    ),
    (
        &["--log", "info;nstk_stack=trace"],
        "NSTK_LOG=info;nstk_stack=trace: has `;` in it; separate parts by `,`, as in info,nstk_stack=trace",
    ),
    (
        &["--pcap", "/no/such/frames"],
        "NSTK_PCAP=/no/such/frames: there is no folder /no/such; make it (mkdir -p /no/such), or name another file",
    ),
    (
        &["--pcap", "/tmp"],
        "NSTK_PCAP=/tmp: is a folder; name a file in it",
    ),
    (
        &["--pcap-limit", "64MB"],
        "NSTK_PCAP_LIMIT=64MB: must be a size in 1048576..=9223372036854775807 bytes, as in 500000000, 64M or 2G",
    ),
    (
        &["--config", "/no/such/file"],
        "NSTK_CONFIG=/no/such/file: there is no such file; name one that exists, or unset the variable",
    ),
];

#[test]
fn a_mistake_in_an_option_is_one_line_with_the_cure_and_ends_the_command() {
    for (options, line) in OPTIONS {
        let place = PLACE.split(' ').collect::<Vec<_>>();
        let place = place.chunks(2).filter(|option| option[0] != options[0]);
        let mut arguments = vec!["run"];
        arguments.extend(place.flatten());
        arguments.extend(*options);
        arguments.extend(["--", "true"]);
        assert_eq!(said(&[], &arguments), (2, format!("nstk: {line}\n")));
    }
}

/// Variables, arguments, status and line.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    i32,
    &'static str,
);

const OTHERS: &[Case] = &[
    (
        &[],
        &["run", "--", "true"],
        2,
        "no device is given; say which with --if tap:NAME and --addr, or use a test network: nstk lab -- nstk run ...",
    ),
    (
        &[("NSTK_IF", "tap:t0")],
        &["run", "--", "true"],
        2,
        "NSTK_ADDR: is not set, but NSTK_IF is; give the stack an address of its own, such as NSTK_ADDR=10.0.0.2/24",
    ),
    (
        &[("NSTK_LIBRARY", "/no/such/libnstk.so")],
        &[
            "run",
            "--if",
            "tap:t0",
            "--addr",
            "10.0.0.2/24",
            "--cc=bbr",
            "--sysctl",
            "net.ipv4.tcp_congestion_control=cubic",
            "true",
        ],
        125,
        "--cc bbr counts, and not --sysctl net.ipv4.tcp_congestion_control=cubic",
    ),
    (
        &[],
        &["sysctl", "net.ipv4.tcp_sack=0"],
        2,
        "net.ipv4.tcp_sack=0: nstk sysctl only shows values; set this one with nstk run --sysctl 'net.ipv4.tcp_sack=0', \
         or with NSTK_SYSCTL='net.ipv4.tcp_sack=0'",
    ),
    (
        &[],
        &["sysctl", "-w", "net.ipv4.tcp_sakc=0"],
        2,
        "net.ipv4.tcp_sakc: no such key; did you mean net.ipv4.tcp_sack?",
    ),
    (
        &[("NSTK_CC", "bbr")],
        &["sysctl", "-a"],
        0,
        "NSTK_CC ignored: no such setting; write NSTK_SYSCTL=\"net.ipv4.tcp_congestion_control=bbr\"",
    ),
    (
        &[
            ("LKL_SYSCTL", "net.ipv4.tcp_congestion_control=bbr2"),
            ("NSTK_SYSCTL", "net.ipv4.tcp_sack=0"),
        ],
        &["sysctl", "-a"],
        0,
        "LKL_SYSCTL: net.ipv4.tcp_congestion_control=bbr2 ignored: must be one of cubic, bbr, reno; did you mean bbr?; \
         the value stays cubic",
    ),
    (
        &[],
        &["man", "walk"],
        2,
        "walk is no command of nstk; nstk --help lists them",
    ),
];

#[test]
fn other_mistakes_get_their_line_too() {
    for (variables, arguments, status, line) in OTHERS {
        let (ended, text) = said(variables, arguments);
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(
            (ended, first),
            (*status, format!("nstk: {line}").as_str()),
            "{text}"
        );
    }
}

/// Exit status and standard error of nstk with these variables and no other settings.
fn said(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
    let mut nstk = Command::new(env!("CARGO_BIN_EXE_nstk"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("NSTK_") || name.starts_with("LKL_") {
            nstk.env_remove(name);
        }
    }
    nstk.args(arguments).envs(variables.iter().copied());
    let output = nstk.output().expect("nstk starts");
    let status = output.status.code().expect("no signal ended it");
    (status, String::from_utf8(output.stderr).expect("text"))
}
