//! Links chosen at random, good ones and terrible ones: every byte arrives, both ends close, all memory comes back.
//!
//! A failure prints its seed; `NSTK_SEED=<seed>` runs that one alone.
#![forbid(unsafe_code)]

use std::time::Duration;

use nstk_sim::{Connection, Link, Load, Pair, PairConfig, SimError};
use stack::{CcKind, DeviceOffload, Error};

/// Numbers for choosing a case, all from one seed.
struct Choice(u64);

impl Choice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// 1 to `2^bits`, small ones as likely as large ones.
    fn magnitude(&mut self, bits: u64) -> u64 {
        let bit = self.below(bits);
        (1 << bit) + self.below(1 << bit)
    }

    fn link(&mut self) -> Link {
        let mut link = Link::new(
            100_000 * self.magnitude(14),
            Duration::from_micros(self.magnitude(17)),
        );
        // Two of the largest packets, or nothing would ever get through.
        link.queue_bytes = 20_000 + 100 * self.magnitude(13);
        link.loss_ppm = [0, 1_000, 20_000, 100_000][self.below(4) as usize];
        link.duplicate_ppm = [0, 0, 1_000, 50_000][self.below(4) as usize];
        link.corrupt_ppm = [0, 0, 1_000, 20_000][self.below(4) as usize];
        link.late_ppm = [0, 0, 10_000, 200_000][self.below(4) as usize];
        link.late_by = Duration::from_micros(self.magnitude(17));
        link
    }

    fn config(&mut self, seed: u64) -> PairConfig {
        let mut config = PairConfig::new(self.link());
        config.backward = self.link();
        config.seed = seed;
        let settings = &mut config.config;
        settings.congestion = CcKind::ALL[self.below(3) as usize] as u8;
        let offload = DeviceOffload::TX_CSUM | DeviceOffload::TSO4;
        settings.offload = if self.below(2) == 0 {
            offload.bits()
        } else {
            0
        };
        settings.sack = u8::from(self.below(4) > 0);
        settings.timestamps = u8::from(self.below(4) > 0);
        settings.window_scaling = u8::from(self.below(4) > 0);
        settings.mtu = [1500, 576, 9000][self.below(3) as usize];
        config
    }
}

/// Three lost ARP requests in a row are no answer; the next attempt may have more luck.
fn connect(pair: &mut Pair) -> Result<Connection, SimError> {
    let mut attempts = (5000..5010).map(|port| pair.connect(port));
    let result =
        attempts.find(|result| !matches!(result, Err(SimError::Socket(Error::HostUnreachable))));
    result.unwrap_or(Err(SimError::TimedOut))
}

fn run(seed: u64) -> Result<(), SimError> {
    let mut choice = Choice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let config = choice.config(seed);
    let bytes = 100 * choice.magnitude(13);
    let mut pair = Pair::new(&config)?;
    let connection = connect(&mut pair)?;
    for load in [Load::forward(bytes), Load::backward(bytes)] {
        pair.transfer(
            connection,
            &Load {
                limit: Duration::from_secs(7200),
                ..load
            },
        )?;
        if choice.below(3) == 0 {
            pair.run_for(Duration::from_millis(choice.magnitude(15)));
        }
    }
    pair.close(connection)
}

#[test]
fn no_link_keeps_a_byte_or_a_buffer() {
    let seeds = match std::env::var("NSTK_SEED") {
        Ok(seed) => vec![seed.parse().expect("NSTK_SEED is a number")],
        Err(_) => (0..120).collect::<Vec<u64>>(),
    };
    let failures: Vec<_> = seeds
        .into_iter()
        .filter_map(|seed| Some((seed, run(seed).err()?)))
        .collect();
    assert!(failures.is_empty(), "seeds and errors: {failures:?}");
}

fn pair(kind: CcKind, link: Link) -> (Pair, Connection) {
    let mut config = PairConfig::new(link);
    config.config.congestion = kind as u8;
    let mut pair = Pair::new(&config).expect("two stacks");
    let connection = pair.connect(5000).expect("a connection");
    (pair, connection)
}

#[test]
fn an_outage_of_ten_seconds_is_survived() {
    for kind in CcKind::ALL {
        let link = Link::new(20_000_000, Duration::from_millis(5));
        let (mut pair, connection) = pair(kind, link);
        let load = Load {
            limit: Duration::from_secs(10),
            ..Load::forward(5_000_000)
        };
        pair.transfer(connection, &load).expect("before the outage");
        pair.link_mut(0).loss_ppm = 1_000_000;
        let within = pair.transfer(connection, &load);
        assert!(matches!(within, Err(SimError::TimedOut)), "{kind:?}");
        *pair.link_mut(0) = link;
        // The retransmission timer has backed off to 12.8 s at most; then as much arrives as the receiver has room for.
        pair.run_for(Duration::from_secs(30));
        let arrived = pair.hosts[1].stack.queued(connection.server).0;
        assert!(arrived > 100_000, "{kind:?}: {arrived}");
    }
}
