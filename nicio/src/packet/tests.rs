use super::*;
use crate::conformance;
use crate::testing::{Pools, Sent, lab, noise, plain_header};

fn name(text: &str) -> InterfaceName {
    text.parse().expect("a good name")
}

fn open(text: &str) -> Packet {
    Packet::open(name(text), &[]).expect("the interface is there")
}

fn frame(len: usize, seed: u8) -> Sent {
    Sent {
        header: plain_header(),
        payload: noise(len, seed),
        ..Sent::default()
    }
}

/// Two ends of a wire, on which the kernel says nothing itself.
fn wire(ip: &dyn Fn(&str)) {
    for setting in [
        "net/ipv6/conf/all/disable_ipv6",
        "net/ipv6/conf/default/disable_ipv6",
    ] {
        // Without IPv6 in the kernel there is nothing to keep quiet.
        let _ = std::fs::write(format!("/proc/sys/{setting}"), "1");
    }
    ip("link add left type veth peer name right");
    ip("link set left up");
    ip("link set right up");
}

/// What comes until `count` frames have, or for a while.
fn receive(pools: &mut Pools, nic: &mut Packet, count: usize) -> Result<Vec<Vec<u8>>, NicError> {
    let got = pools.receive_until(nic, |got| got.len() >= count)?;
    Ok(got.into_iter().map(|got| got.bytes).collect())
}

#[test]
fn two_ends_of_a_wire_do_what_every_device_must() {
    lab(|ip| {
        wire(ip);
        let (mut left, mut right) = (open("left"), open("right"));
        conformance::run(&mut left, &mut right);
        assert_eq!((left.frames_lost(), right.frames_lost()), (0, 0));
    });
}

#[test]
fn a_ring_goes_round_and_round() {
    lab(|ip| {
        wire(ip);
        let (mut left, mut right) = (open("left"), open("right"));
        let mut pools = Pools::new();
        for round in 0..3 * ring::SLOTS / 64 {
            let frames: Vec<_> = (0..32).map(|i| frame(46 + i, round as u8)).collect();
            // Every other frame is longer than a slot, so that slots and the queue must stay in step.
            let long = crate::testing::tcp_frame(noise(4000, round as u8), Some(1000));
            for frame in &frames {
                pools.send_all(&mut left, std::slice::from_ref(frame), 1);
                pools.send_all(&mut left, std::slice::from_ref(&long), 1);
            }
            let got = receive(&mut pools, &mut right, 64).expect("the device works");
            let sent = frames
                .iter()
                .map(|frame| (frame.bytes(), long.bytes().len()));
            let pairs = got.chunks(2).map(|pair| (pair[0].clone(), pair[1].len()));
            assert!(pairs.eq(sent), "round {round}");
        }
        assert_eq!(right.frames_lost(), 0);
    });
}

#[test]
fn what_another_process_opened_goes_on_where_that_one_was() {
    lab(|ip| {
        wire(ip);
        let (mut left, mut right) = (open("left"), open("right"));
        let mut pools = Pools::new();
        pools.send_all(&mut left, &[frame(60, 1), frame(61, 2)], 1);
        let mut burst = RxBurst::new();
        pools.supply(&mut burst, usize::MAX);
        while right.rx_burst(&mut burst) == Ok(0) {}
        let first = pools.take_all(&mut burst).len();
        pools.drop_reserve(&mut burst);
        let copies = right.handles().try_map(|fd| sys::duplicate(*fd));
        let copies = copies.expect("descriptors are left");
        let mut again = Packet::from_handles(name("right"), copies).expect("it is a ring");
        assert_eq!(again.caps(), right.caps());
        pools.send_all(&mut left, &[frame(62, 3)], 1);
        let rest = receive(&mut pools, &mut again, 3 - first).expect("the device works");
        assert_eq!(rest.last(), Some(&frame(62, 3).bytes()));
        assert_eq!(first + rest.len(), 3, "each frame comes once");
    });
}

