use std::os::fd::RawFd;
use std::thread;

use nicio::{DeviceSpec, HANDLE_FDS_MAX, Handles};
use stack::Addr;

use super::{Answer, HandOver, accept_newcomer, request_join};
use crate::error::StartError;
use crate::named_socket::NamedSocket;
use crate::socket_names::keeper_socket;
use crate::sys;

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
        request_join(&keeper_socket(&device, ADDRESS), &device, &[]),
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
        };
        let newcomer =
            thread::spawn(move || request_join(&keeper_socket(&device, ADDRESS), &device, &[]));
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
        let ours = all(ours);
        let theirs = all(theirs);
        assert_eq!(theirs.len(), ours.len());
        for (at, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            let count = (at as u64 + 1).to_ne_bytes();
            sys::write(ours, &count).expect("write");
            let mut read = [0; 8];
            sys::read(theirs.as_raw(), &mut read).expect("read");
            assert_eq!(read, count);
            sys::close(ours);
        }
    }
}

#[test]
fn a_live_program_is_told_apart_from_a_lone_keeper() {
    let device = device("busy");
    let socket = bind(&device);
    let asked = device.clone();
    let newcomer =
        thread::spawn(move || request_join(&keeper_socket(&asked, ADDRESS), &asked, &[]));
    answer_one(&socket, &Answer::InUse);
    let answer = newcomer.join().expect("no panic");
    assert!(matches!(answer, Err(StartError::InUse(named)) if named == device));
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
            let newcomer =
                scope.spawn(|| request_join(&keeper_socket(&device, ADDRESS), &device, fds));
            let mut asking = loop {
                if let Some(newcomer) = accept_newcomer(socket.fd()) {
                    break newcomer;
                }
                thread::yield_now();
            };
            assert_eq!(asking.take_capture().is_some(), !fds.is_empty());
            asking.answer(&Answer::InUse);
            let answer = newcomer.join().expect("it does not panic");
            assert!(matches!(answer, Err(StartError::InUse(_))));
        });
    }
}
