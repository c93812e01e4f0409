//! What makes an SVG document of what plotters has drawn: a title and a description for those who do not see it, and
//! the rules of its style.

use super::style;

pub(super) fn complete(drawn: &str, title: &str, description: &str) -> String {
    // plotters writes its one outermost element first.
    let (head, content) = drawn.split_once('>').unwrap_or((drawn, ""));
    let (title, description, sheet) = (escaped(title), escaped(description), style::sheet());
    format!(
        "{head} role=\"img\" aria-labelledby=\"title\" aria-describedby=\"description\">\n\
        <title id=\"title\">{title}</title>\n\
        <desc id=\"description\">{description}</desc>\n\
        <style>\n{sheet}</style>{content}"
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}
