//! The lowest layer: the sysctls of the kernel, in the program's network namespace.

use std::path::Path;

use crate::layer::Layer;
use crate::surroundings::Surroundings;
use crate::sysctl::{Entry, ROWS, Row};
use crate::text::quoted;

/// Longer than any value there.
const VALUE_MAX: usize = 4096;

/// A key that the kernel lacks, or does not show, is left out. A value that the stack cannot have
/// gives way to the nearest one that it can, with a line about it.
pub(crate) fn read(surroundings: &impl Surroundings) -> Layer {
    let mut layer = Layer::default();
    for row in ROWS {
        let path = format!("/proc/sys/{}", row.name.replace('.', "/"));
        let Ok(value) = surroundings.read_file(Path::new(&path), VALUE_MAX) else {
            continue;
        };
        let value = String::from_utf8_lossy(&value);
        let words: Vec<_> = value.split_whitespace().collect();
        add(&mut layer, row, &format!("kernel {path}"), &words.join(" "));
    }
    layer
}

fn add(layer: &mut Layer, row: &'static Row, from: &str, value: &str) {
    let entry = Entry::new(row.name, value).or_else(|ignored| {
        let nearest = row.clamp(value).ok_or(ignored)?;
        layer.warnings.push(format!(
            "{from}: {} is {} there, which must be {}; here it is {nearest}",
            row.name,
            quoted(value),
            row.accepts(),
        ));
        Entry::new(row.name, &nearest)
    });
    layer.add_sysctl(from, entry);
}
