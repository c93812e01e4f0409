//! Small messages, slow readers, both ways at once: nothing waits for a timer that need not run.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Connection, Link, Pair, PairConfig};
use stack::{CcKind, Error, SockId, SockOpt};

fn pair(kind: CcKind, link: Link) -> (Pair, Connection) {
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    let mut pair = Pair::new(&config).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    (pair, connection)
}

/// Reads until `len` bytes have come.
fn read_exactly(pair: &mut Pair, number: usize, socket: SockId, len: usize) {
    let mut left = len;
    let mut scratch = vec![0; 65536];
    let done = pair.run_until(Duration::from_secs(60), |pair| {
        while left > 0 {
            match pair.read(number, socket, &mut scratch[..left.min(65536)]) {
                Ok(read) => left -= read,
                Err(Error::WouldBlock) => break,
                Err(error) => panic!("{error:?}"),
            }
        }
        left == 0
    });
    assert!(
        done.is_ok(),
        "{left} of {len} bytes are missing at {:?}",
        pair.age()
    );
}

#[test]
fn a_request_and_its_reply_take_one_round_trip() {
    for kind in CcKind::ALL {
        for bytes in [1, 100, 1_000, 10_000] {
            let link = Link::new(1_000_000_000, Duration::from_millis(1));
            let (mut pair, connection) = pair(kind, link);
            let message = vec![7; bytes];
            let start = pair.age();
            for _ in 0..50 {
                assert_eq!(pair.write(0, connection.client, &message), Ok(bytes));
                read_exactly(&mut pair, 1, connection.server, bytes);
                assert_eq!(pair.write(1, connection.server, &message), Ok(bytes));
                read_exactly(&mut pair, 0, connection.client, bytes);
            }
            let each = (pair.age() - start) / 50;
            // Two delays of 1 ms, 12 us of line for 1500 bytes, and pacing's share of a window for the larger ones.
            let limit = Duration::from_micros(2_050 + bytes as u64 / 10);
            assert!(each < limit, "{kind:?}: {each:?} for {bytes} bytes");
        }
    }
}

#[test]
fn two_small_writes_and_a_read_do_not_wait_for_a_delayed_ack_for_long() {
    let (mut pair, connection) = pair(
        CcKind::Cubic,
        Link::new(1_000_000_000, Duration::from_millis(1)),
    );
    let start = pair.age();
    for _ in 0..20 {
        assert_eq!(pair.write(0, connection.client, b"head"), Ok(4));
        assert_eq!(pair.write(0, connection.client, b"body"), Ok(4));
        read_exactly(&mut pair, 1, connection.server, 8);
        assert_eq!(pair.write(1, connection.server, b"reply"), Ok(5));
        read_exactly(&mut pair, 0, connection.client, 5);
    }
    // Nagle holds the second write back until the first is acknowledged, at worst for the delayed ACK's 40 ms.
    let each = (pair.age() - start) / 20;
    assert!(each < Duration::from_millis(50), "{each:?}");
}

#[test]
fn a_reader_that_pauses_gets_everything_when_it_goes_on() {
    for kind in CcKind::ALL {
        let (mut pair, connection) = pair(kind, Link::new(100_000_000, Duration::from_millis(5)));
        let chunk = vec![9; 65536];
        let mut written = 0;
        while let Ok(taken) = pair.write(0, connection.client, &chunk) {
            written += taken;
            pair.run_for(Duration::from_millis(20));
        }
        // The window is closed; probes keep the connection alive while nobody reads.
        pair.run_for(Duration::from_secs(100));
        assert!(written > 100_000, "{written}");
        read_exactly(&mut pair, 1, connection.server, written);
        pair.close(connection).expect("all memory is given back");
    }
}

#[test]
fn bytes_cross_both_ways_at_once_at_full_speed() {
    for kind in CcKind::ALL {
        let (mut pair, connection) = pair(kind, Link::new(100_000_000, Duration::from_millis(5)));
        let ends = [(0, connection.client), (1, connection.server)];
        let (mut sent, mut got) = ([0u64; 2], [0u64; 2]);
        let mut scratch = vec![3; 65536];
        let start = pair.age();
        let total = 10_000_000;
        let done = pair.run_until(Duration::from_secs(60), |pair| {
            for (number, socket) in ends {
                while sent[number] < total {
                    let left = (total - sent[number]).min(65536) as usize;
                    match pair.write(number, socket, &scratch[..left]) {
                        Ok(taken) => sent[number] += taken as u64,
                        Err(_) => break,
                    }
                }
                while let Ok(read) = pair.read(number, socket, &mut scratch) {
                    got[number] += read as u64;
                }
            }
            got == [total; 2]
        });
        assert!(done.is_ok(), "{kind:?} {got:?}");
        let mbit = (total * 8) as f64 / (pair.age() - start).as_secs_f64() / 1e6;
        assert!(mbit > 75.0, "{kind:?} {mbit:.1} Mbit/s each way");
    }
}

#[test]
fn a_rate_of_next_to_nothing_holds_no_packet_for_longer_than_a_second() {
    for kind in CcKind::ALL {
        let (mut pair, connection) = pair(kind, Link::new(100_000_000, Duration::from_millis(5)));
        let now = pair.clock(0);
        let slow = SockOpt::MaxPacingRate(1);
        let set = pair.hosts[0].stack.set_option(now, connection.client, slow);
        assert_eq!(set, Ok(()));
        // Each packet would depart 24 minutes after the one before.
        let bytes = vec![7; 40_000];
        assert_eq!(pair.write(0, connection.client, &bytes), Ok(bytes.len()));
        read_exactly(&mut pair, 1, connection.server, bytes.len());
        pair.close(connection).expect("an empty pair");
    }
}
