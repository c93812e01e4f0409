//! The variables, one row each.

/// A setting that is an environment variable, and a key of the settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "`doc` says it")]
pub enum Variable {
    If,
    Addr,
    Gateway,
    Mac,
    Mtu,
    Bypass,
    Log,
    Fail,
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
    pub const ALL: [Self; 13] = [
        Self::If,
        Self::Addr,
        Self::Gateway,
        Self::Mac,
        Self::Mtu,
        Self::Bypass,
        Self::Log,
        Self::Fail,
        Self::Pcap,
        Self::PcapLimit,
        Self::SysctlInherit,
        Self::Sysctl,
        Self::Config,
    ];

    /// Its name in the environment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// Its name in the settings file; `None`: it has none there.
    #[must_use]
    pub const fn key(self) -> Option<&'static str> {
        self.row().1
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::If => ("NSTK_IF", Some("if"), "the device, such as tap:tap0"),
            Self::Addr => (
                "NSTK_ADDR",
                Some("addr"),
                "the stack's own address and prefix: 10.0.0.2/24, fd00::2/64 or both with a comma between",
            ),
            Self::Gateway => (
                "NSTK_GATEWAY",
                Some("gateway"),
                "the router for addresses outside the prefix, or one for each family with a comma between",
            ),
            Self::Mac => (
                "NSTK_MAC",
                Some("mac"),
                "hardware address, such as 02:00:00:00:00:01",
            ),
            Self::Mtu => ("NSTK_MTU", Some("mtu"), "largest IP packet, in bytes"),
            Self::Bypass => (
                "NSTK_BYPASS",
                Some("bypass"),
                "rules for what goes by the kernel, separated by `;`",
            ),
            Self::Log => (
                "NSTK_LOG",
                Some("log"),
                "what to log to standard error, such as info,nstk_stack=trace",
            ),
            Self::Fail => (
                "NSTK_FAIL",
                Some("fail"),
                "when the stack cannot be had: `kernel` goes on with the kernel's, `exit` ends the \
                 program",
            ),
            Self::Pcap => (
                "NSTK_PCAP",
                Some("pcap"),
                "a file that gets a copy of all frames",
            ),
            Self::PcapLimit => (
                "NSTK_PCAP_LIMIT",
                Some("pcap_limit"),
                "largest size of that file, such as 64M",
            ),
            Self::SysctlInherit => (
                "NSTK_SYSCTL_INHERIT",
                Some("sysctl_inherit"),
                "1: begin with the kernel's sysctls of this network namespace, 0: with the defaults",
            ),
            Self::Sysctl => (
                "NSTK_SYSCTL",
                None,
                "key=value pairs separated by `;`, with the kernel's names",
            ),
            Self::Config => ("NSTK_CONFIG", None, "a settings file in TOML"),
        }
    }
}
