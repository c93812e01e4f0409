//! Each way between the states, one ACK or timeout at a time.

use super::*;
use crate::time::Instant;
use CaState::Recovery as Fast;
use CaState::{Cwr, Disorder, Loss, Open};

/// An episode that ends at 10,000, of ten packets. Counts: SACKed, lost, sent again.
fn episode(state: CaState, [sacked, lost, resent]: [u32; 3]) -> Recovery {
    let mut recovery = Recovery::new(Seq::new(10_000), 3);
    let board = &mut recovery.board;
    (board.packets_out, board.sacked_out) = (10, sacked);
    (board.lost_out, board.retrans_out) = (lost, resent);
    recovery.set_ca_state(state);
    recovery
}

/// An ACK up to `una` that advances.
fn advance(una: u32) -> AckEvent {
    AckEvent {
        una: Seq::new(una),
        nxt: Seq::new(20_000),
        acked: 1,
        has_sack: true,
        is_sacking: false,
        is_advance: true,
        is_duplicate: false,
        is_original: false,
        is_original_echo: false,
    }
}

fn duplicate() -> AckEvent {
    AckEvent {
        acked: 0,
        is_advance: false,
        is_duplicate: true,
        ..advance(1)
    }
}

const FLIGHT: Flight = Flight {
    una: Seq::new(1),
    nxt: Seq::new(20_000),
    cwnd: 10,
    ssthresh: 70,
};

/// The whole of an ACK: nothing is found lost in the middle.
fn take(recovery: &mut Recovery, ack: &AckEvent) -> Actions {
    let actions = recovery.on_ack(ack);
    recovery.on_marked(actions.then, &FLIGHT);
    actions
}

#[test]
fn an_episode_ends_when_all_of_it_is_acknowledged() {
    // State, acknowledged up to; state after, whether a reduction ended.
    let table = [
        (Open, 10_000, Open, false),
        (Disorder, 9_999, Open, false),
        (Cwr, 9_999, Cwr, false),
        // CWR lasts until something beyond it is acknowledged (Linux: tcp_fastretrans_alert).
        (Cwr, 10_000, Cwr, false),
        (Cwr, 10_001, Open, true),
        (Fast, 9_999, Fast, false),
        (Fast, 10_000, Open, true),
        (Loss, 9_999, Loss, false),
        (Loss, 10_000, Open, false),
    ];
    for (state, una, after, has_ended) in table {
        let mut recovery = episode(state, [0, 0, 0]);
        let actions = take(&mut recovery, &advance(una));
        assert_eq!(recovery.ca_state(), after, "{state:?}, {una}");
        let ended = has_ended.then_some(Ended {
            state,
            is_undoable: false,
        });
        assert_eq!(actions.ended, ended, "{state:?}, {una}");
        assert_eq!(actions.undone, None);
    }
}

#[test]
fn something_outstanding_keeps_disorder() {
    for (counts, after) in [
        ([0, 0, 0], Open),
        ([1, 0, 0], Disorder),
        ([0, 1, 1], Fast),
        ([0, 0, 1], Disorder),
    ] {
        let mut recovery = episode(Disorder, counts);
        take(&mut recovery, &advance(5_000));
        assert_eq!(recovery.ca_state(), after, "{counts:?}");
    }
}

#[test]
fn a_loss_begins_fast_recovery_and_reduces_the_window_once() {
    for (state, reduces_from) in [(Open, Some(Open)), (Disorder, Some(Disorder)), (Cwr, None)] {
        let mut recovery = episode(state, [3, 0, 0]);
        let actions = recovery.on_ack(&duplicate());
        recovery.board.lost_out = 1;
        let entered = recovery.on_marked(actions.then, &FLIGHT);
        assert_eq!(entered, Some(Entered { reduces_from }), "{state:?}");
        assert_eq!(recovery.ca_state(), Fast);
        let is_reduced = reduces_from.is_some();
        let end = if is_reduced { 20_000 } else { 10_000 };
        assert_eq!(recovery.high_seq, Seq::new(end), "{state:?}");
        assert_eq!(recovery.prr.prior_cwnd(), if is_reduced { 10 } else { 0 });
        assert_eq!(recovery.undo.take(), is_reduced.then_some(70));
    }
}

