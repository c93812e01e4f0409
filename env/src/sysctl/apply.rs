//! `key=value;key=value` over a configuration.

use std::fmt;

use stack::Config;

use super::row::Row;
use super::table::ROWS;
use crate::text::{bare, quoted};

/// One entry that was not obeyed. Displays as one line: what, why, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(String);

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sets what `text` says: entries separated by `;`, with blanks, quotes and empty entries tolerated;
/// of two for one key the later counts. An entry that cannot be obeyed leaves its key as it was.
#[must_use]
pub fn apply(text: &str, config: &mut Config) -> Vec<Warning> {
    let entries = bare(text)
        .split([';', '\n'])
        .map(bare)
        .filter(|entry| !entry.is_empty());
    entries
        .filter_map(|entry| set(entry, config).err())
        .collect()
}

fn set(entry: &str, config: &mut Config) -> Result<(), Warning> {
    let Some((key, value)) = entry.split_once('=') else {
        return Err(Warning(format!(
            "`{}` ignored: write it as key=value",
            quoted(entry)
        )));
    };
    let (key, value) = (bare(key), bare(value));
    let Some(row) = super::find(key) else {
        let nearest =
            nearest(key).map_or(String::new(), |row| format!("; did you mean {}?", row.name));
        return Err(Warning(format!(
            "{} ignored: no such key{nearest}",
            quoted(key)
        )));
    };
    row.set(config, value).map_err(|misfit| {
        let (name, value, kept) = (row.name, quoted(value), row.show(config));
        Warning(format!(
            "{name}={value} ignored: {misfit}; the value stays {kept}"
        ))
    })
}

/// Keys longer than this are not compared with others: no known one is half as long.
const COMPARED_MAX: usize = 64;

/// The known key that takes the fewest changes to become.
fn nearest(key: &str) -> Option<&'static Row> {
    if key.len() > COMPARED_MAX {
        return None;
    }
    ROWS.iter().min_by_key(|row| distance(key, row.name))
}

/// Characters to insert, delete or replace (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.bytes()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
