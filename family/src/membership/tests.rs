use nicio::mem::pair;
use stack::{Addr, Config};

use super::{Membership, fit_to_device};
use crate::device::Device;
use crate::error::StartError;
use crate::family::Role;
use crate::members;
use crate::process_hooks::ProcessHooks;
use crate::testing::{linked_family, lone_family, settings};

/// The MTU that a stack gets which wants this one, on a device of memory.
fn mtu_for(wanted: u16, addr6: Addr) -> Result<u16, StartError> {
    let (nic, _other) = pair();
    let config = Config {
        mtu: wanted,
        addr6,
        ..Config::default()
    };
    fit_to_device(&config, &Device::new(Box::new(nic))).map(|config| config.mtu)
}

#[test]
fn the_mtu_is_the_device_s_unless_a_smaller_one_is_wanted() {
    let none = Config::default().addr6;
    assert_eq!(mtu_for(0, none).ok(), Some(1500));
    assert_eq!(mtu_for(9000, none).ok(), Some(1500));
    assert_eq!(mtu_for(600, none).ok(), Some(600));
}

#[test]
fn ipv6_has_a_least_mtu() {
    let addr6 = Addr::v6([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(mtu_for(1500, addr6).ok(), Some(1500));
    assert_eq!(mtu_for(1280, addr6).ok(), Some(1280));
    let refused = mtu_for(1279, addr6);
    assert!(
        matches!(refused, Err(StartError::MtuForIpv6(1279))),
        "{refused:?}"
    );
}

#[test]
fn a_stack_has_the_device_s_offloads_and_its_own_hardware_address() {
    let (nic, _other) = pair();
    let config = Config {
        mac: [2, 0, 0, 0, 0, 7],
        ..Config::default()
    };
    let fitted = fit_to_device(&config, &Device::new(Box::new(nic))).expect("no IPv6");
    assert_eq!(fitted.mac, config.mac, "the device has none");
    assert_eq!(fitted.offload, stack::DeviceOffload::all().bits());
}

#[test]
fn busy_polling_is_asked_for_in_microseconds() {
    let cable = nicio::link::Cable::make().expect("there is memory");
    let settings = settings(&[("NSTK_SYSCTL", "net.core.busy_poll=70")]);
    assert_eq!(linked_family(&settings, &cable).busy_poll_ns, 70_000);
}

#[test]
fn a_full_family_takes_nobody_in() {
    let (family, _wire) = lone_family();
    while members::register(family.words(), 4_000_001, 0).is_some() {}
    let fd = family.shared.region().fd().expect("it is in a file");
    let region = region::Region::attach(sys::duplicate(fd).expect("there are descriptors"));
    let region = region.expect("it is a region");
    let parts = Membership {
        spec: family.spec.clone(),
        stack: stack::Stack::attach(&region).expect("it has one"),
        region,
        device: Device::new(Box::new(pair().0)),
        wakers: family.wakers,
        capture: None,
    };
    let joined = parts.register(ProcessHooks::none(), Role::Program);
    assert!(matches!(joined, Err(StartError::Keeper(_))));
}
