//! The counts of RFC 6675 and RFC 6582.

use super::*;

fn board(out: u32, sacked: u32, lost: u32, resent: u32) -> Scoreboard {
    Scoreboard {
        packets_out: out,
        sacked_out: sacked,
        lost_out: lost,
        retrans_out: resent,
        sack_high: Seq::new(500),
        ..Scoreboard::default()
    }
}

fn counts(board: &Scoreboard) -> [u32; 4] {
    [
        board.packets_out,
        board.sacked_out,
        board.lost_out,
        board.retrans_out,
    ]
}

#[test]
fn the_pipe_is_what_is_out_less_what_left_plus_what_went_again() {
    // RFC 6675 §4, SetPipe.
    for (counts, pipe) in [
        ([10, 0, 0, 0], 10),
        ([10, 3, 0, 0], 7),
        ([10, 3, 2, 0], 5),
        ([10, 3, 2, 2], 7),
        ([1, 2, 3, 1], 1),
    ] {
        let [out, sacked, lost, resent] = counts;
        assert_eq!(board(out, sacked, lost, resent).in_flight(), pipe);
    }
}

#[test]
fn what_arrives_leaves_the_count_it_stood_in() {
    // Fate before; counts of 10 out, 4 SACKed, 3 lost, 2 of these sent again, after 2 more packets
    // are acknowledged, reported, or lost.
    let table = [
        (Fate::InFlight, [8, 4, 3, 2], [10, 6, 3, 2], [10, 4, 5, 2]),
        (Fate::Lost, [8, 4, 1, 2], [10, 6, 1, 2], [10, 4, 3, 2]),
        (Fate::Resent, [8, 4, 1, 0], [10, 6, 1, 0], [10, 4, 3, 0]),
        (Fate::Sacked, [8, 2, 3, 2], [10, 6, 3, 2], [10, 4, 3, 2]),
    ];
    for (fate, acked, sacked, lost) in table {
        let start = board(10, 4, 3, 2);
        let mut after = start;
        after.acked(fate, 2);
        assert_eq!(counts(&after), acked, "{fate:?} acknowledged");
        after = start;
        after.sacked(fate, 2, Seq::new(400));
        assert_eq!(counts(&after), sacked, "{fate:?} reported");
        after = start;
        let loss = after.lost(fate, 2);
        assert_eq!(counts(&after), lost, "{fate:?} lost");
        let expected = match fate {
            Fate::InFlight => Loss::First,
            Fate::Resent => Loss::Again,
            Fate::Lost | Fate::Sacked => Loss::Known,
        };
        assert_eq!(loss, expected, "{fate:?}");
    }
}

#[test]
fn the_highest_report_is_remembered() {
    for (sacked, end, is_highest) in [(4, 400, false), (4, 600, true), (0, 400, true)] {
        let mut board = board(10, sacked, 0, 0);
        assert_eq!(
            board.sacked(Fate::InFlight, 1, Seq::new(end)),
            is_highest,
            "{sacked} reported before, {end}"
        );
        let high = if is_highest { end } else { 500 };
        assert_eq!(board.sack_high, Seq::new(high));
    }
}

#[test]
fn duplicates_count_up_to_all_packets_but_the_missing_one() {
    // RFC 6582 §3.2 (3), as Linux limits it.
    for (out, lost, most) in [(10, 0, 9), (10, 1, 9), (10, 4, 6), (1, 0, 0)] {
        let mut board = board(out, 0, lost, 0);
        while board.count_duplicate() {}
        assert_eq!(board.sacked_out, most, "{out} out, {lost} lost");
    }
    for (acked, left) in [(0, 5), (1, 5), (3, 3), (9, 0)] {
        let mut board = board(10, 5, 0, 0);
        board.discount_duplicates(acked);
        assert_eq!(board.sacked_out, left, "{acked} acknowledged");
    }
}

#[test]
fn forgiving_leaves_only_what_went_again() {
    let mut board = board(10, 2, 5, 3);
    board.forgive_lost();
    assert_eq!(counts(&board), [10, 2, 3, 3]);
    board.lost_recut(2);
    assert_eq!(counts(&board), [12, 2, 5, 3]);
    board.clear();
    assert_eq!(counts(&board), [0; 4]);
}
