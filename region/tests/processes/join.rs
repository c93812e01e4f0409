//! Making, joining and leaving regions.

use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};

use nstk_region::{CHUNK_BYTES, Region, RegionError};

use crate::sealed::Sealed;

const MIB: usize = 1 << 20;

fn duplicate(region: &Region) -> OwnedFd {
    // SAFETY: the region keeps its descriptor open while it is borrowed.
    let fd = unsafe { BorrowedFd::borrow_raw(region.fd().expect("memfd")) };
    fd.try_clone_to_owned().expect("dup")
}

#[test]
fn a_second_mapping_sees_the_same_tables_at_another_address() {
    let one = Region::create(64 * MIB).expect("memfd");
    let two = Region::attach(duplicate(&one)).expect("attach");
    let mut here = one.table::<Sealed>(0, 10_000).expect("table");
    let mut there = two.table::<Sealed>(0, 10_000).expect("table");
    let ids: Vec<_> = (0..10_000)
        .map(|seed| here.insert(Sealed::new(seed)).expect("room"))
        .collect();
    assert_eq!(there.len(), 10_000);
    for id in &ids {
        assert!(there.get(*id).expect("there").is_whole());
    }
    assert!(there.remove(ids[7]).is_some() && here.get(ids[7]).is_none());
    let (a, b) = (here.get(ids[0]), there.get(ids[0]));
    assert!(!std::ptr::eq(a.expect("there"), b.expect("there")));
}

#[test]
fn arrays_and_pools_are_found_again() {
    let one = Region::create(64 * MIB).expect("memfd");
    let two = Region::attach(duplicate(&one)).expect("attach");
    let mut array = one.array::<u64>(0, 100_000).expect("array");
    let mut pool = one.buffers(1, 4096, 100).expect("pool");
    *array.get_mut(99_999).expect("in range") = 5;
    let id = pool.alloc().expect("room");
    assert!(pool.write(id, 0, b"hello"));

    let same = two.array::<u64>(0, 100_000).expect("array");
    assert_eq!((same.get(99_999), same.get(0)), (Some(&5), Some(&0)));
    assert_eq!(same.get(100_000), None);
    let pool = two.buffers(1, 4096, 100).expect("pool");
    let mut content = [0; 5];
    assert!(pool.read(id, 0, &mut content));
    assert_eq!(&content, b"hello");
}

#[test]
fn what_fills_a_region_to_its_end_is_found_by_who_joined_before() {
    let one = Region::create(3 * CHUNK_BYTES).expect("memfd");
    let two = Region::attach(duplicate(&one)).expect("attach");
    let len = 2 * CHUNK_BYTES as u32 / 8;
    let mut array = one.array::<u64>(0, len).expect("array");
    *array.get_mut(len - 1).expect("in range") = 5;
    let same = two.array::<u64>(0, len).expect("array");
    assert_eq!(same.get(len - 1), Some(&5));
}

#[test]
fn another_size_or_kind_at_an_index_is_refused_and_the_index_stays_free() {
    let one = Region::create(MIB).expect("memfd");
    let _table = one.table::<u64>(0, 10).expect("table");
    let two = Region::attach(duplicate(&one)).expect("attach");
    assert_eq!(two.table::<u64>(0, 11).err(), Some(RegionError::Mismatch));
    assert_eq!(two.table::<u32>(0, 10).err(), Some(RegionError::Mismatch));
    assert_eq!(two.array::<u64>(0, 10).err(), Some(RegionError::Mismatch));
    assert_eq!(two.buffers(0, 64, 10).err(), Some(RegionError::Mismatch));
    assert!(two.table::<u64>(0, 10).is_ok());
}

#[test]
fn what_is_no_region_of_this_build_is_refused() {
    let not_a_region =
        |fd: OwnedFd| assert_eq!(Region::attach(fd).err(), Some(RegionError::NotARegion));
    not_a_region(File::open("/dev/null").expect("open").into());
    not_a_region(File::open("/proc/self/exe").expect("open").into());

    let region = Region::create(MIB).expect("memfd");
    let file = File::from(duplicate(&region));
    let mut stolen = vec![0; CHUNK_BYTES];
    file.read_exact_at(&mut stolen, 0).expect("read");
    // SAFETY: the name is a C string.
    let unsealed = unsafe { libc::memfd_create(c"test".as_ptr(), libc::MFD_CLOEXEC) };
    // SAFETY: made above, and nobody else's.
    let unsealed = File::from(unsafe { OwnedFd::from_raw_fd(unsealed) });
    unsealed.write_all_at(&stolen, 0).expect("write");
    not_a_region(unsealed.into());

    // The second word of the header is the build.
    file.write_all_at(&[1; 8], 8).expect("write");
    assert_eq!(
        Region::attach(duplicate(&region)).err(),
        Some(RegionError::OtherBuild)
    );
    file.write_all_at(&[1; 8], 0).expect("write");
    assert_eq!(
        Region::attach(duplicate(&region)).err(),
        Some(RegionError::NotARegion)
    );
}

