//! The reasons why a value cannot be obeyed.

use std::fmt;
use std::io::ErrorKind;

use nicio::SpecError;

use crate::sysctl::Range;
use crate::text::did_you_mean;

/// What is wrong with a value. Displays as the reason and the remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The bytes are no UTF-8.
    NotText,
    /// The layers do not fit together.
    Layers,
    /// The file cannot be read.
    File(ErrorKind),
    /// The file is not TOML: where, and why.
    Toml(String),
    /// The file has a table where a value is due.
    Table,
    /// The variable is needed and not set.
    Missing,
    /// The text names no device.
    Device(SpecError),
    /// No address with a prefix length behind it.
    AddressForm,
    /// Two addresses of one family.
    AddressTwice,
    /// The prefix length is beyond 1 to 32, or with IPv6 1 to 128.
    Prefix,
    /// An address that no host can have in this network.
    NotAHost,
    /// No address.
    GatewayForm,
    /// The gateway is the stack itself, or outside its network.
    GatewayUnreachable,
    /// No six pairs of hexadecimal digits.
    MacForm,
    /// A group address, or all zeros.
    MacNotAHost,
    /// Less than IPv6 needs.
    MtuForIpv6,
    /// No number, or one outside the range.
    Number(Range),
    /// No size in bytes, or one outside the range.
    Size(Range),
    /// Neither 0 nor 1.
    Switch,
    /// Neither of the words known.
    FailWord,
    /// Neither `kernel` nor `stack`.
    LoopbackWord,
    /// A word of a log filter is neither a level nor a room; what may be meant.
    LogWord(String, Option<&'static str>),
    /// An entry among the sysctls is not obeyed: which, and why.
    Sysctl(String),
    /// A bypass rule does not begin with `stack` or `kernel`.
    RuleRoute(String),
    /// A word of a bypass rule is not understood, comes twice, or out of order.
    RuleWord(String),
    /// The address of a bypass rule is not understood.
    RuleAddress(String),
    /// The port of a bypass rule is not understood.
    RulePort(String),
    /// Bypass rules have commas between them.
    RuleComma,
    /// Shares of traffic are not there yet.
    RuleShare,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::NotText => "is not UTF-8 text; set it again in plain characters",
            Self::Layers => {
                "the settings cannot be put together; this is a defect of the library, please \
                 report it with the settings"
            }
            Self::File(kind) => return write_file_problem(*kind, f),
            Self::Toml(reason) => {
                return write!(
                    f,
                    "is not TOML: {reason}; write lines such as mtu = 1500, and texts in quotes"
                );
            }
            Self::Table => "is a table; write a single value, as in mtu = 1500",
            Self::Missing => {
                "is not set, but NSTK_IF is; give the stack an address of its own, such as \
                 NSTK_ADDR=10.0.0.2/24"
            }
            Self::Device(error) => {
                return write!(
                    f,
                    "{error}; write it as tap:NAME, packet:NAME or link:NAME, such as tap:tap0"
                );
            }
            Self::AddressForm => {
                "is no address with a prefix length; write it as 10.0.0.2/24, fd00::2/64 or both \
                 with a comma between"
            }
            Self::AddressTwice => {
                "has two addresses of one family; give one IPv4 address, one IPv6 address or one \
                 of each"
            }
            Self::Prefix => {
                "has a prefix length outside 1 to 32, or with IPv6 1 to 128; write it as \
                 10.0.0.2/24 or fd00::2/64"
            }
            Self::NotAHost => {
                "no host can have this address in this network; choose another one, such as \
                 10.0.0.2/24 or fd00::2/64"
            }
            Self::GatewayForm => {
                "is no address; write it as 10.0.0.1, fd00::1 or both with a comma between"
            }
            Self::GatewayUnreachable => {
                "is not another address in the network of NSTK_ADDR; give the router's address \
                 there, or a shorter prefix"
            }
            Self::MacForm => "is no Ethernet address; write it as 02:00:00:00:00:01",
            Self::MacNotAHost => {
                "is no address of a single host; make its first byte even, as in 02:00:00:00:00:01"
            }
            Self::MtuForIpv6 => {
                "is too small for the IPv6 address in NSTK_ADDR; IPv6 needs 1280 bytes or more"
            }
            Self::Number(range) => return write!(f, "must be a number in {range}"),
            Self::Size(range) => {
                return write!(f, "must be a size in {range}, as in 500000000, 64M or 2G");
            }
            Self::Switch => "must be 1 (yes) or 0 (no)",
            Self::FailWord => {
                "is not known; use `kernel` (go on with the kernel's stack) or `exit`"
            }
            Self::LoopbackWord => {
                "is not known; use `stack` (127.0.0.0/8 and ::1 lead to the program's own stack) or `kernel`"
            }
            Self::LogWord(word, _) if word.contains(';') => {
                "has `;` in it; separate parts by `,`, as in info,nstk_stack=trace"
            }
            Self::LogWord(word, meant) => {
                return write!(
                    f,
                    "`{word}` is neither a level (off, error, warn, info, debug, trace) nor a part \
                     of the library, as in nstk_stack=debug{}",
                    did_you_mean(*meant)
                );
            }
            Self::Sysctl(why) => return f.write_str(why),
            Self::RuleRoute(word) => {
                return write!(
                    f,
                    "a rule begins with `{word}`; it must begin with `stack` or `kernel`, as in \
                     `kernel tcp connect :22`"
                );
            }
            Self::RuleWord(word) => {
                return write!(
                    f,
                    "`{word}` is not understood there; a rule is `stack|kernel [tcp|udp] \
                     [connect|listen] [address[/prefix]][:port[-port]]`, in this order"
                );
            }
            Self::RuleAddress(word) => {
                return write!(
                    f,
                    "`{word}` is no address; write 10.0.0.0/8, or an IPv6 one in brackets: \
                     [2001:db8::/32]"
                );
            }
            Self::RulePort(word) => {
                return write!(
                    f,
                    "`{word}` is no port or range of ports; write :80 or :8000-8999"
                );
            }
            Self::RuleComma => {
                "has `,` between rules; separate them by `;`, as in `kernel :22; kernel :53`"
            }
            Self::RuleShare => "shares of traffic are not there yet; leave the percentage out",
        };
        f.write_str(text)
    }
}

fn write_file_problem(kind: ErrorKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = match kind {
        ErrorKind::NotFound => "there is no such file; name one that exists, or unset the variable",
        ErrorKind::PermissionDenied => "this user may not read the file; change its mode or owner",
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => "is no file; name a regular file",
        ErrorKind::FileTooLarge => "is longer than 64 KiB; name a settings file in TOML",
        ErrorKind::InvalidData => "is not UTF-8 text; name a settings file in TOML",
        other => return write!(f, "cannot be read: {other}; name a regular file"),
    };
    f.write_str(text)
}
