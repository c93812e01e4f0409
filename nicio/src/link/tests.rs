use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::side::RING_BYTES;
use super::*;
use crate::conformance;
use crate::testing::{Got, Pools, Sent, noise, plain_header};

#[test]
fn both_ends_of_a_link_do_what_every_device_must() {
    let (mut one, mut other) = pair().expect("memory");
    conformance::run(&mut one, &mut other);
}

#[test]
fn frames_keep_their_bytes_wherever_the_ring_wraps() {
    let (mut one, mut other) = pair().expect("memory");
    let mut pools = Pools::new();
    // Lengths without a common factor with the ring's, so that every part of a record meets the end once.
    let mut passed = 0;
    for round in 0..400usize {
        let sent = frame(40 + round * 977 % 65_000, round as u8);
        pools.send_all(&mut one, std::slice::from_ref(&sent), 3);
        let got = receive(&mut pools, &mut other, 1);
        assert!(got[0].bytes == sent.bytes(), "round {round}");
        passed += got[0].bytes.len();
    }
    assert!(passed > 10 * RING_BYTES, "the ring has wrapped");
    assert_eq!(one.frames_lost() + other.frames_lost(), 0);
}

#[test]
fn a_full_ring_is_a_short_count_and_loses_nothing() {
    let (mut one, mut other) = pair().expect("memory");
    let mut pools = Pools::new();
    let (sent, mut burst) = fill(&mut pools, &mut one);
    assert!(sent >= 15, "{sent} frames of 64 KB fill the ring");
    let got = receive(&mut pools, &mut other, sent);
    for (at, got) in got.iter().enumerate() {
        assert!(got.bytes == frame(64_000, at as u8).bytes(), "frame {at}");
    }
    assert!(
        one.tx_burst(&mut burst).is_ok_and(|count| count > 0),
        "there is room again"
    );
    pools.give_back(&mut burst);
}

#[test]
fn frames_are_lost_while_the_other_end_is_free_and_pass_again_afterwards() {
    let (mut one, other) = pair().expect("memory");
    let cable = Arc::clone(&other.cable);
    let mut pools = Pools::new();
    pools.send_all(&mut one, &[frame(100, 1)], 1);
    drop(other);
    cable.unplug(End::Second);
    pools.send_all(&mut one, &[frame(100, 2)], 1);
    assert_eq!(one.frames_lost(), 1);
    let mut newcomer = Link::plug_in(cable, End::Second);
    pools.send_all(&mut one, &[frame(100, 3)], 1);
    let got = receive(&mut pools, &mut newcomer, 1);
    assert!(
        got.len() == 1 && got[0].bytes == frame(100, 3).bytes(),
        "what was sent to the one before is not for the newcomer"
    );
}

#[test]
fn who_takes_an_end_over_goes_on_where_the_other_stopped() {
    let (mut one, mut other) = pair().expect("memory");
    let mut pools = Pools::new();
    pools.send_all(&mut one, &[frame(100, 1), frame(100, 2)], 1);
    let mut keeper = Link::take_over(reopen(&other.cable), End::Second);
    let got = receive(&mut pools, &mut keeper, 2);
    assert!(got[1].bytes == frame(100, 2).bytes());
    pools.send_all(&mut keeper, &[frame(100, 3)], 1);
    pools.send_all(&mut other, &[frame(100, 4)], 1);
    let got = receive(&mut pools, &mut one, 2);
    assert!(got[0].bytes == frame(100, 3).bytes() && got[1].bytes == frame(100, 4).bytes());
}

#[test]
fn the_other_end_wakes_only_who_has_armed_its_handle() {
    let (mut one, other) = pair().expect("memory");
    let mut pools = Pools::new();
    let handle = other.wait_handle();
    pools.send_all(&mut one, &[frame(100, 1)], 1);
    assert!(!is_woken(&other), "nobody sleeps");
    assert!(!handle.arm(), "a frame is there");
    let mut other = other;
    receive(&mut pools, &mut other, 1);
    assert!(handle.arm(), "nothing is there");
    pools.send_all(&mut one, &[frame(100, 2)], 1);
    assert!(is_woken(&other));
    receive(&mut pools, &mut other, 1);
    assert!(handle.arm(), "and silent again");
    assert!(!is_woken(&other));
}

