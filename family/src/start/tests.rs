use nicio::{DeviceSpec, OpenError};
use stack::Addr;

use super::*;
use crate::testing::{complaints, lone_family, remembering_hooks, settings};

const MS: Duration = Duration::from_millis(1);

fn in_use() -> StartError {
    StartError::InUse("tap:tap0".parse().expect("a device"), None)
}

fn ends_of_a_link() -> [StartError; 2] {
    let device: DeviceSpec = "link:it".parse().expect("a device");
    [
        StartError::LinkFull(device),
        StartError::SameAddress(Addr::v4([10, 0, 0, 1])),
    ]
}

#[test]
fn a_device_that_is_being_let_go_is_waited_for() {
    let patience = patience(&in_use(), Duration::ZERO);
    assert!(patience >= 100 * MS && patience < 1000 * MS, "{patience:?}");
}

#[test]
fn an_end_of_a_link_is_waited_for_longer_than_a_keeper_holds_it() {
    for error in ends_of_a_link() {
        let patience = patience(&error, Duration::ZERO);
        assert!(
            patience >= 1200 * MS && patience < 3000 * MS,
            "{patience:?}"
        );
    }
}

#[test]
fn who_wants_to_wait_waits_longer() {
    let asked = 10_000 * MS;
    assert_eq!(patience(&in_use(), asked), asked);
    for error in ends_of_a_link() {
        assert_eq!(patience(&error, asked), asked);
    }
}

#[test]
fn what_waiting_does_not_mend_is_not_waited_for() {
    let name = "tap0".parse().expect("a name");
    for error in [
        StartError::Device(OpenError::NoDevice(name)),
        StartError::Device(OpenError::TunPermission),
        StartError::LinkBroker("gone"),
        StartError::Keeper("gone"),
        StartError::MtuForIpv6(1000),
        StartError::System("socket", libc::EMFILE),
    ] {
        assert_eq!(patience(&error, 1000 * MS), Duration::ZERO, "{error:?}");
    }
}

#[test]
fn pauses_grow_with_the_time_waited() {
    assert_eq!(pause_after(Duration::ZERO), PAUSE_MIN);
    assert_eq!(pause_after(200 * MS), 25 * MS);
    assert_eq!(pause_after(10_000 * MS), PAUSE_MAX);
}

#[test]
fn a_start_that_cannot_succeed_is_not_tried_again() {
    let none = format!("tap:none{}", std::process::id() % 100_000);
    let started = Family::start(&settings(&[("NSTK_IF", &none)]), ProcessHooks::none());
    assert!(matches!(started, Err(StartError::Device(_))));
    // There is no keeper's program beside the tests.
    let link = format!("link:none{}", std::process::id() % 100_000);
    let started = Family::start(&settings(&[("NSTK_IF", &link)]), ProcessHooks::none());
    assert!(matches!(started, Err(StartError::LinkBroker(_))));
}

#[test]
fn the_user_hears_of_a_device_with_a_smaller_mtu() {
    let (mut family, _wire) = lone_family();
    family.hooks = remembering_hooks();
    for (mtu, is_told) in [("1400", false), ("1500", false), ("1501", true)] {
        family.compare_mtu(&settings(&[("NSTK_MTU", mtu)]));
        let told = complaints();
        assert_eq!(told.len(), usize::from(is_told), "{told:?}");
        for line in told {
            assert!(
                line.starts_with("NSTK_MTU=1501: ") && line.contains("1500"),
                "{line}"
            );
        }
    }
}
