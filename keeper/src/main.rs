//! The keeper of a family: stands in for its stack while no program is inside. Started by libnstk.so
//! with the first connection, never by hand.

use std::process::ExitCode;

fn main() -> ExitCode {
    // "/" is busy in no way, and the program's directory must stay free to be unmounted.
    let _ = std::env::set_current_dir("/");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match family::Duty::from_arguments(&arguments) {
        Ok(duty) => {
            duty.run();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}