#[test]
fn within_a_recovery_more_losses_reduce_nothing() {
    for state in [Fast, Loss] {
        let mut recovery = episode(state, [3, 0, 0]);
        let actions = recovery.on_ack(&duplicate());
        recovery.board.lost_out = 1;
        assert_eq!(recovery.on_marked(actions.then, &FLIGHT), None, "{state:?}");
        assert_eq!(recovery.ca_state(), state);
    }
}

#[test]
fn losses_are_looked_for_by_time_once_something_was_delivered() {
    for is_advanced in [true, false] {
        let mut recovery = episode(Fast, [3, 1, 0]);
        if is_advanced {
            recovery.rack.look_again();
        }
        let mark = if is_advanced {
            Mark::ByTime
        } else {
            Mark::Nothing
        };
        assert_eq!(recovery.on_ack(&duplicate()).mark, mark);
        assert_eq!(recovery.on_ack(&duplicate()).mark, Mark::Nothing);
    }
}

#[test]
fn without_sack_the_third_duplicate_takes_the_head_for_lost() {
    // RFC 6582 §3.2 (2).
    let mut recovery = episode(Open, [0, 0, 0]);
    let ack = AckEvent {
        has_sack: false,
        ..duplicate()
    };
    for (count, mark) in [(1, Mark::Nothing), (2, Mark::Nothing), (3, Mark::Head)] {
        let actions = recovery.on_ack(&ack);
        assert!(actions.is_counted);
        assert_eq!(actions.mark, mark);
        assert_eq!(recovery.board.sacked_out, count);
        if mark == Mark::Nothing {
            assert_eq!(recovery.on_marked(actions.then, &FLIGHT), None);
            assert_eq!(recovery.ca_state(), Disorder);
        }
    }
}

#[test]
fn without_sack_a_partial_ack_takes_the_next_for_lost() {
    // RFC 6582 §3.2 (3): of three acknowledged packets two were counted as duplicates.
    let mut recovery = episode(Fast, [5, 1, 1]);
    let ack = AckEvent {
        has_sack: false,
        acked: 3,
        ..advance(4_000)
    };
    assert_eq!(recovery.on_ack(&ack).mark, Mark::Head);
    assert_eq!(recovery.board.sacked_out, 3);
    let ack = AckEvent {
        has_sack: false,
        ..duplicate()
    };
    assert_eq!(recovery.on_ack(&ack).mark, Mark::Nothing);
    assert_eq!(recovery.board.sacked_out, 4);
}

#[test]
fn an_echo_of_the_original_undoes_fast_recovery_early() {
    // RFC 3522 §3.2; Linux: tcp_try_undo_partial. Sent again; state after, undone.
    for (resent, after, is_undone) in [(0, Disorder, true), (1, Fast, false)] {
        let mut recovery = episode(Fast, [2, 3, resent]);
        recovery.undo.save_threshold(70);
        recovery.undo.begin(Seq::new(1), 0);
        let ack = AckEvent {
            is_original_echo: true,
            ..advance(4_000)
        };
        let actions = take(&mut recovery, &ack);
        assert_eq!(recovery.ca_state(), after);
        let undone = is_undone.then_some(Undone {
            ssthresh: Some(70),
            forgives: true,
        });
        assert_eq!(actions.undone, undone);
        assert_eq!((actions.mark, actions.then), (Mark::Nothing, Then::Stay));
        assert_eq!(recovery.board.lost_out, if is_undone { 0 } else { 3 });
    }
}

#[test]
fn duplicates_for_all_retransmissions_undo_a_reduction() {
    // RFC 3708 §3; Linux: tcp_try_undo_dsack.
    for (state, after, is_undone) in [
        (Fast, Disorder, true),
        (Disorder, Disorder, true),
        (Cwr, Cwr, false),
    ] {
        let mut recovery = episode(state, [2, 0, 0]);
        recovery.undo.save_threshold(70);
        recovery.undo.begin(Seq::new(1), 1);
        recovery.undo.on_dsack(Seq::new(1_000), 1);
        let actions = take(&mut recovery, &duplicate());
        let undone = is_undone.then_some(Undone {
            ssthresh: Some(70),
            forgives: false,
        });
        assert_eq!(actions.undone, undone, "{state:?}");
        assert_eq!(recovery.ca_state(), after);
    }
}

