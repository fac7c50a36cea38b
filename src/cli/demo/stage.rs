//! Where the audience looks: the ledger, the picture and the terminal, behind one lock.
//!
//! In a terminal the picture is drawn anew in its place after every update; elsewhere it is printed once a week, and what
//! is worth a line is printed when it happens.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};

use super::ledger::Ledger;
use super::render::{self, Style};
use crate::cli::paint::colours;
use crate::cli::picture::Picture;
use crate::proto::api;
use crate::proto::api::subscribe_response::Event;

/// What a subscriber received, and what is shown of it.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) ledger: Ledger,
    pub(super) picture: Picture,
    screen: Option<console::Term>,
    style: Style,
    headline: String,
    recent: VecDeque<String>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The story is told.
    Story,
    /// It is over: whatever comes is a line.
    Afterwards,
}

/// How many of the last notable lines are under the picture.
const RECENT: usize = 4;
/// How wide lines are when nobody looks at them.
const COLUMNS: usize = 100;

impl Stage {
    /// The standard output, as a terminal if it is one.
    pub(super) fn new() -> Self {
        let screen = std::io::stdout().is_terminal().then(console::Term::stdout);
        let size = screen.as_ref().and_then(console::Term::size_checked);
        let style = Style {
            key_results: true,
            columns: size.map_or(COLUMNS, |(_, columns)| columns.into()),
            colours: colours(),
        };
        Self {
            ledger: Ledger::default(),
            picture: Picture::default(),
            screen,
            style,
            headline: String::new(),
            recent: VecDeque::new(),
            mode: Mode::Story,
        }
    }

    /// Whether somebody sees the picture change.
    pub(super) fn is_live(&self) -> bool {
        self.screen.is_some()
    }

    /// Takes a message of the subscription.
    ///
    /// # Errors
    /// The stream has broken its promise: how.
    pub(super) fn take(&mut self, message: api::SubscribeResponse) -> Result<(), String> {
        let token = message.resume_token;
        match message.event {
            Some(Event::Snapshot(snapshot)) => {
                for resource in snapshot.resources {
                    self.picture.resource(resource);
                }
            }
            Some(Event::SnapshotEnd(end)) => {
                self.ledger.begin(end.revision, token);
                self.picture.revision = end.revision;
                self.draw();
            }
            Some(Event::Update(update)) => {
                let parts = self.ledger.take(update, token)?;
                for part in parts.iter().flatten() {
                    self.update(part);
                }
            }
            Some(
                Event::Started(_)
                | Event::Checkpoint(_)
                | Event::CaughtUp(_)
                | Event::FellBehind(_)
                | Event::GoingAway(_),
            )
            | None => self.ledger.stand(token),
        }
        Ok(())
    }

    fn update(&mut self, update: &api::Update) {
        let notable = self.picture.update(update);
        if self.mode == Mode::Afterwards {
            self.say(&commit_line(update));
        }
        for notable in notable {
            let line = render::notable_line(&self.picture, &notable, self.style);
            if self.is_live() && self.mode == Mode::Story {
                self.recent.push_back(line);
                if self.recent.len() > RECENT {
                    self.recent.pop_front();
                }
            } else {
                self.say(&format!("  {line}"));
            }
        }
        self.draw();
    }

    /// A week begins.
    pub(super) fn begin_week(&mut self, headline: &str) {
        self.headline = render::headline(headline, self.style);
        if self.is_live() {
            self.draw();
        } else {
            let headline = self.headline.clone();
            self.say(&format!("\n{headline}"));
        }
    }

    /// The picture as it is: in a terminal it is there already.
    pub(super) fn end_week(&mut self) {
        if !self.is_live() {
            self.say("");
            for line in render::frame(&self.picture, self.style) {
                self.say(line.trim_end());
            }
        }
    }

    /// The story is over: the picture stays, and lines come under it.
    pub(super) fn finish(&mut self) {
        if self.is_live() {
            self.draw_lines(usize::MAX);
        }
        self.mode = Mode::Afterwards;
    }

    /// A line for the reader.
    pub(super) fn say(&self, line: &str) {
        // Who has stopped reading misses the rest; the story and its exit code stay what they are.
        let _unread = writeln!(std::io::stdout(), "{line}");
    }

    /// Empties the terminal before the first picture.
    pub(super) fn open(&self) {
        if self.is_live() {
            let _unread = write!(std::io::stdout(), "\x1b[2J\x1b[H");
        }
    }

    fn draw(&self) {
        let rows = self.screen.as_ref().and_then(console::Term::size_checked);
        if self.is_live() && self.mode == Mode::Story {
            self.draw_lines(rows.map_or(usize::MAX, |(rows, _)| usize::from(rows).saturating_sub(1)));
        }
    }

    /// Over what is there: from the top, each line to its end, and nothing below.
    fn draw_lines(&self, rows_max: usize) {
        let mut lines = vec![self.headline.clone()];
        lines.extend(self.recent.iter().map(|line| format!("  {line}")));
        lines.resize(RECENT + 1, String::new());
        lines.push(String::new());
        let mut frame = render::frame(&self.picture, self.style);
        if lines.len() + frame.len() > rows_max {
            let style = Style {
                key_results: false,
                ..self.style
            };
            frame = render::frame(&self.picture, style);
        }
        lines.extend(frame);
        let mut text = "\x1b[H".to_owned();
        for line in lines.iter().take(rows_max) {
            text.push_str(line);
            text.push_str("\x1b[K\r\n");
        }
        text.push_str("\x1b[J");
        let mut out = std::io::stdout().lock();
        let _unread = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn commit_line(update: &api::Update) -> String {
    let commit = update.commit.clone().unwrap_or_default();
    let method = commit.method.rsplit('/').next().unwrap_or_default();
    let what = update.events.first().map_or("", |event| event.resource.as_str());
    format!(
        "revision {}: {method} by {} {what}",
        commit.revision, commit.principal
    )
}
