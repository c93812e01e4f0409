//! A region while a member gone wild writes anything anywhere into it, but for the lock: the others get wrong answers, and
//! nothing else happens to them.

mod ids;
mod outside;
mod pool;
mod state;
mod table;

use std::os::fd::RawFd;

use arbitrary::{Result, Unstructured};
use region::{Guard, Region, Shared};

use crate::memory::Scribbler;
use state::State;

/// Uses a region as `bytes` describe, and writes into it what they say.
///
/// # Panics
/// Something was believed.
pub fn overwrite(bytes: &[u8]) {
    let region = Region::create(REGION_BYTES).expect("there is memory");
    let fd = region.fd().expect("it is a file");
    let state = State::new(&region);
    let shared = Shared::new(region, state);
    // Bytes run out somewhere: what was done until then counts.
    let _ = play(&shared, fd, &mut Unstructured::new(bytes));
}

fn play(shared: &Shared<State>, fd: RawFd, bytes: &mut Unstructured<'_>) -> Result<()> {
    let wild = Scribbler::new(fd);
    while !bytes.is_empty() {
        match bytes.arbitrary::<u8>()? % 16 {
            0..=5 => scribble(&wild, bytes)?,
            6 => outside::look(fd, bytes)?,
            _ => enter(shared).step(bytes)?,
        }
    }
    Ok(())
}

/// Inside the lock, also where the region was marked as dead: whoever cleans up after a death works on what is left.
fn enter(shared: &Shared<State>) -> Guard<'_, State> {
    let inside = shared.lock().ok().or_else(|| shared.lock_remains());
    inside.expect("nobody else has the lock")
}

/// Writes a word that is small, large or any, mostly where tables are described and where records begin.
fn scribble(wild: &Scribbler, bytes: &mut Unstructured<'_>) -> Result<()> {
    let near: u64 = bytes.arbitrary::<u8>()?.into();
    let word = match bytes.arbitrary::<u8>()? % 4 {
        0 | 1 => near,
        2 => near.wrapping_neg(),
        _ => bytes.arbitrary()?,
    };
    let place: u64 = bytes.arbitrary::<u16>()?.into();
    let at = match bytes.arbitrary::<u8>()? % 8 {
        0 => place * 4 % BEFORE_THE_LOCK,
        1..=4 => BEHIND_THE_LOCK + place * 4 % HEADER_BYTES,
        5 => BEHIND_THE_LOCK + place * 64 % (wild.len() - BEHIND_THE_LOCK),
        _ => region::CHUNK_BYTES as u64 * (1 + place % 16) + place / 16 * 4,
    };
    let at = at.min(wild.len() - 8);
    let width = if bytes.arbitrary()? { 4 } else { 8 };
    wild.put(at, &word.to_ne_bytes()[..width]);
    Ok(())
}

/// What the region is, and how much of it is in use.
const BEFORE_THE_LOCK: u64 = 40;
const BEHIND_THE_LOCK: u64 = 256;
/// The words, the heads of all tables, and the small things behind them.
const HEADER_BYTES: u64 = 24 * 1024;

const REGION_BYTES: usize = 8 << 20;
