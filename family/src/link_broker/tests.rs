use std::thread;

use nicio::DeviceSpec;
use stack::Addr;

use super::*;
use crate::link_request::get_end;
use crate::named_socket;
use crate::socket_names::device_socket;

/// A link's name that no other test has.
fn device(tag: &str) -> DeviceSpec {
    let name = format!("link:{tag}{}", std::process::id());
    name.parse().expect("a device")
}

/// Another test may be opening a socket in the same directory at the moment.
fn broker(device: &DeviceSpec) -> LinkBroker {
    let name = device_socket(device);
    let listener = loop {
        if let Some(listener) = NamedSocket::bind(&name) {
            break listener;
        }
        thread::yield_now();
    };
    LinkBroker {
        cable: Cable::make().expect("there is memory"),
        listener: Some(listener),
        name,
        ends: [None, None],
    }
}

fn address(host: u8) -> Addr {
    Addr::v4([10, 0, 0, host])
}

#[test]
fn a_broker_sleeps_until_there_is_something_to_do() {
    let device = device("poll");
    let mut broker = broker(&device);
    let poll = |broker: &LinkBroker| broker.poll(Some(Duration::ZERO));
    assert!(matches!(poll(&broker), Some(Ready::Nothing)));
    let newcomer = named_socket::connect(&broker.name, 1000);
    let newcomer = newcomer.expect("no queue").expect("it listens");
    assert!(matches!(poll(&broker), Some(Ready::Newcomer)));
    unix_messages::send(&newcomer, &address(1).octets(), &[]);
    broker.accept();
    assert!(matches!(poll(&broker), Some(Ready::Nothing)));
    broker.free_ends();
    assert!(broker.ends[0].is_some(), "its holder lives");
    drop(newcomer);
    assert!(matches!(poll(&broker), Some(Ready::End)));
    broker.free_ends();
    assert!(broker.ends[0].is_none());
    assert!(matches!(poll(&broker), Some(Ready::Nothing)));
}

#[test]
fn a_broker_notices_that_its_name_is_gone() {
    let device = device("gone");
    let broker = broker(&device);
    let listener = broker.listener.as_ref().expect("it listens");
    let path = std::path::PathBuf::from(listener.directory()).join(&broker.name);
    std::fs::remove_file(path).expect("it is there");
    // Other tests' names come and go in the same directory, too.
    assert!(matches!(broker.poll(None), Some(Ready::Removals)));
}

#[test]
fn two_programs_get_an_end_each_and_a_third_one_none() {
    let device = device("ends");
    let broker = broker(&device);
    let life = thread::spawn(move || broker.run());
    let ask = |host| get_end(&device, address(host), None);
    let first = ask(1).expect("it is free");
    let same = ask(1).map(drop);
    assert!(matches!(same, Err(StartError::SameAddress(_))), "{same:?}");
    let second = ask(2).expect("it is free");
    assert_ne!(first.tag, second.tag);
    let third = ask(3).map(drop);
    assert!(matches!(third, Err(StartError::LinkFull(_))), "{third:?}");
    let tag = first.tag;
    drop(first);
    // The broker hears of it in a moment.
    let again = loop {
        match ask(3) {
            Err(StartError::LinkFull(_)) => thread::yield_now(),
            answer => break answer.expect("it is free again"),
        }
    };
    assert_eq!(again.tag, tag);
    drop((second, again));
    life.join().expect("it ends when nobody has an end");
    let gone = named_socket::connect(&device_socket(&device), 1000);
    assert!(gone.expect("no queue").is_none());
}

#[test]
fn a_broker_without_a_name_takes_it_again_while_an_end_is_held() {
    let device = device("again");
    let mut broker = broker(&device);
    let name = broker.name.clone();
    let newcomer = named_socket::connect(&name, 1000);
    let newcomer = newcomer.expect("no queue").expect("it listens");
    unix_messages::send(&newcomer, &address(1).octets(), &[]);
    broker.accept();
    broker.listener = None;
    let life = thread::spawn(move || broker.run());
    while named_socket::connect(&name, 1000).is_ok_and(|found| found.is_none()) {
        assert!(!life.is_finished(), "an end is held");
        thread::yield_now();
    }
    drop(newcomer);
    life.join().expect("it ends");
}

#[test]
fn a_broker_with_wrong_arguments_is_refused() {
    for arguments in [&[][..], &["x", "/run", "it"], &["5", "/run"]] {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        assert!(LinkBroker::from_arguments(&arguments).is_err());
    }
}
