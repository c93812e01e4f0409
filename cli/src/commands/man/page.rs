//! A manual page as a whole. Its sections are those of man-pages(7), in that order.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::Roff;

use super::list::{entry, list};
use super::notes::Notes;
use super::{environment, see_also, synopsis};

/// The page about `subject`, which is `cli` itself or one of its commands.
pub(super) fn page(cli: &Command, subject: &Command) -> io::Result<Vec<u8>> {
    let notes = Notes::of(subject);
    let man = Man::new(subject.clone())
        // A page without one loses a field of its head.
        .date(" ")
        .source(concat!("nstk ", env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    section("SYNOPSIS", &mut page, |roff| synopsis::write(subject, roff))?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if subject.has_subcommands() {
        section("COMMANDS", &mut page, |roff| commands(subject, roff))?;
    }
    let variables = environment::of(subject.get_name());
    if !variables.is_empty() {
        section("ENVIRONMENT", &mut page, |roff| list(roff, &variables))?;
    }
    section("EXIT STATUS", &mut page, |roff| {
        notes.write_exit_status(roff)
    })?;
    if !notes.remarks.is_empty() {
        section("NOTES", &mut page, |roff| notes.write_remarks(roff))?;
    }
    section("EXAMPLES", &mut page, |roff| notes.write_examples(roff))?;
    section("SEE ALSO", &mut page, |roff| {
        see_also::write(cli, subject, roff)
    })?;
    Ok(page)
}

fn section(title: &str, page: &mut Vec<u8>, write: impl FnOnce(&mut Roff)) -> io::Result<()> {
    let mut roff = Roff::default();
    roff.control("SH", [title]);
    write(&mut roff);
    roff.to_writer(page)
}

fn commands(subject: &Command, roff: &mut Roff) {
    for command in subject
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let about = command.get_about().map(ToString::to_string);
        let name = format!("{} {}", subject.get_name(), command.get_name());
        entry(roff, &name, &about.unwrap_or_default());
    }
}
