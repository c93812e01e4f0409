//! Tail loss probe (RFC 8985 §7): when nothing comes back, one segment asks what has arrived.

use crate::tcp::segment::TxSegId;
use crate::tcp::seq::Seq;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The probe under way. All-zero bytes: none.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct TailProbe {
    /// Segment to send again for it; none: it was sent, or new data is sent.
    pub(crate) seg: TxSegId,
    /// TLP.end_seq: `snd.nxt` when it went out.
    high: Seq,
    is_out: u8,
    /// TLP.is_retrans: it repeats old data.
    is_repeat: u8,
    _pad: [u8; 2],
}

/// An ACK that may answer the probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeAck {
    pub(super) una: Seq,
    /// It reports a duplicate.
    pub(super) is_dsack: bool,
    /// It advances, or reports something new.
    pub(super) is_progress: bool,
}

impl TailProbe {
    /// A probe of new data goes out.
    pub(super) fn begin_with_new(&mut self, nxt: Seq) {
        (self.high, self.is_out, self.is_repeat) = (nxt, 1, 0);
    }

    /// A probe that repeats `seg` goes out. `None`: there is no such segment any more.
    pub(super) fn begin_with(&mut self, nxt: Seq, seg: Option<TxSegId>) {
        (self.high, self.is_out, self.is_repeat) = (nxt, 1, 1);
        self.seg = seg.unwrap_or(self.seg);
    }

    /// A probe waits for its answer.
    pub(crate) fn is_out(&self) -> bool {
        self.is_out != 0
    }

    /// Nobody waits for its answer any more.
    pub(super) fn end(&mut self) {
        self.is_out = 0;
    }

    /// `true`: the probe repaired a loss that nobody else has seen, so the window must be reduced
    /// (RFC 8985 §7.4.2).
    pub(super) fn on_ack(&mut self, ack: &ProbeAck) -> bool {
        if self.is_out == 0 || ack.una.before(self.high) {
            return false;
        }
        if self.is_repeat == 0 || ack.is_dsack {
            // New data cannot repair anything; a duplicate means that the original has come.
            self.end();
            return false;
        }
        if ack.una.after(self.high) {
            self.end();
            return true;
        }
        if !ack.is_progress {
            // A duplicate ACK without SACK: original and probe have both come.
            self.end();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ack_after_a_probe_tells_whether_it_repaired_a_loss() {
        // RFC 8985 §7.4.2. Repeats old data, acknowledged, DSACK, progress; repaired, still out.
        let table = [
            ("below the probe", true, 999, false, true, false, true),
            ("a duplicate below it", true, 999, false, false, false, true),
            ("the probe itself", true, 1000, false, true, false, true),
            ("a duplicate ACK", true, 1000, false, false, false, false),
            ("a DSACK", true, 1000, true, false, false, false),
            ("beyond, with a DSACK", true, 1001, true, true, false, false),
            (
                "beyond: it was needed",
                true,
                1001,
                false,
                true,
                true,
                false,
            ),
            ("new data", false, 1000, false, true, false, false),
            ("beyond new data", false, 1001, false, true, false, false),
        ];
        for (what, is_repeat, una, is_dsack, is_progress, repaired, is_out) in table {
            let mut probe = TailProbe::default();
            if is_repeat {
                probe.begin_with(Seq::new(1000), None);
            } else {
                probe.begin_with_new(Seq::new(1000));
            }
            let ack = ProbeAck {
                una: Seq::new(una),
                is_dsack,
                is_progress,
            };
            assert_eq!(probe.on_ack(&ack), repaired, "{what}");
            assert_eq!(probe.is_out(), is_out, "{what}");
        }
    }

    #[test]
    fn without_a_probe_no_ack_answers_one() {
        let mut probe = TailProbe::default();
        probe.begin_with(Seq::new(1000), None);
        probe.end();
        assert!(!probe.on_ack(&ProbeAck {
            una: Seq::new(1001),
            is_dsack: false,
            is_progress: true,
        }));
    }
}
