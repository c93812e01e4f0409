//! Text that fits the terminal.

use std::io::stdout;

use terminal_size::{Width, terminal_size_of};

/// Columns of the terminal that standard output is; `None`: it is a file or a pipe, whose lines are as long as they are.
pub(crate) fn width() -> Option<usize> {
    terminal_size_of(stdout()).map(|(Width(columns), _)| columns.into())
}

/// A line of `head` and `text`. Where it does not fit, the text goes on below its beginning; where that leaves too little
/// room, it stands below the head.
pub(crate) fn hanging(head: &str, text: &str, width: Option<usize>) -> String {
    let length = head.chars().count() + text.chars().count();
    let Some(width) = width.filter(|width| length > *width) else {
        return format!("{head}{text}\n");
    };
    let is_beside = head.len() * 2 <= width;
    let indent = if is_beside { head.len() } else { INDENT };
    let lines = wrap(text, width.saturating_sub(indent));
    let begin = if is_beside {
        head.to_owned()
    } else {
        format!("{}\n{:indent$}", head.trim_end(), "")
    };
    format!("{begin}{}\n", lines.join(&format!("\n{:indent$}", "")))
}

/// With a capital letter in front, as a sentence has it.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A table with its head. In a terminal that is too narrow, every row is a paragraph with a line for each cell.
pub(crate) fn table(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> String {
    let heads: Vec<String> = columns
        .iter()
        .map(|column| column.head.to_owned())
        .collect();
    let all = || std::iter::once(&heads).chain(rows);
    let widths: Vec<usize> = (0..columns.len())
        .map(|index| {
            all()
                .map(|row| row[index].chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(columns).zip(&widths);
        let cells = cells.map(|((cell, column), width)| match column.align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let whole: String = all().map(line).collect();
    let longest = whole.lines().map(|line| line.chars().count()).max();
    match width {
        Some(width) if longest > Some(width) => {
            let paragraphs: Vec<String> = rows
                .iter()
                .map(|row| paragraph(&heads, row, width))
                .collect();
            paragraphs.join("\n")
        }
        _ => whole,
    }
}

/// A column of a table.
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) align: Align,
}

/// Where the cells of a column stand.
pub(crate) enum Align {
    Left,
    Right,
}

fn paragraph(heads: &[String], row: &[String], width: usize) -> String {
    let longest = heads.iter().map(String::len).max().unwrap_or_default();
    let cells = heads.iter().zip(row);
    let lines = cells.map(|(head, cell)| hanging(&format!("{head:longest$}  "), cell, Some(width)));
    lines.collect()
}

/// Of text below its head.
const INDENT: usize = 6;

/// Lines of whole words, longer than `room` only where a word is.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_on_below_itself_or_below_its_head() {
        let hung = |width| hanging("ok  tap  ", "can be opened by this user", width);
        assert_eq!(hung(None), "ok  tap  can be opened by this user\n");
        assert_eq!(hung(Some(35)), hung(None));
        assert_eq!(
            hung(Some(34)),
            "ok  tap  can be opened by this\n         user\n"
        );
        assert_eq!(
            hung(Some(17)),
            "ok  tap\n      can be\n      opened by\n      this user\n"
        );
        assert_eq!(
            hanging("key  ", "averylongword", Some(9)),
            "key\n      averylongword\n"
        );
    }

    #[test]
    fn a_table_becomes_paragraphs_where_it_is_too_wide() {
        let columns = [
            Column {
                head: "flow",
                align: Align::Right,
            },
            Column {
                head: "limited by",
                align: Align::Left,
            },
        ];
        let rows = ["1", "10"].map(|number| vec![number.to_owned(), "the send buffer".to_owned()]);
        let wide = "flow  limited by\n   1  the send buffer\n  10  the send buffer\n";
        assert_eq!(table(&columns, &rows, None), wide);
        assert_eq!(table(&columns, &rows, Some(21)), wide);
        assert_eq!(
            table(&columns, &rows, Some(20)),
            "flow        1\nlimited by\n      the send\n      buffer\n\n\
             flow        10\nlimited by\n      the send\n      buffer\n"
        );
    }
}
