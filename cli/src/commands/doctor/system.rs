//! Kernel, libc, the library itself, and what test networks need.

use std::fs::read_to_string;
use std::process::{Command, Output, Stdio};

use env::Settings;

use super::finding::Finding;
use crate::library::Library;
use crate::program;
use crate::reason::reason;
use crate::surroundings::Changed;

pub(super) fn examine() -> Vec<Finding> {
    let mut findings = vec![kernel(), libc()];
    match Library::find() {
        Ok(library) => {
            findings.push(keeper(&library));
            findings.push(loading(&library));
        }
        Err(why) => findings.push(Finding::missing("library", why)),
    }
    findings.extend([
        settings(),
        user_namespaces(),
        test_network(),
        system_call_filter(),
    ]);
    findings
}

/// The first with close_range(2), the youngest call that the library makes.
const KERNEL_MIN: (u32, u32) = (5, 9);

fn kernel() -> Finding {
    let release = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let text = format!("Linux {} on {}", release.trim(), std::env::consts::ARCH);
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|number| number.parse().ok());
    let version = numbers.next().zip(numbers.next());
    let (major, minor) = KERNEL_MIN;
    match version {
        Some(version) if version >= KERNEL_MIN => Finding::good("kernel", text),
        _ => Finding::wanted("kernel", text)
            .remedy(format!("the library is made for {major}.{minor} and later")),
    }
}

fn libc() -> Finding {
    match said(Command::new("getconf").arg("GNU_LIBC_VERSION")) {
        Ok(version) => Finding::good("libc", version),
        Err(_) => Finding::wanted("libc", "getconf does not tell a version of glibc")
            .remedy("programs must be linked with glibc"),
    }
}

fn keeper(library: &Library) -> Finding {
    let path = library.keeper.display().to_string();
    if program::is_executable(&library.keeper) {
        Finding::good("keeper", path)
    } else {
        Finding::missing("keeper", format!("{path} is not there or not executable"))
            .remedy("put it beside libnstk.so, or build it with scripts/build")
    }
}

/// The dynamic linker only complains when it cannot preload.
fn loading(library: &Library) -> Finding {
    let path = library.path.display().to_string();
    let output = Command::new("true")
        .env("LD_PRELOAD", &library.path)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(Output { status, stderr, .. }) if status.success() && stderr.is_empty() => {
            Finding::good("library", path)
        }
        Ok(Output { stderr, .. }) => {
            let complaint = first_line(&stderr);
            Finding::missing("library", format!("{path} is not loaded: {complaint}"))
                .remedy("build it on this machine with scripts/build")
        }
        Err(error) => Finding::wanted(
            "library",
            format!("{path}, not tried: true: {}", reason(&error)),
        ),
    }
}

/// What `nstk run` without options would go by.
fn settings() -> Finding {
    const TOPIC: &str = "settings";
    match Settings::read(&Changed(&[])) {
        Ok(None) => Finding::good(
            TOPIC,
            "none are made here: nstk run wants --if and --addr, nstk lab makes both",
        ),
        Ok(Some(settings)) => match settings.warnings.first() {
            None => Finding::good(TOPIC, format!("for the device {}", settings.device)),
            Some(warning) => Finding::wanted(TOPIC, warning),
        },
        Err(error) => Finding::missing(TOPIC, error.to_string()),
    }
}

fn user_namespaces() -> Finding {
    const TOPIC: &str = "user namespaces";
    match said(Command::new("unshare").args(["--user", "true"])) {
        Ok(_) => Finding::good(TOPIC, "can be made, so nstk lab works without root where the tap can be opened"),
        Err(why) => Finding::wanted(TOPIC, why).remedy(
            "nstk lab works as root; for others allow them with the sysctls user.max_user_namespaces, \
             kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns, as far as there are",
        ),
    }
}

fn test_network() -> Finding {
    const TOPIC: &str = "test network";
    let own = std::env::current_exe().map_err(|error| error.to_string());
    match own.and_then(|own| said(Command::new(own).args(["lab", "--", "true"]))) {
        Ok(_) => Finding::good(TOPIC, "nstk lab makes one"),
        Err(why) => Finding::wanted(TOPIC, format!("nstk lab makes none: {why}")),
    }
}

fn system_call_filter() -> Finding {
    const TOPIC: &str = "call filter";
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let mode = status
        .lines()
        .find_map(|line| line.strip_prefix("Seccomp:"));
    match mode.map(str::trim) {
        Some("0") => Finding::good(TOPIC, "no seccomp filter is installed"),
        _ => Finding::wanted(
            TOPIC,
            "a seccomp filter is installed, as in containers, and may refuse calls that the library makes",
        ),
    }
}

/// What a command writes to standard output; `Err`: its complaint, in one line.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output
        .map_err(|error| format!("{}: {}", command.get_program().display(), reason(&error)))?;
    if output.status.success() {
        Ok(first_line(&output.stdout))
    } else {
        Err(first_line(&output.stderr))
    }
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("nstk: ").trim().to_owned()
}
