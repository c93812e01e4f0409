//! Walks over linked records, bounded so that a damaged list comes to an end.

use region::{Id, Record, Table};

/// Whether a list that begins with `first` has exactly `len` records, of which the last is `last` and has none behind it.
pub(crate) fn is_list<T: Record>(
    table: &Table<T>,
    (first, last): (Id<T>, Id<T>),
    len: u32,
    next: impl Fn(&T) -> Id<T>,
) -> bool {
    let (mut at, mut before) = (first, Id::NONE);
    for _ in 0..len {
        let Some(record) = table.get(at).filter(|_| !table.is_busy(at)) else {
            return false;
        };
        (at, before) = (next(record), at);
    }
    at.is_none() && before == last
}

/// The records of a list, in order.
pub(crate) fn list<T: Record>(
    table: &Table<T>,
    first: Id<T>,
    next: impl Fn(&T) -> Id<T>,
) -> impl Iterator<Item = &T> {
    let first = table.get(first);
    let records = core::iter::successors(first, move |record| table.get(next(record)));
    records.take(usize::try_from(table.len()).unwrap_or(usize::MAX))
}

/// Marks the records of a list as wanted and shows each. False: some have been marked before, so two lists have them.
pub(crate) fn mark_list<T: Record>(
    table: &mut Table<T>,
    first: Id<T>,
    next: impl Fn(&T) -> Id<T>,
    mut show: impl FnMut(&T),
) -> bool {
    let mut at = first;
    while let Some(record) = table.get(at).copied() {
        if !table.mark(at) {
            return false;
        }
        show(&record);
        at = next(&record);
    }
    true
}

/// Whether a table knows how many records it has.
pub(crate) fn is_counted<T: Record>(table: &Table<T>) -> bool {
    let count = table.iter().count();
    u32::try_from(count) == Ok(table.len())
}
