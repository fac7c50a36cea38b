//! Events for a person: a line each, with when, who, what, why and from where.
//!
//! Invariant: a line is one line, whatever people call things, and nothing that a terminal would obey is in it.

use jiff::tz::TimeZone;

use super::moment::local;
use super::value::shown;
use super::{EventWriter, Subject};
use crate::cli::Failure;
use crate::cli::paint::{Colour, paint};
use crate::cli::text::plain;
use crate::proto::api;

/// Writes lines of text.
pub(super) struct Lines {
    subject: Subject,
    zone: TimeZone,
    colours: bool,
}

impl Lines {
    pub(super) fn new(subject: Subject, zone: TimeZone, colours: bool) -> Self {
        Self {
            subject,
            zone,
            colours,
        }
    }

    fn who(commit: &api::Commit) -> String {
        match commit.on_behalf_of.as_str() {
            "" => commit.principal.clone(),
            other => format!("{} for {other}", commit.principal),
        }
    }

    /// What changed, each field with before and after.
    fn changes(event: &api::Event) -> String {
        let changes = event.changes.iter().map(|change| {
            format!(
                "{} {} → {}",
                change.path,
                shown(change.before.as_ref()),
                shown(change.after.as_ref())
            )
        });
        changes.collect::<Vec<_>>().join(", ")
    }

    /// Through what it came: the call, and what the client says of itself.
    fn through(commit: &api::Commit) -> String {
        let call = commit.method.rsplit('/').next().unwrap_or_default();
        let named = |what: &str, text: &str| match text {
            "" => None,
            text => Some(format!("{what}{text}")),
        };
        let parts = [
            named("", call),
            named("", &commit.user_agent),
            named("from ", &commit.peer),
            named("request ", &commit.request_id),
            named("correlation ", &commit.correlation_id),
            named("because of ", &commit.causation_id),
            named("trace ", &commit.traceparent),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl EventWriter for Lines {
    fn event(&mut self, event: &api::Event) -> Result<String, Failure> {
        let nothing = api::Commit::default();
        let commit = event.commit.as_ref().unwrap_or(&nothing);
        let painted = |text: &str, colour| paint(&plain(text), colour, self.colours);
        let mut parts = vec![
            painted(&local(commit.recorded_time.as_ref(), &self.zone), Colour::Dim),
            painted(event.name.rsplit('/').next().unwrap_or_default(), Colour::Dim),
            painted(&Self::who(commit), Colour::Plain),
            painted(&event.r#type, Colour::Bold),
            painted(self.subject.relative(&event.resource), Colour::Plain),
        ];
        let changes = Self::changes(event);
        if !changes.is_empty() {
            parts.push(painted(&changes, Colour::Plain));
        }
        if event.effective_time.is_some() && event.effective_time != commit.recorded_time {
            let when = local(event.effective_time.as_ref(), &self.zone);
            parts.push(painted(&format!("(true {when})"), Colour::Plain));
        }
        if !commit.reason.is_empty() {
            parts.push(painted(&format!("why: {}", commit.reason), Colour::Green));
        }
        parts.push(painted(&format!("[{}]", Self::through(commit)), Colour::Dim));
        let mut line = parts.join("  ");
        line.push('\n');
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;

    use super::*;
    use crate::cli::history::subject;

    #[test]
    fn a_line_says_when_who_what_why_and_from_where() {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let value = |text: &str| {
            Some(prost_types::Value {
                kind: Some(Kind::StringValue(text.to_owned())),
            })
        };
        let event = api::Event {
            name: "workspaces/acme/events/12.0".to_owned(),
            r#type: "KpiUpdated".to_owned(),
            resource: "workspaces/acme/kpis/nps".to_owned(),
            effective_time: time(0),
            changes: vec![api::FieldChange {
                path: "title".to_owned(),
                before: value("NPS"),
                after: value("Net\nPromoter"),
            }],
            commit: Some(api::Commit {
                revision: 12,
                recorded_time: time(3600),
                principal: "bot".to_owned(),
                on_behalf_of: "maria".to_owned(),
                method: "binnacle.v1.KpiService/UpdateKpi".to_owned(),
                user_agent: "grpcurl/1.9".to_owned(),
                peer: "127.0.0.1".to_owned(),
                correlation_id: "import-7".to_owned(),
                reason: "the board\u{1b}[2J asked".to_owned(),
                ..api::Commit::default()
            }),
        };
        let mut lines = Lines::new(subject("workspaces/acme").unwrap(), TimeZone::UTC, false);
        let line = lines.event(&event).unwrap();
        assert_eq!(
            line,
            "1970-01-01 01:00:00  12.0  bot for maria  KpiUpdated  kpis/nps  title \"NPS\" → \"Net\\nPromoter\"  \
             (true 1970-01-01 00:00:00)  why: the board\u{fffd}[2J asked  \
             [UpdateKpi, grpcurl/1.9, from 127.0.0.1, correlation import-7]\n"
        );
    }
}
