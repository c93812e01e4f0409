//! The doctor's findings about one thing, and the report that is made of them.

use serde_json::json;

use super::finding::Finding;

/// Findings about one thing.
pub(super) struct Section {
    pub(super) about: String,
    pub(super) findings: Vec<Finding>,
}

/// `width`: of the terminal, if it is to fit one.
pub(super) fn as_text(sections: &[Section], width: Option<usize>) -> String {
    let findings = sections.iter().flat_map(|section| &section.findings);
    let topics = findings
        .map(|finding| finding.topic.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("{}\n", section.about));
        for finding in &section.findings {
            text.push_str(&finding.line(topics, width));
        }
    }
    text
}

pub(super) fn as_json(sections: &[Section]) -> String {
    let sections: Vec<_> = sections
        .iter()
        .map(|section| {
            let findings: Vec<_> = section.findings.iter().map(Finding::json).collect();
            json!({ "about": section.about, "findings": findings })
        })
        .collect();
    format!("{}\n", json!(sections))
}
