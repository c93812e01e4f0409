//! Half-open connections and SYN cookies: what a listener keeps of those who may never come back.

use super::script::*;
use super::world::{SECOND, assert_empty};
use crate::ip::Trouble;
use crate::tcp::header::Flags;
use crate::{Config, Error, Shutdown, SockId, SockOpt};
use core::time::Duration;

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
const SYN: Flags = Flags::SYN;

/// A listener with room for `backlog` and one more, clocks and scales on.
fn listening(backlog: u32, change: impl Fn(&mut Config)) -> Script {
    Script::listening_with(backlog, change)
}

/// A SYN of the peer's port `port`; gives the answer. Our numbers count from it.
fn open(script: &mut Script, port: u16, syn: &Seg) -> Seg {
    script.use_peer_port(port);
    script.use_own_iss(0);
    script.send(syn);
    let answer = script.sent_one();
    script.use_own_iss(answer.seq);
    answer
}

fn accept(script: &mut Script) -> Result<SockId, Error> {
    script.host.stack.accept(script.host.now, script.id)
}

/// Whether a connection waits for `accept`; it is closed.
fn is_accepted(script: &mut Script) -> bool {
    let child = accept(script);
    if let Ok(child) = child {
        script.host.stack.close(script.host.now, child);
    }
    child.is_ok()
}

/// As many strangers as fit are half open.
fn fill(script: &mut Script, backlog: u32) {
    for port in 0..=u16::try_from(backlog).expect("small") {
        assert_eq!(
            open(script, 1000 + port, &Seg::new(SYN, 0, 0)).flags,
            SYN_ACK
        );
    }
    assert_eq!(script.host.stack.usage().requests, backlog + 1);
    assert_eq!(script.host.stack.mib().syncookies_sent, 0);
}

fn finish(mut script: Script) {
    script.close();
    for _ in 0..300 {
        script.sent();
        script.advance(SECOND);
    }
    assert_empty(&mut script.host);
}

#[test]
fn a_half_open_connection_is_no_endpoint_yet() {
    let mut script = listening(5, |_| {});
    open(&mut script, 1000, &Seg::new(SYN, 0, 0).clock(7, 0).scale(3));
    let usage = script.host.stack.usage();
    assert_eq!((usage.endpoints, usage.requests), (1, 1));
    script.send(&Seg::ack(1, 1).clock(8, 0));
    let usage = script.host.stack.usage();
    assert_eq!((usage.endpoints, usage.requests), (2, 0));
    assert!(is_accepted(&mut script));
    finish(script);
}

#[test]
fn who_completes_a_handshake_with_a_listener_that_has_gone_is_reset() {
    let ends: [fn(&mut Script); 3] = [
        |script| script.close(),
        |script| shut(script, Shutdown::Read),
        |script| shut(script, Shutdown::Both),
    ];
    for end in ends {
        let mut script = listening(5, |_| {});
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        end(&mut script);
        assert_eq!(script.host.stack.usage().requests, 0);
        script.send(&Seg::ack(1, 1));
        assert_eq!(script.sent_one().flags, Flags::RST);
        script.send(&Seg::data(1, 1, 10));
        assert_eq!(script.sent_one().flags, Flags::RST);
        assert_eq!(script.host.stack.live_connections(), 0);
        script.close();
        assert_empty(&mut script.host);
    }
}

fn shut(script: &mut Script, how: Shutdown) {
    let (now, id) = (script.host.now, script.id);
    script.host.stack.shutdown(now, id, how).expect("listening");
}

#[test]
fn a_listener_that_listens_again_knows_nothing_of_the_half_open_before() {
    let mut script = listening(5, |_| {});
    open(&mut script, 1000, &Seg::new(SYN, 0, 0));
    shut(&mut script, Shutdown::Read);
    let (now, id) = (script.host.now, script.id);
    script.host.stack.listen(now, id, 5).expect("listening");
    script.send(&Seg::ack(1, 1));
    assert_eq!(script.sent_one().flags, Flags::RST);
    open(&mut script, 1000, &Seg::new(SYN, 0, 0));
    script.send(&Seg::ack(1, 1));
    assert!(is_accepted(&mut script));
    finish(script);
}

