//! Typed handles of slots.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Names one record of one table: slot number and epoch, packed in eight bytes.
///
/// The epoch changes each time the slot is filled, so a stale or forged id finds nothing instead of
/// somebody else's record. Epoch 0 is never given out: all-zero bytes are [`Id::NONE`], which is what
/// fresh memory holds. `T` is the record type of the table and exists at compile time only.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Id<T: 'static> {
    /// Epoch in the upper, slot in the lower 32 bits.
    bits: u64,
    of: PhantomData<fn() -> T>,
}

impl<T: 'static> Id<T> {
    /// The id that names nothing.
    pub const NONE: Self = Self::from_bits(0);

    /// Whether this is an id that can never name a record (epoch 0).
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.epoch() == 0
    }

    /// Whether this id may name a record; only the table knows whether it still does.
    #[must_use]
    pub const fn is_some(self) -> bool {
        !self.is_none()
    }

    /// The id as a number, for places that store plain integers.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.bits
    }

    /// The inverse of [`Id::to_bits`]. Any number is allowed; the table checks it at access.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            bits,
            of: PhantomData,
        }
    }

    /// Slot number within the table: dense from 0, below the table's maximum for ids it gave out.
    #[must_use]
    pub const fn slot(self) -> u32 {
        (self.bits & 0xffff_ffff) as u32
    }

    pub(crate) const fn new(slot: u32, epoch: u32) -> Self {
        Self::from_bits(((epoch as u64) << 32) | slot as u64)
    }

    pub(crate) const fn epoch(self) -> u32 {
        (self.bits >> 32) as u32
    }
}

// By hand: derives would demand the same traits of `T`.
impl<T: 'static> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: 'static> Copy for Id<T> {}

impl<T: 'static> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<T: 'static> Eq for Id<T> {}

impl<T: 'static> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}

impl<T: 'static> Default for Id<T> {
    fn default() -> Self {
        Self::NONE
    }
}

impl<T: 'static> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            f.write_str("Id(none)")
        } else {
            write!(f, "Id({}.{})", self.slot(), self.epoch())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;
    use zerocopy::FromZeros as _;

    struct Opaque;

    #[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
    #[repr(C)]
    struct Linked {
        next: Id<Linked>,
        other: Id<Opaque>,
    }

    fn is_a_record<T: Record>() {}

    #[test]
    fn ids_of_any_type_may_be_stored_in_records() {
        is_a_record::<Linked>();
        assert_eq!(Linked::new_zeroed().next, Id::NONE);
        assert!(Linked::new_zeroed().other.is_none());
    }

    #[test]
    fn an_id_survives_the_way_through_its_number() {
        let id: Id<Opaque> = Id::new(7, u32::MAX);
        assert_eq!(Id::from_bits(id.to_bits()), id);
        assert_eq!((id.slot(), id.epoch()), (7, u32::MAX));
    }
}
