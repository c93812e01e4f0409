use sys::OwnedFd;

use super::*;

const TICKET: Ticket = Ticket {
    family: 0xfeed_0000_0000_0001,
    passed: Passed::Socket(FileId::from_bits(0xffff_ffff_0000_0001)),
};

/// A ticket of this name and its other end.
fn pair(name: &[u8]) -> [OwnedFd; 2] {
    let (ticket, end) = sys::socketpair().expect("there are descriptors");
    sys::bind_to_abstract_name(ticket.as_raw(), name).expect("nobody has the name");
    [ticket, end]
}

#[test]
fn what_a_name_says_is_read_at_both_ends() {
    for passed in [
        TICKET.passed,
        Passed::Undecided(FileId::from_bits(7)),
        Passed::Set(EpollId::from_bits(u64::MAX)),
    ] {
        let wanted = Ticket {
            passed,
            family: u64::MAX,
        };
        let name = wanted.name().expect("there is room");
        let [ticket, end] = pair(name.as_bytes());
        assert_eq!(Ticket::read(ticket.as_raw()), Some(wanted));
        assert_eq!(Ticket::read_at_other_end(end.as_raw()), Some(wanted));
        assert_eq!(Ticket::read(end.as_raw()), None);
    }
}

#[test]
fn no_two_tickets_have_one_name() {
    assert_ne!(TICKET.name(), TICKET.name());
}

#[test]
fn other_names_are_no_tickets() {
    let name = TICKET.name().expect("there is room");
    let words: Vec<&str> = name.split('.').collect();
    let [prefix, family, kind, id, random] = *words.as_slice() else {
        panic!("{name}")
    };
    assert!(Ticket::parse(name.as_bytes()).is_some());
    for other in [
        String::new(),
        prefix.to_owned(),
        format!("{prefix}.{family}.{kind}.{id}"),
        format!("{prefix}.{family}.x.{id}.{random}"),
        format!("{prefix}.{family}.{kind}.{id}g.{random}"),
        format!("{prefix}.{family}.{kind}.{id}0000000000000000.{random}"),
        format!("{prefix}.{family}.{kind}.{id}.{random}.1"),
        format!("nstk.{family}.{kind}.{id}.{random}"),
    ] {
        assert_eq!(Ticket::parse(other.as_bytes()), None, "{other}");
    }
    assert_eq!(Ticket::parse(b"nstk-ticket.\xff"), None);
}

#[test]
fn what_is_no_socket_or_has_no_name_is_no_ticket() {
    let (one, _other) = sys::socketpair().expect("there are descriptors");
    let file = sys::memfd(c"file").expect("there is memory");
    for fd in [one.as_raw(), file.as_raw(), -1] {
        assert_eq!(Ticket::read(fd), None);
    }
    let long = [b'x'; 107];
    let [ticket, _end] = pair(&long);
    assert_eq!(Ticket::read(ticket.as_raw()), None);
}

#[test]
fn a_ticket_is_held_until_its_other_end_is_closed() {
    let [ticket, end] = pair(TICKET.name().expect("there is room").as_bytes());
    assert!(is_held(ticket.as_raw()));
    drop(end);
    assert!(!is_held(ticket.as_raw()));
}

#[test]
fn a_set_stays_inside_its_ticket() {
    let [ticket, end] = pair(TICKET.name().expect("there is room").as_bytes());
    assert!(set_inside(ticket.as_raw()).is_none());
    let set = sys::memfd(c"set").expect("there is memory");
    sys::send_message(end.as_raw(), &[0], &[set.as_raw()]).expect("there is room");
    for _ in 0..2 {
        let found = set_inside(ticket.as_raw()).expect("it is there");
        assert_eq!(sys::status(found.as_raw()), sys::status(set.as_raw()));
    }
}
