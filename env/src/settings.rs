//! What a program's environment asks for.

use core::time::Duration;
use std::hash::{DefaultHasher, Hash, Hasher};

use nicio::DeviceSpec;
use stack::Config;
use zerocopy::IntoBytes;

use crate::address::{Addresses, parse_mac};
use crate::bypass::{Bypass, Route};
use crate::capture::{self, Capture};
use crate::check::check;
use crate::device::parse_device;
use crate::error::SettingsError;
use crate::layers::Layers;
use crate::log;
use crate::loopback::parse_loopback;
use crate::mtu::parse_mtu;
use crate::on_failure::OnFailure;
use crate::problem::Problem;
use crate::surroundings::Surroundings;
use crate::sysctl::Sysctls;
use crate::text::{bare, first_lines};
use crate::variable::Variable;
use crate::wait::parse_wait;

/// Everything the library is told, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// NSTK_IF.
    pub device: DeviceSpec,
    /// NSTK_ADDR, NSTK_GATEWAY, NSTK_MAC, NSTK_MTU, NSTK_LOOPBACK and NSTK_SYSCTL over Linux's defaults. Its MTU is 0
    /// where none is asked for: whoever opens the device fills in the device's.
    pub stack: Config,
    /// NSTK_BYPASS.
    pub bypass: Bypass,
    /// NSTK_LOG: a filter as tracing-subscriber's `Targets` reads it.
    pub log: Option<String>,
    /// NSTK_FAIL; `None`: it is not set.
    pub on_failure: Option<OnFailure>,
    /// NSTK_WAIT.
    pub wait: Duration,
    /// NSTK_PCAP and NSTK_PCAP_LIMIT; `None`: frames are not written down.
    pub capture: Option<Capture>,
    /// Where each sysctl that is set comes from.
    pub sysctls: Sysctls,
    /// What was not obeyed, one line each, for the user to see once.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Reads what the surroundings say; the README says the meaning. `Ok(None)`: no device is named,
    /// and the library stays out of the way.
    ///
    /// # Errors
    /// The first variable that cannot be obeyed. A bad sysctl is no error but a warning, and leaves
    /// the value of the lower layer.
    pub fn read(surroundings: &impl Surroundings) -> Result<Option<Self>, SettingsError> {
        let layers = Layers::read(surroundings)
            .map_err(|error| error.with_failure(OnFailure::asked(surroundings)))?;
        Self::from_layers(&layers).map_err(|error| {
            let asked = layers.text(Variable::Fail).map(|(text, _)| text);
            error.with_failure(OnFailure::of(asked.as_deref()))
        })
    }

    fn from_layers(layers: &Layers) -> Result<Option<Self>, SettingsError> {
        let Some(device) = parse(layers, Variable::If, parse_device)? else {
            return Ok(None);
        };
        let Some(addresses) = parse(layers, Variable::Addr, Addresses::parse)? else {
            return Err(SettingsError::new(Variable::Addr, None, Problem::Missing));
        };
        let gateways = parse(layers, Variable::Gateway, |text| addresses.gateways(text))?;
        let mac = parse(layers, Variable::Mac, parse_mac)?;
        let mtu = parse(layers, Variable::Mtu, |text| {
            addresses.check_mtu(parse_mtu(text)?)
        })?;
        let loopback = parse(layers, Variable::Loopback, parse_loopback)?;
        let on_failure = parse(layers, Variable::Fail, OnFailure::parse)?;
        let wait = parse(layers, Variable::Wait, parse_wait)?;
        let bypass = parse(layers, Variable::Bypass, Bypass::parse)?;
        let capture_limit = parse(layers, Variable::PcapLimit, capture::parse_limit)?;
        let capture = parse(layers, Variable::Pcap, |text| {
            Ok(Capture::new(text, capture_limit))
        })?;
        let log = layers.text(Variable::Log);
        let (log, log_problems) = log.map(|(text, _)| log::read(&text)).unwrap_or_default();

        let mut stack = addresses.config(mac);
        let gateways = gateways.unwrap_or_default();
        (stack.gateway, stack.gateway6) = (gateways.v4, gateways.v6);
        stack.mtu = mtu.unwrap_or(0);
        stack.loopback = u8::from(loopback == Some(Route::Stack));
        let sysctls = Sysctls::new(layers);
        sysctls.apply(&mut stack);
        let mut warnings = first_lines(layers.warnings().iter().cloned());
        warnings.extend(sysctls.warnings.iter().cloned());
        let log_warnings = log_problems
            .into_iter()
            .map(|problem| SettingsError::new(Variable::Log, None, problem).to_string());
        warnings.extend(log_warnings);
        Ok(Some(Self {
            device,
            stack,
            bypass: bypass.unwrap_or_default(),
            log,
            on_failure,
            wait: wait.unwrap_or_default(),
            capture,
            sysctls,
            warnings,
        }))
    }

    /// Whether `text` is a good value of the variable by itself; what it says together with others
    /// is [`Self::read`]'s matter.
    ///
    /// # Errors
    /// It is not, as [`Self::read`] would say it. Of sysctls the first bad one counts.
    pub fn check(variable: Variable, text: &str) -> Result<(), SettingsError> {
        let text = bare(text);
        check(variable, text).map_err(|problem| SettingsError::new(variable, Some(text), problem))
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
            wait: _,
            capture: _,
            sysctls: _,
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
    let Some((text, file)) = layers.text(variable) else {
        return Ok(None);
    };
    let value = read(&text)
        .map_err(|problem| SettingsError::new(variable, Some(&text), problem).in_file(file))?;
    Ok(Some(value))
}

#[cfg(test)]
mod tests;
