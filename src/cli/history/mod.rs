//! `binnacle history`: what happened to a resource, for a person (lines) and for tools that read files (NDJSON, CSV), and how
//! it differs between two moments.
//!
//! Invariant: what is written is of one revision, the one that was the newest when it began. A file that is written has all
//! of it or is not there.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tonic::metadata::{Ascii, MetadataValue};

use self::audit::Audit;
use self::csv::Csv;
use self::lines::Lines;
use self::moment::{Time, instant};
use self::ndjson::Ndjson;
use self::output::{Output, WriteError};
use super::connection;
use super::paint::colours;
use super::{Failure, FailureKind};
use crate::domain::{Id, ResourceName};
use crate::proto::api;

mod audit;
mod csv;
mod difference;
mod lines;
mod moment;
mod ndjson;
mod output;
mod value;

/// Shows what happened to a resource and to what lies below it.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct History {
    /// The resource, for example workspaces/acme/objectives/win, or a whole workspace; it may be deleted
    #[arg(value_parser = subject, value_name = "NAME")]
    subject: Subject,
    /// Only what this principal did, or what was done on its behalf
    #[arg(long, value_name = "PRINCIPAL")]
    by: Option<String>,
    /// Only events of this type, for example CheckInRecorded; repeat it for several
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only what was recorded at this time or later: 2026-03-31T12:00:00Z, or a day of this machine's zone
    #[arg(long, value_parser = moment::time, value_name = "TIME")]
    since: Option<Time>,
    /// Only what was recorded before this time
    #[arg(long, value_parser = moment::time, value_name = "TIME")]
    until: Option<Time>,
    /// Only what the request with this id did
    #[arg(long, value_name = "UUID")]
    request_id: Option<String>,
    /// Only what belongs to the piece of work with this correlation id
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// The newest first; without it the newest is last
    #[arg(long)]
    newest_first: bool,
    /// Only the newest so many events
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    limit: Option<u32>,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Lines, value_name = "FORMAT")]
    format: Format,
    /// Where to write; it is replaced as a whole [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the resource differs between two moments, each a revision or a time; without the second one, from the first to now
    #[arg(long, num_args = 1..=2, value_names = ["FROM", "TO"], value_parser = moment::as_of, conflicts_with_all = FILTERS)]
    diff: Vec<api::AsOf>,
    /// The resource as it was at a moment, a revision or a time: its fields
    #[arg(long, value_name = "MOMENT", value_parser = moment::as_of, conflicts_with_all = FILTERS, conflicts_with = "diff")]
    as_of: Option<api::AsOf>,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who asks
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

/// What says which events there are, and means nothing elsewhere.
const FILTERS: [&str; 9] = [
    "by",
    "types",
    "since",
    "until",
    "request_id",
    "correlation_id",
    "newest_first",
    "limit",
    "format",
];

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line an event for a person, in the time of this machine
    Lines,
    /// A JSON object an event, as the API has it
    Ndjson,
    /// A row for each field that an event changed, below a row of headings
    Csv,
}

/// A resource of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    workspace: Id,
    name: ResourceName,
}

const AFTER_HELP: &str = "\
A line says when an event was recorded, which one it is, who did it, what happened to what, each field with before and \
after, when it was true where that is another time, why, and through what. Where nobody gave a reason there is none.

    binnacle history workspaces/acme/objectives/win
    binnacle history workspaces/acme/kpis/nps --by maria@acme.example --since 2026-03-01
    binnacle history workspaces/acme --type ObjectiveClosed --type ObjectiveReopened --limit 20
    binnacle history workspaces/acme/objectives/win --diff 2026-01-01 2026-04-01
    binnacle history workspaces/acme/objectives/win --diff 1200
    binnacle history workspaces/acme/objectives/win --as-of 2026-03-31
    binnacle history workspaces/acme --format csv -o events.csv
    binnacle history workspaces/acme --format ndjson --since 2026-03-01 | jq .type";

