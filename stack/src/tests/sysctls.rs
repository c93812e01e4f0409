//! A test for each sysctl below TCP that what it governs follows it. Their names begin with the
//! key's; `nstk-env` fails for a key without one.

use super::*;
use crate::wire::icmp::Icmp;
use crate::{Error, OptName};
use core::time::Duration;

fn host(change: impl Fn(&mut Config)) -> Host {
    let mut config = config(1);
    change(&mut config);
    host_with_peer_of(config)
}

#[test]
fn ip_default_ttl_is_that_of_every_packet() {
    for ttl in [64, 7] {
        let mut host = host(|config| config.default_ttl = ttl);
        let id = bound(&mut host, 53);
        host.send_to(id, b"data", Some(peer(9))).expect("room");
        host.receive(&datagram(OWN_IP, 99, b"to nobody"));
        let frames = host.transmit_all();
        assert_eq!(frames.len(), 2, "a datagram and a refusal");
        assert!(frames.iter().all(|frame| ip_of(frame).0.ttl == ttl));
    }
}

#[test]
fn icmp_echo_ignore_all_leaves_pings_unanswered() {
    for (on, answers) in [(0, 1), (1, 0)] {
        let mut host = host(|config| config.icmp_echo_ignore_all = on);
        host.receive(&icmp::icmp_frame(
            Icmp::EchoRequest([0; 4]),
            b"data",
            OWN_IP,
        ));
        assert_eq!(host.transmit_all().len(), answers);
    }
}

/// How many of `count` datagrams to nobody are refused.
fn refusals(host: &mut Host, count: usize) -> usize {
    for _ in 0..count {
        host.receive(&datagram(OWN_IP, 99, b""));
    }
    host.transmit_all().len()
}

#[test]
fn icmp_msgs_burst_bounds_the_errors_at_once() {
    // Each costs nothing, one or two of the burst.
    for (burst, range) in [(50, 35..65), (4, 2..12)] {
        let mut host = host(|config| {
            config.icmp_msgs_burst = burst;
            config.icmp_ratelimit_ms = 0;
        });
        let count = refusals(&mut host, 200);
        assert!(range.contains(&count), "{count} of {burst}");
    }
}

#[test]
fn icmp_msgs_per_sec_bounds_the_errors_over_time() {
    for (rate, range) in [(1000, 400..600), (10, 1..12)] {
        let mut host = host(|config| {
            config.icmp_msgs_per_sec = rate;
            config.icmp_ratelimit_ms = 0;
        });
        refusals(&mut host, 200);
        let later = (0..20).map(|_| {
            host.advance(Duration::from_millis(25));
            refusals(&mut host, 60)
        });
        let later: usize = later.sum();
        assert!(range.contains(&later), "{later} in half a second at {rate}");
    }
}

#[test]
fn icmp_ratelimit_is_the_time_between_two_errors_to_one_peer() {
    for (ms, first, later) in [(1000, 6, 2), (100, 6, 6), (0, 20, 20)] {
        let mut host = host(|config| config.icmp_ratelimit_ms = ms);
        assert_eq!(refusals(&mut host, 20), first);
        host.advance(Duration::from_millis(2500));
        assert_eq!(refusals(&mut host, 20), later);
    }
}

#[test]
fn ipfrag_time_is_how_long_fragments_wait_for_the_rest() {
    for seconds in [30, 5] {
        let mut host = host(|config| config.ipfrag_time_s = seconds);
        let bytes = udp_bytes((PEER_IP, 900), (OWN_IP, 53), &[0; 100]);
        let mut header = ip_header(ipv4::UDP, PEER_IP, OWN_IP, 48);
        header.more_fragments = true;
        host.receive(&ip_frame(&header, &bytes[..48]));
        let patience = Duration::from_secs(seconds.into());
        host.advance(patience - Duration::from_millis(1));
        assert_eq!(host.stack.mib().ip_reasm_fails, 0);
        host.advance(Duration::from_millis(2));
        assert_eq!(host.stack.mib().ip_reasm_fails, 1);
    }
}

#[test]
fn ipfrag_high_thresh_bounds_the_memory_of_fragments() {
    for (bytes, buffers) in [(0, 0), (16_384, 4), (1 << 20, 256)] {
        let mut host = host(|config| config.ipfrag_high_thresh = bytes);
        for n in 0..1000u16 {
            let [c, d] = n.to_be_bytes();
            let half = fragments::fragments_from([172, 16, c, d], n, &[0; 2000], 1480);
            host.receive(&half[0]);
        }
        assert_eq!(host.stack.receive_buffers().in_use(), buffers);
    }
}

#[test]
fn ipfrag_max_dist_is_how_many_others_may_come_between_two_fragments() {
    for (max, others, is_whole) in [
        (64, 63, true),
        (64, 64, false),
        (3, 3, false),
        (0, 60, true),
    ] {
        let mut host = host(|config| config.ipfrag_max_dist = max);
        let id = bound(&mut host, 53);
        let of = |ident| fragments::fragments_from(PEER_IP, ident, &[0; 2000], 1480);
        host.receive(&of(1)[0]);
        (0..others).for_each(|n| host.receive(&of(2 + n)[0]));
        host.receive(&of(1)[1]);
        assert_eq!(host.recv_from(id).is_ok(), is_whole, "{others} of {max}");
    }
}

#[test]
fn rmem_default_is_what_a_udp_socket_holds() {
    let held = |bytes| {
        let mut host = host(|config| config.rmem_default = bytes);
        let id = bound(&mut host, 53);
        assert_eq!(host.stack.option(id, OptName::ReceiveBuffer), Ok(bytes));
        for _ in 0..100 {
            host.receive(&datagram(OWN_IP, 53, &[0; 1000]));
        }
        core::iter::from_fn(|| host.recv_from(id).ok()).count()
    };
    let (few, many) = (held(20_000), held(80_000));
    assert!(few > 0 && 3 * few <= many && many < 100, "{few}, {many}");
}

#[test]
fn wmem_default_is_what_a_udp_socket_keeps_to_send() {
    let kept = |bytes| {
        let mut host = host(|config| config.wmem_default = bytes);
        let id = bound(&mut host, 53);
        assert_eq!(host.stack.option(id, OptName::SendBuffer), Ok(bytes));
        let mut count = 0;
        while count < 100 {
            match host.send_to(id, &[0; 1000], Some(peer(9))) {
                Ok(_) => count += 1,
                Err(error) => {
                    assert_eq!(error, Error::WouldBlock);
                    break;
                }
            }
        }
        count
    };
    let (few, many) = (kept(10_000), kept(40_000));
    assert!(few > 0 && 3 * few <= many && many < 100, "{few}, {many}");
}
