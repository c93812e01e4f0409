//! Families in one process, over devices of memory.

mod hooks;
mod links;
mod processes;

use std::sync::atomic::Ordering;

use nicio::mem::{Mem, pair};
use region::Region;
use stack::{Addr, Config, Domain, Endpoint, SockId, SockKind, Stack};

use crate::clock;
use crate::device::Device;
use crate::family::{Family, Role};
use crate::membership::{Membership, fit_to_device};
use crate::process_hooks::ProcessHooks;
use crate::records::FileId;
use crate::wakers::Wakers;

pub(crate) use hooks::{complaints, remembering_hooks};
pub(crate) use links::{end_of, linked_family, settings};
pub(crate) use processes::{ended, fork};

pub(crate) const PORT: u16 = 80;

/// A family of one member with address 10.0.0.`host`.
fn family(host: u8, nic: Mem) -> Family {
    let device = Device::new(Box::new(nic));
    let wanted = Config {
        addr: Addr::v4([10, 0, 0, host]),
        prefix_len: 24,
        mac: [2, 0, 0, 0, 0, host],
        ..Config::default()
    };
    let config = fit_to_device(&wanted, &device).expect("IPv4 has no least MTU");
    let region = Region::create(1 << 30).expect("there is memory");
    let stack = Stack::create(&region, &config, clock::now(), [host; 32]).expect("tables fit");
    let wakers = Wakers::create().expect("there are descriptors");
    membership(region, stack, device, wakers)
        .register(ProcessHooks::none(), Role::Program)
        .expect("there are places")
}

fn membership(region: Region, stack: Stack, device: Device, wakers: Wakers) -> Membership {
    Membership {
        spec: "tap:none".parse().expect("a device"),
        region,
        stack,
        device,
        wakers,
        capture: None,
    }
}

/// Two families that a wire of memory joins.
pub(crate) fn two_families() -> (Family, Family) {
    let (one, other) = pair();
    (family(1, one), family(2, other))
}

/// A family whose device leads to nobody; the other end keeps it working.
pub(crate) fn lone_family() -> (Family, Mem) {
    let (nic, other) = pair();
    (family(1, nic), other)
}

/// Another member of the family, as the process `pid` would have it. Its device leads to nobody.
pub(crate) fn join(family: &Family, role: Role, pid: u32) -> (Family, Mem) {
    let (nic, other) = pair();
    let fd = family.shared.region().fd().expect("it is in a file");
    let copy = sys::duplicate(fd).expect("there are descriptors");
    let region = Region::attach(copy).expect("it is a region");
    let stack = Stack::attach(&region).expect("it has a stack");
    let device = Device::new(Box::new(nic));
    let joined = membership(region, stack, device, family.wakers)
        .register(ProcessHooks::none(), role)
        .expect("there are places");
    joined.pid.store(pid, Ordering::Relaxed);
    let place = &joined.words().members[usize::from(joined.member())];
    place.pid.store(pid, Ordering::Relaxed);
    (joined, other)
}

/// A socket of the family with an open file.
pub(crate) fn open(family: &Family, kind: SockKind) -> (FileId, SockId) {
    let member = family.member();
    let opened = family.enter(|state, _| {
        let sock = state
            .stack
            .socket(kind, Domain::Inet)
            .expect("there is room");
        let file = state.files.open(sock, member, 0).expect("there is room");
        state.stack.set_tag(sock, file.to_bits());
        (file, sock)
    });
    opened.expect("the stack lives")
}

/// The family listens on [`PORT`].
pub(crate) fn listen(server: &Family) {
    let (_, sock) = open(server, SockKind::Stream);
    let listening = server.enter(|state, now| {
        let any = Endpoint::new(Addr::v4([0, 0, 0, 0]), PORT);
        state.stack.bind(now, sock, any).expect("the port is free");
        state.stack.listen(now, sock, 8)
    });
    assert_eq!(listening, Ok(Ok(())));
}

/// A file of `client` whose connection to 10.0.0.2 is under way.
pub(crate) fn connect(client: &Family) -> (FileId, SockId) {
    let (file, sock) = open(client, SockKind::Stream);
    let server = Endpoint::new(Addr::v4([10, 0, 0, 2]), PORT);
    let called = client.enter(|state, now| state.stack.connect(now, sock, server));
    called
        .expect("the stack lives")
        .expect_err("it takes a round trip");
    (file, sock)
}

/// Moves frames between the two until nothing comes any more.
pub(crate) fn settle(one: &Family, other: &Family) {
    let mut quiet = 0;
    while quiet < 1000 {
        let moved = one.poll() | other.poll();
        quiet = if moved { 0 } else { quiet + 1 };
    }
}

/// The wakers of a set that are readable; they are cleared.
pub(crate) fn woken(wakers: &Wakers) -> u64 {
    let is_woken = |fd: i32| {
        let mut count = [0; 8];
        sys::read(fd, &mut count).is_ok()
    };
    let fds = wakers.fds().iter().enumerate();
    fds.filter(|(_, fd)| is_woken(**fd))
        .fold(0, |set, (at, _)| set | 1 << at)
}
