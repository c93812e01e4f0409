//! Handshakes and listeners.

use super::super::world::{World, pattern};
use super::*;
use crate::Error;
use crate::tcp::header::Flags;

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);

/// A listener under changed settings, with room for `backlog`.
fn listening(backlog: u32, change: impl Fn(&mut Config)) -> Script {
    Script::listening_with(backlog, |config| {
        (config.timestamps, config.window_scaling) = (0, 0);
        change(config);
    })
}

/// How many of five peers that send a SYN a listener remembers, cookies or not.
fn remembered(script: &mut Script) -> u32 {
    for port in 100..105 {
        script.use_peer_port(port);
        script.send(&Seg::new(Flags::SYN, 0, 0));
        assert_eq!(script.sent_one().flags, SYN_ACK);
    }
    script.host.stack.usage().requests
}

#[test]
fn somaxconn_bounds_the_backlog_of_a_listener() {
    for cookies in [0, 1] {
        let mut script = listening(100, |config| config.syncookies = cookies);
        assert_eq!(remembered(&mut script), 5);
        let mut script = listening(100, |config| {
            (config.syncookies, config.somaxconn) = (cookies, 1);
        });
        let count = remembered(&mut script);
        assert_eq!(count, 2, "one more than the backlog, as Linux");
    }
}

#[test]
fn tcp_max_syn_backlog_bounds_the_half_open_connections() {
    for cookies in [0, 1] {
        let mut script = listening(100, |config| {
            (config.syncookies, config.max_syn_backlog) = (cookies, 3);
        });
        assert_eq!(remembered(&mut script), 3);
    }
}

#[test]
fn tcp_syncookies_says_of_which_syns_nothing_is_kept() {
    for (cookies, kept, sent) in [(0, 2, 0), (1, 2, 3), (2, 0, 5)] {
        let mut script = listening(1, |config| config.syncookies = cookies);
        assert_eq!(remembered(&mut script), kept);
        assert_eq!(script.host.stack.mib().syncookies_sent, sent);
    }
}

/// A peer opens; gives the first number of the answer.
fn open(script: &mut Script, port: u16) -> u32 {
    script.use_peer_port(port);
    script.use_own_iss(0);
    script.send(&Seg::new(Flags::SYN, 0, 0));
    script.sent_one().seq
}

/// The peer completes its handshake; gives what it is answered.
fn complete(script: &mut Script, port: u16, iss: u32) -> Vec<Seg> {
    script.use_peer_port(port);
    script.use_own_iss(iss);
    script.send(&Seg::ack(1, 1));
    script.sent()
}

#[test]
fn tcp_abort_on_overflow_resets_who_finds_the_accept_queue_full() {
    for on in [0, 1] {
        let mut script = listening(1, |config| config.abort_on_overflow = on);
        let first = open(&mut script, 100);
        complete(&mut script, 100, first);
        let (second, third) = (open(&mut script, 101), open(&mut script, 102));
        complete(&mut script, 101, second);
        let answer = complete(&mut script, 102, third);
        assert_eq!(answer.iter().any(|seg| seg.has(Flags::RST)), on == 1);
    }
}

#[test]
fn tcp_syn_retries_is_how_often_a_syn_is_repeated() {
    for retries in [1, 3] {
        let mut script = Script::connecting(|config| {
            (config.syn_retries, config.syn_linear_timeouts) = (retries, 0);
        });
        let sent = all_sent(&mut script);
        assert_eq!(sent.len(), usize::from(retries));
        assert!(sent.iter().all(|seg| seg.flags == Flags::SYN));
        let result = script.host.stack.connect_result(script.id);
        assert_eq!(result, Err(Error::TimedOut));
    }
}

#[test]
fn tcp_syn_linear_timeouts_come_before_those_that_double() {
    for (linear, expected) in [(0, [1, 2, 4, 8]), (2, [1, 1, 1, 2])] {
        let mut script = Script::connecting(|config| config.syn_linear_timeouts = linear);
        assert_eq!(pauses(&mut script, 4), expected.map(|s| s * SECOND));
    }
}

#[test]
fn tcp_synack_retries_is_how_often_a_syn_ack_is_repeated() {
    for retries in [0, 2] {
        let mut script = listening(5, |config| config.synack_retries = retries);
        script.send(&Seg::new(Flags::SYN, 0, 0));
        assert_eq!(script.sent_one().flags, SYN_ACK);
        assert_eq!(all_sent(&mut script).len(), usize::from(retries));
        assert_eq!(script.host.stack.live_connections(), 1, "the listener");
    }
}

#[test]
fn tcp_timestamps_offers_a_clock() {
    for on in [0, 1] {
        let mut script = Script::new(|config| config.timestamps = on);
        assert_eq!(script.connect().clock.is_some(), on == 1);
    }
}

#[test]
fn tcp_sack_reports_what_came_beyond_a_gap() {
    for on in [0, 1] {
        let mut script = connected(|config| config.sack = on);
        script.send(&Seg::data(1001, 1, 1000));
        assert_eq!(script.sent_one().sack.len(), usize::from(on));
    }
}

#[test]
fn tcp_window_scaling_offers_more_than_64_kib() {
    for (on, scale) in [(0, 0), (1, 7)] {
        let mut world = World::configured(|config| config.window_scaling = on);
        assert_eq!(world.info(0).wscales >> 4, scale);
        world.transfer(0, &pattern(4_000_000), 60 * SECOND);
        assert_eq!(world.info(0).snd_wnd > 65_535, on == 1);
    }
}

#[test]
fn ip_local_port_range_is_where_ports_are_chosen_from() {
    let mut script = Script::new(|config| (config.port_first, config.port_last) = (700, 700));
    script.connect();
    let local = script.host.stack.local(script.id).expect("bound");
    assert_eq!(local.port, 700);
    script.send(&Seg::new(SYN_ACK, 0, 1));
    let second = super::super::world::stream(&mut script.host);
    let remote = script.host.stack.peer(script.id).expect("connected");
    let result = script.host.stack.connect(script.host.now, second, remote);
    assert_eq!(
        result,
        Err(Error::AddressNotAvailable),
        "the only port is taken"
    );
}
