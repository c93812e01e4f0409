//! Limits of the host's making.

use nstk_region::{CHUNK_BYTES, Region, RegionError};

use crate::child::in_a_child;
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