impl History {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        match runtime.block_on(self.show(actor)) {
            // Whoever reads has enough.
            Ok(()) | Err(WriteError::Unread) => Ok(()),
            Err(WriteError::Failed(failure)) => Err(failure),
        }
    }

    async fn show(&self, actor: Option<MetadataValue<Ascii>>) -> Result<(), WriteError> {
        let mut audit = Audit::open(&self.server, actor).await?;
        let mut output = Output::open(self.output.as_deref())?;
        let colours = self.output.is_none() && colours();
        let zone = jiff::tz::TimeZone::try_system().unwrap_or(jiff::tz::TimeZone::UTC);
        if let Some(before) = self.diff.first() {
            let request = api::DiffStatesRequest {
                parent: self.subject.parent(),
                resource: self.subject.full_name(),
                before: Some(*before),
                after: self.diff.get(1).copied(),
                ..api::DiffStatesRequest::default()
            };
            difference::show(&mut audit, request, &self.subject, colours, &mut output).await?;
            return output.finish();
        }
        if let Some(moment) = self.as_of {
            difference::show_as_of(&mut audit, moment, &self.subject, colours, &mut output).await?;
            return output.finish();
        }
        let mut writer: Box<dyn EventWriter> = match self.format {
            Format::Lines => Box::new(Lines::new(self.subject.clone(), zone, colours)),
            Format::Ndjson => Box::new(Ndjson::new()?),
            Format::Csv => Box::new(Csv),
        };
        output.write(&writer.head()?)?;
        match self.limit {
            None => {
                let mut request = self.request(self.newest_first);
                loop {
                    let page = audit.events(request.clone()).await?;
                    for event in &page.events {
                        output.write(&writer.event(event)?)?;
                    }
                    output.flush()?;
                    request.page_token = page.next_page_token;
                    if request.page_token.is_empty() {
                        break;
                    }
                }
            }
            Some(limit) => {
                let newest = self.newest(&mut audit, limit as usize).await?;
                for event in &newest {
                    output.write(&writer.event(event)?)?;
                }
            }
        }
        output.finish()
    }

    /// The newest so many events, in the order in which they are to be shown.
    async fn newest(&self, audit: &mut Audit, limit: usize) -> Result<Vec<api::Event>, Failure> {
        let mut request = self.request(true);
        let mut commits: Vec<Vec<api::Event>> = Vec::new();
        let mut count = 0;
        while count < limit {
            request.page_size = i32::try_from((limit - count).min(PAGE_EVENTS)).unwrap_or(i32::MAX);
            let page = audit.events(request.clone()).await?;
            for event in page.events {
                count += 1;
                match commits.last_mut() {
                    Some(commit) if revision(commit) == revision(std::slice::from_ref(&event)) => {
                        commit.push(event);
                    }
                    _ => commits.push(vec![event]),
                }
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        if self.newest_first {
            let mut events = commits.concat();
            events.truncate(limit);
            return Ok(events);
        }
        commits.reverse();
        let mut events = commits.concat();
        events.drain(..events.len().saturating_sub(limit));
        Ok(events)
    }

    fn request(&self, newest_first: bool) -> api::ListEventsRequest {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        api::ListEventsRequest {
            parent: self.subject.parent(),
            page_size: i32::try_from(PAGE_EVENTS).unwrap_or(i32::MAX),
            newest_first,
            resource: self.subject.full_name(),
            principal: text(&self.by),
            types: self.types.clone(),
            recorded_start_time: self.since.map(instant),
            recorded_end_time: self.until.map(instant),
            request_id: text(&self.request_id),
            correlation_id: text(&self.correlation_id),
            ..api::ListEventsRequest::default()
        }
    }
}

/// How many events are asked for at once.
const PAGE_EVENTS: usize = 1000;

/// Makes text of events.
trait EventWriter {
    /// What stands in front of all of them.
    ///
    /// # Errors
    /// The program is broken.
    fn head(&self) -> Result<String, Failure> {
        Ok(String::new())
    }

    /// One event, with the end of its line.
    ///
    /// # Errors
    /// The program is broken.
    fn event(&mut self, event: &api::Event) -> Result<String, Failure>;
}

fn revision(commit: &[api::Event]) -> Option<i64> {
    commit.first()?.commit.as_ref().map(|commit| commit.revision)
}

impl Subject {
    /// The workspace.
    fn parent(&self) -> String {
        format!("workspaces/{}", self.workspace)
    }

    fn full_name(&self) -> String {
        match &self.name {
            ResourceName::Workspace => self.parent(),
            inside => format!("{}/{inside}", self.parent()),
        }
    }

    /// What a name below it is called beside it; itself: `.`.
    fn relative<'n>(&self, name: &'n str) -> &'n str {
        match name.strip_prefix(self.full_name().as_str()) {
            Some("") => ".",
            Some(rest) => rest.trim_start_matches('/'),
            None => name,
        }
    }
}

fn subject(text: &str) -> Result<Subject, String> {
    let inside = text
        .strip_prefix("workspaces/")
        .ok_or_else(|| "write the whole name, for example workspaces/acme/objectives/win".to_owned())?;
    let (workspace, name) = inside.split_once('/').unwrap_or((inside, ""));
    if inside.ends_with('/') {
        return Err("it ends with \"/\": write the name of a resource".to_owned());
    }
    let sentence = |invalid: crate::domain::Invalid| invalid.to_string();
    Ok(Subject {
        workspace: Id::parse(workspace).map_err(sentence)?,
        name: ResourceName::parse(name).map_err(sentence)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_resource_by_its_whole_name() {
        for (text, relative) in [
            ("workspaces/acme", "objectives/win/keyResults/nps"),
            ("workspaces/acme/objectives/win", "keyResults/nps"),
            ("workspaces/acme/objectives/win/keyResults/nps", "."),
            (
                "workspaces/acme/kpis/nps",
                "workspaces/acme/objectives/win/keyResults/nps",
            ),
        ] {
            let subject = subject(text).unwrap();
            assert_eq!(subject.full_name(), text);
            let name = "workspaces/acme/objectives/win/keyResults/nps";
            assert_eq!(subject.relative(name), relative, "{text}");
        }
        for bad in [
            "acme",
            "kpis/nps",
            "workspaces/",
            "workspaces/acme/",
            "workspaces/acme/widgets/x",
        ] {
            assert!(subject(bad).is_err(), "{bad:?} was taken");
        }
    }
}
