//! What runs in this process: the family, its settings, the stack's interface.

use core::sync::atomic::{AtomicPtr, Ordering};

use env::Settings;
use family::Family;
use nicio::DeviceSpec;
use stack::Mib;

/// Made when the stack starts, and never given back.
pub(crate) struct Running {
    pub(crate) family: Family,
    pub(crate) settings: Settings,
    /// The kernel's index of the device's interface; 0: it has none.
    interface: u32,
    /// The stack's counters at the start: a stack that is taken over from a keeper has worked for other programs before.
    /// `None`: it was dead already.
    pub(crate) counters: Option<Mib>,
}

static CURRENT: AtomicPtr<Running> = AtomicPtr::new(core::ptr::null_mut());

/// What runs; `None` before the program's first internet socket, and without a stack.
#[inline]
pub(crate) fn current() -> Option<&'static Running> {
    // SAFETY: the pointer is null or leads to a value that `set` leaked.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref() }
}

/// From now on this family runs. An earlier one stays in memory: other threads may be inside.
pub(crate) fn set(family: Family, mut settings: Settings) {
    // A stack that other programs share keeps what they have chosen.
    if let Ok(loopback) = family.enter(|state, _| state.stack.config().loopback) {
        settings.stack.loopback = loopback;
    }
    let interface = match &settings.device {
        DeviceSpec::Tap(name) | DeviceSpec::Packet(name) => {
            sys::interface_index(name.as_str()).unwrap_or(0)
        }
        _ => 0,
    };
    let counters = family.enter(|state, _| *state.stack.mib()).ok();
    let running = Box::new(Running {
        family,
        settings,
        interface,
        counters,
    });
    CURRENT.store(Box::into_raw(running), Ordering::Release);
}

/// The family of this process.
#[inline]
pub(crate) fn family() -> Option<&'static Family> {
    current().map(|running| &running.family)
}

/// The settings that the stack runs with.
pub(crate) fn settings() -> Option<&'static Settings> {
    current().map(|running| &running.settings)
}

/// The scope id of the stack's link-local addresses: its interface's index; 0: none.
pub(crate) fn own_interface() -> u32 {
    current().map_or(0, |running| running.interface)
}

/// Whether this scope id names the stack's interface, and the stack speaks IPv6 there.
pub(crate) fn is_own_interface(scope: u32) -> bool {
    let names_it =
        |running: &Running| running.interface == scope && running.settings.stack.has_v6();
    scope != 0 && current().is_some_and(names_it)
}