#[test]
fn blind_segments_do_not_end_a_half_open_connection() {
    let blind = [
        (Seg::ack(1, 2), Some(Flags::RST)),
        (Seg::data(1, 0, 10), Some(Flags::RST)),
        (Seg::new(Flags::RST, 2, 0), Some(Flags::ACK)),
        (Seg::new(Flags::RST, 100_000, 0), None),
        (Seg::new(Flags::RST | Flags::ACK, 1, 9), None),
        (Seg::new(SYN, 1, 0), Some(Flags::ACK)),
        (Seg::new(SYN, 500_000, 0), Some(Flags::ACK)),
        (Seg::ack(100_000, 1), Some(Flags::ACK)),
        (Seg::new(Flags::FIN, 1, 0), None),
    ];
    for (segment, expected) in blind {
        let mut script = listening(5, |config| {
            (config.timestamps, config.window_scaling) = (0, 0)
        });
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        script.send(&segment);
        let sent = script.sent();
        let answers: std::vec::Vec<Flags> = sent.iter().map(|seg| seg.flags).collect();
        assert_eq!(answers.first().copied(), expected, "{segment:?}");
        script.send(&Seg::ack(1, 1));
        assert!(is_accepted(&mut script), "{segment:?}");
        finish(script);
    }
}

#[test]
fn an_old_clock_does_not_complete_a_handshake() {
    let mut script = listening(5, |_| {});
    open(&mut script, 1000, &Seg::new(SYN, 0, 0).clock(1000, 0));
    script.send(&Seg::ack(1, 1).clock(999, 0));
    assert_eq!(accept(&mut script), Err(Error::WouldBlock));
    assert_eq!(script.sent_one().flags, Flags::ACK);
    script.send(&Seg::ack(1, 1).clock(1001, 0));
    assert!(is_accepted(&mut script));
    finish(script);
}

#[test]
fn answers_for_a_half_open_connection_have_a_bounded_rate() {
    let mut script = listening(5, |_| {});
    open(&mut script, 1000, &Seg::new(SYN, 0, 0));
    for seq in [77_777, 88_888, 0, 0] {
        script.send(&Seg::new(SYN, seq, 0));
    }
    assert_eq!(script.sent().len(), 1);
    script.advance(600 * SECOND / 1000);
    script.send(&Seg::new(SYN, 0, 0));
    assert_eq!(script.sent_one().flags, SYN_ACK);
    finish(script);
}

#[test]
fn the_exact_reset_ends_a_half_open_connection() {
    let mut script = listening(5, |_| {});
    open(&mut script, 1000, &Seg::new(SYN, 0, 0));
    script.send(&Seg::new(Flags::RST, 1, 0));
    assert_eq!(script.host.stack.usage().requests, 0);
    assert_eq!(script.host.stack.mib().tcp_embryonic_rsts, 1);
    finish(script);
}

#[test]
fn a_half_open_connection_whose_peer_cannot_be_reached_ends() {
    let error = Error::HostUnreachable;
    for (seq, left) in [(0, 0), (1, 1)] {
        let mut script = listening(5, |_| {});
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        script.complain(
            seq,
            Trouble::Unreachable {
                error,
                fatal: false,
            },
        );
        assert_eq!(script.host.stack.usage().requests, left);
        finish(script);
    }
}

#[test]
fn a_repeated_syn_ack_measures_no_round_trip() {
    for late in [false, true] {
        let mut script = listening(5, |_| {});
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        script.advance(if late { 1100 } else { 100 } * SECOND / 1000);
        assert_eq!(script.sent().len(), usize::from(late));
        script.send(&Seg::ack(1, 1));
        let child = accept(&mut script).expect("established");
        let info = script
            .host
            .stack
            .tcp_info(script.host.now, child)
            .expect("a connection");
        assert_eq!(info.rtt, if late { 0 } else { 100_000 });
        script.host.stack.close(script.host.now, child);
        finish(script);
    }
}

