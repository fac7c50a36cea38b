//! YAML as nodes that know their lines. Invariant: what is read is bounded in bytes, in depth, and in nodes counted with
//! every alias written out. It deliberately does not know what the nodes mean: a scalar stays the text that it is.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// The largest text, in bytes.
pub(in crate::cli) const BYTES_MAX: usize = 64 * 1024 * 1024;
/// How deep a document may nest; a resource needs 6.
const DEPTH_MAX: usize = 32;
/// The most nodes of a document, each as often as an alias names it.
const NODES_MAX: usize = 2_000_000;

/// The most keys of one map; a KPI has 16 fields, and at most 64 labels.
const KEYS_MAX: usize = 1_000;

/// A piece of a document.
#[derive(Debug, PartialEq)]
pub(in crate::cli) struct Node {
    /// The line where it begins, from 1.
    pub(in crate::cli) line: usize,
    /// What it is.
    pub(in crate::cli) content: Content,
}

/// What a node is.
#[derive(Debug, PartialEq)]
pub(in crate::cli) enum Content {
    /// A text, and whether it stands there without quotes: only then `null` or `1` may be more than a text.
    Scalar {
        /// The text.
        text: String,
        /// Without quotes.
        plain: bool,
    },
    /// A list.
    List(Vec<Rc<Node>>),
    /// Keys with their values, in order; none twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, PartialEq)]
pub(in crate::cli) struct Entry {
    /// The key.
    pub(in crate::cli) key: String,
    /// Its line.
    pub(in crate::cli) line: usize,
    /// The value.
    pub(in crate::cli) value: Rc<Node>,
}

/// What is wrong in a line, in a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Fault {
    /// The line, from 1.
    pub(in crate::cli) line: usize,
    /// The sentence.
    pub(in crate::cli) sentence: String,
}

impl Fault {
    /// In a line.
    pub(in crate::cli) fn new(line: usize, sentence: impl Into<String>) -> Self {
        Self {
            line,
            sentence: sentence.into(),
        }
    }
}

impl Node {
    /// Whether it is `null`, `~`, or nothing at all.
    pub(in crate::cli) fn is_null(&self) -> bool {
        match &self.content {
            Content::Scalar { text, plain } => {
                *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Content::List(_) | Content::Map(_) => false,
        }
    }
}

/// The documents of a text that are not empty, and what is wrong. A document that cannot be read is a fault and hides no
/// other.
pub(in crate::cli) fn documents(bytes: &[u8]) -> (Vec<Rc<Node>>, Vec<Fault>) {
    if bytes.len() > BYTES_MAX {
        let sentence = format!("it has {} bytes: {BYTES_MAX} at most, so split it", bytes.len());
        return (Vec::new(), vec![Fault::new(1, sentence)]);
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            return (
                Vec::new(),
                vec![Fault::new(line, "it is not UTF-8: save the file as UTF-8")],
            );
        }
    };
    let mut documents = Vec::new();
    let mut faults = Vec::new();
    for (lines_before, part) in parts(text) {
        let mut reader = Reader::new(lines_before);
        if let Err(fault) = reader.read(part) {
            faults.push(fault);
        }
        // A document with a fault is not half a document.
        documents.extend(
            reader
                .documents
                .into_iter()
                .filter(|document| !document.is_null()),
        );
        faults.append(&mut reader.faults);
    }
    (documents, faults)
}

/// The text cut in front of every line that begins a document, each part with the number of lines before it. Such a line
/// means the same wherever it stands, so what is broken in front of it ends there.
fn parts(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut start_line) = (0, 0);
    let (mut at, mut line) = (0, 0);
    for whole in text.split_inclusive('\n') {
        let begins = whole
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if begins && at > start {
            parts.push((start_line, &text[start..at]));
            (start, start_line) = (at, line);
        }
        at += whole.len();
        line += 1;
    }
    parts.push((start_line, &text[start..]));
    parts
}

/// Builds nodes from events.
struct Reader {
    lines_before: usize,
    documents: Vec<Rc<Node>>,
    faults: Vec<Fault>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, usize)>,
    root: Option<Rc<Node>>,
    nodes: usize,
}

