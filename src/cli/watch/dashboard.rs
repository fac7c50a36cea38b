//! The stream as a table that is drawn anew in its place.
//!
//! Invariant: it is drawn at most ten times a second, and whatever ends it, the terminal is as it was before: the table
//! lives on the terminal's other screen. What it deliberately does not know: what a line looks like.

use std::io::Write;
use std::time::{Duration, Instant};

use super::show::{Show, ShowError};
use super::subscription::Step;
use super::table::{self, Condition, Screen};
use super::trail::Trail;
use crate::cli::picture::Picture;
use crate::proto::api;
use crate::proto::api::resource::Resource;
use crate::proto::api::subscribe_response::Event;

/// Draws a table.
pub(super) struct Dashboard<W: Write> {
    out: W,
    /// Rows and columns of the terminal; none: nobody knows.
    size: fn() -> Option<(u16, u16)>,
    colours: bool,
    board: Board,
    drawn: Option<(Instant, Screen)>,
    is_changed: bool,
}

/// What the stream has told.
#[derive(Debug)]
struct Board {
    picture: Picture,
    trail: Trail,
    condition: Condition,
    heard: Instant,
}

/// How long between two drawings at least, and at most.
pub(super) const TICK: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The terminal's other screen, without a cursor; and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[2J";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

impl<W: Write> Dashboard<W> {
    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn open(out: W, size: fn() -> Option<(u16, u16)>, colours: bool) -> Result<Self, ShowError> {
        let mut dashboard = Self {
            out,
            size,
            colours,
            board: Board::new(),
            drawn: None,
            is_changed: true,
        };
        dashboard.out.write_all(ENTER.as_bytes())?;
        dashboard.out.flush()?;
        Ok(dashboard)
    }

    fn draw(&mut self, now: Instant) -> Result<(), ShowError> {
        let (rows, columns) = (self.size)().unwrap_or((24, 80));
        let screen = Screen {
            columns: columns.into(),
            rows: rows.into(),
            colours: self.colours,
        };
        let is_due = match self.drawn {
            None => true,
            Some((at, was)) => self.is_changed || was != screen || now - at >= PAUSE_MAX,
        };
        if !is_due {
            return Ok(());
        }
        let mut text = "\x1b[H".to_owned();
        let lines = self.board.lines(screen, now);
        for (index, line) in lines.iter().enumerate() {
            // No line feed behind the last one: it would move the others up.
            let feed = if index + 1 < screen.rows { "\r\n" } else { "" };
            text.push_str(&format!("{line}\x1b[K{feed}"));
        }
        if lines.len() < screen.rows {
            text.push_str("\x1b[J");
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()?;
        self.drawn = Some((now, screen));
        self.is_changed = false;
        Ok(())
    }
}

impl<W: Write> Show for Dashboard<W> {
    fn take(&mut self, step: &Step) -> Result<(), ShowError> {
        self.board.take(step, Instant::now());
        self.is_changed = true;
        Ok(())
    }

    fn pass_time(&mut self) -> Result<(), ShowError> {
        self.draw(Instant::now())
    }
}

impl<W: Write> Drop for Dashboard<W> {
    fn drop(&mut self) {
        // A terminal that is gone needs no cursor.
        let _gone = self
            .out
            .write_all(LEAVE.as_bytes())
            .and_then(|()| self.out.flush());
    }
}

impl Board {
    fn new() -> Self {
        Self {
            picture: Picture::default(),
            trail: Trail::default(),
            condition: Condition {
                state: "connecting".to_owned(),
                ..Condition::default()
            },
            heard: Instant::now(),
        }
    }

    fn lines(&mut self, screen: Screen, now: Instant) -> Vec<String> {
        self.condition.silent_s = (now - self.heard).as_secs();
        table::frame(&self.picture, &self.trail, &self.condition, screen)
    }

    fn take(&mut self, step: &Step, now: Instant) {
        match step {
            Step::Messages(messages) => {
                self.heard = now;
                messages.iter().for_each(|message| self.message(message));
            }
            Step::Lost {
                why,
                pause,
                reached: _,
            } => {
                let pause_s = pause.as_secs_f64();
                self.state(&format!("{why}, asking again in {pause_s:.1} s"), true);
            }
        }
    }

    fn message(&mut self, message: &api::SubscribeResponse) {
        match &message.event {
            Some(Event::Started(started)) => {
                // Without a token it begins anew: what came of another snapshot is not to stay.
                if message.resume_token.is_empty() {
                    (self.picture, self.trail) = (Picture::default(), Trail::default());
                }
                self.condition.head = started.head_revision;
                self.state("catching up", false);
            }
            Some(Event::Snapshot(snapshot)) => {
                for resource in &snapshot.resources {
                    self.picture.resource(resource.clone());
                }
            }
            Some(Event::SnapshotEnd(end)) => {
                self.picture.revision = end.revision;
                let names = self.picture.objectives.keys().chain(self.picture.kpis.keys());
                let names: Vec<_> = names.cloned().collect();
                self.trail.take(&self.picture, names.iter().map(String::as_str));
            }
            Some(Event::Update(update)) => self.update(update),
            Some(Event::Checkpoint(checkpoint)) => self.stand(checkpoint.revision),
            Some(Event::CaughtUp(caught_up)) => {
                self.stand(caught_up.revision);
                self.state("live", false);
            }
            Some(Event::FellBehind(behind)) => {
                self.condition.head = behind.head_revision;
                self.state("catching up", false);
            }
            Some(Event::GoingAway(_)) => self.state("the server is stopping", true),
            None => {}
        }
    }

    fn update(&mut self, update: &api::Update) {
        // Of what is worth a line the table shows the outcome.
        let _lines = self.picture.update(update);
        self.trail.forget(&update.left);
        let names = update
            .derived_changes
            .iter()
            .map(|change| change.resource.as_str());
        let whole = update.entered.iter().chain(&update.changed).filter_map(name);
        self.trail.take(&self.picture, names.chain(whole));
        self.condition.head = self.condition.head.max(self.picture.revision);
    }

    /// Nothing of the stream's business up to here.
    fn stand(&mut self, revision: i64) {
        self.picture.revision = self.picture.revision.max(revision);
        self.condition.head = self.condition.head.max(revision);
    }

    fn state(&mut self, state: &str, is_bad: bool) {
        self.condition.state = state.to_owned();
        self.condition.is_bad = is_bad;
    }
}

/// The name of what has a trail.
fn name(resource: &api::Resource) -> Option<&str> {
    match resource.resource.as_ref()? {
        Resource::Objective(it) => Some(&it.name),
        Resource::Kpi(it) => Some(&it.name),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
