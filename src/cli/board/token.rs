//! A line becomes words, quoted texts and groups in parentheses.
//!
//! Quotes stand around what is to be taken to the letter; a quote inside is written twice: `"say ""hi"""`.

/// One part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// Where it begins in the line, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// A word as it is, or what stands between quotes or parentheses.
    pub(super) text: &'t str,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Anything without white space.
    Word,
    /// "…".
    Quoted,
    /// (…).
    Group,
}

impl Token<'_> {
    /// Whether it is this word, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it is one of these words.
    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// The text that a quoted one means.
    pub(super) fn unquoted(&self) -> String {
        self.text.replace("\"\"", "\"")
    }
}

/// Cuts a line into tokens.
pub(super) fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let blank = rest.len() - rest.trim_start().len();
        if blank > 0 {
            at += blank;
            continue;
        }
        let closed = match rest.as_bytes()[0] {
            b'"' => closing_quote(rest).map(|end| (TokenKind::Quoted, end)),
            b'(' => closing_parenthesis(rest).map(|end| (TokenKind::Group, end)),
            _ => None,
        };
        let (kind, length, text) = match closed {
            Some((kind, end)) => (kind, end + 1, &rest[1..end]),
            None => {
                let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (TokenKind::Word, length, &rest[..length])
            }
        };
        tokens.push(Token {
            kind,
            start: at,
            end: at + length,
            text,
        });
        at += length;
    }
    tokens
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Where the quote that opens a text closes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate().skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte != b'"' {
            continue;
        }
        match bytes.peek() {
            Some((_, b'"')) => {
                bytes.next();
            }
            _ => return Some(at),
        }
    }
    None
}

/// Where the parenthesis that opens a text closes; those in quotes do not count.
fn closing_parenthesis(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            b'"' => at += text.get(at..).and_then(closing_quote).unwrap_or(0),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_words_quoted_texts_and_groups() {
        use TokenKind::{Group, Quoted, Word};
        for (line, expected) in [
            ("a  b\u{a0}c", vec![(Word, "a"), (Word, "b"), (Word, "c")]),
            (
                r#""a ""b""", c"#,
                vec![(Quoted, r#"a ""b"""#), (Word, ","), (Word, "c")],
            ),
            (
                "x (due (a) b) y(z)",
                vec![(Word, "x"), (Group, "due (a) b"), (Word, "y(z)")],
            ),
            (r#"(unit: ")" x)"#, vec![(Group, r#"unit: ")" x"#)]),
            (r#"5" ("#, vec![(Word, "5\""), (Word, "(")]),
            (r#""open (a"#, vec![(Word, "\"open"), (Word, "(a")]),
            ("", vec![]),
        ] {
            let found: Vec<_> = tokens(line)
                .iter()
                .map(|token| (token.kind, token.text))
                .collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn what_is_quoted_is_read_as_it_was() {
        for text in ["a", "", "\"", "say \"hi\"", "a\"\"b"] {
            let line = quoted(text);
            let tokens = tokens(&line);
            assert_eq!(tokens.len(), 1, "{line}");
            assert_eq!(tokens[0].unquoted(), text);
        }
    }
}
