//! The keeper of a family: stands in for its stack while no program is inside. And the wire of a link, which
//! holds what two families share. Started by libnstk.so, never by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    // "/" is busy in no way, and the program's directory must stay free to be unmounted.
    let _ = std::env::set_current_dir("/");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let served = match arguments.split_first() {
        Some((first, rest)) if first == family::WIRE => {
            family::Wire::from_arguments(rest).map(family::Wire::run)
        }
        Some((first, rest)) if first == family::CAPTURE => {
            family::CaptureDuty::from_arguments(rest).map(family::CaptureDuty::run)
        }
        _ => family::Duty::from_arguments(&arguments).map(family::Duty::run),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
