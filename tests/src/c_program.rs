//! Small C programs, compiled when a test wants them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A compiled program out of `tests/programs`; the executable goes with the value.
pub struct CProgram {
    path: PathBuf,
}

impl CProgram {
    /// Compiles `programs/<name>.c`, as strictly as the compiler can.
    ///
    /// # Panics
    /// When there is no C compiler (`CC`, or `cc`) or it objects.
    #[must_use]
    pub fn compile(name: &str) -> CProgram {
        Self::compile_with(name, &[])
    }

    /// The same as a static program, into which no library can be loaded.
    ///
    /// # Panics
    /// As [`CProgram::compile`].
    #[must_use]
    pub fn compile_static(name: &str) -> CProgram {
        Self::compile_with(name, &["-static"])
    }

    fn compile_with(name: &str, options: &[&str]) -> CProgram {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let unique = format!(
            "nstk-{name}-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(unique);
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("programs")
            .join(format!("{name}.c"));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let output = Command::new(compiler)
            .args([
                "-std=gnu11",
                "-O2",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pthread",
                "-o",
            ])
            .arg(&path)
            .arg(source)
            .args(options)
            .output()
            .expect("a C compiler is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        CProgram { path }
    }

    /// The executable.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for CProgram {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
