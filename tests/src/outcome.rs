//! A program that runs, and what came of it.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::process::{self, PATIENCE};

/// A program whose output is being collected. It is killed with the value.
pub struct Running {
    child: Child,
    start: Instant,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
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
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().map(collect);
        let stderr = child.stderr.take().map(collect);
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

    /// Sends a signal by its name without SIG.
    pub fn signal(&self, name: &str) {
        process::kill(self.id(), name);
    }

    /// Waits for the end of the program and of its output.
    ///
    /// # Panics
    /// When the program still runs after a while that is long for any test.
    pub fn finish(mut self) -> Outcome {
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if self.start.elapsed() > 3 * PATIENCE {
                process::kill(self.id(), "KILL");
                let stderr = take(self.stderr.take());
                panic!(
                    "the program did not end; its output: {}{stderr}",
                    take(self.stdout.take())
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let (stdout, stderr) = (take(self.stdout.take()), take(self.stderr.take()));
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

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

fn take(stream: Option<JoinHandle<Vec<u8>>>) -> String {
    let bytes = stream
        .map(|thread| thread.join().expect("the reader ends"))
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
