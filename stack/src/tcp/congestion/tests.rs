//! What holds for every controller.

use super::any_cc::AnyCc;
use super::testing::{Link, MILLI, Path, SECOND};
use super::*;
use crate::config::CcKind;
use crate::tcp::rate::RateSample;
use crate::time::Instant;
use zerocopy::IntoBytes;

/// Where a block's kind stands: behind the words of state.
const KIND_AT: usize = size_of::<CcBlock>() - 8;

/// Random numbers in which the extremes are as frequent as the middle.
struct Wild(u64);

impl Wild {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        match self.0 >> 62 {
            0 => 0,
            1 => u64::MAX - (self.0 >> 60 & 3),
            2 => self.0 >> 32 & 0xff,
            _ => self.0.rotate_left(23),
        }
    }

    fn next_32(&mut self) -> u32 {
        self.next() as u32
    }

    fn instant(&mut self) -> Instant {
        Instant::from_nanos(self.next())
    }

    fn flip(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn view(&mut self) -> CcView {
        CcView {
            now: self.instant(),
            cwnd: self.next_32(),
            ssthresh: self.next_32(),
            prior_cwnd: self.next_32(),
            mss: self.next_32(),
            packets_out: self.next_32(),
            in_flight: self.next_32(),
            srtt_ns: self.next(),
            min_rtt_ns: self.next(),
            delivered: self.next(),
            delivered_at: self.instant(),
            lost: self.next(),
            last_sent: self.instant(),
            next_departure: self.instant(),
            is_cwnd_limited: self.flip(),
            app_limited: self.flip(),
            ca_state: CaState::from_u8((self.next() % 5) as u8).expect("five states"),
            pacing_rate: self.next(),
            pacing_rate_max: self.next(),
            initial_cwnd: self.next_32(),
        }
    }

    fn sample(&mut self) -> RateSample {
        let mut sample = RateSample::EMPTY;
        (sample.delivered, sample.interval_ns) = ((self.next() >> 1) as i64, self.next());
        (sample.prior_delivered, sample.prior_in_flight) = (self.next(), self.next_32());
        (sample.acked_sacked, sample.losses) = (self.next_32(), self.next_32());
        sample.rtt_ns = self.flip().then(|| self.next().max(1));
        (sample.is_app_limited, sample.is_ack_delayed) = (self.flip(), self.flip());
        sample
    }
}

#[test]
fn no_stored_state_and_no_view_makes_a_controller_panic() {
    let mut wild = Wild(1);
    for round in 0..30_000 {
        let kind = CcKind::ALL[round % CcKind::ALL.len()];
        let mut block = CcBlock::new(kind);
        for word in block.as_mut_bytes()[..KIND_AT].chunks_exact_mut(8) {
            word.copy_from_slice(&wild.next().to_ne_bytes());
        }
        let decision = block.on_ack(&wild.view(), &wild.sample());
        assert_eq!(
            decision.pacing_rate > 0,
            kind == CcKind::Bbr,
            "only BBR names a rate, and never 0"
        );
        block.on_tx_start(&wild.view());
        block.on_enter_recovery(&wild.view());
        block.on_rto(
            &wild.view(),
            if wild.flip() {
                Episode::New
            } else {
                Episode::Same
            },
        );
        block.on_exit_recovery(&wild.view());
        block.on_undo(&wild.view());
        window_pacing_rate(&wild.view(), wild.next_32(), wild.next_32());
    }
}

#[test]
fn an_impossible_kind_reads_as_reno() {
    let mut block = CcBlock::new(CcKind::Bbr);
    block.as_mut_bytes()[KIND_AT] = 77;
    assert_eq!(block.kind(), CcKind::Reno);
    assert!(matches!(block.as_any(), AnyCc::Reno(_)));
}

#[test]
fn the_transports_pacing_rate_is_the_window_over_the_round_trip_times_the_ratio() {
    let mut view = Path::new(CcKind::Cubic, Link::new(1_000, 20 * MILLI)).view(true);
    (view.mss, view.cwnd, view.packets_out) = (1000, 100, 50);
    // The smoothed one may hold a delayed ACK or a timeout.
    (view.min_rtt_ns, view.srtt_ns) = (SECOND / 10, SECOND);
    for (ssthresh, pacing_rate_max, rate) in [
        (INFINITE_SSTHRESH, u64::MAX, 2_000_000),
        (100, u64::MAX, 1_200_000),
        (100, 5_000, 5_000),
    ] {
        (view.ssthresh, view.pacing_rate_max) = (ssthresh, pacing_rate_max);
        assert_eq!(window_pacing_rate(&view, 200, 120), rate, "{ssthresh}");
    }
    view.srtt_ns = 0;
    assert_eq!(
        window_pacing_rate(&view, 200, 120),
        view.pacing_rate_max,
        "nothing is known yet"
    );
}
