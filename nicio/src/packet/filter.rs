//! Which frames of the interface concern the stack: a classic BPF program (Documentation/networking/filter.rst).
//!
//! The kernel runs it before a frame takes a slot, so that what the host itself receives costs next to nothing.

use arrayvec::ArrayVec;
use libc::{BPF_ABS, BPF_ALU, BPF_AND, BPF_H, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use libc::{c_int, sock_filter};
use stack::Addr;

/// Most instructions of a program.
const INSTRUCTIONS_MAX: usize = 40;

pub(super) type Program = ArrayVec<sock_filter, INSTRUCTIONS_MAX>;

/// Offset of the type in an Ethernet header.
const ETHERTYPE: u32 = 12;
/// Offset of the destination in IPv4 behind Ethernet.
const IPV4_DESTINATION: u32 = 14 + 16;
/// Offset of the destination in IPv6 behind Ethernet.
const IPV6_DESTINATION: u32 = 14 + 24;

/// The program for a stack with these addresses. It takes what is for them, for the link-local address or for a group, and ARP.
/// It leaves out frames for other stations and for the host's own addresses, and frames with a VLAN tag, which are on another
/// network.
pub(super) fn program(own: &[Addr]) -> Program {
    let mut program = Program::new();
    program.extend([
        load_about(libc::SKF_AD_VLAN_TAG_PRESENT),
        if_equal(0, 1),
        DROP,
        load_about(libc::SKF_AD_PKTTYPE),
        unless_equal(libc::PACKET_OTHERHOST.into(), 1),
        DROP,
        if_equal(libc::PACKET_HOST.into(), 1),
        TAKE,
        load(BPF_H, ETHERTYPE),
        unless_equal(libc::ETH_P_ARP as u32, 1),
        TAKE,
    ]);
    if let Some(address) = own.iter().find_map(|own| own.as_v4()) {
        program.extend([
            unless_equal(libc::ETH_P_IP as u32, 4),
            load(BPF_W, IPV4_DESTINATION),
            unless_equal(u32::from_be_bytes(address), 1),
            TAKE,
            DROP,
        ]);
    }
    if let Some(address) = own
        .iter()
        .find(|own| !own.is_v4() && **own != Addr::UNSPECIFIED)
    {
        program.extend([
            if_equal(libc::ETH_P_IPV6 as u32, 1),
            DROP,
            load(BPF_H, IPV6_DESTINATION),
            and(0xffc0),
            unless_equal(0xfe80, 1),
            TAKE,
        ]);
        let octets = address.octets();
        let (words, _) = octets.as_chunks();
        for (at, word) in (IPV6_DESTINATION..).step_by(4).zip(words) {
            program.extend([
                load(BPF_W, at),
                if_equal(u32::from_be_bytes(*word), 1),
                DROP,
            ]);
        }
        program.push(TAKE);
    }
    program.push(DROP);
    program
}

/// Takes nothing.
pub(super) const NOTHING: [sock_filter; 1] = [DROP];

const TAKE: sock_filter = statement(BPF_RET | BPF_K, u32::MAX);
const DROP: sock_filter = statement(BPF_RET | BPF_K, 0);

/// Loads a number of the frame, in the machine's order.
const fn load(width: u32, at: u32) -> sock_filter {
    statement(BPF_LD | BPF_ABS | width, at)
}

/// Loads what the kernel knows beside the frame's bytes.
const fn load_about(what: c_int) -> sock_filter {
    load(BPF_W, (libc::SKF_AD_OFF + what).cast_unsigned())
}

const fn and(mask: u32) -> sock_filter {
    statement(BPF_ALU | BPF_AND | BPF_K, mask)
}

/// Skips `count` instructions if the loaded number is `value`.
const fn if_equal(value: u32, count: u8) -> sock_filter {
    sock_filter {
        code: (BPF_JMP | BPF_JEQ | BPF_K) as u16,
        jt: count,
        jf: 0,
        k: value,
    }
}

/// Skips `count` instructions unless the loaded number is `value`.
const fn unless_equal(value: u32, count: u8) -> sock_filter {
    sock_filter {
        code: (BPF_JMP | BPF_JEQ | BPF_K) as u16,
        jt: 0,
        jf: count,
        k: value,
    }
}

const fn statement(code: u32, value: u32) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k: value,
    }
}

#[cfg(test)]
mod tests;
