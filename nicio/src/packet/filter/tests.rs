use super::*;

/// What the kernel knows beside the frame's bytes.
#[derive(Clone, Copy)]
struct About {
    packet_type: u8,
    has_tag: bool,
}

const TO_HOST: About = About {
    packet_type: libc::PACKET_HOST,
    has_tag: false,
};

/// Runs a program as the kernel does (net/core/filter.c): whether it takes the frame.
fn takes(program: &Program, frame: &[u8], about: About) -> bool {
    let (mut accumulator, mut at) = (0_u32, 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            code if code == BPF_RET | BPF_K => return k != 0,
            code if code == BPF_ALU | BPF_AND | BPF_K => accumulator &= k,
            code if code == BPF_JMP | BPF_JEQ | BPF_K => {
                at += usize::from(if accumulator == k { jt } else { jf });
            }
            code if code & 7 == BPF_LD => {
                let width = if code & BPF_H == BPF_H { 2 } else { 4 };
                accumulator = match k.cast_signed().wrapping_sub(libc::SKF_AD_OFF) {
                    libc::SKF_AD_PKTTYPE => about.packet_type.into(),
                    libc::SKF_AD_VLAN_TAG_PRESENT => about.has_tag.into(),
                    _ => {
                        // A load beyond the end drops the frame.
                        let Some(bytes) = frame.get(k as usize..k as usize + width) else {
                            return false;
                        };
                        bytes
                            .iter()
                            .fold(0, |all, &byte| all << 8 | u32::from(byte))
                    }
                };
            }
            code => panic!("no such instruction here: {code:#x}"),
        }
    }
}

fn frame(kind: c_int, destination: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..14].copy_from_slice(&(kind as u16).to_be_bytes());
    let at = if kind == libc::ETH_P_IP { 30 } else { 38 };
    frame[at..at + destination.len()].copy_from_slice(destination);
    frame
}

fn v6(last: u8) -> [u8; 16] {
    [0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

#[test]
fn frames_for_the_stack_are_taken_and_those_for_the_host_are_not() {
    let both = program(&[Addr::v4([10, 77, 1, 2]), Addr::v6(v6(2))]);
    let only_v4 = program(&[Addr::v4([10, 77, 1, 2]), Addr::UNSPECIFIED]);
    let only_v6 = program(&[Addr::v6(v6(2))]);
    let link_local = [[0xfe, 0x80].as_slice(), &[0; 13], &[1]].concat();
    for (name, bytes, expected) in [
        (
            "own v4",
            frame(libc::ETH_P_IP, &[10, 77, 1, 2]),
            [true, true, false],
        ),
        (
            "host's v4",
            frame(libc::ETH_P_IP, &[10, 77, 1, 1]),
            [false; 3],
        ),
        (
            "own v6",
            frame(libc::ETH_P_IPV6, &v6(2)),
            [true, false, true],
        ),
        ("host's v6", frame(libc::ETH_P_IPV6, &v6(1)), [false; 3]),
        (
            "link-local",
            frame(libc::ETH_P_IPV6, &link_local),
            [true, false, true],
        ),
        ("ARP", frame(libc::ETH_P_ARP, &[]), [true; 3]),
        ("another protocol", frame(0x88cc, &[]), [false; 3]),
        (
            "cut short",
            frame(libc::ETH_P_IP, &[10, 77, 1, 2])[..20].to_vec(),
            [false; 3],
        ),
    ] {
        let taken = [&both, &only_v4, &only_v6].map(|program| takes(program, &bytes, TO_HOST));
        assert_eq!(taken, expected, "{name}");
    }
}

#[test]
fn groups_are_heard_and_other_stations_and_networks_are_not() {
    let program = program(&[Addr::v4([10, 77, 1, 2])]);
    let own = frame(libc::ETH_P_IP, &[10, 77, 1, 2]);
    let group = frame(libc::ETH_P_IP, &[224, 0, 0, 1]);
    let heard = |packet_type| About {
        packet_type,
        ..TO_HOST
    };
    assert!(takes(&program, &group, heard(libc::PACKET_MULTICAST)));
    assert!(takes(&program, &group, heard(libc::PACKET_BROADCAST)));
    assert!(!takes(&program, &own, heard(libc::PACKET_OTHERHOST)));
    let has_tag = true;
    assert!(!takes(&program, &own, About { has_tag, ..TO_HOST }));
}
