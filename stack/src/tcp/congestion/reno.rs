//! NewReno's window rules, RFC 5681: halve on loss, one segment more for every window acknowledged.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::control::CongestionControl;
use super::decision::Decision;
use super::view::{CcView, Episode};
use super::window::{self, additive_increase, at_least_minimum, may_grow, slow_start};
use crate::tcp::rate::RateSample;

/// Reno's state: the acknowledged segments that have not grown the window yet.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Reno {
    credit: u32,
}

impl CongestionControl for Reno {
    fn init(&mut self, view: &CcView) -> Decision {
        self.credit = 0;
        Decision::keep(view)
    }

    fn on_ack(&mut self, view: &CcView, sample: &RateSample) -> Decision {
        let mut decision = Decision::keep(view);
        if !may_grow(view, sample.acked_sacked) {
            return decision;
        }
        let mut acked = sample.acked_sacked;
        if view.cwnd < view.ssthresh {
            (decision.cwnd, acked) = slow_start(view.cwnd, view.ssthresh, acked);
        }
        if acked > 0 {
            let window = decision.cwnd;
            decision.cwnd = additive_increase(window, &mut self.credit, window, acked);
        }
        decision
    }

    fn on_enter_recovery(&mut self, view: &CcView) -> Decision {
        self.credit = 0;
        Decision {
            ssthresh: at_least_minimum(view.cwnd / 2),
            ..Decision::keep(view)
        }
    }

    fn on_rto(&mut self, view: &CcView, episode: Episode) -> Decision {
        let entered = match episode {
            Episode::New => self.on_enter_recovery(view),
            Episode::Same => Decision::keep(view),
        };
        self.credit = 0;
        Decision {
            cwnd: window::after_timeout(view),
            ..entered
        }
    }

    fn on_exit_recovery(&mut self, view: &CcView) -> Decision {
        window::after_recovery(view)
    }

    fn on_undo(&mut self, view: &CcView) -> Decision {
        window::after_undo(view)
    }

    fn on_tx_start(&mut self, view: &CcView) -> Decision {
        Decision::keep(view)
    }

    fn send_buffer_windows(&self) -> u32 {
        window::SEND_BUFFER_WINDOWS
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Link, MILLI, Path, SECOND};
    use super::*;
    use crate::config::CcKind;

    #[test]
    fn a_window_acknowledged_is_a_segment_gained() {
        let mut view = Path::new(CcKind::Reno, Link::new(1_000, 20 * MILLI)).view(true);
        (view.cwnd, view.ssthresh) = (10, 5);
        let mut reno = Reno { credit: 0 };
        let mut sample = RateSample::EMPTY;
        sample.acked_sacked = 1;
        for round in 0..5 {
            for _ in 0..10 + round {
                view.cwnd = reno.on_ack(&view, &sample).cwnd;
            }
            assert!(
                view.cwnd.abs_diff(11 + round) <= 1,
                "{} after {round}",
                view.cwnd
            );
        }
    }

    #[test]
    fn a_loss_halves_the_window_but_leaves_two() {
        let mut view = Path::new(CcKind::Reno, Link::new(1_000, 20 * MILLI)).view(true);
        for (cwnd, ssthresh) in [(100, 50), (5, 2), (1, 2)] {
            view.cwnd = cwnd;
            assert_eq!(
                Reno { credit: 3 }.on_enter_recovery(&view).ssthresh,
                ssthresh
            );
        }
    }

    #[test]
    fn a_path_with_a_queue_of_one_product_is_kept_full() {
        let mut link = Link::new(1_000, 20 * MILLI);
        link.queue_segments = link.product();
        let mut path = Path::new(CcKind::Reno, link);
        path.run_until(2 * SECOND);
        let goodput = path.goodput(12 * SECOND);
        assert!(goodput >= 950, "{goodput}");
    }
}
