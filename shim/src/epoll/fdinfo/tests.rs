use super::*;

fn entries(text: &str, step: usize) -> Vec<Entry> {
    let mut rest = text.as_bytes();
    let mut found = Vec::new();
    let more = |into: &mut [u8]| {
        let count = rest.len().min(step).min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        count
    };
    read(more, |entry| {
        found.push(entry);
        true
    });
    found
}

#[test]
fn lines_are_read_whatever_pieces_they_come_in() {
    let line = |fd: c_int| {
        format!(
            "tfd: {fd:8} events: {:8x} data: {:16x}  pos:0 ino:61a5 sdev:7\n",
            0x19,
            u64::MAX - 5
        )
    };
    let text = format!(
        "pos:\t0\nflags:\t02\nmnt_id:\t15\n{}",
        (0..100).map(line).collect::<String>()
    );
    let right: Vec<Entry> = (0..100)
        .map(|fd| Entry {
            fd,
            events: 0x19,
            data: u64::MAX - 5,
        })
        .collect();
    for step in [7, 70, 71, 1000, 4096] {
        assert_eq!(entries(&text, step), right, "{step} bytes a time");
    }
}

#[test]
fn what_is_no_entry_is_passed_over() {
    let text = "tfd: x events: 1 data: 1\ntfd: 5 events: 1\n\ntfd: 6 events: 1 data: 2\n";
    let right = Entry {
        fd: 6,
        events: 1,
        data: 2,
    };
    assert_eq!(entries(text, 4096), [right]);
}

#[test]
fn a_line_without_an_end_is_not_waited_for() {
    assert_eq!(entries(&"x".repeat(5000), 4096), []);
}

#[test]
fn the_kernel_says_what_a_set_watches() {
    let set = sys_epoll();
    let watched = sys::eventfd().expect("an eventfd");
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0x1234_5678_9abc_def0,
    };
    // SAFETY: the event outlives the call.
    unsafe {
        sys::epoll_ctl(
            set.as_raw(),
            libc::EPOLL_CTL_ADD,
            watched.as_raw(),
            &raw mut event,
        )
    }
    .expect("added");
    let mut found = Vec::new();
    for_each(set.as_raw(), |entry| {
        found.push(entry);
        true
    });
    // The kernel adds EPOLLERR and EPOLLHUP.
    let events = (libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP) as u32;
    assert_eq!(
        found,
        [Entry {
            fd: watched.as_raw(),
            events,
            data: 0x1234_5678_9abc_def0
        }]
    );
}

fn sys_epoll() -> sys::OwnedFd {
    // SAFETY: epoll_create1(2) takes a number only.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    assert!(fd >= 0, "an epoll set");
    // SAFETY: made just now, and nobody else's.
    unsafe { sys::OwnedFd::from_raw(fd) }
}
