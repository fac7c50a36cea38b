//! The stream for a person: a line for everything that happened, and below it what followed.
//!
//! Invariant: a line is one line, whatever people call things: nothing that a terminal would obey is in it. A commit that
//! changes nothing a person sees has no line.

use std::collections::BTreeSet;
use std::io::Write;

use jiff::tz::TimeZone;

use super::directory::Directory;
use super::figure::{figure, standing};
use super::sentence::{Said, moment, sentence};
use super::show::{Show, ShowError};
use super::subscription::Step;
use crate::cli::paint::{Colour, paint};
use crate::cli::text::plain;
use crate::proto::api;
use crate::proto::api::derived_change::Figure;
use crate::proto::api::subscribe_response::Event;

/// Writes lines of text.
pub(super) struct Lines<W> {
    out: W,
    directory: Directory,
    zone: TimeZone,
    colours: bool,
}

const INDENT: &str = "    ";

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, directory: Directory, zone: TimeZone, colours: bool) -> Self {
        Self {
            out,
            directory,
            zone,
            colours,
        }
    }

    fn said(&self, said: &Said) -> String {
        paint(&plain(&said.text), said.colour, self.colours)
    }

    /// All messages of one commit, or of one net change.
    fn update(&mut self, parts: &[&api::Update]) -> String {
        let events: Vec<&api::Event> = parts.iter().flat_map(|part| &part.events).collect();
        for event in &events {
            self.directory.event(event);
        }
        let whole = parts
            .iter()
            .flat_map(|part| part.entered.iter().chain(&part.changed));
        whole.for_each(|resource| self.directory.resource(resource));
        let told = told_as_figures(parts);
        let events = events.into_iter().filter(|event| {
            !(told.contains(event.resource.as_str())
                && matches!(event.r#type.as_str(), "AlertOpened" | "AlertClosed"))
        });
        let events: Vec<_> = events.collect();
        let below = self.below(parts, &events);
        let Some(first) = parts.first() else {
            return String::new();
        };
        let head = self.head(first);
        let recorded = first.commit.as_ref().and_then(|commit| commit.recorded_time);
        let mut text = String::new();
        for event in &events {
            let said = sentence(event, recorded, &self.directory, &self.zone);
            text.push_str(&format!("{head}  {}{}\n", self.said(&said), self.reason(first)));
        }
        if events.is_empty() && !below.is_empty() {
            let cause = Said::new(cause(first), Colour::Dim);
            text.push_str(&format!("{head}  {}\n", self.said(&cause)));
        }
        for said in below {
            text.push_str(&format!("{INDENT}{}\n", self.said(&said)));
        }
        text
    }

    /// What followed: figures, and what is the stream's business from now on, or is not any more.
    fn below(&self, parts: &[&api::Update], events: &[&api::Event]) -> Vec<Said> {
        let of_events: BTreeSet<&str> = events.iter().map(|event| event.resource.as_str()).collect();
        let alerts = told_as_figures(parts);
        let is_told = |name: &str| of_events.contains(name) || alerts.contains(name);
        let (mut below, mut of_figures) = (Vec::new(), BTreeSet::new());
        for change in parts.iter().flat_map(|part| &part.derived_changes) {
            if let Some(said) = figure(change, &self.directory) {
                below.push(said);
                of_figures.insert(change.resource.as_str());
            }
        }
        let entered = parts.iter().flat_map(|part| &part.entered);
        // What is another figure was said as one.
        let changed = parts
            .iter()
            .flat_map(|part| &part.changed)
            .filter_map(|resource| standing(resource, &self.directory))
            .filter(|(name, _)| !of_figures.contains(name.as_str()));
        let shown = entered
            .filter_map(|resource| standing(resource, &self.directory))
            .map(|standing| ("now in view: ", standing))
            .chain(changed.map(|standing| ("now: ", standing)));
        for (what, (name, said)) in shown {
            if !is_told(&name) {
                below.push(Said::new(format!("{what}{}", said.text), said.colour));
            }
        }
        let left = parts
            .iter()
            .flat_map(|part| &part.left)
            .filter(|name| !is_told(name));
        let left = left.map(|name| {
            Said::new(
                format!("out of view: {}", self.directory.called(name)),
                Colour::Dim,
            )
        });
        below.extend(left);
        below
    }

    /// When, where in the log, and who.
    fn head(&self, update: &api::Update) -> String {
        let commit = update.commit.clone().unwrap_or_default();
        let time = commit.recorded_time.map(|time| moment(time, &self.zone));
        let who = match (commit.principal.as_str(), commit.on_behalf_of.as_str()) {
            ("", _) => String::new(),
            (principal, "") => format!("  {principal}"),
            (principal, other) => format!("  {principal} for {other}"),
        };
        let head = format!("{}  #{}{who}", time.unwrap_or_default(), commit.revision);
        paint(&plain(&head), Colour::Dim, self.colours)
    }

    fn reason(&self, update: &api::Update) -> String {
        match update.commit.as_ref().map(|commit| commit.reason.as_str()) {
            None | Some("") => String::new(),
            Some(reason) => format!(" (reason: {})", plain(reason)),
        }
    }

    fn snapshot(&mut self, snapshot: &api::Snapshot) -> String {
        let mut text = String::new();
        for resource in &snapshot.resources {
            self.directory.resource(resource);
            if let Some((_, said)) = standing(resource, &self.directory) {
                text.push_str(&format!("{}\n", self.said(&said)));
            }
        }
        text
    }
}

impl<W: Write> Show for Lines<W> {
    fn take(&mut self, step: &Step) -> Result<(), ShowError> {
        let Step::Messages(messages) = step else {
            return Ok(());
        };
        let mut text = String::new();
        let mut parts = Vec::new();
        for message in messages {
            match &message.event {
                Some(Event::Update(update)) => parts.push(update),
                Some(Event::Snapshot(snapshot)) => text.push_str(&self.snapshot(snapshot)),
                // Where the stream stands is said beside it.
                Some(
                    Event::Started(_)
                    | Event::SnapshotEnd(_)
                    | Event::Checkpoint(_)
                    | Event::CaughtUp(_)
                    | Event::FellBehind(_)
                    | Event::GoingAway(_),
                )
                | None => {}
            }
        }
        text.push_str(&self.update(&parts));
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    fn pass_time(&mut self) -> Result<(), ShowError> {
        Ok(())
    }
}

/// The alerts whose opening or closing is told as a change: their events say the same.
fn told_as_figures<'a>(parts: &[&'a api::Update]) -> BTreeSet<&'a str> {
    let changes = parts.iter().flat_map(|part| &part.derived_changes);
    changes
        .filter(|change| matches!(change.figure, Some(Figure::Alert(_))))
        .map(|change| change.resource.as_str())
        .collect()
}

/// What stands above figures whose event is not there.
fn cause(update: &api::Update) -> String {
    let commit = update.commit.clone().unwrap_or_default();
    if let Some(from) = update.from_revision {
        return format!("all in all since #{from}");
    }
    match commit.method.rsplit('/').next() {
        None | Some("") => "what followed".to_owned(),
        Some(method) => format!("what followed from {method}"),
    }
}

#[cfg(test)]
mod tests;
