//! What a program's environment asks for.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use nicio::DeviceSpec;
use stack::Config;
use zerocopy::IntoBytes;

use crate::address::{Network, parse_mac};
use crate::bypass::Bypass;
use crate::capture::{self, Capture};
use crate::error::{Problem, SettingsError};
use crate::layers::{Layers, Variable};
use crate::sysctl::{self, Range, Unit};
use crate::text::bare;

/// What to do when the stack cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Go on with the kernel's stack.
    #[default]
    Kernel,
    /// End the program with status 1.
    Exit,
}

/// Everything the library is told, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// NSTK_IF.
    pub device: DeviceSpec,
    /// NSTK_ADDR, NSTK_GATEWAY, NSTK_MAC, NSTK_MTU and NSTK_SYSCTL over Linux's defaults. Its MTU is 0
    /// where none is asked for: whoever opens the device fills in the device's.
    pub stack: Config,
    /// NSTK_BYPASS.
    pub bypass: Bypass,
    /// NSTK_LOG: a filter as tracing-subscriber's `Targets` reads it.
    pub log: Option<String>,
    /// NSTK_FAIL.
    pub on_failure: OnFailure,
    /// NSTK_PCAP and NSTK_PCAP_LIMIT; `None`: frames are not written down.
    pub capture: Option<Capture>,
    /// What was not obeyed, one line each, for the user to see once.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads the variables that `get` gives out; the README says their
    /// meaning. `Ok(None)`: NSTK_IF is not set, and the library stays out of the way.
    ///
    /// # Errors
    /// The first variable that cannot be obeyed. A bad sysctl is no error but a warning, and leaves
    /// the value of the lower layer.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, SettingsError> {
        let layers = Layers::read(get)?;
        let Some(device) = parse(&layers, Variable::If, |text| {
            DeviceSpec::from_str(text).map_err(Problem::Device)
        })?
        else {
            return Ok(None);
        };
        let Some(network) = parse(&layers, Variable::Addr, Network::parse)? else {
            return Err(SettingsError::new(
                Variable::Addr.name(),
                None,
                Problem::Missing,
            ));
        };
        let gateway = parse(&layers, Variable::Gateway, |text| network.gateway(text))?;
        let mac = parse(&layers, Variable::Mac, parse_mac)?;
        let mtu = parse(&layers, Variable::Mtu, parse_mtu)?;
        let on_failure = parse(&layers, Variable::Fail, parse_on_failure)?;

        let capture_limit = parse(&layers, Variable::PcapLimit, capture::parse_limit)?;
        let capture = parse(&layers, Variable::Pcap, |text| {
            Ok(Capture::new(text, capture_limit))
        })?;

        let mut stack = network.config(mac);
        if let Some(gateway) = gateway {
            stack.gateway = gateway.into();
        }
        stack.mtu = mtu.unwrap_or(0);
        let mut warnings = Vec::new();
        if let Some((name, text)) = layers.sysctl() {
            let ignored = sysctl::apply(&text, &mut stack).into_iter();
            warnings.extend(ignored.map(|warning| format!("{name}: {warning}")));
        }
        Ok(Some(Self {
            device,
            stack,
            bypass: layers
                .text(Variable::Bypass)
                .map_or(Ok(Bypass::default()), |text| Bypass::parse(&text))?,
            log: layers
                .text(Variable::Log)
                .map(|text| bare(&text).to_owned()),
            on_failure: on_failure.unwrap_or_default(),
            capture,
            warnings,
        }))
    }

    /// A number that is the same for two programs of one build exactly if they can share a stack:
    /// device, addresses and every setting that governs the stack, but not what each program decides
    /// for itself (bypass rules, log, failure, capture).
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let Self {
            device,
            stack,
            bypass: _,
            log: _,
            on_failure: _,
            capture: _,
            warnings: _,
        } = self;
        // Without a key, unlike a map's.
        let mut hasher = DefaultHasher::new();
        device.hash(&mut hasher);
        stack.as_bytes().hash(&mut hasher);
        hasher.finish()
    }
}

/// Reads one variable, if it is set.
fn parse<T>(
    layers: &Layers,
    variable: Variable,
    read: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<Option<T>, SettingsError> {
    let text = layers.text(variable);
    let value = text.as_deref().map(bare);
    value
        .map(read)
        .transpose()
        .map_err(|problem| SettingsError::new(variable.name(), value, problem))
}

/// RFC 791: every link carries 68 bytes; 65535 is the longest IPv4 packet.
const MTU_RANGE: Range = Range {
    first: 68,
    last: 65535,
    unit: Unit::Bytes,
};

fn parse_mtu(text: &str) -> Result<u16, Problem> {
    let mtu = MTU_RANGE
        .parse(text)
        .and_then(|mtu| u16::try_from(mtu).ok());
    mtu.ok_or(Problem::Number(MTU_RANGE))
}

fn parse_on_failure(text: &str) -> Result<OnFailure, Problem> {
    match text {
        "kernel" => Ok(OnFailure::Kernel),
        "exit" => Ok(OnFailure::Exit),
        _ => Err(Problem::FailWord),
    }
}

#[cfg(test)]
mod tests;
