//! F-RTO (RFC 5682): was a retransmission timeout spurious? It was if what arrives after it had not
//! been sent again.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Whether the ACKs after a timeout are watched. All-zero bytes: they are not.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(crate) struct Frto {
    is_watching: u8,
}

/// The retransmission timeout fired.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrtoTimeout {
    /// `net.ipv4.tcp_frto` is not 0.
    pub(super) is_allowed: bool,
    /// No recovery was under way.
    pub(super) is_new_recovery: bool,
    /// The head was sent again after a timeout before, without an advance since.
    pub(super) had_retransmits: bool,
}

/// An ACK after the timeout.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrtoAck {
    /// It delivered something that was sent only once, before the timeout.
    pub(super) is_original: bool,
    /// It advances, reports something new, or is a duplicate.
    pub(super) is_telling: bool,
}

impl Frto {
    /// Begins to watch, unless the timeout interrupts a recovery that may have sent the flight again
    /// (Linux: tcp_enter_loss).
    pub(super) fn on_timeout(&mut self, timeout: &FrtoTimeout) {
        let is_clear = timeout.is_new_recovery || timeout.had_retransmits;
        self.is_watching = u8::from(timeout.is_allowed && is_clear);
    }

    /// `true`: the timeout was spurious. The first telling ACK decides (RFC 5682 §2.1 step 2 and 3).
    pub(super) fn on_ack(&mut self, ack: &FrtoAck) -> bool {
        let is_spurious = self.is_watching != 0 && ack.is_original;
        if is_spurious || ack.is_telling {
            self.stop();
        }
        is_spurious
    }

    /// The episode is over.
    pub(super) fn stop(&mut self) {
        self.is_watching = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watching(is_allowed: bool, is_new_recovery: bool, had_retransmits: bool) -> Frto {
        let mut frto = Frto::default();
        frto.on_timeout(&FrtoTimeout {
            is_allowed,
            is_new_recovery,
            had_retransmits,
        });
        frto
    }

    #[test]
    fn only_a_timeout_that_interrupts_no_recovery_is_watched() {
        // RFC 5682 §2.1 step 1, and `net.ipv4.tcp_frto`.
        let table = [
            (true, true, false, true),
            (true, false, true, true),
            (true, true, true, true),
            (true, false, false, false),
            (false, true, true, false),
        ];
        for (is_allowed, is_new, had_retransmits, is_watched) in table {
            let frto = watching(is_allowed, is_new, had_retransmits);
            assert_eq!(
                frto.is_watching != 0,
                is_watched,
                "{is_allowed}, {is_new}, {had_retransmits}"
            );
        }
    }

    #[test]
    fn a_timeout_within_a_recovery_ends_the_watch() {
        let mut frto = watching(true, true, false);
        frto.on_timeout(&FrtoTimeout {
            is_allowed: true,
            is_new_recovery: false,
            had_retransmits: false,
        });
        assert_eq!(frto.is_watching, 0);
    }

    #[test]
    fn the_first_telling_ack_decides() {
        // RFC 5682 §2.1 steps 2 and 3. Original delivered, telling; spurious, still watching.
        let table = [
            (true, true, true, false),
            (true, false, true, false),
            (false, true, false, false),
            (false, false, false, true),
        ];
        for (is_original, is_telling, is_spurious, is_watched) in table {
            let mut frto = watching(true, true, false);
            let ack = FrtoAck {
                is_original,
                is_telling,
            };
            assert_eq!(frto.on_ack(&ack), is_spurious, "{ack:?}");
            assert_eq!(frto.is_watching != 0, is_watched, "{ack:?}");
        }
    }

    #[test]
    fn unwatched_timeouts_are_never_spurious() {
        let mut frto = watching(false, true, false);
        assert!(!frto.on_ack(&FrtoAck {
            is_original: true,
            is_telling: true,
        }));
        let mut frto = watching(true, true, false);
        frto.stop();
        assert!(!frto.on_ack(&FrtoAck {
            is_original: true,
            is_telling: true,
        }));
    }
}