/// A list or a map that has not ended.
struct Open {
    line: usize,
    anchor: usize,
    /// The nodes of the document when it began.
    nodes_before: usize,
    content: Content,
    /// A key that waits for its value.
    key: Option<(String, usize)>,
}

impl Reader {
    fn new(lines_before: usize) -> Self {
        Self {
            lines_before,
            documents: Vec::new(),
            faults: Vec::new(),
            open: Vec::new(),
            anchors: BTreeMap::new(),
            root: None,
            nodes: 0,
        }
    }

    fn read(&mut self, text: &str) -> Result<(), Fault> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let line = self.lines_before + error.marker().line();
                Fault::new(line, format!("it is no YAML: {}", error.info()))
            })?;
            let line = self.lines_before + span.start.line();
            self.take(event, line)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), Fault> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.nodes = 0;
            }
            Event::DocumentEnd => self.documents.extend(self.root.take()),
            Event::Alias(anchor) => {
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Fault::new(
                        line,
                        "the alias names what has not ended: write it out",
                    ));
                };
                self.count(nodes, line)?;
                self.add(&node, line)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(tag.is_some(), line)?;
                self.count(1, line)?;
                let content = Content::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
                let node = Rc::new(Node { line, content });
                if anchor > 0 {
                    self.anchors.insert(anchor, (Rc::clone(&node), 1));
                }
                self.add(&node, line)?;
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.is_some(), line)?;
                self.begin(anchor, Content::List(Vec::new()), line)?;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.is_some(), line)?;
                self.begin(anchor, Content::Map(Vec::new()), line)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(ended) = self.open.pop() {
                    let node = Rc::new(Node {
                        line: ended.line,
                        content: ended.content,
                    });
                    if ended.anchor > 0 {
                        let nodes = self.nodes - ended.nodes_before;
                        self.anchors.insert(ended.anchor, (Rc::clone(&node), nodes));
                    }
                    self.add(&node, ended.line)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, content: Content, line: usize) -> Result<(), Fault> {
        if self.open.len() == DEPTH_MAX {
            let sentence = format!("it nests more than {DEPTH_MAX} deep: no resource does");
            return Err(Fault::new(line, sentence));
        }
        let nodes_before = self.nodes;
        self.count(1, line)?;
        self.open.push(Open {
            line,
            anchor,
            nodes_before,
            content,
            key: None,
        });
        Ok(())
    }

    fn count(&mut self, nodes: usize, line: usize) -> Result<(), Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            let sentence =
                format!("the document has more than {NODES_MAX} values, aliases written out: split it");
            return Err(Fault::new(line, sentence));
        }
        Ok(())
    }

    fn add(&mut self, node: &Rc<Node>, line: usize) -> Result<(), Fault> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(Rc::clone(node));
            return Ok(());
        };
        match (&mut open.content, open.key.take()) {
            (Content::List(list), _) => list.push(Rc::clone(node)),
            (Content::Map(map), Some((key, line))) => match map.iter().find(|entry| entry.key == key) {
                Some(first) => {
                    let sentence = format!("{key:?} is there twice, first in line {}: keep one", first.line);
                    self.faults.push(Fault::new(line, sentence));
                }
                None if map.len() == KEYS_MAX => {
                    let sentence = format!("the map has more than {KEYS_MAX} keys: no resource does");
                    return Err(Fault::new(line, sentence));
                }
                None => map.push(Entry {
                    key,
                    line,
                    value: Rc::clone(node),
                }),
            },
            (Content::Map(_), None) => match &node.content {
                Content::Scalar { text, .. } => open.key = Some((text.clone(), line)),
                Content::List(_) | Content::Map(_) => {
                    return Err(Fault::new(line, "the key is a list or a map: write a word"));
                }
            },
            (Content::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

fn refuse_tag(there: bool, line: usize) -> Result<(), Fault> {
    if there {
        return Err(Fault::new(
            line,
            "it has a tag (\"!…\"): leave it out, the field says what it is",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
