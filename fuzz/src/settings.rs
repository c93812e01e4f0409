//! What users say: every variable by itself, all of them together with a settings file, and each sysctl.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use arbitrary::{Arbitrary, Result, Unstructured};
use env::sysctl::ROWS;
use env::{Proto, Role, Settings, Surroundings, Variable};
use stack::{Addr, Config};

/// Reads what `bytes` describe; the first says which parser does.
///
/// # Panics
/// What a setting is shown as is not what it is read from.
pub fn read(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let number = usize::from(bytes.arbitrary::<u8>().unwrap_or(0));
    if let Some(&variable) = Variable::ALL.get(number) {
        if let Ok(text) = str::from_utf8(bytes.take_rest()) {
            check_alone(variable, text);
        }
    } else if number < 64 {
        let _ = check_sysctl(&mut bytes);
    } else if number < 128 {
        if let Ok(text) = str::from_utf8(bytes.take_rest()) {
            let file = Made::new(&[(Variable::Config, "settings.toml")], text);
            check_all(&file);
        }
    } else {
        let _ = Made::arbitrary(&mut bytes).map(|made| check_all(&made));
    }
}

/// A variable beside the two that are needed. What the check of one by itself refuses cannot be read either.
fn check_alone(variable: Variable, text: &str) {
    let checked = Settings::check(variable, text);
    if let Err(error) = &checked {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    let needed = [
        (Variable::If, "tap:t"),
        (Variable::Addr, "10.0.0.2/24,fd00::2/64"),
    ];
    let mut made = Made::new(&needed, "");
    made.set(variable, text.into());
    let read = check_all(&made);
    // Of these, what is good is taken; and what is blank counts as not set.
    let is_list = matches!(variable, Variable::Sysctl | Variable::Log);
    let is_blank = text
        .trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\'')
        .is_empty();
    if !is_list && !is_blank {
        assert!(checked.is_ok() || read.is_none(), "{checked:?}");
    }
}

/// What a sysctl shows is read as the same again.
fn check_sysctl(bytes: &mut Unstructured<'_>) -> Result<()> {
    let row = bytes.choose(ROWS)?;
    let Ok(text) = str::from_utf8(bytes.peek_bytes(bytes.len()).unwrap_or_default()) else {
        return Ok(());
    };
    let mut config = Config::default();
    if row.set(&mut config, text).is_some() {
        let mut again = Config::default();
        let shown = row.show(&config);
        assert!(row.set(&mut again, &shown).is_some(), "{shown}");
        assert_eq!(config, again, "{shown}");
    } else {
        assert_eq!(config, Config::default(), "what is refused changes nothing");
    }
    Ok(())
}

/// Reads all settings, and uses what can be used. Complaints are one line each.
fn check_all(made: &Made) -> Option<Settings> {
    let settings = match Settings::read(made) {
        Ok(settings) => settings?,
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            return None;
        }
    };
    for warning in &settings.warnings {
        assert_eq!(warning.lines().count(), 1, "{warning}");
    }
    let spec = settings.device.to_string();
    assert_eq!(spec.parse().as_ref(), Ok(&settings.device));
    let stack = &settings.stack;
    assert!(stack.has_v4() || stack.has_v6());
    for addr in [stack.addr, stack.addr6, stack.gateway, stack.gateway6] {
        let _ = settings.bypass.decide(Proto::Tcp, Role::Connect, addr, 80);
        let _ = settings
            .bypass
            .decide(Proto::Udp, Role::Listen, addr, u16::MAX);
    }
    assert!(!stack.is_own(Addr::UNSPECIFIED));
    assert_eq!(settings.fingerprint(), settings.clone().fingerprint());
    Some(settings)
}

/// Surroundings with some variables, and a file.
#[derive(Debug, Default)]
struct Made {
    variables: BTreeMap<&'static str, OsString>,
    /// What looks like a variable of ours.
    others: Vec<String>,
    file: Vec<u8>,
}

impl Made {
    fn new(variables: &[(Variable, &str)], file: &str) -> Self {
        let mut made = Self::default();
        for (variable, text) in variables {
            made.set(*variable, text.into());
        }
        made.file = file.into();
        made
    }

    fn set(&mut self, variable: Variable, value: OsString) {
        self.variables.insert(variable.name(), value);
    }
}

impl<'a> Arbitrary<'a> for Made {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut made = Self::new(
            &[(Variable::If, "link:l"), (Variable::Addr, "fd00::2/64")],
            bytes.arbitrary()?,
        );
        for _ in 0..bytes.arbitrary::<u8>()? % 6 {
            let variable = *bytes.choose(&Variable::ALL)?;
            made.set(variable, OsString::from_vec(bytes.arbitrary()?));
        }
        made.others = bytes.arbitrary()?;
        Ok(made)
    }
}

impl Surroundings for Made {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).cloned()
    }

    fn variable_names(&self, prefix: &str) -> Vec<String> {
        let others = self.others.iter().map(|name| format!("{prefix}{name}"));
        let known = self.variables.keys().map(|name| (*name).to_owned());
        known.chain(others).collect()
    }

    fn read_file(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        // Files of sysctls are read too, one value each.
        let _ = path;
        Ok(self.file.iter().take(limit).copied().collect())
    }
}
