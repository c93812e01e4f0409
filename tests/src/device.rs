//! The device of a lab.

/// What the stack's frames go through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// The tap `nstk0`.
    Tap,
    /// A packet socket on `nstk1`, the other end of a veth pair with `nstk0`.
    Packet,
}

impl Device {
    /// The tap, unless `NSTK_TEST_DEVICE=packet` runs the same tests over the other.
    pub(crate) fn chosen() -> Self {
        match std::env::var("NSTK_TEST_DEVICE").as_deref() {
            Err(_) | Ok("tap") => Self::Tap,
            Ok("packet") => Self::Packet,
            Ok(other) => panic!("NSTK_TEST_DEVICE={other}: it is tap or packet"),
        }
    }

    /// As `NSTK_IF` names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tap => "tap:nstk0",
            Self::Packet => "packet:nstk1",
        }
    }
}
