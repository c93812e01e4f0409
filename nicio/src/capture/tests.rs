use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use sys::Errno;

use super::ring::{FRAME_MAX, RING_BYTES};
use super::testing::{Running, append, record};
use super::*;
use crate::testing::{Got, Pools, Sent, noise, plain_header, tcp_checksum_is_right, tcp_frame};
use crate::{Nic, RESERVE_MAX, RxBurst, TX_BURST_MAX, TxBurst, conformance, mem};

const NO_LIMIT: u64 = 1 << 40;

#[test]
fn a_captured_device_does_what_every_device_must_and_all_of_it_is_in_the_file() {
    let capture = Running::start(NO_LIMIT);
    let (one, mut other) = mem::pair();
    let mut one = Captured::new(one, Some(capture.recorder()));
    conformance::run(&mut one, &mut other);
    drop(one);
    let parsed = capture.finish();
    let count = |flags| parsed.packets.iter().filter(|p| p.flags == flags).count();
    let (received, sent) = (count(1), count(2));
    assert!(received >= TX_BURST_MAX && sent >= TX_BURST_MAX);
    assert_eq!(parsed.statistics, Some(((received + sent) as u64, 0)));
    assert!(parsed.packets.is_sorted_by_key(|packet| packet.time_ns));
    for packet in &parsed.packets {
        let is_ip = packet.bytes.get(12..14) == Some(&[8, 0]);
        assert!(!is_ip || tcp_checksum_is_right(&packet.bytes));
    }
}

#[test]
fn a_capture_shows_what_passed_and_changes_nothing_of_it() {
    let capture = Running::start(NO_LIMIT);
    let (one, mut other) = mem::pair();
    let mut one = Captured::new(one, Some(capture.recorder()));
    let mut pools = Pools::new();
    let mss = 1460;
    let frame = tcp_frame(noise(40_001, 5), Some(mss));
    pools.send_all(&mut one, std::slice::from_ref(&frame), 3);
    let got = pools
        .receive_until(&mut other, |got| got.len() == 1)
        .expect("it comes");
    assert_eq!(got[0].bytes, frame.bytes(), "its checksum is still missing");
    assert_eq!(got[0].gso_size, mss);
    pools.send_all(&mut other, std::slice::from_ref(&frame), 2);
    let back = pools
        .receive_until(&mut one, |got| got.len() == 1)
        .expect("it comes");
    assert_eq!(back, got);
    drop(one);
    let parsed = capture.finish();
    assert_eq!(parsed.packets.len(), 2);
    for (packet, flags) in parsed.packets.iter().zip([2, 1]) {
        assert_eq!(packet.flags, flags);
        assert_eq!(packet.bytes.len(), frame.bytes().len());
        assert!(tcp_checksum_is_right(&packet.bytes));
        assert_eq!(packet.bytes[54..], frame.payload);
    }
}

#[test]
fn frames_that_the_device_does_not_take_are_captured_when_it_does() {
    let capture = Running::start(NO_LIMIT);
    let (one, mut other) = mem::pair();
    let mut one = Captured::new(one, Some(capture.recorder()));
    let mut pools = Pools::new();
    let mut burst = TxBurst::new();
    let mut sent = 0;
    loop {
        while !burst.is_full() {
            let frame = Sent {
                header: plain_header(),
                payload: noise(60 + sent % 7, burst.len() as u8),
                ..Sent::default()
            };
            pools.queue(&mut burst, &frame, 1);
        }
        // The last time nothing finds room.
        let count = one.tx_burst(&mut burst).expect("the device works");
        pools.give_back(&mut burst);
        sent += count;
        if count == 0 {
            break;
        }
    }
    let all = |got: &[Got]| got.len() == mem::RING_FRAMES;
    let mut got = pools.receive_until(&mut other, all).expect("it works");
    assert_eq!(one.tx_burst(&mut burst), Ok(TX_BURST_MAX));
    pools.give_back(&mut burst);
    let rest = |got: &[Got]| got.len() == TX_BURST_MAX;
    got.extend(pools.receive_until(&mut other, rest).expect("it works"));
    drop(one);
    let parsed = capture.finish();
    let captured = parsed.packets.iter().map(|packet| &packet.bytes);
    assert!(
        captured.eq(got.iter().map(|got| &got.bytes)),
        "each once, in order"
    );
}

#[test]
fn a_device_without_a_recorder_captures_nothing() {
    let capture = Running::start(NO_LIMIT);
    let (one, mut other) = mem::pair();
    let mut one = Captured::new(one, Some(capture.recorder()));
    one.set_recorder(None);
    conformance::run(&mut one, &mut other);
    drop(one);
    assert_eq!(capture.finish().packets, []);
}

