//! RFC 3708 §3 and RFC 3522 §3.2.

use super::*;

fn begun(retrans_out: u32) -> Undo {
    let mut undo = Undo::new();
    undo.begin(Seq::new(1000), retrans_out);
    undo
}

#[test]
fn dsacks_for_all_retransmissions_make_a_reduction_needless() {
    // RFC 3708 §3. In the network at the start, sent again, reported (end, packets); needless?
    type Case = (u32, u32, &'static [(u32, u32)], bool);
    let table: [Case; 8] = [
        (0, 1, &[(2000, 1)], true),
        (2, 0, &[(2000, 2)], true),
        (2, 0, &[(2000, 1)], false),
        (2, 0, &[(2000, 1), (3000, 1)], true),
        (1, 2, &[(3000, 2)], false),
        (1, 2, &[(3000, 3)], true),
        // More duplicates than we sent again: some were the network's.
        (1, 0, &[(2000, 9)], true),
        // A duplicate of before the episode.
        (2, 0, &[(1000, 2)], false),
    ];
    for (out, resent, reports, is_needless) in table {
        let mut undo = begun(out);
        undo.on_resent(resent);
        for &(end, packets) in reports {
            undo.on_dsack(Seq::new(end), packets);
        }
        let what = std::format!("{out}, {resent}, {reports:?}");
        assert_eq!(undo.is_all_duplicates(), is_needless, "{what}");
        assert_eq!(undo.is_needless(false), is_needless, "{what}");
        assert!(undo.is_needless(true), "{what}");
    }
}

#[test]
fn without_a_retransmission_dsacks_prove_nothing() {
    let mut undo = begun(0);
    undo.on_dsack(Seq::new(2000), 1);
    assert!(!undo.is_all_duplicates());
}

#[test]
fn what_is_not_in_force_cannot_be_undone() {
    assert!(!Undo::new().is_needless(true));
    let mut undo = begun(1);
    undo.on_dsack(Seq::new(2000), 1);
    undo.stop();
    assert!(!undo.is_possible() && !undo.is_needless(true));
    assert!(!undo.is_all_duplicates());
}

#[test]
fn the_threshold_comes_back_if_there_was_a_reduction() {
    for (saved, restored) in [(0, None), (20, Some(20))] {
        let mut undo = begun(1);
        undo.save_threshold(saved);
        assert_eq!(undo.take(), restored);
        assert!(!undo.is_possible(), "only once");
    }
}

#[test]
fn an_echo_from_before_the_retransmission_is_of_the_original() {
    // RFC 3522 §3.2 step 5, on the circle of 2^32 ms.
    let table = [
        (Some(99), Some(100), true),
        (Some(100), Some(100), false),
        (Some(101), Some(100), false),
        (Some(u32::MAX), Some(1), true),
        (None, Some(100), false),
        (Some(99), None, false),
    ];
    for (echo, clock, is_original) in table {
        assert_eq!(
            is_original_echo(echo, clock),
            is_original,
            "{echo:?}, {clock:?}"
        );
    }
}
