//! A region that was damaged while only the keeper had it: the next program starts with a stack of its own making.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nstk_tests::{CProgram, Lab, Outcome, PEER_ADDRESS, Peer, eventually};

use crate::PEER;
use crate::region::{KEEPER, LOCK_AT, region_of};

/// The words that need no lock lie between the lock and this byte, the tables' descriptions behind it.
const TABLES_AT: u64 = 36 * 1024;

/// Sends by a stack that may be the keeper's of the run before.
fn send(lab: &Lab, peer: &Peer, program: &CProgram) {
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]);
    let outcome = Outcome::of(command.env("NSTK_FAIL", "exit"));
    assert_eq!(outcome.stderr, "");
    assert_eq!(peer.next_line(), "1048576 intact fin");
}

fn starts_afresh_after(damage: impl Fn(&File)) {
    let program = CProgram::compile("leaving");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    send(&lab, &peer, &program);
    for _ in 0..2 {
        let keepers = lab.processes(KEEPER);
        let [keeper] = *keepers.as_slice() else {
            panic!("one keeper, not {keepers:?}");
        };
        damage(&region_of(keeper));
        send(&lab, &peer, &program);
        eventually("the keeper has ended", || {
            !lab.processes(KEEPER).contains(&keeper)
        });
    }
}

fn write(region: &File, at: u64, bytes: &[u8]) {
    region
        .write_all_at(bytes, at)
        .expect("the region is longer");
}

#[test]
fn a_region_that_is_none_any_more_is_not_handed_on() {
    starts_afresh_after(|region| write(region, 0, &[0; 8]));
}

#[test]
fn a_region_that_says_it_is_another_build_s_is_not_handed_on() {
    starts_afresh_after(|region| write(region, 8, &[1; 8]));
}

#[test]
fn a_region_whose_tables_are_overwritten_is_not_handed_on() {
    starts_afresh_after(|region| write(region, TABLES_AT, &[0xff; 30_000]));
}

#[test]
fn a_region_that_is_overwritten_from_end_to_end_is_not_handed_on() {
    for byte in [0, 0xff] {
        starts_afresh_after(|region| {
            let length = region.metadata().expect("fstat").len();
            for at in (0..length).step_by(1 << 20) {
                write(region, at, &vec![byte; 1 << 20]);
            }
        });
    }
}

#[test]
fn a_lock_that_nobody_holds_and_nobody_gives_back_ends_the_keeper() {
    // No thread has such a number; then no mutex at all.
    starts_afresh_after(|region| write(region, LOCK_AT, &0x3fff_fff0_u32.to_ne_bytes()));
    starts_afresh_after(|region| write(region, LOCK_AT, &[0xff; 40]));
}
