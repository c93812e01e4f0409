//! The highest layer: environment variables.

use crate::error::SettingsError;
use crate::layer::Layer;
use crate::problem::Problem;
use crate::surroundings::Surroundings;
use crate::sysctl::Entry;
use crate::text::{bare, nearest, quoted};
use crate::variable::Variable;

const PREFIX: &str = "NSTK_";

/// How the names of all variables that are read begin.
pub const PREFIXES: [&str; 2] = [PREFIX, "LKL_"];

/// Names for our sysctls, of which the first that is set counts: ours, and the ancestor's.
const SYSCTL_NAMES: [&str; 3] = [Variable::Sysctl.name(), "LKL_SYSCTL", "LKL_HIJACK_SYSCTL"];

pub(crate) fn read(surroundings: &impl Surroundings) -> Result<Layer, SettingsError> {
    let mut layer = Layer::default();
    for variable in Variable::ALL {
        if variable == Variable::Sysctl {
            continue;
        }
        if let Some(text) = text(surroundings, variable, variable.name())? {
            layer.texts.push((variable, text));
        }
    }
    for name in SYSCTL_NAMES {
        if let Some(text) = text(surroundings, Variable::Sysctl, name)? {
            Entry::read_all(&text).for_each(|entry| layer.add_sysctl(name, entry));
            break;
        }
    }
    layer.warnings = slips(surroundings);
    Ok(layer)
}

fn text(
    surroundings: &impl Surroundings,
    variable: Variable,
    name: &'static str,
) -> Result<Option<String>, SettingsError> {
    let Some(value) = surroundings.variable(name) else {
        return Ok(None);
    };
    let text = value.into_string().map_err(|bytes| {
        SettingsError::new(variable, Some(&bytes.to_string_lossy()), Problem::NotText).named(name)
    })?;
    Ok(Some(text).filter(|text| !bare(text).is_empty()))
}

/// Warnings about variables that look like ours and are not. What looks like none may be meant for
/// another program.
fn slips(surroundings: &impl Surroundings) -> Vec<String> {
    let known = || Variable::ALL.map(Variable::name);
    let mut names = surroundings.variable_names(PREFIX);
    names.retain(|name| !known().contains(&name.as_str()));
    names.sort_unstable();
    let warnings = names.iter().filter_map(|name| {
        let known = known().map(|known| known.trim_start_matches(PREFIX));
        let meant = nearest(name.trim_start_matches(PREFIX), known)?;
        Some(format!(
            "{} ignored: no such setting; did you mean {PREFIX}{meant}?",
            quoted(name),
        ))
    });
    warnings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_begins_with_a_prefix() {
        let names = Variable::ALL.map(Variable::name);
        for name in names.iter().chain(&SYSCTL_NAMES) {
            assert!(
                PREFIXES.iter().any(|prefix| name.starts_with(prefix)),
                "{name}"
            );
        }
    }
}