#[test]
fn what_was_not_published_is_not_captured() {
    let capture = Running::start(NO_LIMIT);
    let mut recorder = capture.recorder();
    record(&mut recorder, &noise(100, 1), 1);
    assert!(recorder.begin());
    append(&mut recorder, &noise(200, 2), 2);
    // Here a process was killed; another one goes on.
    let mut next = capture.recorder();
    record(&mut next, &noise(300, 3), 3);
    drop((recorder, next));
    let lens = |parsed: &testing::Parsed| {
        let lens = parsed.packets.iter().map(|packet| packet.bytes.len());
        lens.collect::<Vec<_>>()
    };
    assert_eq!(lens(&capture.finish()), [100, 300]);
}

#[test]
fn many_rounds_of_the_ring_lose_nothing_that_the_writer_keeps_up_with() {
    let capture = Running::start(NO_LIMIT);
    let mut recorder = capture.recorder();
    let frame = noise(65_001, 7);
    let frames = 3 * RING_BYTES / 65_001;
    for number in 0..frames {
        record(&mut recorder, &frame, number);
        recorder.channel().flush(Duration::from_secs(5));
    }
    drop(recorder);
    let parsed = capture.finish();
    assert_eq!(parsed.statistics, Some((frames, 0)));
    assert!(parsed.packets.iter().all(|packet| packet.bytes == frame));
}

#[test]
fn a_full_ring_delays_once_then_loses_frames_and_counts_them() {
    let (channel, writer) = Channel::make().expect("there is memory");
    let channel = Arc::new(channel);
    let mut recorder = Recorder::new(Arc::clone(&channel));
    let frame = noise(65_000, 7);
    let fitting = RING_BYTES / 65_024;
    for _ in 0..fitting {
        record(&mut recorder, &frame, 0);
    }
    assert_eq!(channel.news(), None);
    let start = Instant::now();
    for _ in 0..1000 {
        record(&mut recorder, &frame, 0);
    }
    assert!(start.elapsed() < Duration::from_secs(5), "one wait at most");
    let lost = || channel.words().frames_lost.load(Ordering::Relaxed);
    assert_eq!(lost(), 1000);
    assert_eq!(channel.news(), Some(News::Lossy));
    assert_eq!(channel.news(), None, "said once");
    // Up to half of the ring nothing comes in.
    let taken = &channel.words().taken;
    taken.fetch_add(RING_BYTES / 4, Ordering::Release);
    record(&mut recorder, &frame, 0);
    assert_eq!(lost(), 1001);
    taken.fetch_add(RING_BYTES / 4, Ordering::Release);
    record(&mut recorder, &frame, 0);
    assert_eq!(lost(), 1001);
    drop(writer);
}

#[test]
fn any_number_of_lost_frames_in_the_shared_memory_is_written_down() {
    let running = Running::start(NO_LIMIT);
    let mut recorder = running.recorder();
    record(&mut recorder, b"one frame", 1);
    drop(recorder);
    running
        .channel
        .words()
        .frames_lost
        .store(u64::MAX, Ordering::Relaxed);
    assert_eq!(running.finish().statistics, Some((u64::MAX, u64::MAX)));
}

#[test]
fn a_frame_that_is_too_long_is_lost_alone() {
    let capture = Running::start(NO_LIMIT);
    let mut recorder = capture.recorder();
    record(&mut recorder, &noise(FRAME_MAX as usize + 1, 1), 0);
    record(&mut recorder, &noise(FRAME_MAX as usize, 1), 0);
    drop(recorder);
    let parsed = capture.finish();
    assert_eq!(parsed.packets.len(), 1);
    assert_eq!(parsed.statistics, Some((2, 1)));
}

#[test]
fn the_file_grows_up_to_its_limit_and_stays_readable() {
    let limit = 1 << 20;
    let capture = Running::start(limit);
    let mut recorder = capture.recorder();
    let frame = noise(1500, 1);
    while recorder.begin() {
        append(&mut recorder, &frame, 0);
        let mark = recorder.mark();
        recorder.publish(mark);
    }
    assert_eq!(recorder.channel().news(), Some(News::Full));
    drop(recorder);
    let place = capture.place.path().to_owned();
    let size = || std::fs::metadata(&place).expect("it is there").len();
    let channel = Arc::clone(&capture.channel);
    channel.flush(Duration::from_secs(1));
    drop(channel);
    assert!((limit - 1700..=limit).contains(&size()), "{}", size());
    let parsed = capture.finish();
    let (received, lost) = parsed.statistics.expect("the file has an end");
    assert_eq!(received - lost, parsed.packets.len() as u64);
}

#[test]
fn a_file_that_cannot_be_written_ends_the_capture() {
    let (channel, writer) = Channel::make().expect("there is memory");
    let full = sys::open(c"/dev/full", libc::O_WRONLY, 0).expect("every Linux has it");
    let writer = Writer::new(writer, full, NO_LIMIT);
    let writer = std::thread::spawn(move || writer.run());
    let channel = Arc::new(channel);
    let mut recorder = Recorder::new(Arc::clone(&channel));
    record(&mut recorder, &noise(100, 1), 0);
    channel.flush(Duration::from_secs(5));
    writer.join().expect("the writer ends by itself");
    assert_eq!(channel.news(), Some(News::Failed(Errno(libc::ENOSPC))));
    assert!(!recorder.begin());
}

