//! What every key says, and which layer says it.

use stack::Config;

use super::row::Row;
use super::table::ROWS;
use crate::error::SettingsError;
use crate::layers::Layers;
use crate::surroundings::Surroundings;
use crate::text::first_lines;

/// Every sysctl with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctls {
    rows: Vec<Sysctl>,
    /// What was not obeyed, one line each.
    pub warnings: Vec<String>,
}

/// One sysctl with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sysctl {
    /// The key.
    pub row: &'static Row,
    /// Its value, as `row` shows and takes it.
    pub value: String,
    /// The layer that set it: a variable's name such as `NSTK_SYSCTL`, `file /etc/nstk.toml` or
    /// `kernel /proc/sys/...`; `None`: it is the default.
    pub layer: Option<String>,
}

impl Sysctls {
    /// Reads what the surroundings say, also where they name no device.
    ///
    /// # Errors
    /// A layer as a whole cannot be read. Single keys are no errors but warnings, and keep the value
    /// of the lower layer.
    pub fn read(surroundings: &impl Surroundings) -> Result<Self, SettingsError> {
        let layers = Layers::read(surroundings)?;
        let mut sysctls = Self::new(&layers);
        let others = first_lines(layers.warnings().iter().cloned());
        sysctls.warnings.splice(..0, others);
        Ok(sysctls)
    }

    pub(crate) fn new(layers: &Layers) -> Self {
        let mut set = layers.sysctls();
        let rows: Vec<_> = ROWS
            .iter()
            .map(|row| match set.remove(row.name) {
                Some((layer, value)) => Sysctl {
                    row,
                    value,
                    layer: Some(layer),
                },
                None => Sysctl {
                    row,
                    value: row.default_text(),
                    layer: None,
                },
            })
            .collect();
        let warnings = layers.ignored_sysctls().iter().map(|(layer, ignored)| {
            let kept = ignored.kept();
            match kept.and_then(|row| rows.iter().find(|sysctl| sysctl.row == row)) {
                Some(kept) => format!("{layer}: {ignored}; the value stays {}", kept.value),
                None => format!("{layer}: {ignored}"),
            }
        });
        let warnings = first_lines(warnings);
        Self { rows, warnings }
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Sysctl> {
        self.rows.iter()
    }

    /// The one of that name; `None`: there is no such key.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Sysctl> {
        self.iter().find(|sysctl| sysctl.row.name == name)
    }

    /// Writes every value that a layer has set into `config`.
    pub(crate) fn apply(&self, config: &mut Config) {
        for sysctl in self.iter().filter(|sysctl| sysctl.layer.is_some()) {
            // Every value has been taken once.
            let _ = sysctl.row.set(config, &sysctl.value);
        }
    }
}
