//! What the receiver says: SACK, duplicates, delayed ACKs, windows.

use super::script::*;
use crate::tcp::header::Flags;
use crate::{Error, RecvFlags, SockOpt};
use core::time::Duration;

const MS: Duration = Duration::from_millis(1);

#[test]
fn data_beyond_gaps_is_reported_newest_first() {
    let mut script = Script::connected();
    script.send(&Seg::data(1001, 1, 1000));
    assert_eq!(script.sent_one().sack, [(1001, 2001)]);
    script.send(&Seg::data(3001, 1, 1000));
    assert_eq!(script.sent_one().sack, [(3001, 4001), (1001, 2001)]);
    script.send(&Seg::data(5001, 1, 1000));
    assert_eq!(
        script.sent_one().sack,
        [(5001, 6001), (3001, 4001), (1001, 2001)]
    );
    script.send(&Seg::data(2001, 1, 1000));
    let ack = script.sent_one();
    assert_eq!(
        (ack.ack, ack.sack),
        (1, std::vec![(1001, 4001), (5001, 6001)])
    );
    script.send(&Seg::data(1, 1, 1000));
    let ack = script.sent_one();
    assert_eq!((ack.ack, ack.sack), (4001, std::vec![(5001, 6001)]));
    script.send(&Seg::data(4001, 1, 1000));
    let ack = script.sent_one();
    assert_eq!((ack.ack, ack.sack.len()), (6001, 0));
    let mut total = 0;
    while let Ok(part) = script.read() {
        total += part.len();
    }
    assert_eq!(total, 6000);
}

#[test]
fn a_duplicate_is_reported_first() {
    let mut script = Script::connected();
    script.send(&Seg::data(1, 1, 1000));
    script.sent();
    script.send(&Seg::data(1, 1, 1000));
    let ack = script.sent_one();
    assert_eq!((ack.ack, ack.sack), (1001, std::vec![(1, 1001)]));
    script.send(&Seg::data(2001, 1, 1000));
    script.sent();
    script.send(&Seg::data(2001, 1, 1000));
    assert_eq!(script.sent_one().sack, [(2001, 3001), (2001, 3001)]);
}

#[test]
fn any_order_of_arrival_gives_the_same_bytes() {
    // Twelve segments of 700 bytes, some overlapping, in orders that a linear generator mixes.
    for seed in 0..200u32 {
        let mut script = Script::connected();
        let mut order: std::vec::Vec<u32> = (0..12).collect();
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        for at in (1..order.len()).rev() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            order.swap(at, (state >> 16) as usize % (at + 1));
        }
        let all = super::world::pattern(12 * 500 + 200);
        for number in order {
            let start = number as usize * 500;
            let mut seg = Seg::ack(1 + number * 500, 1);
            seg.data = all[start..start + 700].to_vec();
            script.send(&seg);
        }
        let mut read = std::vec::Vec::new();
        while let Ok(part) = script.read() {
            read.extend(part);
        }
        assert!(read == all, "seed {seed}: {} bytes", read.len());
        assert_eq!(script.host.stack.tcp.ranges.len(), 0);
        script.close();
        script.sent();
    }
}

#[test]
fn a_fin_beyond_a_gap_waits_for_it_to_be_filled() {
    let mut script = Script::connected();
    script.send(&Seg {
        flags: Flags::ACK | Flags::FIN,
        ..Seg::data(11, 1, 10)
    });
    script.sent();
    script.send(&Seg::data(1, 1, 10));
    assert_eq!(script.sent_one().ack, 22);
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(20));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(0));
}

#[test]
fn every_second_full_segment_is_acknowledged_and_a_lone_one_after_a_delay() {
    let mut script = Script::connected();
    // The first sixteen are acknowledged at once.
    let mut seq = 1;
    for _ in 0..40 {
        script.send(&Seg::data(seq, 1, 1000));
        seq += 1000;
        script.sent();
        while script.read().is_ok() {}
        script.sent();
    }
    script.send(&Seg::data(seq, 1, 1000));
    assert!(
        script.sent().is_empty(),
        "one segment is not acknowledged at once"
    );
    let (after, acks) = script.wait(500 * MS);
    assert!((39 * MS..=201 * MS).contains(&after), "{after:?}");
    assert_eq!(acks[0].ack, seq + 1000);
    seq += 1000;
    script.send(&Seg::data(seq, 1, 1000));
    script.send(&Seg::data(seq + 1000, 1, 1000));
    while script.read().is_ok() {}
    assert_eq!(script.sent_one().ack, seq + 2000);
}

#[test]
fn the_window_closes_when_nobody_reads_and_opens_when_somebody_does() {
    let mut script = Script::new(|config| (config.timestamps, config.window_scaling) = (0, 0));
    let (now, id) = (script.host.now, script.id);
    script
        .host
        .stack
        .set_option(now, id, SockOpt::ReceiveBuffer(8192))
        .expect("an option");
    script.connect();
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
    script.sent();
    let mut seq = 1;
    let mut window = 1;
    for _ in 0..100 {
        if window == 0 {
            break;
        }
        let len = usize::from(window).min(1000);
        script.send(&Seg::data(seq, 1, len));
        seq += u32::try_from(len).expect("short");
        let (_, acks) = script.wait(500 * MS);
        let last = acks.last().expect("an ACK");
        assert_eq!(last.ack, seq);
        window = last.window;
    }
    assert_eq!(window, 0, "the window closes");
    script.send(&Seg::data(seq, 1, 1));
    let probe = script.sent_one();
    assert_eq!(
        (probe.ack, probe.window),
        (seq, 0),
        "a probe is answered, not taken"
    );
    let mut read = 0;
    while let Ok(part) = script.read() {
        read += part.len();
    }
    assert_eq!(read, seq as usize - 1);
    assert!(
        script.sent_one().window > 2000,
        "the window is offered again"
    );
}

