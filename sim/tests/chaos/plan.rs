//! What a world is like: its settings and its link.

use std::time::Duration;

use nstk_sim::{Clock, Link, PairConfig};
use stack::{CcKind, Config, DeviceOffload};

use crate::choice::Choice;

/// A link to begin with, or to change to: good ones and terrible ones.
pub(crate) fn link(choice: &mut Choice) -> Link {
    let link = Link::new(
        100_000 * choice.magnitude(13),
        Duration::from_micros(choice.magnitude(16)),
    );
    Link {
        jitter: Duration::from_micros(choice.of(&[0, 0, 100, 20_000])),
        // Two of the largest packets, or nothing would ever get through.
        queue_bytes: 20_000 + 100 * choice.magnitude(13),
        loss_ppm: choice.of(&[0, 0, 1_000, 20_000, 200_000]),
        duplicate_ppm: choice.of(&[0, 0, 1_000, 50_000]),
        corrupt_ppm: choice.of(&[0, 0, 1_000, 20_000]),
        late_ppm: choice.of(&[0, 0, 10_000, 200_000]),
        late_by: Duration::from_micros(choice.magnitude(17)),
        ..link
    }
}

pub(crate) fn pair(choice: &mut Choice, seed: u64) -> PairConfig {
    PairConfig {
        config: config(choice),
        forward: link(choice),
        backward: link(choice),
        clock: if choice.rarely(10) {
            Clock::Tick(Duration::from_millis(choice.of(&[1, 4, 10])))
        } else {
            Clock::Exact
        },
        seed,
    }
}

fn config(choice: &mut Choice) -> Config {
    let mut config = Config::default();
    let offload = DeviceOffload::TX_CSUM | DeviceOffload::TSO4 | DeviceOffload::TSO6;
    config.offload = choice.of(&[0, DeviceOffload::TX_CSUM.bits(), offload.bits()]);
    config.congestion = choice.of(&CcKind::ALL) as u8;
    config.mtu = choice.of(&[1500, 1500, 1280, 9000]);
    config.sack = u8::from(!choice.rarely(5));
    config.timestamps = u8::from(!choice.rarely(5));
    config.window_scaling = u8::from(!choice.rarely(5));
    config.slow_start_after_idle = u8::from(!choice.rarely(2));
    config.moderate_rcvbuf = u8::from(!choice.rarely(4));
    config.somaxconn = choice.of(&[1, 4096]);
    config.retries2 = choice.of(&[3, 8, 15]);
    config.syn_retries = choice.of(&[1, 6]);
    config.synack_retries = choice.of(&[1, 5]);
    config.fin_timeout_s = choice.of(&[1, 60]);
    config.max_tw_buckets = choice.of(&[2, 131_072]);
    config.keepalive_time_s = choice.of(&[1, 7200]);
    config.keepalive_intvl_s = choice.of(&[1, 75]);
    config.min_tso_segs = choice.of(&[1, 2, 8]);
    config.tso_win_divisor = choice.of(&[0, 1, 3]);
    for buffer in [&mut config.tcp_wmem, &mut config.tcp_rmem] {
        if choice.rarely(2) {
            let middle = 4096 + choice.magnitude(17);
            *buffer = [4096, middle, middle + choice.magnitude(22)];
        }
    }
    if choice.rarely(4) {
        let low = 16 + choice.magnitude(10);
        config.tcp_mem = [low, low * 2, low * 3];
    }
    config
}
