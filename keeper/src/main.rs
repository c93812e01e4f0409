//! The keeper of a family: stands in for its stack while no program is inside. And the broker of a link, which
//! holds what two families share. Started by libnstk.so, never by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    // "/" is busy in no way, and the program's directory must stay free to be unmounted.
    let _ = std::env::set_current_dir("/");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let served = match arguments.split_first() {
        Some((first, rest)) if first == family::LINK_BROKER => {
            family::LinkBroker::from_arguments(rest).map(family::LinkBroker::run)
        }
        Some((first, rest)) if first == family::CAPTURE => {
            family::CaptureWriter::from_arguments(rest).map(family::CaptureWriter::run)
        }
        _ => family::Keeper::from_arguments(&arguments).map(family::Keeper::run),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
