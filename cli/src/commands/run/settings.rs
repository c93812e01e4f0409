//! The options of `nstk run`, as the variables that the library reads.

use std::env::var_os;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use env::sysctl::CONGESTION;
use env::{OnFailure, Settings, Variable};

use super::capture;
use crate::candidates;
use crate::failure::Failure;
use crate::layout::capital;
use crate::status::USAGE;
use crate::surroundings::{Assignment, Changed};

#[derive(Args)]
pub(super) struct SettingsOptions {
    #[arg(long = "if", value_name = "DEVICE", help = help(Variable::If), add = ArgValueCandidates::new(candidates::devices))]
    device: Option<String>,
    #[arg(long, value_name = "ADDRESS/PREFIX", help = help(Variable::Addr))]
    addr: Option<String>,
    #[arg(long, value_name = "ADDRESS", help = help(Variable::Gateway))]
    gateway: Option<String>,
    #[arg(long, value_name = "MAC", help = help(Variable::Mac))]
    mac: Option<String>,
    #[arg(long, value_name = "BYTES", help = help(Variable::Mtu))]
    mtu: Option<String>,
    /// A setting by the kernel's name, such as net.ipv4.tcp_sack=0; may be given several times [NSTK_SYSCTL]
    #[arg(long, value_name = "KEY=VALUE", add = ArgValueCandidates::new(candidates::assignments))]
    sysctl: Vec<String>,
    /// Congestion control: bbr, cubic or reno; short for --sysctl net.ipv4.tcp_congestion_control=NAME
    #[arg(long, value_name = "NAME", add = ArgValueCandidates::new(candidates::congestion))]
    cc: Option<String>,
    /// Begin with the kernel's sysctls of this network namespace instead of Linux's defaults [NSTK_SYSCTL_INHERIT=1]
    #[arg(long)]
    inherit: bool,
    #[arg(long, value_enum, help = help(Variable::Loopback))]
    loopback: Option<Loopback>,
    #[arg(long, value_name = "RULES", help = help(Variable::Bypass))]
    bypass: Option<String>,
    #[arg(long, value_name = "FILE", help = help(Variable::Config))]
    config: Option<PathBuf>,
    #[arg(long, value_name = "FILE", help = help(Variable::Pcap))]
    pcap: Option<PathBuf>,
    #[arg(long, value_name = "SIZE", help = help(Variable::PcapLimit))]
    pcap_limit: Option<String>,
    /// When the stack cannot be had: `exit` ends the program and refuses sockets that only the kernel could serve, `kernel` goes
    /// on with the kernel's stack [NSTK_FAIL; default: exit]
    #[arg(long, value_enum)]
    fail: Option<Fail>,
    #[arg(long, value_name = "SECONDS", help = help(Variable::Wait))]
    wait: Option<String>,
    #[arg(long, value_name = "FILTER", help = help(Variable::Log))]
    log: Option<String>,
    /// Say what the stack is when it is up, which socket goes where, and at the end what was done; short for --log info
    #[arg(short, long, conflicts_with = "log")]
    verbose: bool,
}

/// What the variable means, with its name.
fn help(variable: Variable) -> String {
    format!("{} [{}]", capital(variable.doc()), variable.name())
}

#[derive(Clone, Copy, ValueEnum)]
enum Fail {
    Kernel,
    Exit,
}

#[derive(Clone, Copy, ValueEnum)]
enum Loopback {
    Kernel,
    Stack,
}

impl Loopback {
    const fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Stack => "stack",
        }
    }
}

impl Fail {
    const fn word(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Exit => "exit",
        }
    }
}

