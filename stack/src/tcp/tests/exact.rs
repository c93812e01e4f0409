//! Whole segments, to the last field: what a peer sees of an opening, of data, of what it gets wrong.

use super::script::*;
use super::world::SECOND;
use crate::tcp::header::Flags;
use crate::{Ready, SockOpt};
use core::time::Duration;

const SYN_ACK: Flags = Flags::SYN.union(Flags::ACK);
const MS: Duration = Duration::from_millis(1);
const FIN_ACK: Flags = Flags::FIN.union(Flags::ACK);

/// An open connection of ours whose receive buffer has this many bytes: no clocks, no scaling.
fn connected_with_buffer(bytes: u64) -> Script {
    let mut script = Script::new(|config| (config.timestamps, config.window_scaling) = (0, 0));
    set(&mut script, SockOpt::ReceiveBuffer(bytes / 2));
    script.connect();
    script.send(&Seg::new(SYN_ACK, 0, 1));
    script.advance(MOMENT);
    script.sent();
    script
}

fn set(script: &mut Script, option: SockOpt) {
    let (now, id) = (script.host.now, script.id);
    let set = script.host.stack.set_option(now, id, option);
    set.expect("an option");
}

#[test]
fn an_opening_says_all_it_can() {
    let mut script = Script::new(|_| {});
    let syn = script.connect();
    let (clock, _) = syn.clock.expect("a clock");
    let expected =
        std::format!("S 0:0(0) win 64240 <mss 1460,sackOK,TS val {clock} ecr 0,wscale 7>");
    assert_eq!(std::format!("{syn}"), expected);
    script.send(&Seg::new(SYN_ACK, 0, 1).clock(500, clock).scale(3));
    script.write(1500);
    // The peer's MSS is 1000, of which the clock takes twelve bytes.
    let clocks = std::format!("<TS val {clock} ecr 500>");
    let first = std::format!(". 1:989(988) ack 1 win 502 {clocks}");
    let second = std::format!("P. 989:1501(512) ack 1 win 502 {clocks}");
    script.expect(&[&first, &second]);
}

#[test]
fn an_answer_to_an_opening_takes_up_what_was_offered() {
    let mut script = Script::listening_with(5, |_| {});
    script.send(&Seg::new(Flags::SYN, 0, 0).clock(700, 0).scale(2));
    let answer = script.sent_one();
    let (clock, _) = answer.clock.expect("a clock");
    script.use_own_iss(answer.seq);
    let first = Seg { seq: 0, ..answer };
    let expected =
        std::format!("S. 0:0(0) ack 1 win 64240 <mss 1460,sackOK,TS val {clock} ecr 700,wscale 7>");
    assert_eq!(std::format!("{first}"), expected);
}

#[test]
fn data_and_its_end_carry_what_is_known() {
    let mut script = Script::connected();
    script.write(2500);
    script.expect(&[
        ". 1:1001(1000) ack 1 win 64240",
        ". 1001:2001(1000) ack 1 win 64240",
        "P. 2001:2501(500) ack 1 win 64240",
    ]);
    script.send(&Seg::data(1, 2501, 100));
    script.send(&Seg::data(201, 2501, 100));
    script.expect(&[". 2501:2501(0) ack 101 win 64140 <sack 201:301>"]);
    script.send(&Seg::data(101, 2501, 100));
    script.expect(&[". 2501:2501(0) ack 301 win 63940"]);
    script.close();
    script.expect(&["R. 2501:2501(0) ack 301 win 0"]);
}

#[test]
fn a_reset_at_the_end_of_what_a_gap_holds_up_is_believed() {
    // RFC 5961 section 3; Linux: tcp_reset_check. In the middle or at its start it may be a stranger's.
    for (seq, is_end) in [
        (2001, false),
        (2501, false),
        (3000, false),
        (3001, true),
        (3002, false),
    ] {
        let mut script = Script::connected();
        script.send(&Seg::data(2001, 1, 1000));
        script.sent();
        script.send(&Seg::new(Flags::RST, seq, 0));
        let challenges: &[&str] = &[". 1:1(0) ack 1 win 64240 <sack 2001:3001>"];
        script.expect(if is_end { &[] } else { challenges });
        assert_eq!(
            script.host.stack.live_connections(),
            u32::from(!is_end),
            "{seq}"
        );
    }
}

