//! What came of a scenario.

use std::time::Duration;

use stack::Error;

use crate::flow_spec::FlowSpec;
use crate::line::LineCounters;
use crate::transfer::{Sample, rate};

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// Virtual time that it ran.
    pub duration: Duration,
    /// What became of the packets of host 0 and of host 1.
    pub lines: [LineCounters; 2],
    /// A digest of every packet: what, when, in which direction.
    pub trace_hash: u64,
    /// Every connection, in the scenario's order.
    pub flows: Vec<FlowReport>,
    /// The link at regular intervals, from the beginning to the end.
    pub looks: Vec<Look>,
}

/// The link at one moment: what is said of host 0's packets, then of host 1's.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Since the beginning.
    pub at: Duration,
    /// Bytes that wait for the line.
    pub queue_bytes: [u64; 2],
    /// Payload that has come to the other host, that behind holes included.
    pub arrived: [u64; 2],
}

/// What came of one connection.
#[derive(Clone, Debug)]
pub struct FlowReport {
    /// What was asked for.
    pub spec: FlowSpec,
    /// Payload that the receiving program has read, every byte of it checked.
    pub bytes: u64,
    /// Why it ended early.
    pub error: Option<Error>,
    /// Its sender at regular intervals, from the moment it was open.
    pub samples: Vec<Sample>,
}

impl Report {
    /// Payload bits per second of all connections over the whole time.
    #[must_use]
    pub fn goodput(&self) -> u64 {
        let bytes = self.flows.iter().map(|flow| flow.bytes).sum();
        rate(bytes, self.duration)
    }

    /// Jain's index of what each connection got after all had started: 1 if all are equal, 1/n if one has everything.
    #[must_use]
    pub fn fairness(&self) -> f64 {
        let last_start = self.flows.iter().map(|flow| flow.spec.start).max();
        let share = |flow: &FlowReport| flow.bytes_after(last_start.unwrap_or_default()) as f64;
        let shares: Vec<f64> = self.flows.iter().map(share).collect();
        let sum: f64 = shares.iter().sum();
        let squares: f64 = shares.iter().map(|share| share * share).sum();
        if squares > 0.0 {
            sum * sum / (shares.len() as f64 * squares)
        } else {
            1.0
        }
    }
}

impl FlowReport {
    pub(crate) fn new(spec: FlowSpec) -> Self {
        Self {
            spec,
            bytes: 0,
            error: None,
            samples: Vec::new(),
        }
    }

    /// Payload bits per second from its start to the end, which is `duration` after the beginning.
    #[must_use]
    pub fn goodput(&self, duration: Duration) -> u64 {
        rate(self.bytes, duration.saturating_sub(self.spec.start))
    }

    /// Payload bits per second from `from` to the end.
    #[must_use]
    pub fn goodput_after(&self, from: Duration, duration: Duration) -> u64 {
        rate(self.bytes_after(from), duration.saturating_sub(from))
    }

    /// Bytes that the receiver's host had at the last look.
    pub(crate) fn arrived(&self) -> u64 {
        self.samples.last().map_or(0, |sample| sample.arrived)
    }

    /// Segments sent again.
    #[must_use]
    pub fn retransmissions(&self) -> u32 {
        self.samples
            .last()
            .map_or(0, |sample| sample.info.total_retrans)
    }

    /// The shortest round trip measured, and mean and longest of the smoothed ones.
    #[must_use]
    pub fn round_trips(&self) -> [Duration; 3] {
        let micros = |us: u32| Duration::from_micros(us.into());
        let smoothed = || self.samples.iter().map(|sample| sample.info.rtt);
        let least = self.samples.iter().map(|sample| sample.info.min_rtt).min();
        let sum: u64 = smoothed().map(u64::from).sum();
        let mean = sum.checked_div(self.samples.len() as u64).unwrap_or(0);
        [
            least.map_or(Duration::ZERO, micros),
            Duration::from_micros(mean),
            smoothed().max().map_or(Duration::ZERO, micros),
        ]
    }

    /// Bytes that came after `from`, as exactly as the samples tell.
    fn bytes_after(&self, from: Duration) -> u64 {
        let before = self.samples.iter().find(|sample| sample.at >= from);
        before.map_or(0, |sample| self.bytes - sample.received)
    }
}