impl SettingsOptions {
    /// The variables that the options stand for, for the program.
    pub(super) fn assignments(&self) -> Result<Vec<Assignment>, Failure> {
        let path = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
        let text = |text: &Option<String>| text.as_ref().map(OsString::from);
        let verbose = self.verbose.then(|| "info".into());
        let options = [
            (Variable::If, text(&self.device)),
            (Variable::Addr, text(&self.addr)),
            (Variable::Gateway, text(&self.gateway)),
            (Variable::Mac, text(&self.mac)),
            (Variable::Mtu, text(&self.mtu)),
            (Variable::Sysctl, text(&self.sysctls()?)),
            (Variable::SysctlInherit, self.inherit.then(|| "1".into())),
            (
                Variable::Loopback,
                self.loopback.map(|whose| whose.word().into()),
            ),
            (Variable::Bypass, text(&self.bypass)),
            (Variable::Config, path(&self.config)?),
            (Variable::Pcap, path(&self.pcap)?),
            (Variable::PcapLimit, text(&self.pcap_limit)),
            (Variable::Fail, self.fail.map(|fail| fail.word().into())),
            (Variable::Wait, text(&self.wait)),
            (Variable::Log, text(&self.log).or(verbose)),
        ];
        let given = options.into_iter();
        Ok(given
            .filter_map(|(variable, text)| Some((variable.name(), text?)))
            .collect())
    }

    /// What NSTK_SYSCTL says, with --sysctl and --cc behind it, so that these count; `None`: neither is given.
    fn sysctls(&self) -> Result<Option<String>, Failure> {
        let congestion = self.cc.iter().map(|name| format!("{CONGESTION}={name}"));
        let given: Vec<String> = self.sysctl.iter().cloned().chain(congestion).collect();
        // The library goes on with the default of a key that is set wrongly; who types it wants to know.
        Settings::check(Variable::Sysctl, &given.join(";"))
            .map_err(|error| Failure::with_code(USAGE, error.problem()))?;
        self.tell_which_counts();
        let inherited =
            var_os(Variable::Sysctl.name()).map(|text| text.to_string_lossy().into_owned());
        let all: Vec<String> = inherited.into_iter().chain(given.iter().cloned()).collect();
        Ok((!given.is_empty()).then(|| all.join(";")))
    }

    /// Two options may choose the congestion control.
    fn tell_which_counts(&self) {
        let assignments = self.sysctl.iter().flat_map(|text| text.split(';'));
        let mut pairs = assignments.filter_map(|assignment| assignment.split_once('='));
        let named = pairs.rfind(|(key, _)| key.trim() == CONGESTION);
        if let (Some(cc), Some((_, named))) = (&self.cc, named)
            && cc != named.trim()
        {
            eprintln!(
                "nstk: --cc {cc} counts, and not --sysctl {CONGESTION}={}",
                named.trim()
            );
        }
    }
}

/// Checks the assignments over this process's environment as the library will. Who uses `nstk run` wants the stack: if
/// nothing is said about NSTK_FAIL the program gets `exit`.
pub(super) fn check(assignments: &mut Vec<Assignment>) -> Result<Settings, Failure> {
    let unusable = |reason: &dyn std::fmt::Display| Failure::with_code(USAGE, reason);
    let settings = Settings::read(&Changed(assignments)).map_err(|error| unusable(&error))?;
    let mut settings = settings.ok_or_else(|| {
        unusable(&"no device is given; say which with --if tap:NAME and --addr, or use a test network: nstk lab -- nstk run ...")
    })?;
    if let Some(capture) = &settings.capture {
        capture::check(&capture.path).map_err(|why| unusable(&why))?;
    }
    if let Some(filter) = assignments
        .iter()
        .find(|(name, _)| *name == Variable::Log.name())
    {
        Settings::check(Variable::Log, &filter.1.to_string_lossy())
            .map_err(|error| unusable(&error))?;
    }
    let on_failure = *settings.on_failure.get_or_insert(OnFailure::Exit);
    // Also where a file says it: the library may need it before it has read the file.
    let fail = match on_failure {
        OnFailure::Kernel => Fail::Kernel,
        OnFailure::Exit => Fail::Exit,
    };
    assignments.retain(|(name, _)| *name != Variable::Fail.name());
    assignments.push((Variable::Fail.name(), fail.word().into()));
    Ok(settings)
}

/// The program may go to another directory before it makes its first socket.
fn absolute(path: &Path) -> Result<OsString, Failure> {
    let path = std::path::absolute(path);
    path.map(Into::into)
        .map_err(|error| Failure::with_code(USAGE, error))
}
