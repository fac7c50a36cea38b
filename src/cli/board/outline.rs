//! A Markdown text becomes headings, paragraphs and lists, each with its line.
//!
//! Markdown itself is read by `pulldown-cmark`. Block quotes, comments and rules are remarks and left out here. It
//! deliberately does not know what a line means.

use std::iter::Peekable;
use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, OffsetIter, Options, Parser, Tag};

/// A block of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its first line, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: BlockKind,
}

/// What a block is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// A heading with `#`; 1 is the highest level.
    Heading(usize, String),
    /// A heading that is underlined with `---` or `===`.
    Underlined(String),
    /// A paragraph as it is written, line by line.
    Paragraph(String),
    /// What a fenced or indented block holds, to the letter.
    Literal(String),
    /// A list.
    Items(Vec<Item>),
    /// Anything else.
    Other,
}

/// One item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    /// Its line, from 1.
    pub(super) line: usize,
    /// Its text without emphasis, in one line.
    pub(super) text: String,
    /// Its check box; none: it has none.
    pub(super) is_checked: Option<bool>,
    /// The items of the lists below it.
    pub(super) items: Vec<Item>,
    /// The lines of what else stands in it.
    pub(super) strays: Vec<usize>,
}

/// Reads a text.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    Reader {
        text,
        line_starts: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
        events: Parser::new_ext(text, Options::ENABLE_TASKLISTS)
            .into_offset_iter()
            .peekable(),
    }
    .blocks()
}

struct Reader<'t> {
    text: &'t str,
    line_starts: Vec<usize>,
    events: Peekable<OffsetIter<'t>>,
}

impl Reader<'_> {
    fn blocks(mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        while let Some((event, range)) = self.events.next() {
            let line = self.line(range.start);
            let kind = match event {
                Event::Start(Tag::Heading { level, .. }) => self.heading(level, &range),
                Event::Start(Tag::Paragraph) => {
                    self.skip();
                    let source = self.text.get(range).unwrap_or_default();
                    let lines: Vec<_> = source.trim().lines().map(str::trim).collect();
                    BlockKind::Paragraph(lines.join("\n"))
                }
                Event::Start(Tag::CodeBlock(_)) => BlockKind::Literal(self.literal()),
                Event::Start(Tag::List(_)) => BlockKind::Items(self.items()),
                Event::Start(Tag::BlockQuote(_)) => {
                    self.skip();
                    continue;
                }
                Event::Start(Tag::HtmlBlock) => {
                    let html = self.literal();
                    if is_comment(&html) {
                        continue;
                    }
                    BlockKind::Other
                }
                Event::Start(_) => {
                    self.skip();
                    BlockKind::Other
                }
                Event::Rule | Event::End(_) => continue,
                _ => BlockKind::Other,
            };
            blocks.push(Block { line, kind });
        }
        blocks
    }

    fn heading(&mut self, level: HeadingLevel, range: &Range<usize>) -> BlockKind {
        let has_marks = self
            .text
            .get(range.clone())
            .is_some_and(|source| source.trim_start().starts_with('#'));
        let text = self.inline();
        if has_marks {
            BlockKind::Heading(level as usize, text)
        } else {
            BlockKind::Underlined(text)
        }
    }

    /// The items of a list, until its end.
    fn items(&mut self) -> Vec<Item> {
        let mut items = Vec::new();
        while let Some((event, range)) = self.events.next() {
            match event {
                Event::Start(Tag::Item) => items.push(self.item(&range)),
                Event::End(_) => break,
                _ => {}
            }
        }
        items
    }

    fn item(&mut self, range: &Range<usize>) -> Item {
        let mut item = Item {
            line: self.line(range.start),
            ..Item::default()
        };
        // A tight list has its text bare, a loose one in paragraphs. What comes behind a block is text no longer.
        let mut is_open = true;
        while let Some((event, range)) = self.events.next() {
            match event {
                Event::Start(Tag::Paragraph) if is_open && item.text.is_empty() => {
                    if let Some((Event::TaskListMarker(is_checked), _)) = self.events.peek() {
                        item.is_checked = Some(*is_checked);
                        self.events.next();
                    }
                    item.text = self.inline();
                    is_open = false;
                }
                Event::Start(Tag::List(_)) => {
                    is_open = false;
                    let below = self.items();
                    item.items.extend(below);
                }
                Event::Start(Tag::BlockQuote(_)) => {
                    is_open = false;
                    self.skip();
                }
                Event::Start(tag) if is_inline(&tag) && is_open => item.text += &self.inline(),
                Event::Start(_) => {
                    is_open = false;
                    item.strays.push(self.line(range.start));
                    self.skip();
                }
                Event::End(_) => break,
                Event::TaskListMarker(is_checked) => item.is_checked = Some(is_checked),
                other if is_open => push(&mut item.text, &other),
                _ => item.strays.push(self.line(range.start)),
            }
        }
        item.text = item.text.trim().to_owned();
        item
    }

    /// The text up to the end of what has begun.
    fn inline(&mut self) -> String {
        let mut text = String::new();
        let mut depth = 1;
        for (event, _) in self.events.by_ref() {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                other => push(&mut text, &other),
            }
            if depth == 0 {
                break;
            }
        }
        text.trim().to_owned()
    }

    /// The text of a block that is not Markdown.
    fn literal(&mut self) -> String {
        let mut text = String::new();
        for (event, _) in self.events.by_ref() {
            match event {
                Event::Text(part) | Event::Html(part) => text += &part,
                Event::End(_) => break,
                _ => {}
            }
        }
        text
    }

    /// Up to the end of what has begun.
    fn skip(&mut self) {
        let mut depth = 1;
        for (event, _) in self.events.by_ref() {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset)
    }
}

