//! Texts of people inside a line of Markdown, so that they mean themselves.

use super::sentence::prefix;

/// A text as Markdown that means it to the letter.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '&' | '~' | '|' | '!'
        ) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether a title says nothing but itself at the beginning and at the end of a line.
pub(super) fn is_plain_title(title: &str) -> bool {
    title.trim() == title
        && prefix(title).0.is_none()
        && !title.starts_with(['"', '['])
        && !title.ends_with([')', '"'])
        && !title
            .split_whitespace()
            .next_back()
            .is_some_and(|word| word.starts_with(['@', '#']))
}

/// A text within a line as Markdown; most need nothing.
pub(super) fn escaped_where_needed(title: &str) -> String {
    let is_harmless = |c: char| {
        c.is_alphanumeric() || matches!(c, ' ' | ',' | '.' | '-' | '%' | '\'' | '(' | ')' | '/' | '=')
    };
    // A number sign in front of a word is no heading's.
    let rest = title.strip_prefix('#').unwrap_or(title);
    if rest.chars().all(is_harmless) {
        title.to_owned()
    } else {
        escaped(title)
    }
}
