//! A table, and what is done with it.

use arbitrary::{Result, Unstructured};
use region::{Record, Region, Table};

use super::ids::Ids;

pub(super) struct Records<T: 'static> {
    table: Table<T>,
    ids: Ids<T>,
}

impl<T: Record> Records<T> {
    pub(super) fn new(region: &Region, (index, slots): (u16, u32)) -> Self {
        Self {
            table: region.table(index, slots).expect("there is room"),
            ids: Ids::new(),
        }
    }

    pub(super) fn step(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let id = self.ids.pick(bytes)?;
        match bytes.arbitrary::<u8>()? % 8 {
            0..=3 => {
                let made = self.table.insert(T::new_zeroed());
                assert!(made.is_none_or(|id| id.slot() < self.table.max_slots()));
                self.ids.keep(made);
            }
            4 => {
                if let Some(mut record) = self.table.get_mut(id) {
                    *record = T::new_zeroed();
                }
            }
            5 => {
                let is_there = self.table.get(id).is_some();
                assert_eq!(self.table.remove(id).is_some(), is_there);
                assert!(self.table.get(id).is_none(), "it is removed");
            }
            6 => {
                let _ = (self.table.len(), self.table.is_empty());
            }
            _ => assert!(self.table.iter().count() <= self.table.max_slots() as usize),
        }
        Ok(())
    }
}