fn push(text: &mut String, event: &Event<'_>) {
    match event {
        Event::Text(part) | Event::Code(part) => *text += part,
        Event::InlineHtml(part) if !is_comment(part) => *text += part,
        Event::SoftBreak | Event::HardBreak => text.push(' '),
        _ => {}
    }
}

fn is_comment(html: &str) -> bool {
    let html = html.trim();
    html.starts_with("<!--") && html.ends_with("-->")
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading(line: usize, level: usize, text: &str) -> Block {
        Block {
            line,
            kind: BlockKind::Heading(level, text.to_owned()),
        }
    }

    #[test]
    fn blocks_have_their_lines_and_remarks_are_left_out() {
        let text = "# Win **Brazil**\n\n> a remark\n\nWhy *it*\n  matters\n\n<!-- a note -->\n---\n## Next #\n```\n# no\n```\n";
        assert_eq!(
            blocks(text),
            [
                heading(1, 1, "Win Brazil"),
                Block {
                    line: 5,
                    kind: BlockKind::Paragraph("Why *it*\nmatters".to_owned())
                },
                heading(10, 2, "Next"),
                Block {
                    line: 11,
                    kind: BlockKind::Literal("# no\n".to_owned())
                },
            ]
        );
    }

    #[test]
    fn a_list_is_read_tight_or_loose_with_its_boxes_and_what_lies_below() {
        for text in [
            "- [x] *KR:* a\n  b\n  - [ ] c\n- d",
            "- [x] *KR:* a\n  b\n\n  - [ ] c\n\n- d\n",
        ] {
            let blocks = blocks(text);
            let [
                Block {
                    line: 1,
                    kind: BlockKind::Items(items),
                },
            ] = &blocks[..]
            else {
                panic!("{blocks:?}");
            };
            let told: Vec<_> = items
                .iter()
                .map(|item| (item.text.as_str(), item.is_checked))
                .collect();
            assert_eq!(told, [("KR: a b", Some(true)), ("d", None)], "{text:?}");
            assert_eq!(items[0].items[0].is_checked, Some(false));
            assert_eq!(items[0].items[0].text, "c");
        }
    }

    #[test]
    fn what_is_no_text_in_an_item_is_told_by_its_line() {
        let blocks = blocks("- KR: a\n\n  more of it\n\n  ```\n  x\n  ```\n");
        let [
            Block {
                kind: BlockKind::Items(items),
                ..
            },
        ] = &blocks[..]
        else {
            panic!("{blocks:?}");
        };
        assert_eq!(items[0].strays, [3, 5]);
    }

    #[test]
    fn an_underlined_paragraph_is_no_heading_with_marks() {
        assert_eq!(
            blocks("a\n---\n"),
            [Block {
                line: 1,
                kind: BlockKind::Underlined("a".to_owned())
            }]
        );
    }
}
