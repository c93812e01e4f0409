//! The start of a file that is to be run: an ELF header with its program headers, or a script's first line.

use core::ffi::CStr;

use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};

use super::why::Outside;

/// Enough for the header and the program headers, which follow it in all that linkers make, and for the path of the
/// dynamic linker behind them.
const START_BYTES: usize = 2048;
/// The kernel reads no more of a script (`BINPRM_BUF_SIZE`).
const SCRIPT_BYTES: usize = 256;

#[cfg(target_arch = "x86_64")]
const MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: elf::Machine = elf::EM_AARCH64;

/// The first bytes of a file.
pub(super) struct Start {
    bytes: [u8; START_BYTES],
    len: usize,
}

impl Start {
    /// `None`: it cannot be read, so nothing is known of it.
    pub(super) fn read(path: &CStr) -> Option<Self> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = sys::open(path, flags, 0).ok()?;
        let mut bytes = [0; START_BYTES];
        let len = sys::read(file.as_raw(), &mut bytes).ok()?;
        Some(Self { bytes, len })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The program that a script's first line names; execve(2), "Interpreter scripts".
    pub(super) fn interpreter_of_script(&self) -> Option<Interpreter> {
        let bytes = self.bytes();
        let line = bytes.get(..SCRIPT_BYTES.min(bytes.len()))?;
        let line = line
            .strip_prefix(b"#!")?
            .split(|byte| *byte == b'\n')
            .next()?;
        let mut words = line.split(|byte| matches!(byte, b' ' | b'\t'));
        let path = words.find(|word| !word.is_empty())?;
        let mut interpreter = Interpreter([0; SCRIPT_BYTES]);
        for (to, from) in interpreter.0.iter_mut().zip(path) {
            *to = *from;
        }
        Some(interpreter)
    }

    /// What keeps the library out of an ELF file; `None` also where it is none.
    pub(super) fn obstacle(&self) -> Option<Outside> {
        let bytes = self.bytes();
        let [class, data] = bytes.strip_prefix(b"\x7fELF")?.first_chunk()?;
        if [*class, *data] != [elf::ELFCLASS64.0, elf::ELFDATA2LSB.0] {
            return Some(Outside::Machine);
        }
        let header = FileHeader64::<LittleEndian>::parse(bytes).ok()?;
        if header.e_machine(LittleEndian) != MACHINE {
            return Some(Outside::Machine);
        }
        let mut segments = header.program_headers(LittleEndian, bytes).ok()?.iter();
        let loader = segments.find(|segment| segment.p_type(LittleEndian) == elf::PT_INTERP);
        match loader.map(|segment| segment.interpreter(LittleEndian, bytes)) {
            None => Some(Outside::Static),
            Some(Ok(Some(path))) if !is_glibc(path) => Some(Outside::Loader),
            // A path further back in the file is not looked at.
            Some(_) => None,
        }
    }
}

/// glibc's dynamic linkers are named so on every architecture; musl's is `ld-musl-*`.
pub(super) fn is_glibc(loader: &[u8]) -> bool {
    let name = loader.rsplit(|byte| *byte == b'/').next().unwrap_or(loader);
    let is_linux = name.starts_with(b"ld-linux") && name.windows(4).any(|part| part == b".so.");
    is_linux || name.starts_with(b"ld64.so") || name == b"ld.so.1"
}

/// The path of a script's interpreter.
pub(super) struct Interpreter([u8; SCRIPT_BYTES]);

impl Interpreter {
    pub(super) fn as_c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(&self.0).ok()
    }
}
