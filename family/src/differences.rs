//! A program joins a stack that other programs use: that stack's settings stay.

use env::{Settings, sysctl};
use stack::Config;

use crate::error::StartError;
use crate::family::Family;

/// Tells the user which settings are not those that the newcomer has. `Ok(false)`: the stack is dead.
///
/// # Errors
/// The stack has other addresses.
pub(crate) fn tell(
    family: &Family,
    settings: &Settings,
    wanted: &Config,
) -> Result<bool, StartError> {
    let Ok(running) = family.enter(|state, _| *state.stack.config()) else {
        return Ok(false);
    };
    let addresses = [(wanted.addr, running.addr), (wanted.addr6, running.addr6)];
    let other = addresses
        .into_iter()
        .find(|(wanted, running)| !wanted.is_unspecified() && wanted != running);
    if let Some((_, running)) = other {
        return Err(StartError::OtherAddress(family.spec.clone(), running));
    }
    let differences = differences(settings, wanted, &running);
    if !differences.is_empty() {
        (family.hooks.complain)(format_args!(
            "NSTK_IF={}: another program runs this stack already, with other settings, which count: {}",
            family.spec,
            differences.join(", ")
        ));
    }
    Ok(true)
}

/// What the running stack has otherwise: sysctls with their values, and names of variables that are not obeyed.
fn differences(settings: &Settings, wanted: &Config, running: &Config) -> Vec<String> {
    let gateways = (wanted.gateway, wanted.gateway6) != (running.gateway, running.gateway6);
    let variables = [
        ("NSTK_GATEWAY", gateways),
        ("NSTK_MAC", wanted.mac != running.mac),
        (
            "NSTK_MTU",
            settings.stack.mtu != 0 && wanted.mtu != running.mtu,
        ),
        ("NSTK_LOOPBACK", wanted.loopback != running.loopback),
        ("NSTK_PCAP", settings.capture.is_some()),
    ];
    let variables = variables.into_iter().filter(|(_, differs)| *differs);
    let sysctls = sysctl::ROWS
        .iter()
        .filter(|row| row.show(wanted) != row.show(running))
        .map(|row| format!("{}={}", row.name, row.show(running)));
    let variables = variables.map(|(name, _)| format!("{name} is not obeyed"));
    sysctls.chain(variables).collect()
}

#[cfg(test)]
mod tests;
