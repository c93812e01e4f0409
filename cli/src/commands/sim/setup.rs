//! From options to a scenario.

use std::time::Duration;

use clap::Args;
use clap_complete::ArgValueCandidates;
use env::{Settings, Variable, sysctl};
use sim::{Clock, FlowSpec, Link, PairConfig, Scenario};
use stack::{CcKind, Config, DeviceOffload};

use super::flow::{self, FlowOption};
use super::units;
use crate::candidates;
use crate::failure::Failure;
use crate::status;

#[derive(Args)]
pub(super) struct SetupOptions {
    /// Congestion control of every flow that names no other
    #[arg(long, value_name = "NAME", default_value = "cubic", value_parser = flow::congestion, add = ArgValueCandidates::new(candidates::congestion))]
    cc: CcKind,
    /// What the link carries each way [default: 100mbit]
    #[arg(long, value_name = "RATE", value_parser = units::rate)]
    rate: Option<u64>,
    /// Delay of the link there and back
    #[arg(long, value_name = "TIME", default_value = "20ms", value_parser = units::time)]
    rtt: Duration,
    /// Packets lost at random
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = units::share)]
    loss: u32,
    /// The delay wanders: up to this much more each way; packets stay in order
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = units::time)]
    jitter: Duration,
    /// Packets that arrive late, overtaken by others
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = units::share)]
    reorder: u32,
    /// How late those packets are at most
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = units::time)]
    reorder_by: Duration,
    /// Packets that arrive twice
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = units::share)]
    duplicate: u32,
    /// Packets with a flipped bit
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = units::share)]
    corrupt: u32,
    /// Let the faults happen to packets on the way back as well
    #[arg(long)]
    both_ways: bool,
    /// Bytes that may wait for the line [default: what is on its way in a round trip, at least 64 KiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    queue: Option<u64>,
    /// Largest IP packet
    #[arg(long, value_name = "BYTES", default_value = "1500", value_parser = clap::value_parser!(u16).range(576..))]
    mtu: u16,
    /// Virtual time to play [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = units::some_time)]
    duration: Option<Duration>,
    /// Number of flows, all alike
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), conflicts_with = "flow")]
    flows: u16,
    /// One flow: cc=NAME, start=TIME, reverse (the second host sends), separated by commas; repeat for more
    #[arg(long, value_name = "FLOW", value_parser = flow::parse)]
    flow: Vec<FlowOption>,
    /// Another seed is another run
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// A setting of both stacks, as in sysctl(8); repeat for more
    #[arg(long, value_name = "KEY=VALUE", add = ArgValueCandidates::new(candidates::assignments))]
    sysctl: Vec<String>,
    /// Let the hosts' clocks advance in steps of this length; 0ns: as finely as time itself
    #[arg(long, value_name = "TIME", default_value = "0ns", value_parser = units::time)]
    clock: Duration,
    /// Virtual time between two looks at the senders, for --csv and --svg [default: a 500th of the duration]
    #[arg(long, value_name = "TIME", value_parser = units::some_time)]
    interval: Option<Duration>,
}

impl SetupOptions {
    /// What `--rate` says, if it was given.
    pub(super) fn given_rate(&self) -> Option<u64> {
        self.rate
    }

