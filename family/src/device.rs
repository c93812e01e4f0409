//! The device of a family, and what this process has under way with it.

use nicio::capture::Captured;
use nicio::{AnyNic, RxBurst, TxBurst};

/// Touched only by the device's owner.
pub(crate) struct Device {
    pub(crate) nic: Captured<AnyNic>,
    pub(crate) rx: RxBurst,
    pub(crate) tx: TxBurst,
}

impl Device {
    pub(crate) fn new(nic: AnyNic) -> Self {
        Self {
            nic: Captured::new(nic, None),
            rx: RxBurst::new(),
            tx: TxBurst::new(),
        }
    }
}