#[test]
fn what_was_offered_holds_whatever_the_listener_is_set_to_meanwhile() {
    let mut script = listening(5, |_| {});
    let answer = open(&mut script, 1000, &Seg::new(SYN, 0, 0).clock(7, 0).scale(3));
    let (now, id) = (script.host.now, script.id);
    let options = [SockOpt::ReceiveBuffer(4096), SockOpt::MaxSegment(600)];
    for option in options {
        script
            .host
            .stack
            .set_option(now, id, option)
            .expect("an option");
    }
    script.send(&Seg::ack(1, 1).clock(8, 0));
    let child = accept(&mut script).expect("established");
    let info = script
        .host
        .stack
        .tcp_info(now, child)
        .expect("a connection");
    assert_eq!(Some(info.wscales >> 4), answer.scale);
    assert_eq!(info.advmss, 1460);
    script.host.stack.close(script.host.now, child);
    finish(script);
}

#[test]
fn beyond_the_backlog_a_cookie_is_all_that_is_kept() {
    for (clock, scale) in [(None, None), (Some((7, 0)), Some(3)), (Some((7, 0)), None)] {
        let mut script = listening(1, |_| {});
        fill(&mut script, 1);
        let syn = Seg {
            clock,
            scale,
            ..Seg::new(SYN, 0, 0)
        };
        let answer = open(&mut script, 2000, &syn);
        assert_eq!(answer.flags, SYN_ACK);
        assert_eq!(script.host.stack.usage().requests, 2);
        assert_eq!(script.host.stack.mib().syncookies_sent, 1);
        script.advance(50 * SECOND / 1000);
        let echo = answer.clock.map(|(own, _)| (8, own));
        script.send(&Seg {
            clock: echo,
            ..Seg::data(1, 1, 10).window(4000)
        });
        let child = accept(&mut script).expect("established");
        let info = script
            .host
            .stack
            .tcp_info(script.host.now, child)
            .expect("a connection");
        // Without a clock only the segment size comes back: 536, the largest common one below 1000.
        let has_clock = clock.is_some();
        assert_eq!(info.snd_mss, if has_clock { 524 } else { 536 });
        assert_eq!(info.options & 1 != 0, has_clock, "timestamps");
        assert_eq!(info.options & 2 != 0, has_clock, "SACK");
        assert_eq!(info.options & 4 != 0, scale.is_some(), "scaling");
        assert_eq!(info.snd_wnd, 4000 << scale.unwrap_or(0));
        assert_eq!(info.bytes_received, 10);
        script.host.stack.close(script.host.now, child);
        finish(script);
    }
}

#[test]
fn a_cookie_is_good_for_a_minute_at_least_and_for_two_at_most() {
    for (wait_s, is_good) in [(60, true), (125, false)] {
        let mut script = listening(0, |config| config.syncookies = 2);
        open(&mut script, 2000, &Seg::new(SYN, 0, 0));
        script.advance(Duration::from_secs(wait_s));
        script.send(&Seg::ack(1, 1));
        assert_eq!(is_accepted(&mut script), is_good);
        let is_reset = script.sent().iter().any(|seg| seg.has(Flags::RST));
        assert_eq!(is_reset, !is_good);
        finish(script);
    }
}

#[test]
fn an_ack_that_is_no_cookie_is_reset_and_counted() {
    let mut script = listening(0, |config| config.syncookies = 2);
    open(&mut script, 2000, &Seg::new(SYN, 0, 0));
    for ack in [0, 77, 1 << 20, 1 << 31] {
        script.send(&Seg::ack(1, ack));
        assert_eq!(script.sent_one().flags, Flags::RST);
    }
    script.use_peer_port(2001);
    script.send(&Seg::ack(1, 1));
    assert_eq!(script.sent_one().flags, Flags::RST);
    assert_eq!(script.host.stack.mib().syncookies_failed, 5);
    finish(script);
}

