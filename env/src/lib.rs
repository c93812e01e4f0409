//! Every setting: text in, typed values and complaints of one line out.
//!
//! [`Settings::read`] gives all of them. A setting comes from the layers default, kernel (`/proc/sys/net`),
//! file (TOML) and environment; the highest that says something counts. [`Variable`] lists the `NSTK_`
//! variables, [`sysctl`] has the table of sysctls, from which reading, ranges, showing and help are made.
//! [`Bypass`] decides what uses the kernel's stack.
//!
//! Nothing here looks at the process. The caller gives its [`Surroundings`], so that each test has its own, and
//! so that libnstk.so can read the environment as it was when it was loaded.

mod address;
mod ancestor;
mod asked;
mod bypass;
mod capture;
mod check;
mod device;
mod environment;
mod error;
mod file;
mod kernel;
mod layer;
mod layers;
mod log;
mod loopback;
mod mtu;
mod on_failure;
mod problem;
mod settings;
mod slips;
mod surroundings;
mod switch;
pub mod sysctl;
mod sysctl_conf;
#[cfg(test)]
mod testing;
mod text;
mod variable;
mod wait;

pub use bypass::{Bypass, Proto, Role, Route};
pub use capture::Capture;
pub use environment::PREFIXES;
pub use error::SettingsError;
pub use on_failure::OnFailure;
pub use problem::Problem;
pub use settings::Settings;
pub use surroundings::Surroundings;
pub use variable::{Takes, Variable};
