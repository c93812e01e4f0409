//! The families of processes that share a stack: all that have the memory of one mapped.

use std::collections::BTreeMap;
use std::io;

use super::process::{self, Hidden, Process};

/// The processes of one stack.
pub(super) struct Family {
    programs: Vec<Process>,
    keeper: Option<Process>,
}

/// What this user may see.
pub(super) struct Seen {
    /// In the order of their stacks' age.
    pub(super) families: Vec<Family>,
    /// There are processes that this user may not look into.
    pub(super) has_hidden: bool,
}

pub(super) fn all() -> io::Result<Seen> {
    let mut families: BTreeMap<u64, Family> = BTreeMap::new();
    let mut has_hidden = false;
    for process in process::all()? {
        let stack = match process.stack() {
            Ok(Some(stack)) => stack,
            Ok(None) => continue,
            Err(Hidden) => {
                has_hidden = true;
                continue;
            }
        };
        let family = families.entry(stack).or_insert(Family {
            programs: Vec::new(),
            keeper: None,
        });
        if process.is_keeper() {
            family.keeper = Some(process);
        } else {
            family.programs.push(process);
        }
    }
    Ok(Seen {
        families: families.into_values().collect(),
        has_hidden,
    })
}

impl Family {
    /// Device, address, programs and keeper.
    pub(super) fn row(&self) -> Vec<String> {
        let unknown = || "?".to_owned();
        let named = self.keeper.as_ref().and_then(Process::keeper_of);
        let (device, address) = named
            .or_else(|| self.programs.iter().find_map(Process::settings))
            .unwrap_or_else(|| (unknown(), unknown()));
        let programs: Vec<String> = self.programs.iter().map(Process::to_string).collect();
        let programs = if programs.is_empty() {
            "none: they have ended".to_owned()
        } else {
            programs.join(", ")
        };
        let keeper = match &self.keeper {
            Some(keeper) => format!("pid {}", keeper.pid),
            None => "none".to_owned(),
        };
        vec![device, address, programs, keeper]
    }
}
