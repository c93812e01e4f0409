//! Keepalive, TIME_WAIT, orphans, answers to what does not fit.

use super::super::world::{World, start, stream};
use super::*;
use crate::tcp::header::Flags;
use crate::{Addr, Endpoint, Error, SockOpt};

/// An idle connection with keepalive on.
fn kept_alive(change: impl Fn(&mut Config)) -> Script {
    let mut script = connected(change);
    let (now, id) = (script.host.now, script.id);
    let keep = SockOpt::KeepAlive(true);
    script
        .host
        .stack
        .set_option(now, id, keep)
        .expect("an option");
    script
}

#[test]
fn tcp_keepalive_time_is_how_long_silence_lasts_before_a_probe() {
    for seconds in [7200, 20] {
        let mut script = kept_alive(|config| config.keepalive_time_s = seconds);
        let pause = pauses(&mut script, 1)[0] + super::super::script::MOMENT;
        assert_eq!(pause.as_secs(), seconds.into());
    }
}

#[test]
fn tcp_keepalive_intvl_is_the_time_between_probes() {
    for seconds in [2, 5] {
        let mut script = kept_alive(|config| {
            (config.keepalive_time_s, config.keepalive_intvl_s) = (5, seconds);
        });
        script.wait(10_000 * SECOND);
        assert_eq!(pauses(&mut script, 2), [seconds * SECOND; 2]);
    }
}

#[test]
fn tcp_keepalive_probes_is_how_many_go_unanswered() {
    for probes in [2, 9] {
        let mut script = kept_alive(|config| {
            (config.keepalive_time_s, config.keepalive_intvl_s) = (5, 1);
            config.keepalive_probes = probes;
        });
        let sent = all_sent(&mut script);
        let silent = sent.iter().filter(|seg| !seg.has(Flags::RST)).count();
        assert_eq!(silent, usize::from(probes));
        assert_eq!(script.read(), Err(Error::TimedOut));
    }
}

#[test]
fn tcp_max_orphans_bounds_the_connections_that_nobody_holds() {
    for (most, is_reset) in [(1, false), (0, true)] {
        let mut script = connected(|config| config.max_orphans = most);
        script.close();
        assert_eq!(script.sent_one().has(Flags::RST), is_reset);
        all_sent(&mut script);
        let usage = script.host.stack.usage();
        assert_eq!((usage.endpoints, usage.orphans), (0, 0));
    }
}

#[test]
fn tcp_orphan_retries_bounds_how_long_a_closed_window_is_probed() {
    // The peer answers every probe; the pauses double until they are the longest there may be (Linux: 325 s).
    for (retries, held, is_kept) in [(0, false, false), (3, false, false), (0, true, true)] {
        let mut script = connected(|config| config.orphan_retries = retries);
        script.write(3000);
        script.sent();
        script.send(&Seg::ack(1, 3001).window(0));
        script.write(3000);
        if !held {
            script.close();
        }
        let start = script.host.now;
        while script.host.stack.live_connections() > 0
            && script.host.now.saturating_since(start) < 1000 * SECOND
        {
            script.announce();
            let (_, sent) = script.wait(20 * SECOND);
            if sent.iter().any(|seg| !seg.has(Flags::RST)) {
                script.send(&Seg::ack(1, 3001).window(0));
            }
        }
        assert_eq!(script.host.stack.live_connections(), u32::from(is_kept));
        if !is_kept {
            let past = script.host.now.saturating_since(start).as_secs();
            assert!((300..400).contains(&past), "{past} s");
        }
    }
}

#[test]
fn tcp_fin_timeout_is_how_long_an_orphan_waits_for_the_peers_fin() {
    for seconds in [60, 5] {
        let mut script = connected(|config| config.fin_timeout_s = seconds);
        script.close();
        script.sent();
        script.send(&Seg::ack(1, 2));
        script.advance((seconds - 1) * SECOND);
        assert_eq!(script.host.stack.live_connections(), 1);
        script.advance(2 * SECOND);
        assert_eq!(script.host.stack.live_connections(), 0);
    }
}

/// Our end of a connection closed first: it is in TIME_WAIT.
fn resting(change: impl Fn(&mut Config)) -> Script {
    let mut script = connected(change);
    script.close();
    script.sent();
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 2));
    script.sent();
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script
}

