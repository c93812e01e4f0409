//! One sysctl: its name, its place in the configuration, its range and its meaning.

use stack::{CcKind, Config};

use super::linux;
use super::value::Range;

/// A sysctl key and everything to be known about it. Two rows are equal if their names are.
#[derive(Debug)]
pub struct Row {
    /// The kernel's name.
    pub name: &'static str,
    /// What it governs, in one sentence.
    pub doc: &'static str,
    pub(super) field: Field,
}

/// Where a value lives in the configuration, and which values it may have.
#[derive(Debug)]
pub(super) enum Field {
    Byte(fn(&mut Config) -> &mut u8, Range),
    Word(fn(&mut Config) -> &mut u32, Range),
    Long(fn(&mut Config) -> &mut u64, Range),
    /// Lowest, middle, highest: in this order, each within the range.
    Triple(fn(&mut Config) -> &mut [u64; 3], Range),
    /// The first and the last port.
    Ports(Range),
    /// A congestion control's name.
    Congestion,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Row {}

impl Row {
    /// The value that `config` holds, as text that [`Self::set`] takes.
    #[must_use]
    pub fn show(&self, config: &Config) -> String {
        // The accessors want to be able to write.
        let mut config = *config;
        match &self.field {
            Field::Byte(field, _) => field(&mut config).to_string(),
            Field::Word(field, _) => field(&mut config).to_string(),
            Field::Long(field, _) => field(&mut config).to_string(),
            Field::Triple(field, _) => {
                let [low, middle, high] = *field(&mut config);
                format!("{low} {middle} {high}")
            }
            Field::Ports(_) => format!("{} {}", config.port_first, config.port_last),
            Field::Congestion => config.congestion_kind().name().to_owned(),
        }
    }

    /// Which values the key may have, such as `a number in 0..=1 (off or on)`.
    #[must_use]
    pub fn accepts(&self) -> String {
        match self.range() {
            Some(range) => format!("{} in {range}", self.kind()),
            None => format!("one of {}", CcKind::ALL.map(CcKind::name).join(", ")),
        }
    }

    /// What a value is, such as `a number`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.field {
            Field::Byte(..) | Field::Word(..) | Field::Long(..) => "a number",
            Field::Triple(..) => "three ascending numbers",
            Field::Ports(_) => "a first and a last port",
            Field::Congestion => "a name",
        }
    }

    /// Which numbers a value consists of; `None`: it consists of no numbers.
    #[must_use]
    pub fn range(&self) -> Option<&Range> {
        match &self.field {
            Field::Byte(_, range)
            | Field::Word(_, range)
            | Field::Long(_, range)
            | Field::Triple(_, range)
            | Field::Ports(range) => Some(range),
            Field::Congestion => None,
        }
    }

    /// Whether a value is three numbers.
    pub(super) fn is_triple(&self) -> bool {
        matches!(self.field, Field::Triple(..))
    }

    /// What Linux 6.18 has as default, where that is another value than [`Self::default_text`].
    #[must_use]
    pub fn linux_default(&self) -> Option<&'static str> {
        linux::other_default(self.name)
    }

    /// The value that comes nearest to what `text` says; `None`: it says nothing of the kind. For
    /// values of the kernel, whose ranges are wider here and there.
    pub(crate) fn clamp(&self, text: &str) -> Option<String> {
        let range = self.range()?;
        let clamped: Option<Vec<_>> = text
            .split_whitespace()
            .map(|word| Some(range.clamp(word)?.to_string()))
            .collect();
        let mut config = Config::default();
        self.set(&mut config, &clamped?.join(" "))?;
        Some(self.show(&config))
    }

    /// The value when nobody sets one.
    #[must_use]
    pub fn default_text(&self) -> String {
        self.show(&Config::default())
    }

    /// Sets the value that `text` says. `None`: it says none that the key may have; `config` is as
    /// before.
    #[must_use]
    pub fn set(&self, config: &mut Config, text: &str) -> Option<()> {
        match &self.field {
            Field::Byte(field, range) => {
                *field(config) = range.parse(text)?.try_into().ok()?;
            }
            Field::Word(field, range) => {
                *field(config) = range.parse(text)?.try_into().ok()?;
            }
            Field::Long(field, range) => *field(config) = range.parse(text)?,
            Field::Triple(field, range) => {
                let values = numbers::<3>(text, range)?;
                *field(config) = values.is_sorted().then_some(values)?;
            }
            Field::Ports(range) => {
                let values = numbers::<2>(text, range)?;
                let [first, last] = values.is_sorted().then_some(values)?;
                let (first, last) = (first.try_into().ok()?, last.try_into().ok()?);
                (config.port_first, config.port_last) = (first, last);
            }
            Field::Congestion => config.congestion = CcKind::from_name(text)? as u8,
        }
        Some(())
    }
}

/// Exactly `N` numbers, separated by blanks.
fn numbers<const N: usize>(text: &str, range: &Range) -> Option<[u64; N]> {
    let mut words = text.split_whitespace();
    let mut values = [0; N];
    for value in &mut values {
        *value = range.parse(words.next()?)?;
    }
    words.next().is_none().then_some(values)
}
