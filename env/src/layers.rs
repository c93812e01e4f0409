//! The layers that a variable's text may come from, lowest first: built-in, `LKL_*`, `NSTK_*`.

use std::collections::HashMap;
use std::ffi::OsString;

use config::{Config, Environment};

use crate::error::{Problem, SettingsError};

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
}

impl Variable {
    const ALL: [Self; 9] = [
        Self::If,
        Self::Addr,
        Self::Gateway,
        Self::Mac,
        Self::Mtu,
        Self::Sysctl,
        Self::Bypass,
        Self::Log,
        Self::Fail,
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
        }
    }
}

/// All variables' texts, the highest layer's each.
pub(crate) struct Layers(Config);

impl Layers {
    /// Asks `get` for every variable. An empty text counts as not set.
    pub(crate) fn read(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let ours = texts(Variable::ALL.map(Variable::name), &get)?;
        let ancestor = texts(["LKL_SYSCTL"], &get)?;
        let layers = Config::builder()
            .set_default(Variable::Fail.key(), "kernel")
            .map(|builder| builder.add_source(layer("LKL", ancestor)))
            .map(|builder| builder.add_source(layer("NSTK", ours)))
            .and_then(|builder| builder.build());
        layers
            .map(Self)
            .map_err(|_| SettingsError::new("NSTK_*", None, Problem::Layers))
    }

    /// A variable's text; `None`: no layer sets it.
    pub(crate) fn text(&self, variable: Variable) -> Option<String> {
        self.0
            .get_string(variable.key())
            .ok()
            .filter(|text| !text.trim().is_empty())
    }
}

fn layer(prefix: &str, texts: HashMap<String, String>) -> Environment {
    Environment::with_prefix(prefix)
        .ignore_empty(true)
        .source(Some(texts))
}

fn texts<const N: usize>(
    names: [&'static str; N],
    get: &impl Fn(&str) -> Option<OsString>,
) -> Result<HashMap<String, String>, SettingsError> {
    let set = names
        .into_iter()
        .filter_map(|name| Some((name, get(name)?)));
    set.map(|(name, value)| match value.into_string() {
        Ok(text) => Ok((name.to_owned(), text)),
        Err(bytes) => Err(SettingsError::new(
            name,
            Some(&bytes.to_string_lossy()),
            Problem::NotText,
        )),
    })
    .collect()
}
