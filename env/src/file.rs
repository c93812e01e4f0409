//! The middle layer: a file in TOML, or one in the form of sysctl.conf(5).

use std::io::ErrorKind;
use std::path::Path;

use config::{ConfigError, File, FileFormat, Map, Source, Value, ValueKind};

use crate::error::SettingsError;
use crate::layer::Layer;
use crate::problem::Problem;
use crate::surroundings::Surroundings;
use crate::sysctl::Entry;
use crate::sysctl_conf;
use crate::text::{bare, did_you_mean, nearest, quoted};
use crate::variable::Variable;

/// Longest file that is read, in bytes.
const FILE_MAX: usize = 64 * 1024;

/// The table of sysctls.
const SYSCTL: &str = "sysctl";

/// How the names of all sysctls begin.
const SYSCTL_TREE: &str = "net";

pub(crate) fn read(path: &Path, surroundings: &impl Surroundings) -> Result<Layer, SettingsError> {
    let path_text = path.to_string_lossy();
    let unusable = |problem| SettingsError::new(Variable::Config, Some(&path_text), problem);
    let contents = read_text(path, surroundings).map_err(unusable)?;
    let name = format!("file {}", quoted(&path_text));
    let mut layer = Layer {
        file: Some(name.clone()),
        ..Layer::default()
    };
    if let Some(entries) = sysctl_conf::read(&contents) {
        for entry in entries {
            layer.add_sysctl(&name, entry);
        }
        return Ok(layer);
    }
    for (key, value) in sorted(parse(&contents).map_err(unusable)?) {
        if key == SYSCTL {
            add_sysctls(&mut layer, &name, value);
        } else if let Some(variable) = known().find(|variable| variable.key() == Some(&key)) {
            let text = text(variable, value).map_err(|problem| {
                SettingsError::new(variable, None, problem).in_file(Some(name.clone()))
            })?;
            if !bare(&text).is_empty() {
                layer.texts.push((variable, text));
            }
        } else if key == SYSCTL_TREE {
            layer.warnings.push(format!(
                "{name}: {key} ignored: sysctls stand below a line [{SYSCTL}]"
            ));
        } else {
            let keys = known().filter_map(Variable::key).chain([SYSCTL]);
            let meant = did_you_mean(nearest(&key, keys));
            let key = quoted(&key);
            layer
                .warnings
                .push(format!("{name}: {key} ignored: no such setting{meant}"));
        }
    }
    Ok(layer)
}

fn known() -> impl Iterator<Item = Variable> {
    Variable::ALL.into_iter()
}

fn read_text(path: &Path, surroundings: &impl Surroundings) -> Result<String, Problem> {
    // One byte more tells whether the file ends there.
    let bytes = surroundings
        .read_file(path, FILE_MAX + 1)
        .map_err(|error| Problem::File(error.kind()))?;
    if bytes.len() > FILE_MAX {
        return Err(Problem::File(ErrorKind::FileTooLarge));
    }
    String::from_utf8(bytes).map_err(|_| Problem::File(ErrorKind::InvalidData))
}

fn parse(text: &str) -> Result<Map<String, Value>, Problem> {
    File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| Problem::Toml(reason(&error)))
}

/// `line 3, column 5: what is wrong`. The parser's own text has several lines, with a picture.
fn reason(error: &ConfigError) -> String {
    let text = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let place = lines
        .first()
        .and_then(|line| line.strip_prefix("TOML parse error at "));
    match (place, lines.last()) {
        (Some(place), Some(what)) => quoted(&format!("{place}: {what}")),
        (_, what) => quoted(what.copied().unwrap_or_default()),
    }
}

/// Lists are written with what separates their parts in the variable.
fn text(variable: Variable, value: Value) -> Result<String, Problem> {
    match value.kind {
        ValueKind::Array(parts) => {
            let separator = if variable == Variable::Bypass {
                ";"
            } else {
                ","
            };
            let parts: Result<Vec<_>, _> =
                parts.into_iter().map(|part| text(variable, part)).collect();
            Ok(parts?.join(separator))
        }
        ValueKind::Table(_) => Err(Problem::Table),
        _ => Ok(plain(value)),
    }
}

/// A value that is no list and no table. Switches may be written as truth values.
fn plain(value: Value) -> String {
    match value.kind {
        ValueKind::Boolean(on) => u8::from(on).to_string(),
        _ => value.into_string().unwrap_or_default(),
    }
}

fn add_sysctls(layer: &mut Layer, name: &str, value: Value) {
    match value.kind {
        ValueKind::Table(table) => {
            for (key, value) in sorted(table) {
                add_sysctl(layer, name, &key, value);
            }
        }
        _ => layer.warnings.push(format!(
            "{name}: {SYSCTL} ignored: it is a table; write [{SYSCTL}] on a line of its own, and \
             below it lines such as net.ipv4.tcp_sack = 0"
        )),
    }
}

/// `net.ipv4.tcp_sack = 0`, which is a table in a table, and `"net.ipv4.tcp_sack" = 0`.
fn add_sysctl(layer: &mut Layer, name: &str, key: &str, value: Value) {
    let text = match value.kind {
        ValueKind::Table(table) => {
            for (rest, value) in sorted(table) {
                add_sysctl(layer, name, &format!("{key}.{rest}"), value);
            }
            return;
        }
        ValueKind::Array(parts) => {
            let parts: Vec<_> = parts.into_iter().map(plain).collect();
            parts.join(" ")
        }
        _ => plain(value),
    };
    layer.add_sysctl(name, Entry::new(bare(key), bare(&text)));
}

/// In an order that does not change from run to run.
fn sorted(map: Map<String, Value>) -> Vec<(String, Value)> {
    let mut pairs: Vec<_> = map.into_iter().collect();
    pairs.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    pairs
}
