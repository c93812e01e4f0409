//! TCP options of the peers' segments.

use arbitrary::{Result, Unstructured};
use stack::Instant;

use super::number::{near, one_of, seldom, small};
use super::peer::Flow;

/// What an honest peer would send mostly, else a list of anything. A multiple of 4 bytes, at most 40.
pub(super) fn fitting(
    flow: &Flow,
    is_syn: bool,
    now: Instant,
    bytes: &mut Unstructured<'_>,
) -> Result<Vec<u8>> {
    let mut options = Vec::new();
    match bytes.arbitrary::<u8>()? {
        0..=127 if is_syn => {
            let scale = bytes.arbitrary::<u8>()? % 16;
            options.extend([2, 4, 5, 0xb4, 4, 2]);
            timestamps(&mut options, flow, now, bytes)?;
            options.extend([1, 3, 3, scale]);
        }
        0..=127 if flow.clock.is_some() => {
            options.extend([1, 1]);
            timestamps(&mut options, flow, now, bytes)?;
        }
        0..=127 => {}
        128..=199 => {
            if flow.clock.is_some() {
                options.extend([1, 1]);
                timestamps(&mut options, flow, now, bytes)?;
            }
            options.extend([1, 1]);
            sack(&mut options, flow, bytes)?;
        }
        200..=255 => {
            for _ in 0..bytes.arbitrary::<u8>()? % 6 {
                any(&mut options, flow, now, bytes)?;
            }
        }
    }
    options.resize(options.len().next_multiple_of(4), 1);
    options.truncate(40);
    Ok(options)
}

fn any(
    options: &mut Vec<u8>,
    flow: &Flow,
    now: Instant,
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    match bytes.arbitrary::<u8>()? % 8 {
        0 => {
            options.extend([2, 4]);
            options.extend(one_of(bytes, &[0, 1, 40, 536, 1460, u16::MAX])?.to_be_bytes());
        }
        1 => options.extend([3, 3, bytes.arbitrary()?]),
        2 => options.extend([4, 2]),
        3 => timestamps(options, flow, now, bytes)?,
        4 => sack(options, flow, bytes)?,
        5 => options.push(bytes.arbitrary()?),
        6 => options.extend(bytes.arbitrary::<[u8; 3]>()?),
        _ => options.push(1),
    }
    Ok(())
}

/// The peers' clock counts milliseconds, as Linux's does.
fn timestamps(
    options: &mut Vec<u8>,
    flow: &Flow,
    now: Instant,
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    let millis = (now.as_nanos() / 1_000_000) as u32;
    options.extend([8, 10]);
    options.extend(near(bytes, millis)?.to_be_bytes());
    options.extend(near(bytes, flow.clock.unwrap_or(0))?.to_be_bytes());
    Ok(())
}

/// Up to four blocks within what was sent, or nearly so.
fn sack(options: &mut Vec<u8>, flow: &Flow, bytes: &mut Unstructured<'_>) -> Result<()> {
    let blocks = bytes.arbitrary::<u8>()? % 5;
    options.extend([5, 2 + 8 * blocks]);
    let mut start = flow.acked;
    for _ in 0..blocks {
        let gap = step(bytes)?;
        start = if seldom(bytes, 8)? {
            start.wrapping_sub(gap)
        } else {
            start.wrapping_add(gap)
        };
        let end = start.wrapping_add(step(bytes)?);
        options.extend(start.to_be_bytes());
        options.extend(end.to_be_bytes());
        start = end;
    }
    Ok(())
}

/// Some full segments, or any number of bytes.
fn step(bytes: &mut Unstructured<'_>) -> Result<u32> {
    Ok(match bytes.arbitrary::<u8>()? {
        segments @ 0..=199 => u32::from(segments % 16) * one_of(bytes, &[1448, 1460, 1428])?,
        _ => small(bytes)?,
    })
}
