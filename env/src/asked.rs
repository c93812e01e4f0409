//! What to do without a stack, read by itself.

use std::path::Path;

use crate::file;
use crate::on_failure::OnFailure;
use crate::surroundings::Surroundings;
use crate::text::bare;
use crate::variable::Variable;

impl OnFailure {
    /// What the variable NSTK_FAIL and the settings file ask for, where the settings as a whole cannot be read. A file that
    /// cannot be read either counts as `exit`.
    #[must_use]
    pub fn asked(surroundings: &impl Surroundings) -> Self {
        let value = |variable: Variable| surroundings.variable(variable.name());
        let said = value(Variable::Fail).and_then(|text| Self::said(text.as_encoded_bytes()));
        if let Some(said) = said {
            return said;
        }
        let path = value(Variable::Config).unwrap_or_default();
        match path.to_str().map(bare) {
            Some("") => Self::default(),
            Some(path) => file::read(Path::new(path), surroundings)
                .map_or(Self::Exit, |layer| Self::of(layer.text(Variable::Fail))),
            None => Self::Exit,
        }
    }
}
