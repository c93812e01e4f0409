//! Segments that come in one burst are taken in together, and nobody can tell but by the count of ACKs.

use super::script::*;
use super::world::pattern;
use crate::tcp::header::Flags;
use std::vec::Vec;

/// The peer's segment `number` of 1000 bytes.
fn segment(all: &[u8], number: u32) -> Seg {
    let start = number as usize * 1000;
    Seg {
        data: all[start..start + 1000].to_vec(),
        ..Seg::ack(1 + number * 1000, 1)
    }
}

fn read_all(script: &mut Script) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(part) = script.read() {
        if part.is_empty() {
            break;
        }
        read.extend(part);
    }
    read
}

#[test]
fn a_burst_is_acknowledged_as_a_whole() {
    let mut script = Script::connected();
    let all = pattern(40_000);
    let burst: Vec<Seg> = (0..40).map(|number| segment(&all, number)).collect();
    let segments_before = script.info().segs_in;
    script.send_burst(&burst);
    let acks = script.sent();
    assert_eq!(acks.len(), 1, "{acks:?}");
    assert_eq!(acks[0].ack, 40_001);
    assert_eq!(script.host.stack.mib().tcp_rcv_coalesce, 39);
    let info = script.info();
    assert_eq!(info.segs_in - segments_before, 40);
    assert_eq!((info.data_segs_in, info.rcv_mss), (40, 1000));
    assert!(read_all(&mut script) == all);
    assert_eq!(script.host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn a_short_segment_and_a_fin_end_what_is_taken_together() {
    let mut script = Script::connected();
    let all = pattern(3500);
    let short = Seg {
        flags: Flags::ACK | Flags::PSH,
        data: all[2000..2500].to_vec(),
        ..Seg::ack(2001, 1)
    };
    let last = Seg {
        flags: Flags::ACK | Flags::FIN,
        data: all[2500..].to_vec(),
        ..Seg::ack(2501, 1)
    };
    script.send_burst(&[segment(&all, 0), segment(&all, 1), short, last]);
    script.advance(MOMENT);
    let acks = script.sent();
    assert_eq!(acks.last().map(|ack| ack.ack), Some(3502), "{acks:?}");
    assert!(read_all(&mut script) == all);
    assert_eq!(script.read().as_deref(), Ok([].as_slice()), "end of file");
}

#[test]
fn one_damaged_segment_spoils_no_other() {
    let mut script = Script::connected();
    let all = pattern(4000);
    let mut frames: Vec<_> = (0..4)
        .map(|number| script.frame(&segment(&all, number)))
        .collect();
    let last = frames[1].bytes.len() - 1;
    frames[1].bytes[last] ^= 1;
    script.host.receive_burst(&frames);
    let ack = script.sent().pop().expect("an ACK");
    assert_eq!((ack.ack, ack.sack), (1001, std::vec![(2001, 4001)]));
    assert_eq!(script.host.stack.mib().tcp_in_csum_errors, 1);
}

#[test]
fn news_in_a_segment_is_not_lost_among_others() {
    let mut script = Script::connected();
    script.write(3000);
    assert_eq!(script.sent().len(), 3);
    let all = pattern(4000);
    let with_ack = |number, ack, window| Seg {
        ack,
        window,
        ..segment(&all, number)
    };
    script.send_burst(&[
        with_ack(0, 1, 60_000),
        with_ack(1, 1001, 60_000),
        with_ack(2, 1001, 50_000),
        with_ack(3, 3001, 40_000),
    ]);
    let info = script.info();
    assert_eq!((info.bytes_acked, info.unacked), (3000, 0));
    assert_eq!(info.snd_wnd, 40_000);
    assert!(read_all(&mut script) == all);
}

#[test]
fn any_bursts_give_the_bytes_that_single_segments_give() {
    let all = pattern(30_000);
    for seed in 0..300u32 {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let mut random = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        // Mostly in order; some are missing at first, come twice, overlap, are short or carry PSH.
        let (mut segs, mut late) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < 30_000 {
            let len = if random(5) == 0 {
                1 + random(999)
            } else {
                1000
            };
            let end = (at + len).min(30_000);
            let start = at.saturating_sub(if random(8) == 0 { random(300) } else { 0 });
            let mut seg = Seg::ack(1 + start, 1);
            seg.data = all[start as usize..end as usize].to_vec();
            if random(6) == 0 {
                seg.flags |= Flags::PSH;
            }
            match random(12) {
                0 => late.push(seg),
                1 => segs.extend([seg.clone(), seg]),
                _ => segs.push(seg),
            }
            at = end;
        }
        segs.extend(late);
        let mut script = Script::connected();
        let mut rest = segs.as_slice();
        let mut last_ack = 0;
        while !rest.is_empty() {
            let count = (1 + random(20) as usize).min(rest.len());
            let (burst, others) = rest.split_at(count);
            script.send_burst(burst);
            last_ack = script.sent().last().map_or(last_ack, |ack| ack.ack);
            rest = others;
        }
        assert_eq!(last_ack, 30_001, "seed {seed}");
        let read = read_all(&mut script);
        assert!(read == all, "seed {seed}: {} bytes", read.len());
        assert_eq!(script.host.stack.receive_buffers().in_use(), 0);
    }
}
