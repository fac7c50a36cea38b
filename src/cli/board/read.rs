//! A board becomes drafts: which block of the Markdown is what.
//!
//! A heading is an objective, the paragraphs below it its description, list items its key results and initiatives. The
//! section "Actions" is what `binnacle board` says to people, and is skipped like every remark. Nothing is guessed: what
//! is none of these is a fault with its line.

use super::draft::{Faults, KeyResultDraft, ObjectiveDraft, Place};
use super::initiative;
use super::outline::{self, Block, BlockKind, Item};
use super::sentence::{self, Prefix};
use crate::domain::Text;

/// The heading of the section that is skipped.
pub(super) const ACTIONS: &str = "Actions";
/// Headings that people write above their lists.
const SECTIONS: [&str; 4] = ["key results", "krs", "initiatives", "description"];

/// Reads one board.
pub(super) fn board(text: &str, file: usize, faults: &mut Faults) -> Vec<ObjectiveDraft> {
    // Markdown ends a line in either way; a description has one.
    let text = text.replace("\r\n", "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = Reader {
        file,
        faults,
        objectives: Vec::new(),
        scope: Scope::Nothing,
        skipped_level: None,
        has_items: false,
        description: Vec::new(),
    };
    for block in outline::blocks(text) {
        reader.block(block);
    }
    reader.close();
    reader.objectives
}

struct Reader<'f> {
    file: usize,
    faults: &'f mut Faults,
    objectives: Vec<ObjectiveDraft>,
    scope: Scope,
    /// The level of the section that is being skipped.
    skipped_level: Option<usize>,
    /// Whether the last objective has had a list.
    has_items: bool,
    description: Vec<String>,
}

/// What a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// To nothing: there was no objective yet.
    Nothing,
    /// To the last objective.
    Objective,
    /// To one that could not be read: what belongs to it is not another fault.
    Unread,
}

impl Reader<'_> {
    fn block(&mut self, block: Block) {
        let place = self.place(block.line);
        if let BlockKind::Heading(level, text) = &block.kind {
            return self.heading(place, *level, text);
        }
        if self.skipped_level.is_some() {
            return;
        }
        match block.kind {
            BlockKind::Heading(..) => {}
            BlockKind::Underlined(text) => {
                let sentence = format!(
                    "{text:?} is underlined: write \"# {text}\" for an objective, or leave an empty line between a text and ---"
                );
                self.faults.push(place, sentence);
            }
            BlockKind::Paragraph(text) | BlockKind::Literal(text)
                if self.scope == Scope::Objective && !self.has_items =>
            {
                self.description.push(text);
            }
            BlockKind::Items(items) => self.items(place, &items),
            _ if self.scope == Scope::Unread => {}
            _ => {
                let sentence = "it belongs to nothing: a description stands between \"# OBJECTIVE\" and its list, and a remark is written as a quote, \"> …\"";
                self.faults.push(place, sentence);
            }
        }
    }

    fn heading(&mut self, place: Place, level: usize, text: &str) {
        if self.skipped_level.is_some_and(|skipped| level > skipped) {
            return;
        }
        self.skipped_level = None;
        if text.eq_ignore_ascii_case(ACTIONS) {
            self.skipped_level = Some(level);
            return;
        }
        if level > 2 {
            if !SECTIONS.contains(&text.to_ascii_lowercase().trim_end_matches(':')) {
                let sentence = format!(
                    "{text:?} is a small heading: write \"# {text}\" for an objective, and only \"Key results\" or \"Initiatives\" as smaller ones"
                );
                self.faults.push(place, sentence);
            }
            return;
        }
        self.close();
        let draft = self.faults.keep(place, sentence::objective(text, place));
        self.scope = if draft.is_some() {
            Scope::Objective
        } else {
            Scope::Unread
        };
        self.has_items = false;
        self.objectives.extend(draft);
    }

    /// The last objective is complete.
    fn close(&mut self) {
        let description = std::mem::take(&mut self.description);
        if description.is_empty() {
            return;
        }
        // A block to the letter ends with the line that closes it.
        let parts: Vec<_> = description
            .iter()
            .map(|part| part.strip_suffix('\n').unwrap_or(part))
            .collect();
        if let Some(objective) = self.objectives.last_mut() {
            let text =
                Text::parse(&parts.join("\n\n")).map_err(|invalid| format!("its description: {invalid}"));
            if let Some(text) = self.faults.keep(objective.place, text) {
                objective.description = text;
            }
        }
    }

    fn items(&mut self, place: Place, items: &[Item]) {
        self.has_items = true;
        match self.scope {
            Scope::Objective => items.iter().for_each(|item| self.item(item)),
            Scope::Nothing => {
                let sentence = "it belongs to no objective: begin with \"# OBJECTIVE\"";
                self.faults.push(place, sentence);
            }
            Scope::Unread => {}
        }
    }

    fn item(&mut self, item: &Item) {
        let place = self.place(item.line);
        self.strays(item);
        match sentence::prefix(&item.text) {
            (Some(Prefix::KeyResult), body) => {
                if let Some(key_result) = self.key_result(item, body)
                    && let Some(objective) = self.objectives.last_mut()
                {
                    objective.key_results.push(key_result);
                }
            }
            (Some(Prefix::Initiative), body) => {
                self.nothing_below(item);
                let read = initiative::read(body, item.is_checked, place);
                let read = self.faults.keep(place, read);
                if let Some(objective) = self.objectives.last_mut() {
                    objective.initiatives.extend(read);
                }
            }
            (Some(Prefix::Objective), body) => {
                let sentence = format!("an objective is a heading: write \"# {body}\"");
                self.faults.push(place, sentence);
            }
            (None, text) => {
                let sentence = format!(
                    "{text:?} is neither: begin it with \"KR:\" for a key result or with \"Initiative:\" for what is to be done"
                );
                self.faults.push(place, sentence);
            }
        }
    }

    fn key_result(&mut self, item: &Item, body: &str) -> Option<KeyResultDraft> {
        let place = self.place(item.line);
        let (initiatives, milestones): (Vec<_>, Vec<_>) = item
            .items
            .iter()
            .partition(|below| sentence::prefix(&below.text).0 == Some(Prefix::Initiative));
        let draft = sentence::key_result(body, item.is_checked, !milestones.is_empty(), place);
        let mut draft = self.faults.keep(place, draft)?;
        for below in &item.items {
            self.strays(below);
            self.nothing_below(below);
        }
        for below in initiatives {
            let place = self.place(below.line);
            let (_, body) = sentence::prefix(&below.text);
            let read = initiative::read(body, below.is_checked, place);
            draft.initiatives.extend(self.faults.keep(place, read));
        }
        for below in milestones {
            let place = self.place(below.line);
            if sentence::prefix(&below.text).0.is_some() {
                let sentence = "it stands below a key result: only milestones and initiatives do";
                self.faults.push(place, sentence);
                continue;
            }
            let read = sentence::milestone(&below.text, below.is_checked, place);
            draft.milestones.extend(self.faults.keep(place, read));
        }
        Some(draft)
    }

    fn strays(&mut self, item: &Item) {
        for line in &item.strays {
            let sentence =
                "it belongs to no line of the list: write it as a quote, \"> …\", or into the description";
            self.faults.push(self.place(*line), sentence);
        }
    }

    fn nothing_below(&mut self, item: &Item) {
        for below in &item.items {
            let sentence = "it stands too deep: below a key result there are milestones and initiatives, and nothing below those";
            self.faults.push(self.place(below.line), sentence);
        }
    }

    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file,
            line,
        }
    }
}