#[test]
fn an_ack_may_be_one_window_old_and_no_older() {
    // RFC 5961 section 5. The largest window that was ever offered is 60,000.
    for (age, is_taken) in [(1, true), (60_000, true), (60_001, false), (90_000, false)] {
        let mut script = Script::connected();
        for sent in 1..=10u32 {
            script.write(10_000);
            script.advance(20 * MS);
            script.sent();
            script.send(&Seg::ack(1, sent * 10_000 + 1));
        }
        assert_eq!(script.info().unacked, 0);
        script.send(&Seg::data(1, 100_001 - age, 10));
        assert_eq!(script.read().is_ok(), is_taken, "{age}");
        if !is_taken {
            script.expect(&[". 100001:100001(0) ack 1 win 64240"]);
        }
    }
}

#[test]
fn a_full_buffer_is_readable_below_the_low_mark() {
    let mut script = connected_with_buffer(16_384);
    set(&mut script, SockOpt::RcvLowat(1 << 20));
    while script.host.stack.pop_event().is_some() {}
    let mut seq = 1;
    let mut is_full = false;
    for _ in 0..20 {
        let is_readable = script.host.stack.ready(script.id).contains(Ready::IN);
        let news = script.host.stack.pop_event();
        let is_told = news.is_some_and(|(_, _, edges)| edges.contains(Ready::IN));
        assert_eq!(is_readable, is_told, "{seq}");
        assert!(!is_readable || seq > 8000, "readable after {seq}");
        if is_readable {
            return;
        }
        assert!(!is_full, "not readable after {seq}");
        script.send(&Seg::data(seq, 1, 1000));
        seq += 1000;
        let (_, acks) = script.wait(500 * MS);
        is_full = acks.last().is_some_and(|ack| ack.window <= 1000);
    }
    panic!("it never fills");
}

#[test]
fn a_fin_beyond_the_window_is_not_taken() {
    let mut script = connected_with_buffer(8192);
    let window = u32::from(script.info().rcv_wnd as u16);
    let fin = Seg {
        flags: FIN_ACK,
        ..Seg::data(1, 1, window as usize + 100)
    };
    script.send(&fin);
    let (_, acks) = script.wait(SECOND);
    assert_eq!(acks.last().map(|ack| ack.ack), Some(window + 1));
    assert_eq!(script.info().state, 1, "established");
    let read = script.read().map(|bytes| bytes.len());
    assert_eq!(read, Ok(window as usize));
    script.sent();
    script.send(&Seg {
        flags: FIN_ACK,
        ..Seg::data(window + 1, 1, 100)
    });
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(100));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(0), "the end");
}

#[test]
fn a_window_that_changes_within_a_burst_is_noticed() {
    let mut script = Script::connected();
    let burst = [
        Seg::data(1, 1, 1000),
        Seg::data(1001, 1, 1000).window(100),
        Seg::data(2001, 1, 1000).window(100),
    ];
    script.send_burst(&burst);
    assert_eq!(script.info().snd_wnd, 100);
    script.send_burst(&[
        Seg::data(3001, 1, 1000).window(100),
        Seg::data(4001, 1, 1000),
    ]);
    assert_eq!(script.info().snd_wnd, 60_000);
}

#[test]
fn what_lies_beyond_a_gap_makes_way_for_what_is_next() {
    // Linux: tcp_prune_queue. The memory of all connections is used up, mostly by what lies beyond the gap.
    let mut script = Script::connecting(|config| {
        (config.timestamps, config.window_scaling) = (0, 0);
        config.tcp_mem = [4, 8, 12];
    });
    script.send(&Seg::new(SYN_ACK, 0, 1));
    script.sent();
    for number in 2..60 {
        script.send(&Seg::data(number * 1000 + 1, 1, 1000));
    }
    let end = |acks: &[Seg]| {
        let ends = acks.iter().flat_map(|ack| &ack.sack).map(|block| block.1);
        ends.max().unwrap_or(0)
    };
    let before = end(&script.sent());
    assert!(script.host.stack.mib().tcp_rcvq_drop > 0, "there is room");
    script.send(&Seg::data(1, 1, 1000));
    let ack = script.sent_one();
    assert_eq!(ack.ack, 1001);
    assert!(end(&[ack]) < before, "nothing made way");
}

#[test]
fn an_ack_that_was_overtaken_is_no_sign_of_an_old_clock() {
    // Linux: tcp_disordered_ack, within the retransmission timeout.
    for (lag, is_old) in [(1, false), (150, false), (2000, true)] {
        let mut script = Script::connecting(|config| config.window_scaling = 0);
        script.send(&Seg::new(SYN_ACK, 0, 1).clock(5000, 0));
        script.write(900);
        script.sent();
        script.send(&Seg::ack(1, 901).clock(5000, 0));
        script.send(&Seg::ack(1, 901).clock(5000 - lag, 0));
        assert_eq!(
            script.host.stack.mib().tcp_paws_estab,
            u64::from(is_old),
            "{lag}"
        );
    }
}
