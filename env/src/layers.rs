//! The layers that a variable's text may come from, lowest first: built-in, `LKL_*`, `NSTK_*`.

use std::collections::HashMap;
use std::ffi::OsString;

use config::{Config, Environment};

use crate::error::{Problem, SettingsError};
use crate::text::bare;

/// A variable that is read, without its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    If,
    Addr,
    Gateway,
    Mac,
    Mtu,
    Sysctl,
    Bypass,
    Log,
    Fail,
    Pcap,
    PcapLimit,
}

impl Variable {
    const ALL: [Self; 11] = [
        Self::If,
        Self::Addr,
        Self::Gateway,
        Self::Mac,
        Self::Mtu,
        Self::Sysctl,
        Self::Bypass,
        Self::Log,
        Self::Fail,
        Self::Pcap,
        Self::PcapLimit,
    ];

    /// Its full name in our own layer, for messages too.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::If => "NSTK_IF",
            Self::Addr => "NSTK_ADDR",
            Self::Gateway => "NSTK_GATEWAY",
            Self::Mac => "NSTK_MAC",
            Self::Mtu => "NSTK_MTU",
            Self::Sysctl => "NSTK_SYSCTL",
            Self::Bypass => "NSTK_BYPASS",
            Self::Log => "NSTK_LOG",
            Self::Fail => "NSTK_FAIL",
            Self::Pcap => "NSTK_PCAP",
            Self::PcapLimit => "NSTK_PCAP_LIMIT",
        }
    }

    /// Its name between the layers: the full name without prefix, in lower case.
    const fn key(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Addr => "addr",
            Self::Gateway => "gateway",
            Self::Mac => "mac",
            Self::Mtu => "mtu",
            Self::Sysctl => "sysctl",
            Self::Bypass => "bypass",
            Self::Log => "log",
            Self::Fail => "fail",
            Self::Pcap => "pcap",
            Self::PcapLimit => "pcap_limit",
        }
    }
}

/// The ancestor's name for our sysctls.
const ANCESTOR_SYSCTL: &str = "LKL_SYSCTL";

/// All variables' texts, the highest layer's each.
pub(crate) struct Layers {
    texts: Config,
    /// Where the sysctls are from, for messages.
    sysctl_name: &'static str,
}

impl Layers {
    /// Asks `get` for every variable. A blank text counts as not set.
    pub(crate) fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let ours = texts(Variable::ALL.map(Variable::name), &get)?;
        let ancestor = texts([ANCESTOR_SYSCTL], &get)?;
        let sysctl_name = if ours.contains_key(Variable::Sysctl.name()) {
            Variable::Sysctl.name()
        } else {
            ANCESTOR_SYSCTL
        };
        let layers = Config::builder()
            .set_default(Variable::Fail.key(), "kernel")
            .map(|builder| builder.add_source(layer("LKL", ancestor)))
            .map(|builder| builder.add_source(layer("NSTK", ours)))
            .and_then(|builder| builder.build());
        match layers {
            Ok(texts) => Ok(Self { texts, sysctl_name }),
            Err(_) => Err(SettingsError::new("NSTK_*", None, Problem::Layers)),
        }
    }

    /// A variable's text; `None`: no layer sets it.
    pub(crate) fn text(&self, variable: Variable) -> Option<String> {
        self.texts.get_string(variable.key()).ok()
    }

    /// The sysctls' text, and the variable it is from.
    pub(crate) fn sysctl(&self) -> Option<(&'static str, String)> {
        Some((self.sysctl_name, self.text(Variable::Sysctl)?))
    }
}

fn layer(prefix: &str, texts: HashMap<String, String>) -> Environment {
    Environment::with_prefix(prefix).source(Some(texts))
}

fn texts<const N: usize>(
    names: [&'static str; N],
    get: &impl Fn(&str) -> Option<OsString>,
) -> Result<HashMap<String, String>, SettingsError> {
    let mut texts = HashMap::new();
    for name in names {
        let Some(value) = get(name) else { continue };
        let text = value.into_string().map_err(|bytes| {
            SettingsError::new(name, Some(&bytes.to_string_lossy()), Problem::NotText)
        })?;
        if !bare(&text).is_empty() {
            texts.insert(name.to_owned(), text);
        }
    }
    Ok(texts)
}
