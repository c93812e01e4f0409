//! A whole segment in one line, as packetdrill writes it: `P. 1:1001(1000) ack 1 win 65535 <sack 1:2>`.

use super::script::Seg;
use crate::tcp::header::Flags;
use core::fmt;
use std::format;
use std::string::String;
use std::vec::Vec;

/// Letters of the control bits, in the order in which they are written.
const LETTERS: [(Flags, char); 8] = [
    (Flags::SYN, 'S'),
    (Flags::FIN, 'F'),
    (Flags::RST, 'R'),
    (Flags::PSH, 'P'),
    (Flags::URG, 'U'),
    (Flags::ECE, 'E'),
    (Flags::CWR, 'W'),
    (Flags::ACK, '.'),
];

impl fmt::Display for Seg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags: String = LETTERS
            .iter()
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, letter)| letter)
            .collect();
        let (start, end) = self.range();
        write!(f, "{flags} {start}:{end}({})", end - start)?;
        if self.has(Flags::ACK) {
            write!(f, " ack {}", self.ack)?;
        }
        write!(f, " win {}", self.window)?;
        let options = self.options();
        if options.is_empty() {
            return Ok(());
        }
        write!(f, " <{}>", options.join(","))
    }
}

impl Seg {
    fn options(&self) -> Vec<String> {
        let sack: Vec<String> = self
            .sack
            .iter()
            .map(|(start, end)| format!("{start}:{end}"))
            .collect();
        [
            self.mss.map(|mss| format!("mss {mss}")),
            self.sack_permitted.then(|| "sackOK".into()),
            self.clock
                .map(|(value, echo)| format!("TS val {value} ecr {echo}")),
            self.scale.map(|scale| format!("wscale {scale}")),
            (!sack.is_empty()).then(|| format!("sack {}", sack.join(" "))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