#[test]
fn a_region_starts_small_cannot_shrink_and_is_left_out_of_core_dumps() {
    let region = Region::create(1 << 40).expect("memfd");
    let file = File::from(duplicate(&region));
    assert_eq!(file.metadata().expect("stat").len(), CHUNK_BYTES as u64);
    assert!(file.set_len(0).is_err());
    let maps = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
    let flags = maps
        .split("memfd:nstk-region")
        .skip(1)
        .filter_map(|map| map.lines().find(|line| line.starts_with("VmFlags:")));
    let flags: Vec<_> = flags.collect();
    assert!(
        !flags.is_empty() && flags.iter().all(|flags| flags.contains(" dd")),
        "{flags:?}"
    );
}

#[test]
fn a_region_goes_on_with_another_number_of_its_descriptor() {
    let region = Region::create(64 * MIB).expect("memfd");
    let old = region.fd().expect("memfd");
    let new = duplicate(&region);
    let number = new.as_raw_fd();
    assert!(region.replace_fd(new).is_ok());
    assert_eq!(region.fd(), Some(number));
    // SAFETY: touches no memory; the number may be anybody's by now, and is only asked about.
    let gone = unsafe { libc::fcntl(old, libc::F_GET_SEALS) };
    assert!(gone < 0 || old != number);
    let mut table = region.table::<Sealed>(0, 10_000).expect("table");
    assert!((0..10_000).all(|seed| table.insert(Sealed::new(seed)).is_some()));
    let other = File::open("/dev/null").expect("open");
    assert_eq!(
        region.replace_fd(OwnedFd::from(other)).err(),
        Some(RegionError::NotARegion)
    );
    assert_eq!(region.fd(), Some(number));
}

#[test]
fn a_file_of_the_host_under_our_number_is_left_alone() {
    crate::child::in_a_child(|| {
        let region = Region::create(64 * MIB).expect("memfd");
        let mut table = region.table::<Sealed>(0, 10_000).expect("table");
        // SAFETY: the name is a C string.
        let hosts = unsafe { libc::memfd_create(c"host".as_ptr(), 0) };
        // SAFETY: takes over the region's number, as a host program might.
        assert!(unsafe { libc::dup2(hosts, region.fd().expect("memfd")) } >= 0);
        // SAFETY: made above, and nobody else's.
        let hosts = File::from(unsafe { OwnedFd::from_raw_fd(hosts) });
        assert!(table.insert(Sealed::new(1)).is_none());
        assert_eq!(hosts.metadata().expect("stat").len(), 0);
    });
}

#[test]
fn the_last_view_gives_mapping_and_descriptor_back() {
    crate::child::in_a_child(|| {
        let region = Region::create(64 * MIB).expect("memfd");
        let fd = region.fd().expect("memfd");
        let file = File::from(duplicate(&region));
        let inode = format!(" {} ", file.metadata().expect("stat").ino());
        let is_mapped = || {
            let maps = std::fs::read_to_string("/proc/self/maps").expect("maps");
            maps.lines()
                .any(|line| line.contains("nstk-region") && line.contains(&inode))
        };
        let table = region.table::<u64>(0, 10).expect("table");
        let array = region.array::<u64>(1, 10).expect("array");
        drop(region);
        drop(array);
        // SAFETY: asks only.
        assert!(unsafe { libc::fcntl(fd, libc::F_GETFD) } >= 0);
        assert!(is_mapped());
        drop(table);
        // SAFETY: asks only.
        assert!(unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0);
        assert!(!is_mapped());
    });
}

#[test]
fn a_reader_needs_a_table_that_exists_and_sees_what_is_in_it() {
    let region = Region::create(MIB).expect("memfd");
    let path = format!("/proc/self/fd/{}", region.fd().expect("memfd"));
    let read_only = File::open(path).expect("open");
    let reader = Region::attach_read_only(OwnedFd::from(read_only)).expect("reader");
    assert_eq!(reader.table::<u64>(0).err(), Some(RegionError::Unfinished));
    assert_eq!(reader.table::<u64>(999).err(), Some(RegionError::BadIndex));
    let mut table = region.table::<[u8; 13]>(0, 10).expect("table");
    assert_eq!(reader.table::<u64>(0).err(), Some(RegionError::Mismatch));
    let view = reader.table::<[u8; 13]>(0).expect("table");
    assert_eq!((view.slots(), view.snapshot(0)), (0, None));
    let one = table.insert(*b"thirteen byte").expect("room");
    let two = table.insert([2; 13]).expect("room");
    assert_eq!(view.slots(), 2);
    assert_eq!(view.snapshot(0), Some((one, *b"thirteen byte")));
    table.remove(one);
    assert_eq!(
        (view.snapshot(0), view.snapshot(1)),
        (None, Some((two, [2; 13])))
    );
    let entry = table.get_mut(two);
    assert_eq!(view.snapshot(1), None);
    drop(entry);
    assert!(view.snapshot(1).is_some() && view.snapshot(10).is_none());
    assert_eq!(reader.words().dead, 0);
}
