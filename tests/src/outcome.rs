//! A program that runs, and what came of it.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::process::{PATIENCE, eventually};

/// A program whose output is being collected. It is killed with the value.
pub struct Running {
    child: Child,
    start: Instant,
    stdout: Collector,
    stderr: Collector,
}

/// What a program left: status and output, read to its end, so that whoever keeps a descriptor of it open is noticed.
pub struct Outcome {
    /// How the program ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From its start until it had ended and both outputs were closed.
    pub elapsed: Duration,
}

impl Running {
    /// Starts a program with both outputs collected.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdout = Collector::start(child.stdout.take().expect("piped"));
        let stderr = Collector::start(child.stderr.take().expect("piped"));
        Running {
            child,
            start: Instant::now(),
            stdout,
            stderr,
        }
    }

    /// The program's process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the program has written to its standard output so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.stdout.text()
    }

    /// Waits until the program has written `words` to its standard output.
    ///
    /// # Panics
    /// When it has not after 20 seconds.
    pub fn has_said(&self, words: &str) {
        eventually(&format!("the program says {words}"), || {
            self.said().contains(words)
        });
    }

    /// Ends the program's input, if it was given any, and waits for the end of the program and of its output.
    ///
    /// # Panics
    /// When the program still runs after a while that is long for most tests.
    pub fn finish(self) -> Outcome {
        self.finish_within(3 * PATIENCE)
    }

    /// The same, for programs that may run longer than others.
    ///
    /// # Panics
    /// When the program still runs after `patience`.
    pub fn finish_within(mut self, patience: Duration) -> Outcome {
        drop(self.child.stdin.take());
        let asked = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            let (stdout, stderr) = (&self.stdout, &self.stderr);
            assert!(
                asked.elapsed() < patience,
                "the program does not end; it said:\n{}{}",
                stdout.text(),
                stderr.text()
            );
            std::thread::sleep(Duration::from_millis(2));
        };
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        Outcome {
            status,
            stdout,
            stderr,
            elapsed: self.start.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already, in most cases.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Outcome {
    /// Runs a program to its end.
    #[must_use]
    pub fn of(command: &mut Command) -> Outcome {
        Running::start(command).finish()
    }

    /// Checks that a program under libnstk.so has left what it left on the kernel's stack.
    ///
    /// # Panics
    /// When it has not, with the lines that differ.
    pub fn assert_same(kernel: &Outcome, nstk: &Outcome) {
        let difference: Vec<String> = kernel
            .stdout
            .lines()
            .zip(nstk.stdout.lines())
            .filter(|(kernel, nstk)| kernel != nstk)
            .map(|(kernel, nstk)| format!("kernel  {kernel}\nnstk    {nstk}"))
            .collect();
        assert!(
            difference.is_empty(),
            "they differ:\n{}\n{}",
            difference.join("\n"),
            nstk.stderr
        );
        assert_eq!(
            kernel.stdout, nstk.stdout,
            "one says less; {} {}",
            nstk.status, nstk.stderr
        );
        assert_eq!(kernel.status, nstk.status, "{}", nstk.stderr);
    }

    /// The same with only those lines of the output that `keep` names: what can be compared.
    #[must_use]
    pub fn only(self, keep: impl Fn(&str) -> bool) -> Outcome {
        let kept = self.stdout.lines().filter(|line| keep(line));
        let stdout = kept.flat_map(|line| [line, "\n"]).collect();
        Outcome { stdout, ..self }
    }

    /// The output, of a program that must have ended well.
    ///
    /// # Panics
    /// When it ended otherwise, with what it said.
    pub fn success(self) -> String {
        assert!(
            self.status.success(),
            "{}; it said:\n{}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

/// Reads a stream to its end, and can be asked in between.
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    fn start(mut stream: impl Read + Send + 'static) -> Collector {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1 << 12];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                sink.lock()
                    .expect("no reader panics")
                    .extend_from_slice(&buffer[..count]);
            }
        });
        Collector {
            bytes,
            thread: Some(thread),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no reader panics")).into_owned()
    }

    fn finish(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the reader ends");
        }
        self.text()
    }
}
