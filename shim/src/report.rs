//! What a program's stack is, and what it has done: a line at its start and one at the program's end, at `info`.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use env::sysctl;
use stack::{Config, Mib};

use crate::running::{self, Running};
use crate::{kernel_use, pid};

/// The process that has started the stack; 0: none.
static STARTER: AtomicU32 = AtomicU32::new(0);

/// The sysctls that say most about how fast a program is.
const SHOWN: [&str; 3] = [
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_rmem",
];

/// The stack is up.
pub(crate) fn started(running: &Running) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    STARTER.store(pid::current(), Ordering::Relaxed);
    let config = running.family.enter(|state, _| *state.stack.config());
    if let Ok(config) = config {
        let up = Up(running, &config);
        tracing::info!("the stack is up on {up}");
    }
}

/// The program ends. Only the process that has started the stack speaks: its children share the counters.
pub(crate) fn ended() {
    let once = STARTER.compare_exchange(pid::current(), 0, Ordering::Relaxed, Ordering::Relaxed);
    if once.is_err() {
        return;
    }
    let Some(running) = running::current() else {
        return;
    };
    let now = running.family.enter(|state, _| *state.stack.mib());
    if let (Some(before), Ok(now)) = (&running.counters, &now) {
        tracing::info!("the stack has done: {}", Done { before, now });
    }
    let by_kernel = kernel_use::counts();
    tracing::info!("sockets that went by the kernel's stack: {by_kernel}");
}

struct Up<'a>(&'a Running, &'a Config);

impl fmt::Display for Up<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(running, config) = self;
        write!(f, "{}", running.settings.device)?;
        for (addr, prefix_len) in [
            (config.addr, config.prefix_len),
            (config.addr6, config.prefix_len6),
        ] {
            if !addr.is_unspecified() {
                write!(f, " {addr}/{prefix_len}")?;
            }
        }
        write!(f, ", MTU {}", config.mtu)?;
        for row in SHOWN.into_iter().filter_map(sysctl::find) {
            let name = row.name.rsplit('.').next().unwrap_or(row.name);
            let set = running.settings.sysctls.find(row.name);
            let layer = set.and_then(|set| set.layer.as_deref());
            let layer = layer.unwrap_or("default");
            write!(f, ", {name} {} ({layer})", row.show(config))?;
        }
        Ok(())
    }
}

/// What the stack has done between two looks at its counters.
struct Done<'a> {
    before: &'a Mib,
    now: &'a Mib,
}

impl fmt::Display for Done<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since =
            |counter: fn(&Mib) -> u64| counter(self.now).saturating_sub(counter(self.before));
        write!(
            f,
            "{} connections made, {} accepted, {} bytes sent, {} received, {} segments retransmitted",
            since(|mib| mib.tcp_active_opens),
            since(|mib| mib.tcp_passive_opens),
            since(|mib| mib.ip_out_octets),
            since(|mib| mib.ip_in_octets),
            since(|mib| mib.tcp_retrans_segs)
        )
    }
}
