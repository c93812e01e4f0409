//! One line of the doctor's.

use serde_json::{Value, json};

use crate::layout;

/// How a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Good,
    /// The stack cannot do without.
    Missing,
    /// Not there or not known; some use would want it.
    Wanted,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Missing => "no",
            Self::Wanted => "--",
        }
    }
}

/// What was found out about one matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) topic: &'static str,
    pub(super) state: State,
    /// What is so, and why.
    text: String,
    /// What to do about it.
    remedy: Option<String>,
}

impl Finding {
    pub(super) fn good(topic: &'static str, text: impl Into<String>) -> Self {
        Self::new(topic, State::Good, text)
    }

    pub(super) fn missing(topic: &'static str, text: impl Into<String>) -> Self {
        Self::new(topic, State::Missing, text)
    }

    pub(super) fn wanted(topic: &'static str, text: impl Into<String>) -> Self {
        Self::new(topic, State::Wanted, text)
    }

    fn new(topic: &'static str, state: State, text: impl Into<String>) -> Self {
        Self {
            topic,
            state,
            text: text.into(),
            remedy: None,
        }
    }

    /// The same with what to do about it.
    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// `topics`: width of their column; `width`: of the terminal, if it is to fit one.
    pub(super) fn line(&self, topics: usize, width: Option<usize>) -> String {
        let head = format!("  {}  {:topics$}  ", self.state.word(), self.topic);
        let remedy = self.remedy.iter().map(|remedy| format!("; {remedy}"));
        layout::hanging(
            &head,
            &(self.text.clone() + &remedy.collect::<String>()),
            width,
        )
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "state": self.state.word(),
            "topic": self.topic,
            "text": self.text,
            "remedy": self.remedy,
        })
    }
}
