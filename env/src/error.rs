//! Settings that cannot be obeyed.

use std::fmt;

use nicio::SpecError;

use crate::sysctl::Range;
use crate::text::quoted;

/// A variable whose value cannot be used. Displays as one line: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    variable: &'static str,
    value: Option<String>,
    problem: Problem,
}

impl SettingsError {
    /// `value`: what the variable, or the part of it in question, says; `None`: nothing.
    pub(crate) fn new(variable: &'static str, value: Option<&str>, problem: Problem) -> Self {
        Self {
            variable,
            value: value.map(quoted),
            problem,
        }
    }

    /// The variable's name.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        self.problem
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.variable)?;
        if let Some(value) = &self.value {
            write!(f, "={value}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for SettingsError {}

/// What is wrong with a value. Displays as the reason and the remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes are no UTF-8.
    NotText,
    /// The layers do not fit together.
    Layers,
    /// The variable is needed and not set.
    Missing,
    /// The text names no device.
    Device(SpecError),
    /// No IPv4 address with a prefix length behind it.
    AddressForm,
    /// An IPv6 address, which the stack cannot have yet.
    Ipv6,
    /// The prefix length is beyond 1 to 32.
    Prefix,
    /// An address that no host can have in this network.
    NotAHost,
    /// No IPv4 address.
    GatewayForm,
    /// The gateway is the stack itself, or outside its network.
    GatewayUnreachable,
    /// No six pairs of hexadecimal digits.
    MacForm,
    /// A group address, or all zeros.
    MacNotAHost,
    /// No number, or one outside the range.
    Number(Range),
    /// No size in bytes, or one outside the range.
    Size(Range),
    /// Neither of the words known.
    FailWord,
    /// A bypass rule does not begin with `stack` or `kernel`.
    RuleRoute,
    /// A word of a bypass rule is not understood, comes twice, or out of order.
    RuleWord,
    /// The address of a bypass rule is not understood.
    RuleAddress,
    /// The port of a bypass rule is not understood.
    RulePort,
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
            Self::Missing => {
                "is not set, but NSTK_IF is; give the stack an address of its own, such as \
                 NSTK_ADDR=10.0.0.2/24"
            }
            Self::Device(error) => {
                return write!(f, "{error}; write it as tap:NAME, such as tap:tap0");
            }
            Self::AddressForm => "is no IPv4 address with a prefix length; write it as 10.0.0.2/24",
            Self::Ipv6 => "is an IPv6 address; only IPv4 works so far, as in 10.0.0.2/24",
            Self::Prefix => "has a prefix length outside 1 to 32; write it as 10.0.0.2/24",
            Self::NotAHost => {
                "no host can have this address in this network; choose another one, such as \
                 10.0.0.2/24"
            }
            Self::GatewayForm => "is no IPv4 address; write it as 10.0.0.1",
            Self::GatewayUnreachable => {
                "is not another address in the network of NSTK_ADDR; give the router's address \
                 there, or a shorter prefix"
            }
            Self::MacForm => "is no Ethernet address; write it as 02:00:00:00:00:01",
            Self::MacNotAHost => {
                "is no address of a single host; make its first byte even, as in 02:00:00:00:00:01"
            }
            Self::Number(range) => return write!(f, "must be a number in {range}"),
            Self::Size(range) => {
                return write!(f, "must be a size in {range}, as in 500000000, 64M or 2G");
            }
            Self::FailWord => {
                "is not known; use `kernel` (go on with the kernel's stack) or `exit`"
            }
            Self::RuleRoute => {
                "the rule must begin with `stack` or `kernel`, as in `kernel tcp connect :22`"
            }
            Self::RuleWord => {
                "is not understood here; a rule is `stack|kernel [tcp|udp] [connect|listen] \
                 [address/prefix][:port[-port]]`"
            }
            Self::RuleAddress => {
                "is no address; write 10.0.0.0/8, or an IPv6 one in brackets: [2001:db8::/32]"
            }
            Self::RulePort => "is no port or range of ports; write :80 or :8000-8999",
            Self::RuleShare => "shares of traffic are not there yet; leave the percentage out",
        };
        f.write_str(text)
    }
}
