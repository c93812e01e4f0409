//! The device's turn when its owner does not get on.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread::sleep;
use std::time::Duration;

use nstk_tests::{CProgram, Lab, PEER_ADDRESS, Peer, Running, cpu_time, eventually, kill};

use crate::PEER;
use crate::region::{KEEPER, LOCK_AT, TURN_AT, region_of};

fn number<const BYTES: usize>(region: &File, at: u64) -> u64 {
    let mut bytes = [0; 8];
    region
        .read_exact_at(&mut bytes[..BYTES], at)
        .expect("the region is longer");
    u64::from_ne_bytes(bytes)
}

/// Stops a process while it has the turn, and not the lock.
fn stop_in_turn(process: u32, region: &File) {
    eventually("it is stopped in its turn", || {
        kill(process, "STOP");
        // Until it has stopped.
        sleep(Duration::from_millis(20));
        let caught =
            number::<8>(region, TURN_AT) == u64::from(process) && number::<4>(region, LOCK_AT) == 0;
        if !caught {
            kill(process, "CONT");
        }
        caught
    });
}

#[test]
fn a_process_stopped_in_its_turn_costs_the_others_no_cpu_and_its_end_lets_them_go_on() {
    let program = CProgram::compile("streaming");
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let mut command = lab.nstk(program.path());
    let running = Running::start(command.args([PEER_ADDRESS, &peer.port.to_string()]));
    running.has_said("\n");
    let child: u32 = running.said().trim().parse().expect("its id");
    let mut keepers = Vec::new();
    eventually("the keeper is there", || {
        keepers = lab.processes(KEEPER);
        !keepers.is_empty()
    });
    let region = region_of(keepers[0]);
    stop_in_turn(running.id(), &region);
    // Time to find out that nothing moves.
    sleep(Duration::from_millis(300));
    let used = || [keepers[0], child].map(|process| cpu_time(process).expect("it lives"));
    let before = used();
    sleep(Duration::from_secs(2));
    for (process, (after, before)) in ["keeper", "waiting child"]
        .iter()
        .zip(used().into_iter().zip(before))
    {
        let spent = after - before;
        assert!(
            spent <= Duration::from_millis(60),
            "{process}: {spent:?} in two seconds"
        );
    }
    assert_eq!(number::<8>(&region, TURN_AT), u64::from(running.id()));
    kill(running.id(), "KILL");
    eventually("others have the turn", || {
        number::<8>(&region, TURN_AT) != u64::from(running.id())
    });
    kill(child, "KILL");
    let _ = running.finish();
    // What was sent until then has arrived whole, and its end, by the keeper.
    assert!(peer.next_line().ends_with("fin"));
}