#[test]
fn who_was_refused_room_is_woken_when_there_is_some_or_nobody_will_make_any() {
    for leaves in [false, true] {
        let (mut one, mut other) = pair().expect("memory");
        let mut pools = Pools::new();
        let (sent, mut burst) = fill(&mut pools, &mut one);
        let handle = one.wait_handle();
        assert!(handle.is_full() && handle.arm() && !is_woken(&one));
        if leaves {
            other.cable.unplug(End::Second);
        } else {
            receive(&mut pools, &mut other, sent);
        }
        assert!(is_woken(&one) && !handle.is_full() && !handle.arm());
        while !burst.is_empty() {
            one.tx_burst(&mut burst).expect("the link works");
        }
        assert!(handle.arm(), "nothing is left to send");
        pools.give_back(&mut burst);
    }
}

#[test]
fn nonsense_in_the_shared_words_spoils_frames_and_nothing_else() {
    let (mut one, mut other) = pair().expect("memory");
    let mut pools = Pools::new();
    let mut seed = 1u64;
    let mut nonsense = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        [
            0,
            seed,
            seed >> 40,
            seed >> 44,
            u64::MAX,
            RING_BYTES as u64 + 64,
        ][(seed >> 33) as usize % 6]
    };
    for round in 0..2000 {
        // The first end is the hostile one: its words and its ring hold anything.
        let (own, _) = one.cable.sides(End::First);
        own.sent.0.store(nonsense(), Ordering::Relaxed);
        if round % 2 == 0 {
            own.received.0.store(nonsense(), Ordering::Relaxed);
        }
        let mut burst = TxBurst::new();
        pools.queue(&mut burst, &frame(round % 3000, 5), 2);
        one.tx_burst(&mut burst).expect("the link works");
        other.tx_burst(&mut burst).expect("the link works");
        while !burst.is_empty() {
            burst.sent(1);
        }
        pools.give_back(&mut burst);
        let mut burst = RxBurst::new();
        pools.supply(&mut burst, usize::MAX);
        other.rx_burst(&mut burst).expect("the link works");
        pools.take_all(&mut burst);
        pools.drop_reserve(&mut burst);
    }
    // A fresh program at the hostile end, and all is well.
    let cable = Arc::clone(&one.cable);
    cable.unplug(End::First);
    let mut one = Link::plug_in(Arc::clone(&cable), End::First);
    pools.send_all(&mut one, &[frame(100, 1)], 1);
    pools.send_all(&mut other, &[frame(100, 2)], 1);
    let to_one = receive(&mut pools, &mut one, 1);
    assert!(
        to_one
            .last()
            .is_some_and(|got| got.bytes == frame(100, 2).bytes())
    );
    let to_other = receive(&mut pools, &mut other, 1);
    assert!(
        to_other
            .last()
            .is_some_and(|got| got.bytes == frame(100, 1).bytes())
    );
}

#[test]
fn records_of_impossible_lengths_are_thrown_away() {
    let (mut one, mut other) = pair().expect("memory");
    let mut pools = Pools::new();
    for len in [0, 1, 10, 70_000, 1 << 20, 1 << 40, u64::MAX - 7, u64::MAX] {
        pools.send_all(&mut one, &[frame(1000, 1)], 1);
        let (own, peer) = one.cable.sides(End::First);
        let at = peer.received.0.load(Ordering::Relaxed);
        assert!(own.has_frames(peer) || at != own.sent.0.load(Ordering::Relaxed));
        one.cable.bytes_from(End::First).put_word(at, len);
        let lost = other.frames_lost();
        assert_eq!(receive(&mut pools, &mut other, 0), [], "length {len}");
        assert_eq!(other.frames_lost(), lost + 1);
    }
    pools.send_all(&mut one, &[frame(100, 2)], 1);
    assert!(receive(&mut pools, &mut other, 1)[0].bytes == frame(100, 2).bytes());
}

