use nicio::link::{Cable, End};
use stack::SockKind;
use sys::OwnedFd;

use crate::error::StartError;
use crate::family::{Family, Role};
use crate::members;
use crate::process_hooks::ProcessHooks;
use crate::rendezvous::HandOver;
use crate::testing::{end_of, linked_family, open, settings, woken};

const NEWCOMER: u32 = 4_000_001;

fn copy(fd: sys::RawFd) -> OwnedFd {
    sys::duplicate(fd).expect("there are descriptors")
}

fn region(family: &Family) -> OwnedFd {
    copy(family.shared.region().fd().expect("it has one"))
}

/// What a keeper of the family hands over.
fn hand_over(family: &Family, cable: &Cable, is_alone: bool) -> HandOver<OwnedFd> {
    let place = members::register(family.words(), NEWCOMER, 0).expect("there is room");
    HandOver {
        region: region(family),
        wakers: family.wakers.fds().map(copy),
        device: end_of(cable, End::First),
        place,
        is_alone,
    }
}

#[test]
fn a_newcomer_goes_on_with_the_stack_and_its_own_settings() {
    let cable = Cable::make().expect("there is memory");
    let family = linked_family(&settings(&[]), &cable);
    let handed = hand_over(&family, &cable, true);
    let mine = settings(&[("NSTK_MTU", "1300")]);
    let joined = Family::join(&mine, ProcessHooks::none(), handed, None);
    let joined = joined.expect("nothing is wrong").expect("it is sound");
    assert_eq!((joined.member(), joined.is_keeper()), (1, false));
    let (file, sock) = open(&joined, SockKind::Datagram);
    let seen = family.enter(|state, _| {
        let found = state.files.get(file).map(|record| record.sock);
        (found, state.stack.config().mtu)
    });
    assert_eq!(seen, Ok((Some(sock), 1300)));
    let own = joined.wakers.fds();
    assert!(own.iter().all(|fd| joined.is_own_fd(*fd)));
    assert!(
        joined
            .shared
            .region()
            .fd()
            .is_some_and(|fd| joined.is_own_fd(fd))
    );
    family.wakers.wake_all();
    assert_eq!(woken(&joined.wakers), u64::MAX, "the same ones");
}

#[test]
fn a_region_that_cannot_be_used_is_given_up_and_its_keeper_woken() {
    let cable = Cable::make().expect("there is memory");
    let family = linked_family(&settings(&[]), &cable);
    let handed = hand_over(&family, &cable, true);
    family.give_up();
    let joined = Family::join(&settings(&[]), ProcessHooks::none(), handed, None);
    assert!(joined.expect("it is no error").is_none());
    assert_eq!(woken(&family.wakers), u64::MAX);
}

#[test]
fn a_setting_that_the_device_cannot_keep_leaves_the_region_alone() {
    let cable = Cable::make().expect("there is memory");
    let family = linked_family(&settings(&[]), &cable);
    let handed = hand_over(&family, &cable, true);
    let mut six = settings(&[("NSTK_ADDR", "10.0.0.1/24,fd00::1/64")]);
    six.stack.mtu = 1000;
    let joined = Family::join(&six, ProcessHooks::none(), handed, None);
    assert!(matches!(joined, Err(StartError::MtuForIpv6(1000))));
    assert!(!family.is_dead());
}

#[test]
fn beside_other_programs_the_settings_of_the_stack_stay() {
    let cable = Cable::make().expect("there is memory");
    let family = linked_family(&settings(&[]), &cable);
    let mtu = family.enter(|state, _| state.stack.config().mtu);
    let handed = hand_over(&family, &cable, false);
    let mine = settings(&[("NSTK_MTU", "1300")]);
    let joined = Family::join(&mine, ProcessHooks::none(), handed, None);
    let joined = joined.expect("nothing is wrong").expect("it is sound");
    assert_eq!(joined.enter(|state, _| state.stack.config().mtu), mtu);
}

#[test]
fn who_cannot_join_beside_other_programs_leaves_them_alone() {
    let cable = Cable::make().expect("there is memory");
    let family = linked_family(&settings(&[]), &cable);
    let handed = hand_over(&family, &cable, false);
    let mine = settings(&[("NSTK_ADDR", "10.0.0.77/24")]);
    let joined = Family::join(&mine, ProcessHooks::none(), handed, None);
    assert!(matches!(joined, Err(StartError::OtherAddress(..))));
    assert!(!family.is_dead());
    assert_eq!(
        members::programs(family.words()).count(),
        1,
        "its place is free"
    );
    let handed = hand_over(&family, &cable, false);
    family.give_up();
    let joined = Family::join(&settings(&[]), ProcessHooks::none(), handed, None);
    assert!(matches!(joined, Err(StartError::Keeper(_))));
    assert_eq!(members::programs(family.words()).count(), 1);
}

#[test]
fn a_keeper_tries_a_join_before_it_lets_anybody_in() {
    let cable = Cable::make().expect("there is memory");
    let settings = settings(&[]);
    let family = linked_family(&settings, &cable);
    let device = end_of(&cable, End::First);
    let wakers = *family.wakers.fds();
    let keeper = Family::keep(settings.device, region(&family), wakers, device, None);
    let keeper = keeper.expect("it has all it needs");
    assert_eq!((keeper.role, keeper.member()), (Role::Keeper, 4095));
    assert_eq!(members::programs(keeper.words()).count(), 1);
    assert!(keeper.rehearse_join().is_ok());
    family.give_up();
    assert!(matches!(keeper.rehearse_join(), Err(StartError::Keeper(_))));
}
