//! Frames that get lost: everything arrives all the same, in time, and nothing is left behind.

use super::world::*;
use crate::testing::Pair;
use crate::{CcKind, Config, SockOpt};
use std::vec::Vec;

const KINDS: [CcKind; 3] = [CcKind::Cubic, CcKind::Bbr, CcKind::Reno];

fn with_kind(kind: CcKind, change: impl Fn(&mut Config)) -> World {
    World::with(Pair::with(change), &[SockOpt::Congestion(kind)])
}

#[test]
fn any_one_lost_frame_is_made_up_for() {
    for kind in KINDS {
        // Handshake, data, ACKs and FIN all have their turn.
        for lost in 1..60u64 {
            let mut world = with_kind(kind, |_| {});
            lose(&mut world.pair, move |_, number| number == lost - 1);
            world.transfer(0, &pattern(200_000), 60 * SECOND);
            world.finish();
        }
    }
}

#[test]
fn any_one_frame_of_the_handshake_may_be_lost() {
    for lost in 0..6u64 {
        let mut pair = Pair::new();
        lose(&mut pair, move |_, number| number == lost);
        let mut world = World::with(pair, &[]);
        world.transfer(0, b"after all", 10 * SECOND);
        world.finish();
    }
}

#[test]
fn a_tenth_of_all_frames_may_be_lost_either_way() {
    for kind in KINDS {
        for from in [0, 1] {
            let mut world = with_kind(kind, |_| {});
            lose(&mut world.pair, |_, number| {
                number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60 == 3
            });
            world.transfer(from, &pattern(500_000), 600 * SECOND);
            world.finish();
        }
    }
}

#[test]
fn without_sack_and_timestamps_losses_are_made_up_for_too() {
    let change =
        |config: &mut Config| (config.sack, config.timestamps, config.window_scaling) = (0, 0, 0);
    for kind in KINDS {
        let mut world = with_kind(kind, change);
        lose(&mut world.pair, |to, number| to == 1 && number % 31 == 7);
        world.transfer(0, &pattern(500_000), 600 * SECOND);
        world.finish();
    }
}

#[test]
fn with_segmentation_by_the_device_whole_super_frames_may_be_lost() {
    let change = |config: &mut Config| config.offload = u32::MAX;
    for kind in KINDS {
        let mut world = with_kind(kind, change);
        lose(&mut world.pair, |_, number| number % 13 == 5);
        world.transfer(0, &pattern(3_000_000), 600 * SECOND);
        world.finish();
    }
}

#[test]
fn one_loss_in_a_long_flight_costs_no_timeout() {
    let mut world = World::connected();
    world.transfer(0, &pattern(300_000), 60 * SECOND);
    lose(&mut world.pair, |to, number| to == 1 && number == 20);
    let before = world.pair.now();
    world.transfer(0, &pattern(300_000), 60 * SECOND);
    let took = world.pair.now().saturating_since(before);
    assert!(took.as_millis() < 150, "{took:?}");
    let info = world.info(0);
    assert_eq!(info.total_rto, 0);
    assert!(
        info.total_retrans >= 1 && info.total_retrans < 4,
        "{info:?}"
    );
    assert!(info.snd_ssthresh < 0x7fff_ffff, "the window was reduced");
    world.finish();
}

#[test]
fn silence_doubles_the_timeout_until_the_connection_is_given_up() {
    let mut world = World::connected();
    world.write(0, b"lost").expect("room");
    // ARP goes through, or it would find the host gone first.
    world
        .pair
        .set_drops(|_, _, frame| frame.bytes[12..14] == [0x08, 0x00]);
    let mut sent = Vec::new();
    for _ in 0..5 {
        let (count, start) = (world.info(0).total_retrans, world.pair.now());
        let end = world.ends[0];
        world.pair.run_until(300 * SECOND, |hosts| {
            let now = hosts[0].now;
            hosts[0]
                .stack
                .tcp_info(now, end)
                .expect("there")
                .total_retrans
                > count
        });
        sent.push(world.pair.now().saturating_since(start).as_millis());
    }
    for pair in sent.windows(2).skip(2) {
        let ratio = pair[1] as f64 / pair[0] as f64;
        assert!((1.8..2.2).contains(&ratio), "{sent:?}");
    }
    world.pair.run(1500 * SECOND);
    assert_eq!(world.read(0), Err(crate::Error::TimedOut));
}
