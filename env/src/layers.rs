//! The layers that a setting may come from, lowest first: the kernel's sysctls, the file, the
//! environment. Defaults lie below them, in the types themselves.

use std::collections::HashMap;
use std::path::Path;

use config::{Config, Map, Value};

use crate::error::SettingsError;
use crate::layer::{Layer, SYSCTLS, Sourced};
use crate::problem::Problem;
use crate::surroundings::Surroundings;
use crate::switch::parse_switch;
use crate::sysctl::Ignored;
use crate::text::bare;
use crate::variable::Variable;
use crate::{environment, file, kernel};

/// Everything that is set, the highest layer's each.
pub(crate) struct Layers {
    merged: Map<String, Value>,
    ignored_sysctls: Vec<Sourced<Ignored>>,
    warnings: Vec<String>,
}

impl Layers {
    pub(crate) fn read(surroundings: &impl Surroundings) -> Result<Self, SettingsError> {
        let environment = environment::read(surroundings)?;
        let file = environment
            .text(Variable::Config)
            .map(|path| file::read(Path::new(path), surroundings))
            .transpose()?;
        let mut upper: Vec<_> = file.into_iter().chain([environment]).collect();
        let inherit = inherits(&upper)?.then(|| kernel::read(surroundings));

        let mut ignored_sysctls = Vec::new();
        let mut warnings = Vec::new();
        let mut builder = Config::builder();
        for mut layer in inherit.into_iter().chain(upper.drain(..)) {
            ignored_sysctls.append(&mut layer.ignored_sysctls);
            warnings.append(&mut layer.warnings);
            builder = builder.add_source(layer);
        }
        let merged = builder
            .build()
            .and_then(|config| config.cache.into_table())
            .map_err(|_| SettingsError::new(Variable::Config, None, Problem::Layers))?;
        Ok(Self {
            merged,
            ignored_sysctls,
            warnings,
        })
    }

    /// A variable's text without blanks around it, and the file that it is from, if it is from one;
    /// `None`: no layer sets it.
    pub(crate) fn text(&self, variable: Variable) -> Option<(String, Option<String>)> {
        let value = self.merged.get(variable.name())?.clone();
        let file = value.origin().map(str::to_owned);
        let text = value.into_string().ok()?;
        Some((bare(&text).to_owned(), file))
    }

    /// The sysctls that are set, by name: where from, and the value.
    pub(crate) fn sysctls(&self) -> HashMap<String, Sourced<String>> {
        let set = self.merged.get(SYSCTLS).cloned();
        let set = set
            .and_then(|set| set.into_table().ok())
            .unwrap_or_default();
        let set = set.into_iter().filter_map(|(name, value)| {
            let from = value.origin()?.to_owned();
            Some((name, (from, value.into_string().ok()?)))
        });
        set.collect()
    }

    pub(crate) fn ignored_sysctls(&self) -> &[Sourced<Ignored>] {
        &self.ignored_sysctls
    }

    /// What else was not obeyed, one line each.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Whether the highest of the layers that says something about it wants the kernel's sysctls.
fn inherits(layers: &[Layer]) -> Result<bool, SettingsError> {
    let variable = Variable::SysctlInherit;
    let asked = layers
        .iter()
        .rev()
        .find_map(|layer| Some((layer, layer.text(variable)?)));
    let Some((layer, text)) = asked else {
        return Ok(false);
    };
    parse_switch(text).map_err(|problem| {
        SettingsError::new(variable, Some(text), problem).in_file(layer.file.clone())
    })
}

#[cfg(test)]
mod tests;
