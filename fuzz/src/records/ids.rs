//! Ids that tables and pools gave out, and forged ones.

use std::collections::VecDeque;

use arbitrary::{Result, Unstructured};
use region::Id;

/// The youngest ids, also those of what is gone.
pub(super) struct Ids<T: 'static>(VecDeque<Id<T>>);

impl<T: 'static> Ids<T> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn keep(&mut self, made: Option<Id<T>>) {
        self.0.extend(made);
        if self.0.len() > IDS_MAX {
            self.0.pop_front();
        }
    }

    /// One that was given out, or a forged one.
    pub(super) fn pick(&self, bytes: &mut Unstructured<'_>) -> Result<Id<T>> {
        let number = usize::from(bytes.arbitrary::<u8>()?) % (self.0.len() + 1);
        match self.0.get(number) {
            Some(&id) => Ok(id),
            None => Ok(Id::from_bits(bytes.arbitrary()?)),
        }
    }
}

const IDS_MAX: usize = 32;
