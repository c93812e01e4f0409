//! A test for each sysctl of TCP that what it governs follows it. Their names begin with the key's;
//! `nstk-env` fails for a key without one.

mod buffers;
mod ending;
mod opening;
mod recovery;
mod sending;

use super::script::{Script, Seg};
use crate::Config;
use core::time::Duration;
use std::vec::Vec;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// An established connection under changed settings; no clocks, no scaling, MSS 1000.
fn connected(change: impl Fn(&mut Config)) -> Script {
    Script::connected_with(|config| {
        (config.timestamps, config.window_scaling) = (0, 0);
        change(config);
    })
}

/// As [`connected`], with a round trip of 20 ms measured by 1000 bytes.
fn measured(change: impl Fn(&mut Config)) -> Script {
    let mut script = connected(change);
    script.write(1000);
    script.sent();
    script.advance(20 * MS);
    script.send(&Seg::ack(1, 1001));
    script
}

fn ranges(sent: &[Seg]) -> Vec<(u32, u32)> {
    sent.iter().map(Seg::range).collect()
}

/// Pauses before each of the next `count` frames.
fn pauses(script: &mut Script, count: usize) -> Vec<Duration> {
    (0..count).map(|_| script.wait(10_000 * SECOND).0).collect()
}

/// Frames that leave until the stack has nothing to do any more.
fn all_sent(script: &mut Script) -> Vec<Seg> {
    let mut all = Vec::new();
    loop {
        match script.wait(10_000 * SECOND).1 {
            sent if sent.is_empty() => return all,
            sent => all.extend(sent),
        }
    }
}
