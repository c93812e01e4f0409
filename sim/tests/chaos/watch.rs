//! Looking over the simulation's shoulder: every step is counted, every deadline judged.

use std::time::Duration;

use nstk_sim::{Instant, Pair};

/// Steps since the last virtual second began.
#[derive(Default)]
pub(crate) struct Watch {
    second: u64,
    steps: u64,
    packets: u64,
    last: Instant,
    at_once: u32,
}

impl Watch {
    /// After every step.
    pub(crate) fn step(&mut self, pair: &Pair, sockets: usize) -> Result<(), String> {
        let now = pair.now();
        self.at_once = if now == self.last {
            self.at_once + 1
        } else {
            0
        };
        self.last = now;
        if self.at_once > AT_ONCE_MAX {
            return Err(format!("time stands still at {now:?}"));
        }
        let packets = packets(pair);
        let second = now.as_nanos() / 1_000_000_000;
        if second != self.second {
            (self.second, self.steps, self.packets) = (second, 0, packets);
        }
        self.steps += 1;
        // Whatever need not be done for a packet is done a few times per connection and second.
        let most = (packets - self.packets) * 8 + 2000 + 1000 * sockets as u64;
        if self.steps > most {
            let steps = self.steps;
            return Err(format!(
                "{steps} steps within a second at {now:?}, {most} are enough"
            ));
        }
        for (number, host) in pair.hosts.iter().enumerate() {
            let usage = host.stack.usage();
            if usage.timers > usage.endpoints {
                return Err(format!(
                    "host {number} has more timers than endpoints: {usage:?}"
                ));
            }
            if let Some(deadline) = host.stack.poll_timeout()
                && deadline > pair.clock(number) + HORIZON
            {
                return Err(format!(
                    "host {number} waits from {now:?} until {deadline:?}"
                ));
            }
        }
        Ok(())
    }
}

/// Every packet is accounted for, on the line and in the stacks' own counters.
pub(crate) fn counters(pair: &Pair) -> Result<(), String> {
    for number in 0..2 {
        let line = pair.counters(number);
        let card = pair.hosts[number].counters();
        let mib = pair.hosts[number].stack.mib();
        let arrived = pair.counters(1 - number).received;
        let came = line.offered + line.duplicated;
        let went = line.overflowed + line.lost + line.received + pair.travelling(number);
        let (tcp_out, icmp_out) = (mib.tcp_out_segs, mib.icmp_out_msgs);
        let checks = [
            ("the line", came == went),
            ("IP to the line", card.ip_sent <= line.offered),
            ("IP out", card.ip_sent >= mib.ip_out_requests),
            (
                "segments out",
                tcp_out <= card.ip_sent + mib.ip_out_discards,
            ),
            ("packets out", card.ip_sent <= tcp_out + icmp_out),
            ("segments again", mib.tcp_retrans_segs <= tcp_out),
            ("frames in", card.ip_received + card.no_buffer <= arrived),
            ("IP in", mib.ip_in_receives == card.ip_received),
            ("segments in", mib.tcp_in_segs <= mib.ip_in_delivers),
            ("delivered", mib.ip_in_delivers <= mib.ip_in_receives),
            ("established", mib.tcp_curr_estab == 0),
        ];
        if let Some((name, _)) = checks.iter().find(|(_, holds)| !holds) {
            let counted: Vec<_> = mib.iter().filter(|(_, count)| *count > 0).collect();
            return Err(format!(
                "{name} of host {number} does not add up: {came} {went} {arrived} {card:?} {line:?} {counted:?}"
            ));
        }
    }
    Ok(())
}

fn packets(pair: &Pair) -> u64 {
    (0..2)
        .map(|number| pair.counters(number).offered + pair.counters(number).received)
        .sum()
}

/// Of several things that happen at one moment each is a step.
const AT_ONCE_MAX: u32 = 1000;
/// The longest timer there is runs for two hours (`tcp_keepalive_time`).
const HORIZON: Duration = Duration::from_secs(7300);
