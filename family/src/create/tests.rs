use nicio::link::Cable;
use stack::Config;

use super::region_bytes;
use crate::testing::{linked_family, settings};

#[test]
fn a_region_has_room_for_full_buffers_and_a_gibibyte_of_tables() {
    let config = |pages| Config {
        tcp_mem: [0, 0, pages],
        ..Config::default()
    };
    assert_eq!(region_bytes(&config(1000)), 2 * 1000 * 4096 + (1 << 30));
    assert_eq!(region_bytes(&config(u64::MAX)), usize::MAX);
}

#[test]
fn a_dead_stack_has_a_successor_with_the_same_wakers_and_device() {
    let settings = settings(&[]);
    let cable = Cable::make().expect("there is memory");
    let dead = linked_family(&settings, &cable);
    let region = |family: &crate::Family| family.shared.region().fd();
    assert!(region(&dead).is_some_and(|fd| dead.is_own_fd(fd)));
    dead.give_up();
    let next = dead.renew(&settings).expect("the device is there");
    assert!(!next.is_dead());
    assert_eq!(next.wakers.fds(), dead.wakers.fds());
    assert_ne!(region(&next), region(&dead));
    assert_eq!(next.device_handles.tag, dead.device_handles.tag);
    assert_eq!(next.enter(|_, _| 5), Ok(5));
}
