//! `docs/settings.md` says what the tables of this crate say. `scripts/docs` writes it anew.

use expect_test::expect_file;
use nstk_env::Variable;
use nstk_env::sysctl::{ROWS, Row};

#[test]
fn the_committed_document_is_what_scripts_docs_writes() {
    expect_file!["../../docs/settings.md"].assert_eq(&document());
}

fn document() -> String {
    let variables: String = Variable::ALL.into_iter().map(variable_line).collect();
    let sysctls: String = ROWS.iter().map(sysctl_line).collect();
    format!(
        "{HEAD}
## Variables

| variable | key in the file | meaning | takes | default |
|---|---|---|---|---|
{variables}
{BETWEEN}
## Sysctls

| key | meaning | takes | unit | default | Linux 6.18 |
|---|---|---|---|---|---|
{sysctls}"
    )
}

const HEAD: &str = "\
<!-- scripts/docs writes this file from env/src/variable.rs and env/src/sysctl/table.rs. Change those, not this. -->
# Settings

You set the library by environment variables. Most of them are also keys of a settings file in TOML, which `NSTK_CONFIG` names.
A variable overrules the file. What the stack does in detail is governed by sysctls, which have the kernel's names and units.
`nstk sysctl -a --explain` shows the values that count in your environment, and where each comes from.
";

const BETWEEN: &str = "\
`LKL_SYSCTL` is read too, and `LKL_HIJACK_SYSCTL`. Both have the form of `NSTK_SYSCTL`, which overrules them key by key; `LKL_SYSCTL` overrules the other one.
Other `LKL_HIJACK_` variables are not read. The library prints which variable replaces them.
";

fn variable_line(variable: Variable) -> String {
    let key = match (variable.key(), variable) {
        (Some(key), _) => format!("`{key}`"),
        (None, Variable::Sysctl) => "`[sysctl]`, a table".to_owned(),
        (None, _) => String::new(),
    };
    line(&[
        &format!("`{}`", variable.name()),
        &key,
        variable.doc(),
        &variable.takes().to_string(),
        variable.default_text(),
    ])
}

fn sysctl_line(row: &Row) -> String {
    let (takes, unit) = match row.range() {
        Some(range) => (
            format!("{}, {} to {}", row.kind(), range.first, range.last),
            range.unit.suffix().trim_matches([' ', '(', ')']),
        ),
        None => (row.accepts(), ""),
    };
    line(&[
        &format!("`{}`", row.name),
        row.doc,
        &takes,
        unit,
        &row.default_text(),
        row.linux_default().unwrap_or_default(),
    ])
}

fn line(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}
