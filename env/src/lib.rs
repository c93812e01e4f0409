//! Every setting: text in, typed values out.
//!
//! Nothing here looks at the process: the caller gives its [`Surroundings`], so that each test has
//! its own.

mod address;
mod bypass;
mod capture;
mod environment;
mod error;
mod file;
mod kernel;
mod layers;
mod log;
mod settings;
mod surroundings;
pub mod sysctl;
#[cfg(test)]
mod testing;
mod text;
mod variable;

pub use bypass::{Bypass, Proto, Role, Route};
pub use capture::Capture;
pub use environment::PREFIXES;
pub use error::{Problem, SettingsError};
pub use settings::{OnFailure, Settings};
pub use surroundings::Surroundings;
pub use variable::Variable;
