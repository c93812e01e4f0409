//! What a member has in the region, and what it does there.

use arbitrary::{Result, Unstructured};
use region::{Array, Region};

use super::pool::Pool;
use super::table::Records;

/// Of a length that is no multiple of a word.
pub(super) type Small = [u8; 13];
/// A chunk has room for few of them.
pub(super) type Large = [u64; 500];

/// Indexes, and how much there is room for; of the pools also the buffers' size.
pub(super) const SMALL: (u16, u32) = (0, 20_000);
pub(super) const LARGE: (u16, u32) = (1, 300);
pub(super) const ARRAY: (u16, u32) = (2, 1000);
pub(super) const POOLS: [(u16, u32, u32); 2] = [(3, 4096, 200), (4, 65_536, 20)];

pub(super) struct State {
    small: Records<Small>,
    large: Records<Large>,
    array: Array<u64>,
    pools: [Pool; 2],
}

impl State {
    pub(super) fn new(region: &Region) -> Self {
        Self {
            small: Records::new(region, SMALL),
            large: Records::new(region, LARGE),
            array: region.array(ARRAY.0, ARRAY.1).expect("there is room"),
            pools: POOLS.map(|pool| Pool::new(region, pool)),
        }
    }

    pub(super) fn step(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        match bytes.arbitrary::<u8>()? % 16 {
            0..=3 => self.small.step(bytes),
            4..=6 => self.large.step(bytes),
            7 => self.write_array(bytes),
            8..=12 => self.pools[0].step(bytes),
            _ => self.pools[1].step(bytes),
        }
    }

    fn write_array(&mut self, bytes: &mut Unstructured<'_>) -> Result<()> {
        let index = u32::from(bytes.arbitrary::<u16>()?) % (2 * ARRAY.1);
        let value = bytes.arbitrary()?;
        let word = self.array.get_mut(index);
        assert_eq!(word.is_some(), index < ARRAY.1);
        if let Some(word) = word {
            *word = value;
            assert_eq!(self.array.get(index), Some(&value));
        }
        Ok(())
    }
}
