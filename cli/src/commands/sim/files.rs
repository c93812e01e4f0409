//! The files that a run writes.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::reason::reason;
use crate::status;

/// A file that is open, and empty so far.
pub(super) struct Target {
    path: PathBuf,
    file: File,
}

impl Target {
    /// What cannot be written is better known before the run.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let path = path.to_path_buf();
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(not_written(&path, error)),
        }
    }

    pub(super) fn write(mut self, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let written = self.file.write_all(content.as_ref());
        written.map_err(|error| not_written(&self.path, error))
    }

    fn is_same_file(&self, other: &Self) -> bool {
        let place = |target: &Self| {
            let found = target.file.metadata().ok().filter(|found| found.is_file());
            found.map(|found| (found.dev(), found.ino()))
        };
        place(self).is_some() && place(self) == place(other)
    }
}

/// Creates what is asked for.
pub(super) fn create(
    csv: Option<&Path>,
    svg: Option<&Path>,
) -> Result<(Option<Target>, Option<Target>), Failure> {
    let csv = csv.map(Target::create).transpose()?;
    let svg = svg.map(Target::create).transpose()?;
    if let (Some(csv), Some(svg)) = (&csv, &svg)
        && csv.is_same_file(svg)
    {
        let problem = "--csv and --svg name the same file: give each its own";
        return Err(Failure::with_code(status::USAGE, problem));
    }
    Ok((csv, svg))
}

/// A name for `--svg`.
pub(super) fn svg_name(path: PathBuf) -> Result<PathBuf, String> {
    unless_other(path, &OTHER_PICTURES, "svg", "pictures are SVG")
}

/// A name for `--csv`.
pub(super) fn csv_name(path: PathBuf) -> Result<PathBuf, String> {
    unless_other(
        path,
        &OTHER_TABLES,
        "csv",
        "numbers are comma-separated values",
    )
}

/// Whoever names a file for another format expects that one. Names that say nothing are good.
fn unless_other(path: PathBuf, others: &[&str], own: &str, what: &str) -> Result<PathBuf, String> {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or("");
    if others
        .iter()
        .any(|other| other.eq_ignore_ascii_case(extension))
    {
        let name = path.with_extension(own);
        return Err(format!("{what}: name it {}", name.display()));
    }
    Ok(path)
}

fn not_written(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format_args!("{}: {}", path.display(), reason(&error)))
}

const OTHER_PICTURES: [&str; 14] = [
    "png", "jpg", "jpeg", "gif", "webp", "avif", "bmp", "tif", "tiff", "pdf", "ps", "eps", "svgz",
    "csv",
];
const OTHER_TABLES: [&str; 8] = [
    "json", "tsv", "xls", "xlsx", "ods", "parquet", "pcap", "svg",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_format_is_refused_with_a_right_one() {
        assert_eq!(
            svg_name("run.PNG".into()),
            Err("pictures are SVG: name it run.svg".into())
        );
        for name in ["run.svg", "run", "/dev/stdout", "run.10ms", ".svg"] {
            assert_eq!(svg_name(name.into()), Ok(name.into()));
        }
        assert_eq!(
            csv_name("a/run.json".into()),
            Err("numbers are comma-separated values: name it a/run.csv".into())
        );
        for name in ["run.csv", "run.txt", "run", "/dev/stdout"] {
            assert_eq!(csv_name(name.into()), Ok(name.into()));
        }
    }
}
