//! The variables, one row each.

use std::fmt;

use crate::capture::LIMIT_RANGE;
use crate::mtu::MTU_RANGE;
use crate::sysctl::Range;
use crate::wait::WAIT_RANGE;

/// How the names of all variables begin.
pub(crate) const PREFIX: &str = "NSTK_";

/// A setting that is an environment variable, and a key of the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`doc` says it")]
pub enum Variable {
    If,
    Addr,
    Gateway,
    Mac,
    Mtu,
    Loopback,
    Bypass,
    Log,
    Fail,
    Wait,
    Pcap,
    PcapLimit,
    SysctlInherit,
    /// In the environment only; the file has a table of them.
    Sysctl,
    /// In the environment only.
    Config,
}

impl Variable {
    /// Every variable.
    pub const ALL: [Self; 15] = [
        Self::If,
        Self::Addr,
        Self::Gateway,
        Self::Mac,
        Self::Mtu,
        Self::Loopback,
        Self::Bypass,
        Self::Log,
        Self::Fail,
        Self::Wait,
        Self::Pcap,
        Self::PcapLimit,
        Self::SysctlInherit,
        Self::Sysctl,
        Self::Config,
    ];

    /// Its name in the environment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Its name in the settings file; `None`: it has none there.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        self.row().key
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        self.row().doc
    }

    /// Which values it may have.
    #[must_use]
    pub const fn takes(self) -> Takes {
        self.row().takes
    }

    /// What counts when it is not set, in a few words.
    #[must_use]
    pub const fn default_text(self) -> &'static str {
        self.row().default
    }

    const fn row(self) -> Row {
        match self {
            Self::If => Row {
                name: "NSTK_IF",
                key: Some("if"),
                doc: "the device, such as tap:tap0",
                takes: Takes::Text("`tap:NAME`, `packet:INTERFACE` or `link:NAME`"),
                default: "every socket is the kernel's",
            },
            Self::Addr => Row {
                name: "NSTK_ADDR",
                key: Some("addr"),
                doc: "the stack's own address and prefix: 10.0.0.2/24, fd00::2/64 or both with a comma between",
                takes: Takes::Text("addresses with prefix lengths"),
                default: "must be set where NSTK_IF is",
            },
            Self::Gateway => Row {
                name: "NSTK_GATEWAY",
                key: Some("gateway"),
                doc: "the router for addresses outside the prefix, or one for each family with a comma between",
                takes: Takes::Text("addresses"),
                default: "only the prefix can be reached",
            },
            Self::Mac => Row {
                name: "NSTK_MAC",
                key: Some("mac"),
                doc: "hardware address, such as 02:00:00:00:00:01",
                takes: Takes::Text("an Ethernet address of a single host"),
                default: "derived from NSTK_ADDR, always the same",
            },
            Self::Mtu => Row {
                name: "NSTK_MTU",
                key: Some("mtu"),
                doc: "largest IP packet, in bytes",
                takes: Takes::Number(MTU_RANGE),
                default: "the device's",
            },
            Self::Loopback => Row {
                name: "NSTK_LOOPBACK",
                key: Some("loopback"),
                doc: "whose the loopback addresses are, 127.0.0.0/8 and ::1: with `stack` a program reaches by them what \
                      is on its own stack, and nothing else",
                takes: Takes::Text("`kernel` or `stack`"),
                default: "`kernel`",
            },
            Self::Bypass => Row {
                name: "NSTK_BYPASS",
                key: Some("bypass"),
                doc: "rules for what goes by the kernel, separated by `;`",
                takes: Takes::Text("rules such as `kernel tcp connect :22`"),
                default: "no rules",
            },
            Self::Log => Row {
                name: "NSTK_LOG",
                key: Some("log"),
                doc: "what to log to standard error, such as info,nstk_stack=trace",
                takes: Takes::Text("levels, parts of the library, or `part=level`"),
                default: "only what a user must know",
            },
            Self::Fail => Row {
                name: "NSTK_FAIL",
                key: Some("fail"),
                doc: "when the stack cannot be had: `kernel` goes on with the kernel's, `exit` ends the \
                      program and refuses sockets that only the kernel could serve",
                takes: Takes::Text("`kernel` or `exit`"),
                default: "`kernel`; with `nstk run`, `exit`",
            },
            Self::Wait => Row {
                name: "NSTK_WAIT",
                key: Some("wait"),
                doc: "how many seconds to wait for a device that another program has",
                takes: Takes::Number(WAIT_RANGE),
                default: "`0`",
            },
            Self::Pcap => Row {
                name: "NSTK_PCAP",
                key: Some("pcap"),
                doc: "a file that gets a copy of all frames",
                takes: Takes::Text("a path"),
                default: "no file",
            },
            Self::PcapLimit => Row {
                name: "NSTK_PCAP_LIMIT",
                key: Some("pcap_limit"),
                doc: "largest size of that file, such as 64M",
                takes: Takes::Size(LIMIT_RANGE),
                default: "`1G`",
            },
            Self::SysctlInherit => Row {
                name: "NSTK_SYSCTL_INHERIT",
                key: Some("sysctl_inherit"),
                doc: "1: begin with the kernel's sysctls of this network namespace, 0: with the defaults",
                takes: Takes::Text("`0` or `1`"),
                default: "`0`",
            },
            Self::Sysctl => Row {
                name: "NSTK_SYSCTL",
                key: None,
                doc: "key=value pairs separated by `;`, with the kernel's names",
                takes: Takes::Text("sysctls, which `nstk sysctl -a` lists"),
                default: "every sysctl has its default",
            },
            Self::Config => Row {
                name: "NSTK_CONFIG",
                key: None,
                doc: "a settings file in TOML, or one in the form of sysctl.conf",
                takes: Takes::Text("a path"),
                default: "no file",
            },
        }
    }
}

/// Which values a variable may have. Displays as a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Text of the form described.
    Text(&'static str),
    /// A decimal number.
    Number(Range),
    /// Bytes, also with K, M or G behind them.
    Size(Range),
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(form) => f.write_str(form),
            Self::Number(range) => write!(f, "a number in {range}"),
            Self::Size(range) => write!(f, "a size in {range}, as in 500000000, 64M or 2G"),
        }
    }
}

struct Row {
    name: &'static str,
    key: Option<&'static str>,
    doc: &'static str,
    takes: Takes,
    default: &'static str,
}