#[test]
fn tcp_rfc1337_keeps_time_wait_from_resets() {
    for (on, left) in [(0, 0), (1, 1)] {
        let mut script = resting(|config| config.rfc1337 = on);
        script.send(&Seg::new(Flags::RST, 2, 0));
        assert_eq!(script.host.stack.time_wait_connections(), left);
    }
}

#[test]
fn tcp_max_tw_buckets_bounds_the_connections_that_wait() {
    for (most, waiting) in [(131_072, 3), (2, 2)] {
        let mut world = World::configured(|config| config.max_tw_buckets = most);
        let listener = world.listener;
        let mut ends = std::vec![(world.ends[0], world.ends[1])];
        for _ in 0..2 {
            let client = stream(&mut world.pair.hosts[0]);
            start(&mut world.pair, client);
            world.pair.run(SECOND);
            let now = world.pair.now();
            let server = world.stack(1).accept(now, listener).expect("established");
            ends.push((client, server));
        }
        for (client, server) in ends {
            let now = world.pair.now();
            world.stack(0).close(now, client);
            world.pair.run(SECOND);
            let now = world.pair.now();
            world.stack(1).close(now, server);
            world.pair.run(SECOND);
        }
        assert_eq!(world.stack(0).time_wait_connections(), waiting);
    }
}

/// Whether a new connection may take the ends of one over that has been in TIME_WAIT for `age`.
fn is_taken_over(age: Duration, change: impl Fn(&mut Config)) -> bool {
    let mut script = Script::new(|config| {
        config.window_scaling = 0;
        change(config);
    });
    let local = Endpoint::new(Addr::V4_UNSPECIFIED, 700);
    let bind = |script: &mut Script| {
        let reuse = SockOpt::ReuseAddr(true);
        let (now, id) = (script.host.now, script.id);
        let stack = &mut script.host.stack;
        stack.set_option(now, id, reuse).expect("an option");
        stack.bind(now, id, local).expect("bound");
    };
    bind(&mut script);
    let clock = script.connect().clock.expect("a clock").0;
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1).clock(1, clock));
    script.wait(SECOND);
    let remote = script.host.stack.peer(script.id).expect("connected");
    script.close();
    script.sent();
    script.send(&Seg::new(Flags::ACK | Flags::FIN, 1, 2).clock(2, clock));
    script.sent();
    assert_eq!(script.host.stack.time_wait_connections(), 1);
    script.advance(age);
    script.id = super::super::world::stream(&mut script.host);
    bind(&mut script);
    let result = script
        .host
        .stack
        .connect(script.host.now, script.id, remote);
    match result {
        Err(Error::InProgress) => true,
        Err(Error::AddressNotAvailable) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tcp_tw_reuse_lets_new_connections_take_over() {
    for (value, taken) in [(0, false), (1, true), (2, false)] {
        assert_eq!(
            is_taken_over(2 * SECOND, |config| config.tw_reuse = value),
            taken
        );
    }
}

#[test]
fn tcp_tw_reuse_delay_is_how_long_they_wait_for_that() {
    for (delay_ms, taken) in [(1000, true), (3000, false)] {
        let change = |config: &mut Config| config.tw_reuse_delay_ms = delay_ms;
        assert_eq!(is_taken_over(2 * SECOND, change), taken);
    }
}

#[test]
fn tcp_invalid_ratelimit_is_the_pause_between_answers() {
    for (ms, answers) in [(500, 1), (0, 3)] {
        let mut script = connected(|config| config.invalid_ratelimit_ms = ms);
        let mut count = 0;
        for _ in 0..3 {
            // Far beyond the window.
            script.send(&Seg::ack(500_000, 1));
            count += script.sent().len();
            script.advance(MS);
        }
        assert_eq!(count, answers);
    }
}

#[test]
fn tcp_challenge_ack_limit_bounds_them_for_the_whole_stack() {
    for (limit, answers) in [(i32::MAX as u32, 4), (2, 2)] {
        let mut script = connected(|config| {
            (config.challenge_ack_limit, config.invalid_ratelimit_ms) = (limit, 0);
        });
        let mut count = 0;
        for _ in 0..4 {
            script.send(&Seg::new(Flags::SYN, 10, 0));
            count += script.sent().len();
        }
        assert_eq!(count, answers);
    }
}
