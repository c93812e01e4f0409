//! Every setting: text in, typed values out.
//!
//! Nothing here looks at the process: the caller gives the variables, so that each test has its own.

mod address;
mod bypass;
mod capture;
mod error;
mod layers;
mod settings;
pub mod sysctl;
mod text;

pub use bypass::{Bypass, Proto, Role, Route};
pub use capture::Capture;
pub use error::{Problem, SettingsError};
pub use settings::{OnFailure, Settings};
