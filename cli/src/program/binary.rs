//! An ELF file, as far as it matters to preloading.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use object::elf::{self, FileHeader64};
use object::read::elf::{ElfFile64, FileHeader, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol, ReadCache, ReadRef};

use super::Obstacle;
use super::find::is_executable;

/// What an ELF file tells.
#[derive(Debug, Default)]
pub(super) struct Binary {
    /// The dynamic linker; `None`: statically linked.
    loader: Option<String>,
    go: bool,
    thread_sanitizer: bool,
    liburing: bool,
}

#[cfg(target_arch = "x86_64")]
const MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: elf::Machine = elf::EM_AARCH64;

type Cache = ReadCache<BufReader<File>>;

impl Binary {
    /// Reads the headers and tables, not the program's code.
    pub(super) fn read(path: &Path) -> Result<Self, Obstacle> {
        let cannot = |what: &str| Obstacle::NotAProgram(format!("{} {what}", path.display()));
        if !is_executable(path) {
            return Err(cannot("is not executable for this user"));
        }
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => {
                cannot("may be run but not read, so nothing is known of it")
            }
            _ => cannot("cannot be read"),
        })?;
        let cache = ReadCache::new(BufReader::new(file));
        let damaged = |_| cannot("is a damaged ELF file");
        let start = (&cache).read_bytes_at(0, 6).unwrap_or_default();
        let Some([class, data]) = start.strip_prefix(b"\x7fELF") else {
            return Err(cannot("is no program that Linux runs"));
        };
        if [*class, *data] != [elf::ELFCLASS64.0, elf::ELFDATA2LSB.0] {
            return Err(Obstacle::Architecture);
        }
        let header = FileHeader64::<Endianness>::parse(&cache).map_err(damaged)?;
        let endian = header.endian().map_err(damaged)?;
        if header.e_machine(endian) != MACHINE {
            return Err(Obstacle::Architecture);
        }
        if ![elf::ET_EXEC, elf::ET_DYN].contains(&header.e_type(endian)) {
            return Err(cannot("is an object file, not a program"));
        }
        let mut binary = Self::default();
        for segment in header.program_headers(endian, &cache).map_err(damaged)? {
            if let Some(path) = segment.interpreter(endian, &cache).map_err(damaged)? {
                binary.loader = Some(String::from_utf8_lossy(path).into_owned());
            }
        }
        // Who runs the dynamic linker itself lets it load the library.
        let own = path.canonicalize().unwrap_or_default();
        let own = own.to_string_lossy();
        if binary.loader.is_none() && is_glibc(&own) {
            binary.loader = Some(own.into_owned());
        }
        // Sections are for linkers and debuggers; a program runs without them.
        if let Ok(file) = ElfFile64::<Endianness, &Cache>::parse(&cache) {
            binary.read_tables(&file);
        }
        Ok(binary)
    }

    fn read_tables<'a>(&mut self, file: &ElfFile64<'a, Endianness, &'a Cache>) {
        self.go = [".go.buildinfo", ".note.go.buildid", ".gopclntab"]
            .iter()
            .any(|name| file.section_by_name(name).is_some());
        for symbol in file.dynamic_symbols() {
            match symbol.name_bytes() {
                Ok(b"__tsan_init") => self.thread_sanitizer = true,
                Ok(name) if name.starts_with(b"io_uring_") => self.liburing = true,
                _ => {}
            }
        }
    }

    /// Why the library would not be loaded, or would not see what the program does.
    pub(super) fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        // Go's own linker makes static programs: the first reason is the one that matters.
        found.extend(self.go.then_some(Obstacle::Go));
        match &self.loader {
            None => found.push(Obstacle::Static),
            Some(loader) if !is_glibc(loader) => found.push(Obstacle::Loader(loader.clone())),
            Some(_) => {}
        }
        found.extend(self.thread_sanitizer.then_some(Obstacle::ThreadSanitizer));
        found
    }

    /// Linked against liburing.
    pub(super) fn has_liburing(&self) -> bool {
        self.liburing
    }
}

/// glibc's dynamic linkers are named so on every architecture; musl's is `ld-musl-*`, Android's `linker64`.
fn is_glibc(loader: &str) -> bool {
    let name = loader.rsplit('/').next().unwrap_or(loader);
    name.starts_with("ld-linux") || name.starts_with("ld64.so") || name == "ld.so.1"
}