#[test]
fn a_descriptor_that_is_no_link_is_refused() {
    let plain = sys::memfd(c"plain").expect("a descriptor");
    sys::set_length(plain.as_raw(), 4096 + 2 * RING_BYTES).expect("room");
    let waker = || sys::eventfd().expect("a descriptor");
    let unsealed = Cable::from_fds([plain, waker(), waker()]);
    assert_eq!(unsealed.err(), Some(OpenError::NotALink));
    let not_even_a_file = Cable::from_fds([waker(), waker(), waker()]);
    assert_eq!(not_even_a_file.err(), Some(OpenError::NotALink));
}

#[test]
fn two_threads_that_sleep_lose_no_wake_up_and_no_frame() {
    const FRAMES: usize = 20_000;
    let (mut one, mut other) = pair().expect("memory");
    let sender = thread::spawn(move || {
        let mut pools = Pools::new();
        let mut burst = TxBurst::new();
        for number in 0..FRAMES {
            pools.queue(&mut burst, &frame(number * 37 % 20_000, number as u8), 2);
            while one.tx_burst(&mut burst).expect("the link works") == 0 {
                sleep_on(&one.wait_handle());
            }
            pools.give_back(&mut burst);
        }
        assert!(burst.is_empty());
        one
    });
    let mut pools = Pools::new();
    let mut burst = RxBurst::new();
    let mut came = 0;
    while came < FRAMES {
        pools.supply(&mut burst, usize::MAX);
        if other.rx_burst(&mut burst).expect("the link works") == 0 {
            sleep_on(&other.wait_handle());
        }
        for got in pools.take_all(&mut burst) {
            let sent = frame(came * 37 % 20_000, came as u8);
            assert!(got.bytes == sent.bytes(), "frame {came}");
            came += 1;
        }
    }
    let one = sender.join().expect("no panic");
    assert_eq!(one.frames_lost() + other.frames_lost(), 0);
}

/// Sleeps until the link has something to do; a wake-up that is lost ends the test.
fn sleep_on(handle: &WaitHandle) {
    const PATIENCE_MS: u64 = 20_000;
    if handle.arm() {
        assert!(wait(handle, PATIENCE_MS), "a wake-up was lost");
    }
}

fn is_woken(link: &Link) -> bool {
    wait(&link.wait_handle(), 0)
}

fn wait(handle: &WaitHandle, milliseconds: u64) -> bool {
    let fd = handle.fd().expect("a link has one");
    let mut fds = [libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    }];
    let timeout = Duration::from_millis(milliseconds);
    sys::ppoll(&mut fds, Some(timeout), None) == Ok(1)
}

fn frame(len: usize, seed: u8) -> Sent {
    Sent {
        header: plain_header(),
        payload: noise(len, seed),
        ..Sent::default()
    }
}

/// Sends frames of 64 KB until one is refused: how many passed, and the burst with those that did not.
fn fill(pools: &mut Pools, link: &mut Link) -> (usize, TxBurst) {
    let mut burst = TxBurst::new();
    let mut sent = 0;
    loop {
        let seed = (sent + burst.len()) as u8;
        pools.queue(&mut burst, &frame(64_000, seed), 1);
        match link.tx_burst(&mut burst).expect("the link works") {
            0 => return (sent, burst),
            count => sent += count,
        }
        pools.give_back(&mut burst);
    }
}

fn receive(pools: &mut Pools, link: &mut Link, count: usize) -> Vec<Got> {
    pools
        .receive_until(link, |got| got.len() >= count)
        .expect("the link works")
}

/// The same cable as another process would see it.
fn reopen(cable: &Cable) -> Arc<Cable> {
    let copies = cable
        .fds()
        .map(|fd| sys::duplicate(fd).expect("a descriptor"));
    Arc::new(Cable::from_fds(copies).expect("it is a link"))
}
