use std::thread;

use nicio::{DeviceSpec, HANDLE_FDS_MAX, Handles};
use stack::Addr;
use sys::RawFd;

use super::{
    Answer, HELLO, HandOver, Newcomer, OTHER_BUILD, PATIENCE_MS, WELCOME, hello, request_join,
};
use crate::error::StartError;
use crate::named_socket::{self, NamedSocket};
use crate::socket_names::keeper_socket;
use crate::unix_messages;
use crate::visitor::{self, Visitor};

const ADDRESS: Addr = Addr::v4([10, 0, 0, 1]);

/// A device of a name that no other test has.
fn device(tag: &str) -> DeviceSpec {
    format!("link:{tag}{}", std::process::id())
        .parse()
        .expect("a name")
}

/// Another test may be binding a name in the same directory at the moment.
fn bind(device: &DeviceSpec) -> NamedSocket {
    let name = keeper_socket(device, ADDRESS);
    std::iter::repeat_with(|| NamedSocket::bind(&name))
        .flatten()
        .next()
        .expect("it repeats until there is one")
}

fn accept_newcomer(listener: RawFd) -> Option<Newcomer> {
    visitor::accept(listener).and_then(Visitor::newcomer)
}

fn answer_one(socket: &NamedSocket, answer: &Answer<'_>) -> u32 {
    loop {
        let mut fds = [libc::pollfd {
            fd: socket.fd(),
            events: libc::POLLIN,
            revents: 0,
        }];
        sys::ppoll(&mut fds, None, None).expect("poll");
        if let Some(newcomer) = accept_newcomer(socket.fd()) {
            let pid = newcomer.pid;
            newcomer.answer(answer);
            return pid;
        }
    }
}

fn all<Fd>(handed: HandOver<Fd>) -> Vec<Fd> {
    let mut all = vec![handed.region];
    all.extend(handed.wakers);
    all.extend(handed.device.fds);
    all
}

fn eventfd() -> RawFd {
    // SAFETY: eventfd takes no pointers.
    unsafe { libc::eventfd(0, 0) }
}

#[test]
fn without_a_keeper_nobody_answers() {
    let device = device("none");
    assert!(matches!(
        request_join(&keeper_socket(&device, ADDRESS), &[]),
        Ok(None)
    ));
}

#[test]
fn a_newcomer_gets_working_copies_of_all_descriptors_in_order() {
    for device_fds in [1, HANDLE_FDS_MAX] {
        let device = device("hello");
        let socket = bind(&device);
        let ours = HandOver {
            region: eventfd(),
            wakers: std::array::from_fn(|_| eventfd()),
            device: Handles {
                fds: (0..device_fds).map(|_| eventfd()).collect(),
                tag: 1,
            },
            place: 5,
            is_alone: device_fds == 1,
        };
        let is_alone = ours.is_alone;
        let newcomer = thread::spawn(move || request_join(&keeper_socket(&device, ADDRESS), &[]));
        assert_eq!(
            answer_one(&socket, &Answer::Welcome(&ours)),
            std::process::id()
        );
        let theirs = newcomer
            .join()
            .expect("no panic")
            .expect("no error")
            .expect("a keeper");
        assert_eq!((theirs.place, theirs.device.tag), (5, 1));
        assert_eq!(theirs.is_alone, is_alone);
        let ours = all(ours);
        let theirs = all(theirs);
        assert_eq!(theirs.len(), ours.len());
        for (at, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            let count = (at as u64 + 1).to_ne_bytes();
            sys::write(ours, &count).expect("write");
            let mut read = [0; 8];
            sys::read(theirs.as_raw(), &mut read).expect("read");
            assert_eq!(read, count);
            // SAFETY: made above, and not used any more.
            unsafe { sys::close(ours) }.expect("close");
        }
    }
}

