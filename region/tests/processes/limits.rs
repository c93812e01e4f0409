//! Limits of the host's making.

use std::sync::atomic::{AtomicU64, Ordering};

use nstk_region::{CHUNK_BYTES, Region, RegionError};

use crate::child::{Child, End, in_a_child};
use crate::sealed::Sealed;

const MIB: usize = 1 << 20;

fn set_limit(resource: libc::__rlimit_resource_t, bytes: usize) {
    let limit = libc::rlimit {
        rlim_cur: bytes as u64,
        rlim_max: bytes as u64,
    };
    // SAFETY: reads one rlimit.
    assert_eq!(unsafe { libc::setrlimit(resource, &limit) }, 0);
}

fn fill(region: &Region) -> usize {
    let mut table = region.table::<Sealed>(0, 1_000_000).expect("table");
    let inserted = (0..1_000_000).take_while(|seed| table.insert(Sealed::new(*seed)).is_some());
    let count = inserted.count();
    assert!(table.iter().all(|(_, record)| record.is_whole()));
    assert_eq!(table.len() as usize, count);
    count
}

#[test]
fn growth_stops_at_the_file_size_limit_without_a_signal() {
    in_a_child(|| {
        set_limit(libc::RLIMIT_FSIZE, 3 * MIB + 1);
        let region = Region::create(64 * MIB).expect("memfd");
        let count = fill(&region);
        assert!((2 * MIB..3 * MIB).contains(&(count * size_of::<Sealed>())));
    });
}

#[test]
fn a_file_size_limit_below_one_chunk_is_an_error() {
    in_a_child(|| {
        set_limit(libc::RLIMIT_FSIZE, CHUNK_BYTES - 1);
        assert_eq!(Region::create(64 * MIB).err(), Some(RegionError::Full));
    });
}

#[test]
fn a_limited_address_space_makes_a_smaller_region_and_leaves_room_for_the_host() {
    in_a_child(|| {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
        let pages: usize = statm
            .split(' ')
            .next()
            .and_then(|pages| pages.parse().ok())
            .expect("pages");
        set_limit(libc::RLIMIT_AS, pages * 4096 + 256 * MIB);
        let region = Region::create(1 << 40).expect("memfd");
        let count = fill(&region);
        assert!(count * size_of::<Sealed>() > 16 * MIB);
        let hosts = vec![1u8; 16 * MIB];
        assert_eq!(hosts[16 * MIB - 1], 1);
    });
}

/// Address space that this process has, bytes.
fn address_space() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages = statm
        .split(' ')
        .next()
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.expect("pages") * 4096
}

#[test]
fn a_region_takes_the_address_space_that_it_needs() {
    in_a_child(|| {
        let before = address_space();
        let region = Region::create(1 << 40).expect("memfd");
        assert!(address_space() < before + 8 * MIB);
        let count = fill(&region);
        let taken = address_space() - before;
        let needed = count * size_of::<Sealed>();
        assert!(
            (needed..2 * needed).contains(&taken),
            "{taken} for {needed}"
        );
    });
}

#[test]
fn a_region_that_has_settled_shrinks_to_half_of_what_a_later_limit_leaves() {
    in_a_child(|| {
        let region = Region::create(1 << 40).expect("memfd");
        let mut table = region.table::<Sealed>(0, 1_000_000).expect("table");
        set_limit(libc::RLIMIT_AS, address_space() + 100 * MIB);
        assert!(region.settle());
        let hosts = vec![1u8; 40 * MIB];
        assert_eq!(hosts[40 * MIB - 1], 1);
        let count = (0..1_000_000).take_while(|seed| table.insert(Sealed::new(*seed)).is_some());
        let bytes = count.count() * size_of::<Sealed>();
        assert!((20 * MIB..60 * MIB).contains(&bytes), "{bytes}");
        assert!(region.is_in_reach());
    });
}

#[test]
fn a_member_whose_limit_keeps_it_from_what_others_have_made_notices() {
    in_a_child(|| {
        let region = Region::create(1 << 40).expect("memfd");
        let [is_limited, has_grown, ..] = &region.words().counters;
        let wait_for = |word: &AtomicU64| {
            while word.load(Ordering::Acquire) == 0 {
                std::thread::yield_now();
            }
        };
        let member = Child::fork(|| {
            set_limit(libc::RLIMIT_AS, address_space() + MIB);
            assert!(region.is_in_reach());
            is_limited.store(1, Ordering::Release);
            wait_for(has_grown);
            i32::from(region.is_in_reach())
        });
        wait_for(is_limited);
        fill(&region);
        assert!(region.is_in_reach());
        has_grown.store(1, Ordering::Release);
        assert_eq!(member.wait(), End::Exit(0));
    });
}
