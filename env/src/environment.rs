//! The highest layer: environment variables.

use crate::ancestor;
use crate::error::SettingsError;
use crate::layer::Layer;
use crate::problem::Problem;
use crate::slips::slips;
use crate::surroundings::Surroundings;
use crate::sysctl::Entry;
use crate::text::bare;
use crate::variable::{PREFIX, Variable};

/// How the names of all variables that are read begin.
pub const PREFIXES: [&str; 2] = [PREFIX, "LKL_"];

/// Names for our sysctls, the lowest first: the ancestor's, and ours. The last that sets a key counts.
const SYSCTL_NAMES: [&str; 3] = [
    ancestor::HIJACK_SYSCTL,
    ancestor::SYSCTL,
    Variable::Sysctl.name(),
];

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
        }
    }
    layer.warnings = slips(surroundings);
    layer.warnings.extend(ancestor::ignored(surroundings));
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