#[test]
fn each_refusal_has_its_reason() {
    let refusals = [
        (Answer::Full, "no place"),
        (Answer::OtherBuild, "another version"),
        (Answer::Damaged, "damaged"),
    ];
    for (answer, reason) in refusals {
        let device = device("refusal");
        let socket = bind(&device);
        let newcomer = thread::spawn(move || request_join(&keeper_socket(&device, ADDRESS), &[]));
        answer_one(&socket, &answer);
        let error = newcomer.join().expect("no panic").map(drop);
        let error = error.expect_err("it was refused").to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_two_ends_of_a_link_have_keepers_of_their_own() {
    let link = device("ends");
    let other = Addr::v4([10, 0, 0, 2]);
    assert_ne!(keeper_socket(&link, ADDRESS), keeper_socket(&link, other));
    let tap: DeviceSpec = "tap:nstk0".parse().expect("a name");
    assert_eq!(keeper_socket(&tap, ADDRESS), keeper_socket(&tap, other));
}

#[test]
fn a_newcomer_s_capture_comes_with_it() {
    let device = device("capture");
    let socket = bind(&device);
    let (channel, _writer) = nicio::capture::Channel::make().expect("there is memory");
    for fds in [channel.fds().as_slice(), &[]] {
        thread::scope(|scope| {
            let newcomer = scope.spawn(|| request_join(&keeper_socket(&device, ADDRESS), fds));
            let mut asking = loop {
                if let Some(newcomer) = accept_newcomer(socket.fd()) {
                    break newcomer;
                }
                thread::yield_now();
            };
            assert_eq!(asking.take_capture().is_some(), !fds.is_empty());
            asking.answer(&Answer::Full);
            let answer = newcomer.join().expect("it does not panic");
            assert!(matches!(answer, Err(StartError::Keeper(_))));
        });
    }
}

/// What a newcomer makes of these bytes as a keeper's answer; `None`: the keeper ends instead.
fn answered(tag: &str, bytes: Option<&[u8]>) -> Result<Option<u16>, String> {
    let device = device(tag);
    let socket = bind(&device);
    let name = keeper_socket(&device, ADDRESS);
    thread::scope(|scope| {
        let newcomer = scope.spawn(|| request_join(&name, &[]));
        let (keeper, _) = loop {
            if let Some(accepted) = unix_messages::accept(socket.fd()) {
                break accepted;
            }
            thread::yield_now();
        };
        let hello = unix_messages::receive(&keeper).expect("it is there");
        assert_eq!(hello.bytes.first(), Some(&HELLO));
        assert_eq!(hello.bytes[1..], region::BUILD.to_ne_bytes());
        if let Some(bytes) = bytes {
            assert!(unix_messages::send(&keeper, bytes, &[]));
        }
        drop(keeper);
        let answer = newcomer.join().expect("no panic");
        let place = answer.map(|handed| handed.map(|handed| handed.place));
        place.map_err(|error| error.to_string())
    })
}

#[test]
fn a_newcomer_understands_every_answer() {
    assert_eq!(answered("end", None), Ok(None), "it starts by itself");
    for (bytes, words) in [
        (&[OTHER_BUILD][..], "another version"),
        (&[WELCOME, 5, 0, 1, 1], "descriptors are missing"),
        (&[WELCOME, 5, 0, 1], "cannot be understood"),
        (&[WELCOME], "cannot be understood"),
        (&[200], "cannot be understood"),
    ] {
        let answer = answered("all", Some(bytes)).expect_err("it is refused");
        assert!(answer.contains(words), "{answer}");
    }
}

#[test]
fn a_keeper_learns_whether_its_answer_was_heard() {
    let device = device("heard");
    let socket = bind(&device);
    for hears in [true, false] {
        let found = named_socket::connect(&keeper_socket(&device, ADDRESS), PATIENCE_MS);
        let newcomer = found.expect("no queue").expect("it listens");
        assert!(unix_messages::send(&newcomer, &hello(), &[]));
        let heard = accept_newcomer(socket.fd()).expect("it has said hello");
        assert_eq!(
            (heard.pid, heard.build),
            (std::process::id(), region::BUILD)
        );
        let newcomer = hears.then_some(newcomer);
        assert_eq!(heard.answer(&Answer::Full), hears);
        drop(newcomer);
    }
}

#[test]
fn who_says_nothing_sensible_is_no_newcomer() {
    let device = device("strange");
    let socket = bind(&device);
    for bytes in [&[HELLO][..], &[WELCOME, 0, 0, 0, 0, 0, 0, 0, 0], &[0]] {
        let found = named_socket::connect(&keeper_socket(&device, ADDRESS), PATIENCE_MS);
        let stranger = found.expect("no queue").expect("it listens");
        assert!(unix_messages::send(&stranger, bytes, &[]));
        assert!(accept_newcomer(socket.fd()).is_none(), "{bytes:?}");
    }
}