#[test]
fn peeking_leaves_the_bytes_where_they_are() {
    let mut script = Script::connected();
    script.send(&Seg::data(1, 1, 10));
    for _ in 0..2 {
        let span = script
            .host
            .stack
            .recv_reserve(script.id, 100, RecvFlags::PEEK, 4)
            .expect("data");
        assert_eq!(span.len(), 6);
        let len = span.len();
        script
            .host
            .stack
            .recv_commit(script.host.now, script.id, span, len)
            .expect("committed");
    }
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
}

#[test]
fn a_reader_without_room_waits_for_data_and_leaves_it() {
    let mut script = Script::connected();
    let nothing = |script: &mut Script| {
        let stack = &mut script.host.stack;
        stack
            .recv_reserve(script.id, 0, RecvFlags::empty(), 0)
            .map(|span| span.len())
    };
    assert_eq!(nothing(&mut script), Err(Error::WouldBlock));
    script.send(&Seg::data(1, 1, 10));
    assert_eq!(nothing(&mut script), Ok(0));
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(10));
}

#[test]
fn a_hundred_small_segments_share_one_buffer() {
    let mut script = Script::connected();
    for number in 0..100 {
        script.send(&Seg::data(1 + number * 10, 1, 10));
    }
    assert_eq!(script.host.stack.receive_buffers().in_use(), 1);
    assert_eq!(script.read().map(|bytes| bytes.len()), Ok(1000));
    assert_eq!(script.host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn full_segments_share_buffers_in_order_and_beyond_gaps() {
    let mut script = Script::connected();
    let all = super::world::pattern(24_000);
    let send = |script: &mut Script, numbers: core::ops::Range<u32>| {
        for number in numbers {
            let start = number as usize * 1000;
            let mut seg = Seg::ack(1 + number * 1000, 1);
            seg.data = all[start..start + 1000].to_vec();
            script.send(&seg);
        }
    };
    send(&mut script, 0..8);
    send(&mut script, 16..24);
    assert_eq!(
        script.host.stack.receive_buffers().in_use(),
        4,
        "four segments of 1000 bytes each"
    );
    send(&mut script, 8..16);
    assert_eq!(script.host.stack.receive_buffers().in_use(), 6);
    let mut read = std::vec::Vec::new();
    while let Ok(part) = script.read() {
        read.extend(part);
    }
    assert!(read == all, "{} bytes", read.len());
    assert_eq!(script.host.stack.receive_buffers().in_use(), 0);
}

#[test]
fn bytes_that_come_while_a_reader_copies_do_not_disturb_it() {
    let mut script = Script::connected();
    let all = super::world::pattern(2000);
    let mut seg = Seg::ack(1, 1);
    seg.data = all[..1000].to_vec();
    script.send(&seg);
    let stack = &mut script.host.stack;
    let span = stack
        .recv_reserve(script.id, 2000, RecvFlags::empty(), 0)
        .expect("data");
    let mut seg = Seg::ack(1001, 1);
    seg.data = all[1000..].to_vec();
    script.send(&seg);
    let mut read = std::vec![0; 1000];
    let stack = &mut script.host.stack;
    assert_eq!(stack.take(&span, &mut read), 1000);
    assert_eq!(
        stack.recv_commit(script.host.now, script.id, span, 1000),
        Ok(1000)
    );
    read.extend(script.read().expect("the rest"));
    assert!(read == all);
    assert_eq!(script.host.stack.receive_buffers().in_use(), 0);
}

/// What the ACKs for two short segments wait, in a receive buffer of `bytes`. The first one brings a buffer of 4096.
fn delays_of_acks(bytes: u64) -> [Duration; 2] {
    let mut script = Script::new(|config| (config.timestamps, config.window_scaling) = (0, 0));
    let (now, id) = (script.host.now, script.id);
    let half = SockOpt::ReceiveBuffer(bytes / 2);
    let stack = &mut script.host.stack;
    stack.set_option(now, id, half).expect("it is in range");
    script.connect();
    script.send(&Seg::new(Flags::SYN | Flags::ACK, 0, 1));
    script.advance(MOMENT);
    script.sent_one();
    [1, 101].map(|seq| {
        script.send(&Seg::data(seq, 1, 100));
        let (delay, acks) = script.wait(1000 * MS);
        assert_eq!(acks.last().map(|ack| ack.ack), Some(seq + 100));
        delay
    })
}

#[test]
fn acks_go_at_once_as_long_as_half_the_receive_buffer_is_free() {
    assert_eq!(delays_of_acks(8192), [Duration::ZERO; 2]);
    let [first, second] = delays_of_acks(8184);
    assert!(first.is_zero() && second >= 10 * MS, "{second:?}");
}