#[test]
fn a_writer_that_was_killed_ends_the_capture_at_the_next_bell() {
    let (channel, writer) = Channel::make().expect("there is memory");
    drop(writer);
    let mut recorder = Recorder::new(Arc::new(channel));
    let mut tries = 0;
    while recorder.begin() && tries < 1000 {
        append(&mut recorder, &noise(65_000, 1), 0);
        let mark = recorder.mark();
        recorder.publish(mark);
        tries += 1;
    }
    assert_eq!(recorder.channel().news(), Some(News::NoWriter));
    assert!(tries < 1000, "nobody noticed");
}

#[test]
fn a_closed_capture_is_silent() {
    let (channel, _writer) = Channel::make().expect("there is memory");
    channel.close();
    assert_eq!(channel.news(), None);
    assert!(!Recorder::new(Arc::new(channel)).begin());
}

#[test]
fn a_capture_follows_the_first_fresh_stack_and_no_other() {
    let (channel, _writer) = Channel::make().expect("there is memory");
    let channel = Arc::new(channel);
    let mut first = Recorder::new(Arc::clone(&channel));
    // What a fork makes of it.
    let mut copy = Recorder::new(Arc::clone(&channel));
    assert!(first.begin() && copy.begin());
    let mut renewed = first.renew().expect("nobody was faster");
    assert!(copy.renew().is_none());
    assert!(renewed.begin());
    assert!(!first.begin() && !copy.begin());
}

#[test]
fn descriptors_lead_to_the_same_channel_and_others_are_refused() {
    let (channel, writer) = Channel::make().expect("there is memory");
    let [memory, socket] = channel
        .fds()
        .map(|fd| sys::duplicate(fd).expect("a descriptor is left"));
    let same = Channel::from_fds([memory, socket]).expect("it is a channel");
    same.end(News::Full);
    assert_eq!(channel.news(), Some(News::Full));
    drop((channel, same));
    assert!(writer.wait(Duration::from_secs(5)), "all are gone");
    let null = || sys::open(c"/dev/null", libc::O_RDWR, 0).expect("every Linux has it");
    let refused = Channel::from_fds([null(), null()]).map(drop);
    assert_eq!(refused, Err(CaptureError::NotAChannel));
    let other = sys::memfd(c"other").expect("there is memory");
    sys::seal(other.as_raw(), libc::F_SEAL_SHRINK as u32).expect("it can be sealed");
    let refused = Channel::from_fds([other, null()]).map(drop);
    assert_eq!(refused, Err(CaptureError::NotAChannel));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn frames_of_any_length_come_out_as_they_went_in(
        lens in vec(1usize..69_632, 1..40), times in vec(any::<u64>(), 40)
    ) {
        let capture = Running::start(NO_LIMIT);
        let mut recorder = capture.recorder();
        for (len, time_ns) in lens.iter().zip(&times) {
            record(&mut recorder, &noise(*len, *len as u8), *time_ns);
        }
        drop(recorder);
        let parsed = capture.finish();
        prop_assert_eq!(parsed.packets.len(), lens.len());
        prop_assert_eq!(parsed.statistics, Some((lens.len() as u64, 0)));
        for ((packet, len), time_ns) in parsed.packets.iter().zip(&lens).zip(&times) {
            prop_assert_eq!(packet.time_ns, *time_ns);
            prop_assert!(packet.bytes == noise(*len, *len as u8));
        }
    }

    #[test]
    fn a_scribbled_ring_never_stops_the_writer(
        garbage in vec((0..4096u64, any::<[u8; 16]>()), 1..20), recorded in any::<u64>(), near in any::<bool>()
    ) {
        let capture = Running::start(1 << 22);
        for (at, bytes) in &garbage {
            // SAFETY: a live array.
            unsafe { capture.channel.bytes().put(*at * 16, bytes.as_ptr(), bytes.len()) };
        }
        let recorded = if near { recorded % RING_BYTES } else { recorded };
        capture.channel.words().recorded.store(recorded, Ordering::Release);
        capture.channel.flush(Duration::from_secs(5));
        // It parses, and it ends.
        capture.finish();
    }
}

#[test]
fn bursts_with_frames_that_wait_are_captured_once() {
    let capture = Running::start(NO_LIMIT);
    let (one, mut other) = mem::pair();
    let mut one = Captured::new(one, Some(capture.recorder()));
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    for number in 0..3 {
        let frame = Sent {
            header: plain_header(),
            payload: noise(5000, number),
            ..Sent::default()
        };
        pools.send_all(&mut other, &[frame], 1);
        pools.supply(&mut burst, RESERVE_MAX);
        // What came before has not been taken out of the burst.
        assert_eq!(one.rx_burst(&mut burst), Ok(1));
    }
    let got = pools.take_all(&mut burst);
    drop(one);
    let parsed = capture.finish();
    assert_eq!(parsed.packets.len(), 3);
    assert!(
        parsed
            .packets
            .iter()
            .zip(got)
            .all(|(packet, got)| packet.bytes == got.bytes)
    );
}
