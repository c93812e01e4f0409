//! Which device, as the settings name it.

use core::fmt;
use core::str::FromStr;

use arrayvec::ArrayString;

/// Longest interface name in bytes: IFNAMSIZ without its terminating zero.
pub(crate) const NAME_BYTES_MAX: usize = libc::IFNAMSIZ - 1;

/// A device to open, written `tap:NAME`, `packet:NAME` or `link:NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceSpec {
    /// An existing tap interface.
    Tap(InterfaceName),
    /// An existing interface, by a packet socket.
    Packet(InterfaceName),
    /// A link in shared memory to another program, which names it too.
    Link(InterfaceName),
}

impl FromStr for DeviceSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (kind, name) = text.split_once(':').ok_or(SpecError::NoKind)?;
        match kind {
            "tap" => Ok(Self::Tap(name.parse()?)),
            "packet" => Ok(Self::Packet(name.parse()?)),
            "link" => Ok(Self::Link(name.parse()?)),
            _ => Err(SpecError::UnknownKind),
        }
    }
}

impl fmt::Display for DeviceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tap(name) => write!(f, "tap:{name}"),
            Self::Packet(name) => write!(f, "packet:{name}"),
            Self::Link(name) => write!(f, "link:{name}"),
        }
    }
}

/// Why a text names no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecError {
    /// Nothing before a colon.
    NoKind,
    /// The kind of device is not known.
    UnknownKind,
    /// The part behind the colon is no interface name.
    BadName(NameError),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKind => f.write_str("the kind of device is missing"),
            Self::UnknownKind => f.write_str("only the kinds `tap`, `packet` and `link` are known"),
            Self::BadName(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SpecError {}

impl From<NameError> for SpecError {
    fn from(error: NameError) -> Self {
        Self::BadName(error)
    }
}

/// A name the kernel accepts for an interface (`dev_valid_name` in net/core/dev.c), and without `%`,
/// by which a tap would be made with a name of the kernel's choice.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InterfaceName(ArrayString<NAME_BYTES_MAX>);

impl InterfaceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InterfaceName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let stays_out =
            |c: char| c == '/' || c == ':' || c == '%' || c == '\0' || c.is_whitespace();
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text == "." || text == ".." || text.contains(stays_out) {
            Err(NameError::Characters)
        } else {
            ArrayString::from(text)
                .map(Self)
                .map_err(|_| NameError::TooLong)
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Why a text is no interface name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// No characters at all.
    Empty,
    /// More than 15 bytes.
    TooLong,
    /// Blanks, `/`, `:` or `%`, or one of the names `.` and `..`.
    Characters,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the interface name is empty"),
            Self::TooLong => write!(
                f,
                "the interface name is longer than {NAME_BYTES_MAX} bytes"
            ),
            Self::Characters => {
                f.write_str("the interface name has characters that no interface can have")
            }
        }
    }
}

impl core::error::Error for NameError {}
