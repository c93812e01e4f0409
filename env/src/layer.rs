//! One layer of settings, as the kernel, the file and the environment each give one.

use config::{ConfigError, Map, Source, Value};

use crate::sysctl::{Entry, Ignored};
use crate::text::bare;
use crate::variable::Variable;

/// What one layer sets. Blank texts count as not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// `file /etc/nstk.toml`, if it is one.
    pub(crate) file: Option<String>,
    pub(crate) texts: Vec<(Variable, String)>,
    pub(crate) sysctls: Vec<Sourced<Entry>>,
    pub(crate) ignored_sysctls: Vec<Sourced<Ignored>>,
    /// What else was not obeyed, one line each.
    pub(crate) warnings: Vec<String>,
}

/// A thing and where it is from: `NSTK_SYSCTL`, `file /etc/nstk.toml`, `kernel /proc/sys/...`.
pub(crate) type Sourced<T> = (String, T);

impl Layer {
    /// Sorts what comes of an entry `from` there.
    pub(crate) fn add_sysctl(&mut self, from: &str, entry: Result<Entry, Ignored>) {
        match entry {
            Ok(entry) => self.sysctls.push((from.to_owned(), entry)),
            Err(ignored) => self.ignored_sysctls.push((from.to_owned(), ignored)),
        }
    }

    pub(crate) fn text(&self, variable: Variable) -> Option<&str> {
        let mut texts = self.texts.iter().filter(|(set, _)| *set == variable);
        texts.next().map(|(_, text)| bare(text))
    }
}

/// The key of a table between the layers; the variables' keys are their names.
pub(crate) const SYSCTLS: &str = "sysctls";

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let texts = self.texts.iter().map(|(variable, text)| {
            let value = Value::new(self.file.as_ref(), text.as_str());
            (variable.name().to_owned(), value)
        });
        let mut map: Map<_, _> = texts.collect();
        let sysctls = self.sysctls.iter().map(|(from, entry)| {
            let value = Value::new(Some(from), entry.value.as_str());
            (entry.row.name.to_owned(), value)
        });
        let sysctls: Map<_, _> = sysctls.collect();
        map.insert(SYSCTLS.to_owned(), sysctls.into());
        Ok(map)
    }
}
