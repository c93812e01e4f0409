use nicio::DeviceSpec;
use nicio::link::{CABLE_FDS, Cable};
use stack::Addr;
use sys::OwnedFd;

use super::{ask, get_end};
use crate::error::StartError;
use crate::link_broker::{FULL, SAME_ADDRESS, WELCOME};
use crate::unix_messages;

const ADDRESS: Addr = Addr::v4([10, 0, 0, 1]);

fn device() -> DeviceSpec {
    let name = format!("link:ask{}", std::process::id() % 1_000_000);
    name.parse().expect("a device")
}

/// The two ends of a connection that a link broker has accepted.
fn connection() -> (OwnedFd, OwnedFd) {
    let mut fds = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: two places for the results.
    let made = unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, fds.as_mut_ptr()) };
    assert_eq!(made, 0, "there are descriptors");
    // SAFETY: made just now, and nobody else's.
    let [ours, theirs] = fds.map(|fd| unsafe { OwnedFd::from_raw(fd) });
    (ours, theirs)
}

/// What comes of asking a link broker that answers this; it is told the address.
fn asked(answer: &[u8], fds: &[i32]) -> Result<Option<(usize, u8)>, StartError> {
    let (ours, broker) = connection();
    assert!(unix_messages::send(&broker, answer, fds));
    let handles = ask(&device(), ADDRESS, ours)?;
    let told = unix_messages::receive(&broker).expect("it is there");
    assert_eq!(told.bytes.as_slice(), ADDRESS.octets());
    Ok(handles.map(|handles| (handles.fds.len(), handles.tag)))
}

#[test]
fn an_end_comes_with_its_descriptors_and_the_connection() {
    let cable = Cable::make().expect("there is memory");
    let welcome = asked(&[WELCOME, 1], &cable.fds());
    assert_eq!(welcome.ok(), Some(Some((CABLE_FDS + 1, 1))));
    let short = asked(&[WELCOME, 1], &cable.fds()[1..]);
    assert!(matches!(short, Err(StartError::LinkBroker(why)) if why.contains("missing")));
}

#[test]
fn a_link_broker_says_why_there_is_no_end() {
    let full = asked(&[FULL], &[]);
    assert!(matches!(full, Err(StartError::LinkFull(link)) if link == device()));
    let same = asked(&[SAME_ADDRESS], &[]);
    assert!(matches!(same, Err(StartError::SameAddress(ADDRESS))));
    let strange = asked(&[200, 1, 2], &[]);
    assert!(matches!(strange, Err(StartError::LinkBroker(why)) if why.contains("understood")));
}

#[test]
fn a_link_broker_that_ends_without_an_answer_is_asked_again() {
    let (ours, broker) = connection();
    drop(broker);
    let answer = ask(&device(), ADDRESS, ours);
    assert!(answer.expect("it is no error").is_none());
    let (ours, broker) = connection();
    let told = std::thread::spawn(move || {
        let message = unix_messages::receive(&broker);
        message.expect("it is there").bytes.len()
    });
    let answer = ask(&device(), ADDRESS, ours);
    assert!(answer.expect("it is no error").is_none());
    assert_eq!(told.join().ok(), Some(16));
}

#[test]
fn without_its_program_no_link_broker_starts() {
    for program in [None, Some(c"/nowhere/nstk-keeper")] {
        let end = get_end(&device(), ADDRESS, program).map(|handles| handles.tag);
        let is_told =
            matches!(end, Err(StartError::LinkBroker(why)) if why.contains("nstk-keeper"));
        assert!(is_told, "{end:?}");
    }
}