    /// What `--duration` says, if it was given.
    pub(super) fn given_duration(&self) -> Option<Duration> {
        self.duration
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// What is played, in one line.
    pub(super) fn title(&self) -> String {
        let mut title = format!(
            "{} Mbit/s, {:?} there and back, {:?} of virtual time",
            self.rate() as f64 / 1e6,
            self.rtt,
            self.duration()
        );
        for (share, what) in [
            (self.loss, "lost"),
            (self.reorder, "reordered"),
            (self.duplicate, "duplicated"),
            (self.corrupt, "corrupted"),
        ] {
            if share > 0 {
                title += &format!(", {} % {what}", f64::from(share) / 1e4);
            }
        }
        if !self.jitter.is_zero() {
            title += &format!(", {:?} of jitter", self.jitter);
        }
        title
    }

    /// # Errors
    /// A sysctl that cannot be obeyed; a flow that would never start.
    pub(super) fn scenario(&self) -> Result<Scenario, Failure> {
        let forward = self.link();
        let clean = Link {
            loss_ppm: 0,
            jitter: Duration::ZERO,
            late_ppm: 0,
            duplicate_ppm: 0,
            corrupt_ppm: 0,
            ..forward
        };
        let pair = PairConfig {
            config: self.config()?,
            forward,
            backward: if self.both_ways { forward } else { clean },
            clock: if self.clock.is_zero() {
                Clock::Exact
            } else {
                Clock::Tick(self.clock)
            },
            seed: self.seed,
        };
        let duration = self.duration();
        let flows = self.specs();
        if let Some(late) = flows.iter().find(|flow| flow.start >= duration) {
            let problem = format!(
                "--flow: a start at {:?} is after the end at {duration:?}",
                late.start
            );
            return Err(Failure::with_code(status::USAGE, problem));
        }
        Ok(Scenario {
            pair,
            flows,
            duration,
            interval: self.interval.unwrap_or(duration / 500),
        })
    }

    fn rate(&self) -> u64 {
        self.rate.unwrap_or(RATE)
    }

    fn duration(&self) -> Duration {
        self.duration.unwrap_or(DURATION)
    }

    fn specs(&self) -> Vec<FlowSpec> {
        if self.flow.is_empty() {
            return vec![FlowOption::default().spec(self.cc); self.flows.into()];
        }
        self.flow.iter().map(|flow| flow.spec(self.cc)).collect()
    }

    fn link(&self) -> Link {
        let link = Link::new(self.rate(), self.rtt / 2);
        Link {
            jitter: self.jitter,
            queue_bytes: self.queue.unwrap_or(link.queue_bytes),
            loss_ppm: self.loss,
            duplicate_ppm: self.duplicate,
            corrupt_ppm: self.corrupt,
            late_ppm: self.reorder,
            late_by: self.reorder_by,
            ..link
        }
    }

    fn config(&self) -> Result<Config, Failure> {
        let mut config = Config {
            offload: (DeviceOffload::TX_CSUM | DeviceOffload::TSO4).bits(),
            mtu: self.mtu,
            ..Config::default()
        };
        // With losses there are holes for several round trips; a queue adds another.
        let in_flight = self
            .link()
            .queue_bytes
            .max(Link::new(self.rate(), self.rtt / 2).queue_bytes);
        let ample = (in_flight * 8).clamp(config.tcp_rmem[2], BUFFER_MAX);
        (config.tcp_wmem[2], config.tcp_rmem[2]) = (ample, ample);
        let pages = (ample * 8 / PAGE).max(config.tcp_mem[2]);
        config.tcp_mem = [pages / 2, pages * 2 / 3, pages];
        for setting in &self.sysctl {
            set(&mut config, setting)
                .map_err(|problem| Failure::with_code(status::USAGE, problem))?;
        }
        Ok(config)
    }
}

/// `key=value`, as `NSTK_SYSCTL` takes it.
fn set(config: &mut Config, setting: &str) -> Result<(), String> {
    Settings::check(Variable::Sysctl, setting).map_err(|error| error.problem().to_string())?;
    let (key, value) = setting.split_once('=').unwrap_or_default();
    let row = sysctl::find(key.trim()).ok_or("--sysctl wants one key=value")?;
    let set = row.set(config, value.trim());
    set.ok_or_else(|| format!("{setting}: {}", row.refusal(value.trim())))
}

const RATE: u64 = 100_000_000;
const DURATION: Duration = Duration::from_secs(10);
/// Largest `tcp_rmem`.
const BUFFER_MAX: u64 = 1 << 30;
const PAGE: u64 = 4096;