#[test]
fn handles_that_are_no_ring_are_refused() {
    lab(|ip| {
        wire(ip);
        let right = open("right");
        let null = || {
            let null = sys::open(c"/dev/null", libc::O_RDWR | libc::O_CLOEXEC, 0);
            null.expect("there is always /dev/null")
        };
        let socket = || sys::duplicate(right.fd.as_raw()).expect("descriptors are left");
        let memory = || sys::memfd(c"other").expect("memory");
        for fds in [
            vec![],
            vec![socket()],
            vec![null(), null()],
            vec![socket(), null()],
            vec![socket(), memory()],
        ] {
            let count = fds.len();
            let fds = fds.into_iter().collect();
            let refusal = Packet::from_handles(name("right"), Handles { fds, tag: 0 });
            assert_eq!(
                refusal.map(drop).expect_err("it is none"),
                OpenError::WrongHandles,
                "{count}"
            );
        }
    });
}

#[test]
fn an_interface_that_is_down_loses_frames_and_one_that_is_removed_is_gone() {
    lab(|ip| {
        wire(ip);
        let mut left = open("left");
        let mut pools = Pools::new();
        ip("link set left down");
        pools.send_all(&mut left, &[frame(60, 1)], 1);
        assert_eq!(left.frames_lost(), 1);
        // What waits on the socket is no reason to give up.
        receive(&mut pools, &mut left, 1).expect("it is only down");
        ip("link set left up");
        let mut right = open("right");
        // The kernel lets frames through a moment later.
        let comes = (0..20).any(|_| {
            pools.send_all(&mut left, &[frame(60, 1)], 1);
            receive(&mut pools, &mut right, 1) == Ok(vec![frame(60, 1).bytes()])
        });
        assert!(comes, "it goes on where it is up again");
        ip("link delete left");
        let mut burst = TxBurst::new();
        pools.queue(&mut burst, &frame(60, 1), 1);
        assert_eq!(left.tx_burst(&mut burst), Err(NicError::Gone));
        let mut burst = RxBurst::new();
        pools.supply(&mut burst, usize::MAX);
        let looks = 0..=LOOKS_PER_QUESTION;
        let seen: Vec<_> = looks.map(|_| left.rx_burst(&mut burst)).collect();
        assert!(seen.contains(&Err(NicError::Gone)), "{:?}", seen.last());
    });
}

#[test]
fn an_interface_says_why_it_cannot_be_opened() {
    lab(|ip| {
        let refusal = |text| {
            Packet::open(name(text), &[])
                .map(drop)
                .expect_err("it cannot")
        };
        assert_eq!(refusal("none"), OpenError::NoInterface(name("none")));
        assert_eq!(
            check(name("none")),
            Err(OpenError::NoInterface(name("none")))
        );
        ip("tuntap add dev tunnel mode tun");
        assert_eq!(refusal("tunnel"), OpenError::NotEthernet(name("tunnel")));
        assert_eq!(
            check(name("tunnel")),
            Err(OpenError::NotEthernet(name("tunnel")))
        );
    });
}

#[test]
fn one_stack_has_an_address_on_an_interface_and_another_has_another() {
    lab(|ip| {
        wire(ip);
        let v4 = |last| Addr::v4([10, 9, 9, last]);
        let v6 = Addr::v6([0xfd; 16]);
        let open = |interface, own: &[Addr]| Packet::open(name(interface), own);
        let one = open("left", &[v4(1), v6]).expect("nobody has them");
        for own in [[v4(1), Addr::UNSPECIFIED], [v4(2), v6]] {
            let refusal = open("left", &own).map(drop);
            assert_eq!(refusal, Err(OpenError::Busy(name("left"))));
        }
        let _other = open("left", &[v4(2)]).expect("it is another address");
        let _there = open("right", &[v4(1)]).expect("it is another interface");
        let copies = one.handles().try_map(|fd| sys::duplicate(*fd));
        let again = Packet::from_handles(name("left"), copies.expect("descriptors are left"));
        drop(one);
        open("left", &[v6]).map(drop).expect_err("a copy is open");
        drop(again);
        open("left", &[v4(1), v6]).expect("they are free again");
    });
}
