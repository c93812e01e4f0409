//! NSTK_LOG: events of the library on stderr, filtered as `target=level,..`.
//!
//! tracing-subscriber's own formatter uses thread-local storage, and aborts a program that calls our hooks after that is
//! gone. This one formats into a buffer on the stack, and writes with one system call.

use core::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::Targets;

use crate::complain::{Line, complain};

/// Longest event that is printed whole.
const EVENT_MAX: usize = 512;

/// Starts logging. Without a filter nothing is ever formatted. A filter with errors gets one line of complaint.
pub(crate) fn start(filter: Option<&str>) {
    let Some(filter) = filter else { return };
    match filter.parse::<Targets>() {
        // Set before only in a fork's parent, with the same filter.
        Ok(targets) => drop(tracing::subscriber::set_global_default(Log { targets })),
        Err(error) => complain(format_args!(
            "NSTK_LOG={filter:.64}: {error}; write it as info or nstk_family=debug"
        )),
    }
}

struct Log {
    targets: Targets,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.targets
            .would_enable(metadata.target(), metadata.level())
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::<EVENT_MAX>::new();
        let metadata = event.metadata();
        let _ = write!(line, "nstk: {} {}:", metadata.level(), metadata.target());
        event.record(&mut Fields(&mut line));
        line.print();
    }

    // All spans get one id.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Fields<'a>(&'a mut Line<EVENT_MAX>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A line that is full stays as it is.
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
