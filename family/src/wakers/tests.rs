use std::sync::atomic::Ordering;

use region::Region;

use super::{WAKERS, Waker, Wakers};
use crate::private_fds::is_private;
use crate::testing::woken;

const ME: u32 = 4_000_001;

fn wakers() -> (Region, Wakers) {
    let wakers = Wakers::create().expect("there are descriptors");
    (Region::on_heap(1 << 20), wakers)
}

#[test]
fn each_waker_is_one_thread_s_until_it_is_given_back() {
    let (region, wakers) = wakers();
    let words = region.words();
    let all: Vec<_> = (0..WAKERS).map(|_| wakers.take(words, ME)).collect();
    let set = all.iter().flatten().fold(0, |set, waker| {
        assert_eq!(set & waker.bit(), 0, "somebody has it");
        set | waker.bit()
    });
    assert_eq!(set, u64::MAX, "one bit for each of the 64");
    assert_eq!(wakers.take(words, ME), None);
    let [Some(first), .., Some(last)] = all.as_slice() else {
        panic!("{all:?}");
    };
    let owner = &words.waker_owners[usize::from(last.index())];
    assert_eq!(owner.load(Ordering::Relaxed), ME);
    wakers.give_back(words, *last);
    wakers.give_back(words, *first);
    assert_eq!(wakers.take(words, ME), Some(*first), "the lowest one");
}

#[test]
fn a_waker_that_is_given_back_is_silent_and_sleeps_no_more() {
    let (region, wakers) = wakers();
    let words = region.words();
    let [mine, other] = [0, 1].map(|_| wakers.take(words, ME).expect("they are free"));
    let both = mine.bit() | other.bit();
    words.sleeping.store(both, Ordering::Relaxed);
    wakers.wake(words, both);
    wakers.give_back(words, mine);
    assert_eq!(words.sleeping.load(Ordering::Relaxed), other.bit());
    assert_eq!(words.wakers_taken.load(Ordering::Relaxed), other.bit());
    assert_eq!(woken(&wakers), other.bit());
}

#[test]
fn who_does_not_sleep_is_not_woken() {
    let (region, wakers) = wakers();
    let words = region.words();
    words.sleeping.store(0b1011, Ordering::Relaxed);
    wakers.wake(words, 0);
    assert_eq!(woken(&wakers), 0);
    wakers.wake(words, 0b0110);
    assert_eq!(woken(&wakers), 0b0010);
    wakers.wake(words, 0b1111);
    assert_eq!(woken(&wakers), 0b1011);
    wakers.wake_all();
    assert_eq!(woken(&wakers), u64::MAX, "whoever sleeps");
}

#[test]
fn a_waker_s_number_is_its_place_plus_one() {
    let (region, wakers) = wakers();
    let waker = wakers.take(region.words(), ME);
    assert_eq!(Waker::from_number(1), waker);
    assert_eq!(waker.map(Waker::index), Some(0));
    assert_eq!(Waker::from_number(64).map(Waker::index), Some(63));
    for number in [0, 65, 66, 256, 257, u64::MAX] {
        assert_eq!(Waker::from_number(number), None, "{number}");
    }
}

#[test]
fn wakers_are_private_and_all_of_them_can_be_closed() {
    let (_region, wakers) = wakers();
    let first = *wakers.fds();
    assert!(first.iter().all(|fd| is_private(*fd) && sys::is_open(*fd)));
    let copies = first.map(|fd| sys::duplicate(fd).expect("there are descriptors"));
    let others = Wakers::take_over(copies).expect("there are descriptors");
    wakers.close();
    assert!(!first.iter().any(|fd| sys::is_open(*fd)));
    let second = others.fds();
    assert!(second.iter().all(|fd| is_private(*fd) && sys::is_open(*fd)));
    others.close();
}
