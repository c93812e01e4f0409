//! Entries as users write them: a key and a value.

use std::fmt;

use stack::Config;

use super::linux;
use super::row::Row;
use super::table::ROWS;
use crate::text::{bare, did_you_mean, nearest, quoted};

/// A key, and a value that it may have.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) row: &'static Row,
    /// As [`Row::show`] writes it.
    pub(crate) value: String,
}

/// Why an entry is not obeyed. Displays as one line: what, and why; not sooner, since a text may have
/// thousands of them.
#[derive(Clone, Debug)]
pub(crate) enum Ignored {
    /// It has no key, or no value.
    Form(String),
    /// There is no such key.
    Unknown(String),
    /// The key cannot have this value.
    Misfit(&'static Row, String),
}

impl Entry {
    /// The entries of a text, separated by `;` or line feeds, with blanks, quotes and empty entries
    /// tolerated.
    pub(crate) fn read_all(text: &str) -> impl Iterator<Item = Result<Self, Ignored>> {
        bare(text)
            .split([';', '\n'])
            .map(bare)
            .filter(|entry| !entry.is_empty())
            .map(Self::read)
    }

    /// `key=value`, or `key|value` as LKL's first versions had it.
    fn read(text: &str) -> Result<Self, Ignored> {
        let (key, value) = text
            .split_once(['=', '|'])
            .filter(|(key, _)| !bare(key).is_empty())
            .ok_or_else(|| Ignored::Form(text.to_owned()))?;
        Self::new(bare(key), bare(value))
    }

    /// A key and a value without blanks around them.
    pub(crate) fn new(key: &str, value: &str) -> Result<Self, Ignored> {
        let row = super::find(key).ok_or_else(|| Ignored::Unknown(key.to_owned()))?;
        let mut config = Config::default();
        row.set(&mut config, value)
            .ok_or_else(|| Ignored::Misfit(row, value.to_owned()))?;
        Ok(Self {
            row,
            value: row.show(&config),
        })
    }
}

impl Ignored {
    /// The key whose value stays as it was, if there is such a key.
    pub(crate) fn kept(&self) -> Option<&'static Row> {
        match self {
            Self::Misfit(row, _) => Some(row),
            Self::Form(_) | Self::Unknown(_) => None,
        }
    }

    /// One line for who does not ignore it but stops.
    pub(crate) fn refusal(&self) -> String {
        let (what, why) = self.what_and_why();
        format!("{what}: {why}")
    }

    fn what_and_why(&self) -> (String, String) {
        match self {
            Self::Form(entry) => (
                format!("`{}`", quoted(entry)),
                "write it as key=value".to_owned(),
            ),
            Self::Unknown(key) => (quoted(key), why_unknown(key)),
            Self::Misfit(row, value) => (
                format!("{}={}", row.name, quoted(value)),
                row.refusal(value),
            ),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = self.what_and_why();
        write!(f, "{what} ignored: {why}")
    }
}

/// Says in one line that there is no such key, and why or which one may be meant.
#[must_use]
pub fn unknown(key: &str) -> String {
    format!("{}: {}", quoted(key), why_unknown(key))
}

fn why_unknown(key: &str) -> String {
    if linux::is_known(key) {
        return "Linux has this key, but it is not implemented here".to_owned();
    }
    let nearest = nearest(key, ROWS.iter().map(|row| row.name));
    format!("no such key{}", did_you_mean(nearest))
}
