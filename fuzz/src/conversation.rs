//! A conversation: a stack, programs with sockets on one side of it and hosts on a wire on the other, all played by the
//! fuzzer's bytes. Frames are built whole, with numbers that the stack expects or nearly so; then some are bent. In the end
//! everything is closed and time passes, and nothing may be left.

mod calls;
mod checks;
mod device;
mod end;
mod fragments;
mod icmp;
mod neighbours;
mod number;
mod options;
mod packet;
mod peer;
mod socket;
mod spans;
mod step;
mod surroundings;
mod tcp;
mod udp;
mod warm_up;
mod world;

use arbitrary::{Result, Unstructured};
use surroundings::Surroundings;
use world::World;

/// Plays the conversation that `bytes` describe. Too few bytes, or no stack with these settings: nothing happens.
///
/// # Panics
/// The stack has done something that it never may.
pub fn play(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    // Bytes run out in the middle of a step: what was done of it counts.
    let _ = play_all(&mut bytes);
}

fn play_all(bytes: &mut Unstructured<'_>) -> Result<()> {
    let surroundings: Surroundings = bytes.arbitrary()?;
    let Some(mut world) = World::new(&surroundings) else {
        return Ok(());
    };
    if warm_up::warm_up(&mut world).is_none() {
        return Ok(());
    }
    for _ in 0..STEPS_MAX {
        if bytes.is_empty() || step::take(&mut world, bytes).is_err() {
            break;
        }
        world.check();
    }
    end::close_all(world);
    Ok(())
}

/// Longer conversations would only be slower.
const STEPS_MAX: usize = 500;
