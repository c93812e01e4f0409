//! Settings that cannot be obeyed.

use std::fmt;

use crate::on_failure::OnFailure;
use crate::problem::Problem;
use crate::text::quoted;
use crate::variable::Variable;

/// A variable whose value cannot be used. Displays as one line: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    variable: Variable,
    /// The name it was read by, where that is not its own.
    alias: Option<&'static str>,
    /// `file /etc/nstk.toml`, if it was read there.
    file: Option<String>,
    value: Option<String>,
    problem: Problem,
    on_failure: OnFailure,
}

impl SettingsError {
    /// `value`: what the variable, or the part of it in question, says; `None`: nothing.
    pub(crate) fn new(variable: Variable, value: Option<&str>, problem: Problem) -> Self {
        Self {
            variable,
            alias: None,
            file: None,
            value: value.map(quoted),
            problem,
            on_failure: OnFailure::default(),
        }
    }

    pub(crate) fn named(self, alias: &'static str) -> Self {
        Self {
            alias: Some(alias),
            ..self
        }
    }

    pub(crate) fn in_file(self, file: Option<String>) -> Self {
        Self { file, ..self }
    }

    pub(crate) fn with_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    /// The variable.
    #[must_use]
    pub fn variable(&self) -> Variable {
        self.variable
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What is to be done about it, as far as the other settings say.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.variable.key()) {
            (Some(file), Some(key)) => write!(f, "{file}: {key}")?,
            _ => f.write_str(self.alias.unwrap_or(self.variable.name()))?,
        }
        if let Some(value) = &self.value {
            write!(f, "={value}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for SettingsError {}
