//! Connections that come one after the other and send as fast as they may, watched at regular intervals.

use std::time::Duration;

use stack::{Error, Instant, Ready, SockId};

use crate::error::SimError;
use crate::flow_spec::FlowSpec;
use crate::pair::{Pair, PairConfig};
use crate::program::{End, Stream};
use crate::report::{FlowReport, Look, Report};
use crate::transfer::Sample;

/// A pair of hosts, and what happens between them.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The hosts and the link.
    pub pair: PairConfig,
    /// Connections; all of them send until the end.
    pub flows: Vec<FlowSpec>,
    /// Virtual time from the beginning to the end.
    pub duration: Duration,
    /// Virtual time between two looks at every sender.
    pub interval: Duration,
}

impl Scenario {
    /// Plays it. `progress` is told the virtual time at every look.
    ///
    /// # Errors
    /// `Region`: no stacks could be made. `Corrupted`: a byte arrived wrong. A connection that fails ends alone.
    pub fn run(&self, progress: &mut dyn FnMut(Duration)) -> Result<Report, SimError> {
        let mut run = Run {
            pair: Pair::new(&self.pair)?,
            flows: self.flows.iter().zip(0..).map(Flow::new).collect(),
            looks: Vec::new(),
        };
        let begin = run.pair.now();
        let end = begin + self.duration;
        let mut look_at = begin;
        while run.pair.now() < end {
            if run.pair.now() >= look_at {
                run.look()?;
                progress(run.pair.age());
                look_at = look_at + self.interval.max(INTERVAL_MIN);
            }
            let until = run.next_start(begin).unwrap_or(end).min(look_at).min(end);
            run.pair.step(until);
            run.start_due(begin)?;
            run.serve()?;
        }
        run.look()?;
        progress(run.pair.age());
        Ok(Report {
            duration: self.duration,
            lines: [run.pair.counters(0), run.pair.counters(1)],
            trace_hash: run.pair.trace_hash(),
            flows: run.flows.into_iter().map(|flow| flow.report).collect(),
            looks: run.looks,
        })
    }
}

struct Run {
    pair: Pair,
    flows: Vec<Flow>,
    looks: Vec<Look>,
}

impl Run {
    /// When the next connection opens.
    fn next_start(&self, begin: Instant) -> Option<Instant> {
        let waiting = |flow: &&Flow| matches!(flow.state, State::Waiting);
        let waiting = self.flows.iter().filter(waiting);
        waiting.map(|flow| begin + flow.report.spec.start).min()
    }

    fn start_due(&mut self, begin: Instant) -> Result<(), SimError> {
        let age = self.pair.now().saturating_since(begin);
        let Self { pair, flows, .. } = self;
        let is_due = |flow: &&mut Flow| {
            matches!(flow.state, State::Waiting) && flow.report.spec.start <= age
        };
        for flow in flows.iter_mut().filter(is_due) {
            flow.go_on(pair, Ready::all())?;
        }
        Ok(())
    }

    /// Lets every program do what its sockets are ready for.
    fn serve(&mut self) -> Result<(), SimError> {
        let Self { pair, flows, .. } = self;
        for host in 0..pair.hosts.len() {
            while let Some((_, tag, ready)) = pair.hosts[host].stack.pop_event() {
                let number = usize::try_from(tag).ok().and_then(|tag| tag.checked_sub(1));
                if let Some(flow) = number.and_then(|number| flows.get_mut(number)) {
                    flow.go_on(pair, ready)?;
                }
            }
        }
        Ok(())
    }

    /// Samples every connection. Lets it go on as well: one that was refused memory is not told when there is some again.
    fn look(&mut self) -> Result<(), SimError> {
        let Self { pair, flows, looks } = self;
        let mut arrived = [0; 2];
        for flow in flows {
            if !matches!(flow.state, State::Waiting) {
                flow.go_on(pair, Ready::all())?;
            }
            flow.sample(pair);
            arrived[flow.report.spec.direction.sender()] += flow.report.arrived();
        }
        looks.push(Look {
            at: pair.age(),
            queue_bytes: [pair.queue_bytes(0), pair.queue_bytes(1)],
            arrived,
        });
        Ok(())
    }
}

/// One connection in the making, at work, or at its end.
struct Flow {
    number: u16,
    state: State,
    report: FlowReport,
}

enum State {
    Waiting,
    Opening { listener: SockId, sender: End },
    Open(Box<Stream>),
    Failed,
}

impl Flow {
    fn new((spec, number): (&FlowSpec, u16)) -> Self {
        Self {
            number,
            state: State::Waiting,
            report: FlowReport::new(*spec),
        }
    }

    /// Does what may be done now; a socket's error ends this connection only.
    fn go_on(&mut self, pair: &mut Pair, ready: Ready) -> Result<(), SimError> {
        match self.try_go_on(pair, ready) {
            Err(SimError::Socket(error)) => {
                self.state = State::Failed;
                self.report.error = Some(error);
                Ok(())
            }
            result => result,
        }
    }

    fn try_go_on(&mut self, pair: &mut Pair, ready: Ready) -> Result<(), SimError> {
        let (from, to) = self.hosts();
        match &mut self.state {
            State::Waiting => {
                let port = FIRST_PORT + self.number;
                let listener = pair.listen(to, port, 1)?;
                let socket = pair.open(from, port, Some(self.report.spec.congestion))?;
                self.tag(pair, to, listener);
                self.tag(pair, from, socket);
                let sender = End { host: from, socket };
                self.state = State::Opening { listener, sender };
            }
            State::Opening { listener, sender } => {
                let (listener, sender) = (*listener, *sender);
                match pair.hosts[from].stack.connect_result(sender.socket) {
                    Ok(()) | Err(Error::InProgress) => {}
                    Err(error) => return Err(error.into()),
                }
                if let Some(socket) = pair.accept(to, listener) {
                    pair.close_socket(to, listener);
                    self.tag(pair, to, socket);
                    let receiver = End { host: to, socket };
                    self.state = State::Open(Box::new(Stream::new(sender, receiver)));
                    return self.try_go_on(pair, Ready::all());
                }
            }
            State::Open(stream) => {
                if ready.intersects(Ready::OUT | Ready::ERR) {
                    stream.write(pair, u64::MAX)?;
                }
                if ready.intersects(Ready::IN | Ready::ERR) {
                    stream.read(pair)?;
                }
                self.report.bytes = stream.received();
            }
            State::Failed => {}
        }
        Ok(())
    }

    /// Who sends and who receives.
    fn hosts(&self) -> (usize, usize) {
        let sender = self.report.spec.direction.sender();
        (sender, 1 - sender)
    }

    fn tag(&self, pair: &mut Pair, host: usize, socket: SockId) {
        pair.hosts[host]
            .stack
            .set_tag(socket, u64::from(self.number) + 1);
    }

    fn sample(&mut self, pair: &Pair) {
        if let State::Open(stream) = &self.state {
            self.report.samples.extend(Sample::of(pair, stream));
        }
    }
}

const FIRST_PORT: u16 = 5000;
/// More often would only cost time.
const INTERVAL_MIN: Duration = Duration::from_micros(10);