#[test]
fn a_needless_reduction_is_undone_at_its_end() {
    for (is_original_echo, is_undone) in [(true, true), (false, false)] {
        let mut recovery = episode(Fast, [0, 0, 0]);
        recovery.undo.begin(Seq::new(1), 1);
        let ack = AckEvent {
            is_original_echo,
            ..advance(10_000)
        };
        let actions = take(&mut recovery, &ack);
        let ended = Ended {
            state: Fast,
            is_undoable: true,
        };
        assert_eq!(actions.ended, Some(ended));
        assert_eq!(actions.undone.is_some(), is_undone);
        assert_eq!(recovery.ca_state(), Open);
        assert!(!recovery.undo.is_possible());
    }
}

#[test]
fn the_first_timeout_of_an_episode_sets_the_threshold() {
    // Linux: tcp_enter_loss. State, the episode's end, timeouts before; whether it is a new one.
    let table = [
        (Open, 10_000, 0, true),
        (Disorder, 10_000, 0, true),
        (Cwr, 10_000, 0, false),
        (Fast, 10_000, 0, false),
        (Fast, 1, 0, true),
        (Loss, 10_000, 0, true),
        (Loss, 10_000, 1, false),
    ];
    for (state, end, retransmits, is_new) in table {
        let mut recovery = episode(state, [0, 10, 0]);
        recovery.high_seq = Seq::new(end);
        recovery.retransmits = retransmits;
        let timed_out = recovery.on_timeout(&FLIGHT, true);
        let episode = if is_new { Episode::New } else { Episode::Same };
        let expected = TimedOut {
            from: state,
            episode,
        };
        assert_eq!(timed_out, expected, "{end}, {retransmits}");
        assert_eq!(recovery.ca_state(), Loss);
        assert_eq!(recovery.high_seq, FLIGHT.nxt);
        assert_eq!(recovery.undo.is_possible(), is_new);
        assert_eq!(recovery.prr.prior_cwnd(), if is_new { 10 } else { 0 });
    }
}

#[test]
fn f_rto_takes_back_a_timeout_after_which_an_original_arrives() {
    // RFC 5682 §2.1. State before, allowed by the setting; undone.
    for (state, is_allowed, is_undone) in [
        (Open, true, true),
        (Open, false, false),
        (Fast, true, false),
    ] {
        let mut recovery = episode(state, [0, 10, 0]);
        recovery.on_timeout(&FLIGHT, is_allowed);
        recovery.retransmits = 1;
        let ack = AckEvent {
            is_original: true,
            is_sacking: true,
            is_advance: false,
            ..advance(1)
        };
        let actions = recovery.on_ack(&ack);
        assert_eq!(
            actions.undone.is_some(),
            is_undone,
            "{state:?}, {is_allowed}"
        );
        if is_undone {
            assert_eq!(actions.undone.map(|undone| undone.forgives), Some(true));
            assert_eq!((recovery.retransmits, recovery.board.lost_out), (0, 0));
            assert_eq!((recovery.ca_state(), actions.then), (Open, Then::Calm));
        } else {
            assert_eq!((recovery.ca_state(), actions.then), (Loss, Then::Stay));
        }
    }
}

#[test]
fn a_path_that_wants_shorter_packets_costs_no_window() {
    let mut recovery = episode(Fast, [0, 3, 0]);
    recovery.undo.save_threshold(70);
    recovery.undo.begin(Seq::new(1), 0);
    recovery.prr.begin(10);
    recovery.enter_loss_without_congestion(Seq::new(30_000));
    assert_eq!(recovery.ca_state(), Loss);
    assert_eq!(recovery.high_seq, Seq::new(30_000));
    assert_eq!((recovery.undo.take(), recovery.prr.prior_cwnd()), (None, 0));
    recovery.enter_loss_without_congestion(Seq::new(40_000));
    assert_eq!(recovery.high_seq, Seq::new(30_000), "the episode goes on");
}

#[test]
fn the_user_timeout_stops_when_nothing_is_sent_again_any_more() {
    let since = Instant::from_millis(5);
    for (state, resent, stops) in [
        (Open, 0, true),
        (Fast, 0, true),
        (Disorder, 0, true),
        (Disorder, 1, false),
    ] {
        let mut recovery = episode(state, [0, 0, resent]);
        recovery.retrans_since = since;
        take(&mut recovery, &advance(10_000));
        let expected = if stops { Instant::ZERO } else { since };
        assert_eq!(recovery.retrans_since, expected, "{state:?}, {resent}");
    }
}