#[test]
fn a_listener_that_sent_no_cookies_takes_none() {
    let mut script = listening(0, |config| config.syncookies = 2);
    open(&mut script, 2000, &Seg::new(SYN, 0, 0));
    shut(&mut script, Shutdown::Read);
    let (now, id) = (script.host.now, script.id);
    script.host.stack.listen(now, id, 5).expect("listening");
    script.send(&Seg::ack(1, 1));
    assert_eq!(script.sent_one().flags, Flags::RST);
    assert_eq!(script.host.stack.mib().syncookies_failed, 0);
    finish(script);
}

#[test]
fn a_full_accept_queue_drops_syns_and_the_acks_of_cookies() {
    let mut script = listening(0, |config| config.syncookies = 2);
    open(&mut script, 2000, &Seg::new(SYN, 0, 0));
    let late = script.own_iss();
    open(&mut script, 2001, &Seg::new(SYN, 0, 0));
    script.send(&Seg::ack(1, 1));
    script.use_peer_port(2000);
    script.use_own_iss(late);
    script.send(&Seg::ack(1, 1));
    script.use_peer_port(2002);
    script.send(&Seg::new(SYN, 0, 0));
    assert!(script.sent().is_empty());
    assert!(is_accepted(&mut script));
    assert_eq!(accept(&mut script), Err(Error::WouldBlock));
    assert_eq!(script.host.stack.mib().tcp_listen_overflows, 2);
    finish(script);
}

#[test]
fn who_has_not_answered_for_a_second_gives_way() {
    let mut script = listening(1, |_| {});
    fill(&mut script, 1);
    script.advance(1100 * SECOND / 1000);
    assert_eq!(script.sent().len(), 2, "both SYN-ACKs again");
    open(&mut script, 2000, &Seg::new(SYN, 0, 0));
    assert_eq!(script.host.stack.mib().syncookies_sent, 0);
    assert_eq!(script.host.stack.usage().requests, 2);
    // The one that came first has gone, the second is still there.
    script.use_peer_port(1000);
    script.send(&Seg::ack(1, 1));
    assert_eq!(script.sent_one().flags, Flags::RST);
    open(&mut script, 1001, &Seg::new(SYN, 0, 0));
    assert_eq!(script.host.stack.mib().syncookies_sent, 0);
    finish(script);
}

#[test]
fn who_has_answered_and_waits_does_not_give_way() {
    // For its data, or for room in the queue of `accept`.
    for defers in [true, false] {
        let mut script = listening(1, |_| {});
        if defers {
            let (now, id) = (script.host.now, script.id);
            let option = SockOpt::DeferAccept(60);
            let set = script.host.stack.set_option(now, id, option);
            set.expect("an option");
        }
        let mut others = std::vec::Vec::new();
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        let iss = script.own_iss();
        for port in [1001, 1002] {
            if !defers {
                open(&mut script, port, &Seg::new(SYN, 0, 0));
                script.send(&Seg::ack(1, 1));
                others.push(port);
            }
        }
        script.use_peer_port(1000);
        script.use_own_iss(iss);
        script.send(&Seg::ack(1, 1));
        script.sent();
        assert_eq!(script.host.stack.usage().requests, 1);
        script.advance(1500 * SECOND / 1000);
        script.sent();
        for _ in others {
            assert!(is_accepted(&mut script));
        }
        script.sent();
        for port in 2000..2010 {
            open(&mut script, port, &Seg::new(SYN, 0, 0));
        }
        assert!(script.host.stack.mib().syncookies_sent > 0);
        script.use_peer_port(1000);
        script.use_own_iss(iss);
        script.send(&Seg::data(1, 1, 10));
        assert!(is_accepted(&mut script), "defers {defers}");
        finish(script);
    }
}

