//! The options of `nstk run`, as the variables that the library reads.

use std::env::var_os;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use env::{OnFailure, Settings};

use crate::failure::Failure;
use crate::status::USAGE;
use crate::surroundings::{Changed, Variable};

#[derive(Args)]
pub(super) struct SettingsOptions {
    /// The device, such as tap:tap0 [variable: NSTK_IF]
    #[arg(long = "if", value_name = "DEVICE")]
    device: Option<String>,
    /// The stack's own address and its network's prefix, such as 10.0.0.2/24 [variable: NSTK_ADDR]
    #[arg(long, value_name = "ADDRESS/PREFIX")]
    addr: Option<String>,
    /// The router for addresses outside the prefix [variable: NSTK_GATEWAY]
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// The stack's hardware address, such as 02:00:00:00:00:01 [variable: NSTK_MAC]
    #[arg(long, value_name = "MAC")]
    mac: Option<String>,
    /// Largest IP packet, in bytes [variable: NSTK_MTU]
    #[arg(long, value_name = "BYTES")]
    mtu: Option<String>,
    /// A setting by the kernel's name, such as net.ipv4.tcp_sack=0; can be given several times [variable: NSTK_SYSCTL]
    #[arg(long, value_name = "KEY=VALUE")]
    sysctl: Vec<String>,
    /// Congestion control: bbr, cubic or reno; the same as --sysctl net.ipv4.tcp_congestion_control=NAME
    #[arg(long, value_name = "NAME")]
    cc: Option<String>,
    /// What goes by the kernel's stack, such as "kernel udp; stack tcp connect :443" [variable: NSTK_BYPASS]
    #[arg(long, value_name = "RULES")]
    bypass: Option<String>,
    /// A TOML file with settings [variable: NSTK_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write all frames to this file, in the pcapng format [variable: NSTK_PCAP]
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Start from the kernel's values of the sysctls instead of Linux's defaults [variable: NSTK_SYSCTL_INHERIT]
    #[arg(long)]
    inherit: bool,
    /// When the stack cannot be had: go on with the kernel's, or exit [variable: NSTK_FAIL]
    #[arg(long, value_enum)]
    fail: Option<Fail>,
    /// What the library logs to standard error, such as debug or info,nstk_stack=trace [variable: NSTK_LOG]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Fail {
    Kernel,
    Exit,
}

impl SettingsOptions {
    /// The variables that the options stand for.
    pub(super) fn variables(&self) -> Result<Vec<Variable>, Failure> {
        let texts = [
            ("NSTK_IF", &self.device),
            ("NSTK_ADDR", &self.addr),
            ("NSTK_GATEWAY", &self.gateway),
            ("NSTK_MAC", &self.mac),
            ("NSTK_MTU", &self.mtu),
            ("NSTK_SYSCTL", &self.sysctls()?),
            ("NSTK_BYPASS", &self.bypass),
            ("NSTK_LOG", &self.log),
        ];
        let mut variables: Vec<Variable> = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_ref()?.into())))
            .collect();
        for (name, path) in [("NSTK_CONFIG", &self.config), ("NSTK_PCAP", &self.pcap)] {
            if let Some(path) = path {
                variables.push((name, absolute(path)?));
            }
        }
        if self.inherit {
            variables.push(("NSTK_SYSCTL_INHERIT", "1".into()));
        }
        if let Some(fail) = self.fail {
            let word = match fail {
                Fail::Kernel => "kernel",
                Fail::Exit => "exit",
            };
            variables.push(("NSTK_FAIL", word.into()));
        }
        Ok(variables)
    }

    /// What NSTK_SYSCTL says, with --sysctl and --cc behind it, so that these count; `None`: neither is given.
    fn sysctls(&self) -> Result<Option<String>, Failure> {
        let congestion = self
            .cc
            .iter()
            .map(|name| format!("net.ipv4.tcp_congestion_control={name}"));
        let given: Vec<String> = self.sysctl.iter().cloned().chain(congestion).collect();
        // The library goes on with the default of a key that is set wrongly; who types it wants to know.
        Settings::check(env::Variable::Sysctl, &given.join(";"))
            .map_err(|error| Failure::with_code(USAGE, error.problem()))?;
        let inherited = var_os("NSTK_SYSCTL").map(|text| text.to_string_lossy().into_owned());
        let all: Vec<String> = inherited.into_iter().chain(given.iter().cloned()).collect();
        Ok((!given.is_empty()).then(|| all.join(";")))
    }
}

/// Checks the variables over this process's environment as the library will.
pub(super) fn check(variables: &[Variable]) -> Result<OnFailure, Failure> {
    let unusable = |reason: &dyn std::fmt::Display| Failure::with_code(USAGE, reason);
    let settings = Settings::read(&Changed(variables)).map_err(|error| unusable(&error))?;
    let settings = settings.ok_or_else(|| {
        unusable(&"no device is given; say which with --if tap:NAME and --addr, or use a test network: nstk lab -- nstk run ...")
    })?;
    if let Some(filter) = variables.iter().find(|(name, _)| *name == "NSTK_LOG") {
        Settings::check(env::Variable::Log, &filter.1.to_string_lossy())
            .map_err(|error| unusable(&error))?;
    }
    Ok(settings.on_failure)
}

/// The program may go to another directory before it makes its first socket.
fn absolute(path: &Path) -> Result<OsString, Failure> {
    let path = std::path::absolute(path);
    path.map(Into::into)
        .map_err(|error| Failure::with_code(USAGE, error))
}
