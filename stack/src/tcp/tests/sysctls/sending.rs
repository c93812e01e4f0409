//! How much leaves when.

use super::super::world::write;
use super::*;
use crate::{Error, Ready, SendFlags, SockOpt};

/// A sender whose device cuts super-segments, with a round trip of 20 ms.
fn super_sender(change: impl Fn(&mut Config)) -> Script {
    measured(|config| {
        config.offload = u32::MAX;
        change(config);
    })
}

/// Payload of the first frame of a long write at a pacing rate of 1 MB/s.
fn first_burst(change: impl Fn(&mut Config)) -> usize {
    let mut script = super_sender(change);
    let (now, id) = (script.host.now, script.id);
    let slow = SockOpt::MaxPacingRate(1_000_000);
    script
        .host
        .stack
        .set_option(now, id, slow)
        .expect("an option");
    script.write(10_000);
    script.wait(SECOND).1[0].data.len()
}

#[test]
fn tcp_min_tso_segs_is_the_least_burst() {
    for segs in [2, 4] {
        let len = first_burst(|config| config.min_tso_segs = segs);
        assert_eq!(len, 1000 * usize::from(segs));
    }
}

#[test]
fn tcp_tso_rtt_log_lets_bursts_to_near_peers_grow() {
    for (log, len) in [(0, 2000), (9, 2000), (15, 5000)] {
        assert_eq!(
            first_burst(|config| config.tso_rtt_log = log),
            len,
            "2^{log} us"
        );
    }
}

#[test]
fn tcp_tso_win_divisor_is_the_share_of_the_window_worth_sending() {
    for (divisor, sends) in [(3, false), (255, true)] {
        let mut script = connected(|config| {
            (config.offload, config.tso_win_divisor) = (u32::MAX, divisor);
            config.pacing_ss_ratio = 1000;
        });
        script.write(30_000);
        script.sent();
        script.advance(20 * MS);
        script.send(&Seg::ack(1, 4001));
        script.wait(MS);
        // Something left just now, the next ACK is due, and two of eleven segments may go.
        script.advance(MS / 10);
        script.send(&Seg::ack(1, 5001));
        let (_, sent) = script.wait(MS / 2);
        assert_eq!(!sent.is_empty(), sends, "divisor {divisor}");
    }
}

#[test]
fn tcp_autocorking_keeps_a_stream_of_small_writes_together() {
    let frames = |on| {
        let mut script = measured(|config| config.autocorking = on);
        script.advance(50 * MS);
        let mut count = 0;
        for _ in 0..8 {
            script.write(1000);
            count += usize::from(!script.sent().is_empty());
            script.advance(MS / 50);
        }
        count
    };
    assert_eq!(frames(0), 8, "each goes at once");
    assert!(frames(1) < 8, "{}", frames(1));
}

#[test]
fn tcp_notsent_lowat_keeps_what_waits_short() {
    for (low_at, writable) in [(u32::MAX, true), (5000, false)] {
        let mut script = connected(|config| {
            config.tcp_wmem[1] = 1 << 20;
            config.notsent_lowat = low_at;
        });
        script.write(20_000);
        assert_eq!(script.sent().len(), 10);
        let ready = script.host.stack.ready(script.id);
        assert_eq!(ready.contains(Ready::OUT), writable);
        let more = write(&mut script.host, script.id, b"x", SendFlags::empty());
        assert_eq!(more == Err(Error::WouldBlock), !writable);
    }
}

/// Pacing rate over a window per round trip, percent.
fn pacing_percent(script: &mut Script) -> u64 {
    let info = script.info();
    let window = u64::from(info.snd_cwnd * info.snd_mss);
    info.pacing_rate * u64::from(info.rtt) * 100 / window / 1_000_000
}

#[test]
fn tcp_pacing_ss_ratio_is_the_rate_in_slow_start() {
    for percent in [200, 300] {
        let mut script = measured(|config| config.pacing_ss_ratio = percent);
        assert!(pacing_percent(&mut script).abs_diff(percent.into()) <= 2);
    }
}

#[test]
fn tcp_pacing_ca_ratio_is_the_rate_in_congestion_avoidance() {
    for percent in [120, 400] {
        let mut script = measured(|config| config.pacing_ca_ratio = percent);
        script.write(10_000);
        let mut top = 1001;
        top += 1000 * u32::try_from(script.sent().len()).expect("few");
        script.advance(20 * MS);
        script.send(&Seg::ack(1, 1001).sack(&[(2001, top)]));
        script.wait(MS);
        script.advance(20 * MS);
        script.send(&Seg::ack(1, top));
        assert_eq!(script.info().ca_state, 0);
        script.write(1000);
        script.wait(SECOND);
        script.advance(20 * MS);
        script.send(&Seg::ack(1, 12_001));
        let got = pacing_percent(&mut script);
        assert!(got.abs_diff(percent.into()) <= 2, "{got} for {percent}");
    }
}

/// How many segments leave within a round trip of 20 ms.
fn drain(script: &mut Script) -> usize {
    let end = script.host.now + 20 * MS;
    let mut count = 0;
    while script.host.now < end {
        let left = end.saturating_since(script.host.now);
        count += script.wait(left).1.len();
    }
    count
}

#[test]
fn tcp_slow_start_after_idle_begins_anew() {
    let burst = |on| {
        let mut script = connected(|config| {
            config.slow_start_after_idle = on;
            config.tcp_wmem[1] = 1 << 20;
        });
        let mut acked = 1;
        for packets in [10, 20, 40] {
            script.write(packets * 1000);
            assert_eq!(drain(&mut script), packets);
            acked += u32::try_from(packets).expect("few") * 1000;
            script.send(&Seg::ack(1, acked));
        }
        script.advance(10 * SECOND);
        script.write(60_000);
        drain(&mut script)
    };
    assert_eq!(burst(1), 10);
    assert!(burst(0) > 30, "{}", burst(0));
}

#[test]
fn tcp_min_rtt_wlen_is_how_long_the_least_round_trip_counts() {
    for (seconds, least_us) in [(300, 20_000), (2, 50_000)] {
        let mut script = measured(|config| config.min_rtt_wlen_s = seconds);
        for turn in 1..6 {
            script.advance(SECOND);
            script.write(1000);
            script.sent();
            script.advance(50 * MS);
            script.send(&Seg::ack(1, 1001 + turn * 1000));
        }
        assert_eq!(script.info().min_rtt, least_us);
    }
}
