//! NSTK_FAIL: what to do when the stack cannot be had.

use crate::problem::Problem;
use crate::surroundings::Surroundings;
use crate::text::bare;
use crate::variable::Variable;

/// What to do when the stack cannot be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// Go on with the kernel's stack.
    #[default]
    Kernel,
    /// End the program with status 1.
    Exit,
}

impl OnFailure {
    /// What a value of NSTK_FAIL asks for. A word that is wrong itself counts as the default. Nothing is allocated.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::parse(bare(text)).unwrap_or_default()
    }

    /// What NSTK_FAIL asks for, where the settings as a whole cannot be read.
    pub(crate) fn asked(surroundings: &impl Surroundings) -> Self {
        let text = surroundings.variable(Variable::Fail.name());
        Self::of(text.and_then(|text| text.into_string().ok()))
    }

    pub(crate) fn of(text: Option<String>) -> Self {
        text.map(|text| Self::from_text(&text)).unwrap_or_default()
    }

    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "kernel" => Ok(Self::Kernel),
            "exit" => Ok(Self::Exit),
            _ => Err(Problem::FailWord),
        }
    }
}