#[test]
fn half_of_a_crowded_backlog_is_freed_after_two_repeats() {
    // Five repeats each, the last 62 s after the SYN; of eleven, six end after two.
    for (strangers, repeats) in [(4, 4 * 5), (11, 11 * 2 + 5 * 3)] {
        let mut script = listening(10, |_| {});
        for port in 0..strangers {
            open(&mut script, 1000 + port, &Seg::new(SYN, 0, 0));
        }
        let mut sent = 0;
        for _ in 0..70 {
            script.advance(SECOND);
            sent += script.sent().len();
        }
        assert_eq!(sent, repeats, "{strangers} of 11");
        assert_eq!(script.host.stack.usage().requests, 0);
        finish(script);
    }
}

#[test]
fn a_flood_of_syns_is_bounded_and_a_real_peer_gets_through() {
    for cookies in [0, 1, 2] {
        let mut script = listening(5, |config| config.syncookies = cookies);
        for n in 0..30_000u32 {
            script.use_peer_port(u16::try_from(1024 + n % 60_000).expect("a port"));
            script.send(&Seg::new(SYN, n * 7919, 0).clock(n, 0));
            if n % 32 == 0 {
                script.host.transmit_all();
                script.advance(Duration::from_micros(320));
            }
        }
        script.host.transmit_all();
        let usage = script.host.stack.usage();
        assert!(usage.requests <= 6, "{usage:?}");
        assert_eq!((usage.endpoints, usage.packets), (1, 0));
        open(&mut script, 1000, &Seg::new(SYN, 0, 0));
        script.send(&Seg::data(1, 1, 10));
        assert!(is_accepted(&mut script), "cookies {cookies}");
        finish(script);
    }
}

#[test]
fn deferred_accept_waits_for_data_and_not_for_ever() {
    let mut script = listening(5, |_| {});
    let (now, id) = (script.host.now, script.id);
    let defer = SockOpt::DeferAccept(3);
    script
        .host
        .stack
        .set_option(now, id, defer)
        .expect("an option");
    open(&mut script, 1000, &Seg::new(SYN, 0, 0));
    script.send(&Seg::ack(1, 1));
    assert_eq!(accept(&mut script), Err(Error::WouldBlock));
    // Two timeouts begin within 3 s; the SYN-ACK goes again when the second is over.
    let (waited, sent) = script.wait(100 * SECOND);
    assert_eq!((waited, sent[0].flags), (3 * SECOND, SYN_ACK));
    script.send(&Seg::ack(1, 1));
    assert!(is_accepted(&mut script), "an ACK alone will do now");
    script.sent();
    open(&mut script, 1001, &Seg::new(SYN, 0, 0));
    script.send(&Seg::data(1, 1, 10));
    assert!(is_accepted(&mut script), "data will always do");
    finish(script);
}

#[test]
fn a_listener_knows_how_many_of_its_requests_are_young() {
    let mut script = listening(16, |_| {});
    let young = |script: &Script| {
        let accept = script
            .host
            .stack
            .socks
            .get(script.id)
            .expect("a listener")
            .tcp
            .accept;
        (accept.young, accept.pending)
    };
    for port in 1000..1003 {
        open(&mut script, port, &Seg::new(SYN, 0, 0));
    }
    assert_eq!(young(&script), (3, 3));
    let reset = |script: &mut Script, port| {
        script.use_peer_port(port);
        script.send(&Seg::new(Flags::RST, 1, 0));
    };
    reset(&mut script, 1000);
    assert_eq!(young(&script), (2, 2));
    script.advance(1500 * SECOND / 1000);
    script.sent();
    assert_eq!(young(&script), (0, 2), "a whole timeout has passed");
    open(&mut script, 1003, &Seg::new(SYN, 0, 0));
    assert_eq!(young(&script), (1, 3));
    reset(&mut script, 1001);
    assert_eq!(young(&script), (1, 2), "it was an old one");
    finish(script);
}
