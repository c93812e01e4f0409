//! A member's part in the capture while it runs.

use core::time::Duration;

use nicio::capture::Recorder;

use crate::family::Family;

/// How long a process that ends waits for its last frames to be written.
const FLUSH_PATIENCE: Duration = Duration::from_millis(100);

impl Family {
    /// For the keeper, whose only thread this is: captures over another channel from now on, or not at all.
    pub(crate) fn set_recorder(&mut self, recorder: Option<Recorder>) {
        self.device.get_mut().nic.set_recorder(recorder);
    }

    /// Tells the user what has happened to the capture since.
    pub(crate) fn tell_news(&self) {
        if let Some(capture) = &self.capture
            && let Some(news) = capture.recorder.channel().news()
        {
            capture.tell(self.hooks, news);
        }
    }

    /// This process is about to end: waits shortly for what it has captured to be in the file.
    pub fn flush_capture(&self) {
        if let Some(capture) = &self.capture {
            capture.recorder.channel().flush(FLUSH_PATIENCE);
            self.tell_news();
        }
    }
}
