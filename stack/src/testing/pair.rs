//! Two hosts on one wire, in virtual time.

use super::host::{Frame, Host, config, dual_config};
use crate::{Addr, Config, Instant};
use core::time::Duration;
use std::boxed::Box;
use std::collections::VecDeque;

type Drops = Box<dyn FnMut(usize, u64, &Frame) -> bool>;

/// Two hosts, 10.0.0.1 and 10.0.0.2, and what is on the wire between them. The wire has a delay and no rate limit.
pub(crate) struct Pair {
    pub(crate) hosts: [Host; 2],
    /// Frames on their way to each host, with their times of arrival.
    wires: [VecDeque<(Instant, Frame)>; 2],
    /// Asked for each frame, with the host that it goes to and its number since the start: true loses it.
    drops: Drops,
    sent: u64,
}

impl Pair {
    /// Hosts with [`config`] and a wire of 1 ms.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// As [`Self::new`], with changed settings.
    pub(crate) fn with(change: impl Fn(&mut Config)) -> Self {
        let host = |number| {
            let mut config = config(number);
            change(&mut config);
            Host::with(config)
        };
        Self {
            hosts: [host(1), host(2)],
            wires: [VecDeque::new(), VecDeque::new()],
            drops: Box::new(|_, _, _| false),
            sent: 0,
        }
    }

    /// Hosts that have IPv6 addresses only, `fd00::1` and `fd00::2`, with changed settings.
    pub(crate) fn v6_with(change: impl Fn(&mut Config)) -> Self {
        Self::with(|config| {
            let [.., host] = config.mac;
            *config = Config {
                addr: Addr::UNSPECIFIED,
                gateway: Addr::UNSPECIFIED,
                ..dual_config(host)
            };
            change(config);
        })
    }

    /// Sets which frames are lost.
    pub(crate) fn set_drops(&mut self, drops: impl FnMut(usize, u64, &Frame) -> bool + 'static) {
        self.drops = Box::new(drops);
    }

    /// The time at both hosts.
    pub(crate) fn now(&self) -> Instant {
        self.hosts[0].now
    }

    /// Lets time pass until `done`, at most `limit`. Gives whether `done` came.
    pub(crate) fn run_until(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&mut [Host; 2]) -> bool,
    ) -> bool {
        let end = self.now() + limit;
        loop {
            self.exchange();
            if done(&mut self.hosts) {
                return true;
            }
            // What `done` did may have made frames for now.
            if self.hosts.iter().any(|host| host.stack.transmit_pending()) {
                continue;
            }
            let arrivals = self
                .wires
                .iter()
                .filter_map(|wire| wire.front().map(|(at, _)| *at));
            let timers = self
                .hosts
                .iter()
                .filter_map(|host| host.stack.poll_timeout());
            let Some(next) = arrivals.chain(timers).min().filter(|next| *next <= end) else {
                self.set_time(end);
                return done(&mut self.hosts);
            };
            self.set_time(next.max(self.now()));
        }
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    /// Everything that happens at this moment.
    fn exchange(&mut self) {
        for (index, host) in self.hosts.iter_mut().enumerate() {
            while let Some((_, frame)) = self.wires[index].pop_front_if(|(at, _)| *at <= host.now) {
                host.receive(&frame);
            }
            host.stack.handle_timeout(host.now);
        }
        for index in 0..2 {
            while let Some(frame) = self.hosts[index].transmit() {
                self.sent += 1;
                let to = 1 - index;
                if !(self.drops)(to, self.sent, &frame) {
                    let arrival = self.hosts[index].now + DELAY;
                    self.wires[to].push_back((arrival, frame));
                }
            }
        }
    }

    fn set_time(&mut self, now: Instant) {
        for host in &mut self.hosts {
            host.now = now;
        }
    }
}

/// How long a frame travels.
const DELAY: Duration = Duration::from_millis(1);
