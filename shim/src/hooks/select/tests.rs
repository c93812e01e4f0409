use super::*;

fn sets(count: c_int, words: &mut [u64]) -> Sets {
    let null = core::ptr::null_mut();
    Sets::new(count, [words.as_mut_ptr().cast(), null, null])
}

#[test]
fn bits_after_the_last_descriptor_are_not_looked_at() {
    let mut words = [!0, !0];
    let sets = sets(70, &mut words);
    assert_eq!(sets.words_len(), 2);
    // SAFETY: both words are there.
    assert_eq!(unsafe { sets.word(0, 0) }, !0);
    // SAFETY: as above.
    assert_eq!(unsafe { sets.word(0, 1) }, 0b11_1111);
    // SAFETY: a missing set is never read.
    assert_eq!(unsafe { sets.word(1, 1) }, 0);
}

#[test]
fn counts_that_the_kernel_refuses_look_at_nothing() {
    for count in [-1, 0, c_int::MAX] {
        assert_eq!(sets(count, &mut []).words_len(), 0, "{count}");
    }
}

#[test]
fn bits_are_descriptors() {
    assert_eq!(bits(0, 0).count(), 0);
    let found: Vec<_> = bits(1, 1 << 63 | 1 << 5 | 1).collect();
    assert_eq!(found, [64, 69, 127]);
}

#[test]
fn each_set_asks_for_its_events() {
    assert_eq!(events_of([1 << 5, 0, 0], 69), ASKED[0]);
    assert_eq!(events_of([0, 1 << 5, 1 << 5], 69), ASKED[1] | ASKED[2]);
    assert_eq!(events_of([1, 1, 1], 69), 0);
}

#[test]
fn answers_are_written_back_for_the_descriptors_that_were_asked_for() {
    let (mut read, mut write) = ([1u64 << 3, 1 << 2], [1u64 << 3, 0]);
    let null = core::ptr::null_mut();
    let sets = Sets::new(
        70,
        [read.as_mut_ptr().cast(), write.as_mut_ptr().cast(), null],
    );
    let found = |fd, revents| pollfd {
        fd,
        events: 0,
        revents,
    };
    let fds = [found(3, libc::POLLIN), found(66, libc::POLLHUP)];
    // SAFETY: the sets have both words.
    assert_eq!(unsafe { sets.write_back(&fds) }, 2);
    assert_eq!((read, write), ([1 << 3, 1 << 2], [0, 0]));
}
