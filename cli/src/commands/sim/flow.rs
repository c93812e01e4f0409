//! `--flow`: one connection.

use std::time::Duration;

use env::sysctl::{self, CONGESTION};
use sim::{Direction, FlowSpec};
use stack::CcKind;

use super::units;

/// What `--flow` says; the rest comes from the other options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FlowOption {
    congestion: Option<CcKind>,
    start: Duration,
    is_reverse: bool,
}

impl FlowOption {
    pub(super) fn spec(self, default: CcKind) -> FlowSpec {
        FlowSpec {
            congestion: self.congestion.unwrap_or(default),
            start: self.start,
            direction: if self.is_reverse {
                Direction::Backward
            } else {
                Direction::Forward
            },
        }
    }
}

/// `cc=bbr,start=2s,reverse`: any of them, in any order.
pub(super) fn parse(text: &str) -> Result<FlowOption, String> {
    let mut flow = FlowOption::default();
    for part in text.split(',').map(str::trim) {
        match part.split_once('=') {
            Some(("cc", name)) => flow.congestion = Some(congestion(name)?),
            Some(("start", time)) => {
                flow.start = units::time(time).map_err(|error| format!("start: {error}"))?;
            }
            None if part == "reverse" => flow.is_reverse = true,
            _ => return Err("write it like cc=bbr,start=2s,reverse".into()),
        }
    }
    Ok(flow)
}

/// The name of an algorithm.
pub(super) fn congestion(name: &str) -> Result<CcKind, String> {
    CcKind::from_name(name).ok_or_else(|| {
        let row = sysctl::find(CONGESTION);
        row.map(|row| row.refusal(name)).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_is_what_is_said_and_the_default_for_the_rest() {
        let spec = |text| parse(text).map(|flow| flow.spec(CcKind::Reno));
        let expected = FlowSpec {
            congestion: CcKind::Bbr,
            start: Duration::from_secs(2),
            direction: Direction::Backward,
        };
        assert_eq!(spec("reverse,cc=bbr,start=2s"), Ok(expected));
        assert_eq!(
            spec("start=0s").map(|flow| flow.congestion),
            Ok(CcKind::Reno)
        );
        for text in [
            "",
            "cc",
            "cc=",
            "cc=vegas",
            "start=2",
            "start=2s,,",
            "stop=1s",
        ] {
            assert!(spec(text).is_err(), "{text}");
        }
    }
}
