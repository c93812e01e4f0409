//! What can happen next.

use core::time::Duration;

use arbitrary::{Result, Unstructured};
use stack::{PoolKind, Repaired};

use super::number::{one_of, seldom};
use super::world::World;
use super::{calls, icmp, neighbours, surroundings, tcp, udp};

/// One thing happens; then, mostly, the stack sends a little.
pub(super) fn take(world: &mut World, bytes: &mut Unstructured<'_>) -> Result<()> {
    match bytes.arbitrary::<u8>()? {
        number @ 0..=119 => {
            match number {
                0..=89 => tcp::segment(world, bytes)?,
                90..=99 => udp::datagram(world, bytes)?,
                100..=107 => icmp::error(world, bytes)?,
                108..=111 => icmp::ping(world, bytes)?,
                _ => neighbours::unasked(world, bytes)?,
            }
            // Else it comes together with what follows.
            if !seldom(bytes, 4)? {
                world.deliver();
            }
        }
        120..=203 => calls::call(world, bytes)?,
        204..=219 => {
            let frames = bytes.arbitrary::<u8>()? % 64;
            world.transmit(frames.into());
        }
        220..=237 => world.advance(time(bytes)?),
        238..=243 => {
            world.is_slow = !world.is_slow;
            world.tell(|| format!("the device is slow: {}", world.is_slow));
            world.finish_sending();
        }
        244..=247 => {
            world.peer.is_silent = !world.peer.is_silent;
            world.tell(|| format!("neighbours are silent: {}", world.peer.is_silent));
        }
        248..=251 => while world.stack.pop_event().is_some() {},
        252 => repair(world),
        253..=255 => {
            let mut config = world.config();
            surroundings::set_sysctl(&mut config, bytes)?;
            world.stack.set_config(&config, world.now);
            world.tell(|| "a sysctl changes".to_owned());
        }
    }
    if !seldom(bytes, 4)? {
        world.transmit(8);
    }
    Ok(())
}

/// A member dies inside that was changing nothing: the next one repairs a sound stack, and nothing may be lost but what can be
/// learnt again.
fn repair(world: &mut World) {
    world.tell(|| "a repair".to_owned());
    let received = world.burst.iter().flat_map(|frame| &frame.bufs);
    let received = received.map(|buf| (PoolKind::Receive, *buf));
    let held = received.chain(world.in_device.iter().copied());
    let nothing_lost = Repaired::default();
    assert_eq!(world.stack.repair(world.now, held), Ok(nothing_lost));
}

/// From a nanosecond to hours.
fn time(bytes: &mut Unstructured<'_>) -> Result<Duration> {
    let count: u8 = bytes.arbitrary()?;
    let unit = one_of(bytes, &UNITS_NS)?;
    Ok(Duration::from_nanos(u64::from(count).saturating_mul(unit)))
}

const UNITS_NS: [u64; 8] = [
    1_000_000,
    10_000_000,
    1,
    1000,
    50_000,
    200_000_000,
    1_000_000_000,
    60_000_000_000,
];
