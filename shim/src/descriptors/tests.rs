use super::*;

// Each test has descriptors of its own: the tables are the process's.

#[test]
fn a_descriptor_leads_to_what_was_set_until_it_is_taken() {
    let file = FileId::from_bits(77);
    for descriptor in [
        Descriptor::Stack(file),
        Descriptor::Epoll(EpollId::from_bits(78)),
    ] {
        assert!(is_kernel(100));
        assert!(set(100, descriptor));
        assert!(!is_kernel(100));
        assert_eq!(get(100), descriptor);
        assert_eq!(take(100), descriptor);
        assert_eq!(take(100), Descriptor::Kernel);
        assert!(is_kernel(100));
    }
}

#[test]
fn only_sockets_are_owned_files() {
    let file = FileId::from_bits(77);
    assert!(set(200, Descriptor::Stack(file)));
    assert!(set(201, Descriptor::Epoll(EpollId::from_bits(78))));
    assert_eq!(owned(200), Some(file));
    assert_eq!(owned(201), None);
    assert_eq!(owned(202), None);
}

#[test]
fn what_is_outside_the_tables_is_the_kernels() {
    let file = FileId::from_bits(77);
    for fd in [-1, c_int::MIN, DESCRIPTORS_MAX as c_int] {
        assert!(is_kernel(fd), "{fd}");
        assert!(!set(fd, Descriptor::Stack(file)), "{fd}");
        assert!(set(fd, Descriptor::Kernel), "{fd}");
        assert_eq!(get(fd), Descriptor::Kernel, "{fd}");
        assert_eq!(take(fd), Descriptor::Kernel, "{fd}");
    }
    let last = DESCRIPTORS_MAX as c_int - 1;
    assert!(set(last, Descriptor::Stack(file)));
    assert_eq!(take(last), Descriptor::Stack(file));
}

#[test]
fn routing_a_file_decides_all_its_descriptors_and_no_others() {
    let (file, other) = (FileId::from_bits(301), FileId::from_bits(302));
    for (fd, file) in [(300, file), (301, file), (302, other)] {
        assert!(set(fd, Descriptor::Stack(file)));
        assert!(!is_undecided(fd));
        set_undecided(fd);
        assert!(is_undecided(fd));
        assert_eq!(owned(fd), Some(file));
    }
    set_decided(file);
    assert_eq!([300, 301, 302].map(is_undecided), [false, false, true]);
    // An epoll set is never routed.
    assert!(set(303, Descriptor::Epoll(EpollId::from_bits(1))));
    set_undecided(303);
    assert!(!is_undecided(303));
}

#[test]
fn all_lists_ours_in_order() {
    let file = FileId::from_bits(401);
    for fd in [403, 401] {
        assert!(set(fd, Descriptor::Stack(file)));
    }
    let found: Vec<_> = all()
        .filter(|(_, descriptor)| *descriptor == Descriptor::Stack(file))
        .map(|(fd, _)| fd)
        .collect();
    assert_eq!(found, [401, 403]);
}

#[test]
fn a_note_is_about_a_kernel_descriptor_only() {
    let (one, file) = (NonZeroU64::new(7), FileId::from_bits(501));
    assert!(is_plain(500));
    set_note(500, one);
    assert_eq!((note(500), is_plain(500)), (one, false));
    assert_eq!((get(500), is_kernel(500)), (Descriptor::Kernel, true));
    // Nothing of it is left when the number becomes ours, and afterwards.
    assert!(set(500, Descriptor::Stack(file)));
    set_note(500, one);
    assert_eq!((note(500), is_plain(500)), (None, false));
    assert_eq!(take(500), Descriptor::Stack(file));
    assert_eq!((note(500), is_plain(500)), (None, true));
    set_note(500, one);
    assert!(set(500, Descriptor::Kernel));
    assert!(is_plain(500));
}

#[test]
fn nothing_is_noted_outside_the_tables() {
    for fd in [-1, DESCRIPTORS_MAX as c_int] {
        set_note(fd, NonZeroU64::new(7));
        assert_eq!((note(fd), is_plain(fd)), (None, true), "{fd}");
    }
}
