//! `binnacle attempts`: calls that were refused or denied, newest first, for a person (lines) or for a script (a JSON object a
//! line).
//!
//! Invariant: a line is one attempt, and nothing that a terminal would obey is in it, whatever a caller has sent.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use tonic::metadata::{Ascii, MetadataValue};

use super::connection::{self, patiently};
use super::import::workspace;

use super::json::JsonForm;
use super::paint::{Colour, colours, paint};
use super::text::plain;
use super::watch::moment;
use super::words::{counted, failure, tell};
use super::{Failure, FailureKind};
use crate::domain::Id;
use crate::proto::api;
use crate::proto::api::audit_service_client::AuditServiceClient;

/// Lists calls that were refused or denied.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Attempts {
    /// The workspace's id [default: all of them, and what was about none]
    #[arg(value_parser = workspace, value_name = "WORKSPACE")]
    workspace: Option<Id>,
    /// Only what this principal tried
    #[arg(long, default_value = "", hide_default_value = true, value_name = "PRINCIPAL")]
    by: String,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..), value_name = "COUNT")]
    limit: u32,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Lines, value_name = "FORMAT")]
    format: Format,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who asks
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

/// How attempts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a person, in the time of this machine
    Lines,
    /// A JSON object a line, in the API's JSON form
    Ndjson,
}

const AFTER_HELP: &str = "\
The newest come first. The record is bounded (binnacle serve --access-record-bytes-max): the oldest are forgotten. From \
when on it remembers, and whether more came than could be kept, is said on standard error.

    binnacle attempts
    binnacle attempts acme --by maria@acme.example --limit 10
    binnacle attempts --limit 100000 --format ndjson > attempts.jsonl";

/// The most that one page has.
const PAGE_SIZE_MAX: u32 = 1000;

/// Writes attempts to standard output.
struct Writer {
    format: Format,
    zone: TimeZone,
    colours: bool,
    form: JsonForm,
}

impl Attempts {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let writer = Writer {
            format: self.format,
            zone: jiff::tz::TimeZone::try_system().unwrap_or(TimeZone::UTC),
            colours: colours(),
            form: JsonForm::of("Attempt")?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        runtime.block_on(self.list(actor.as_ref(), &writer))
    }

    /// Page by page, so that however many there are, few are held.
    async fn list(&self, actor: Option<&MetadataValue<Ascii>>, writer: &Writer) -> Result<(), Failure> {
        let channel = connection::open(&self.server).await?;
        let workspace = self.workspace.as_ref().map_or("-", Id::as_str);
        let mut request = api::ListAttemptsRequest {
            parent: format!("workspaces/{workspace}"),
            principal: self.by.clone(),
            ..api::ListAttemptsRequest::default()
        };
        let mut left = self.limit;
        loop {
            request.page_size = i32::try_from(left.min(PAGE_SIZE_MAX)).unwrap_or_default();
            let answered = patiently(async || {
                let request = connection::request(request.clone(), actor);
                AuditServiceClient::new(channel.clone())
                    .list_attempts(request)
                    .await
            });
            let page = answered
                .await
                .map_err(|status| failure(&status, "nothing more is listed"))?
                .into_inner();
            for attempt in &page.attempts {
                if !writer.write(attempt)? {
                    return Ok(());
                }
            }
            left = left.saturating_sub(u32::try_from(page.attempts.len()).unwrap_or(u32::MAX));
            if page.next_page_token.is_empty() || left == 0 {
                self.tell_bounds(&page, &writer.zone);
                return Ok(());
            }
            request.page_token = page.next_page_token;
        }
    }

    fn tell_bounds(&self, page: &api::ListAttemptsResponse, zone: &TimeZone) {
        if self.format == Format::Ndjson && page.dropped_count == 0 {
            return;
        }
        match page.oldest_time {
            Some(oldest) => tell(&format!("binnacle: remembered since {}", moment(oldest, zone))),
            None => tell("binnacle: no refused or denied call is remembered"),
        }
        if page.dropped_count > 0 {
            let dropped = counted(
                usize::try_from(page.dropped_count).unwrap_or(usize::MAX),
                "attempt",
            );
            tell(&format!(
                "binnacle: {dropped} could not be kept since the server started"
            ));
        }
    }
}

impl Writer {
    /// Whether somebody still reads.
    fn write(&self, attempt: &api::Attempt) -> Result<bool, Failure> {
        let mut line = match self.format {
            Format::Lines => line(attempt, &self.zone, self.colours),
            Format::Ndjson => self.form.line(attempt)?,
        };
        line.push('\n');
        match io::stdout().write_all(line.as_bytes()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::new(
                FailureKind::Failed,
                format!("standard output cannot be written: {error}"),
            )),
        }
    }
}

/// When, who, what, about what, and why not.
fn line(attempt: &api::Attempt, zone: &TimeZone, colours: bool) -> String {
    let when = attempt.time.map(|time| moment(time, zone)).unwrap_or_default();
    let on_behalf_of = match attempt.on_behalf_of.as_str() {
        "" => String::new(),
        other => format!(" for {other}"),
    };
    let call = attempt.method.rsplit('/').next().unwrap_or_default();
    let about = match attempt.resource.as_str() {
        "" => String::new(),
        resource => format!(" {resource}"),
    };
    let why = match attempt.reason.as_str() {
        "" => &attempt.code,
        reason => reason,
    };
    let colour = match attempt.code.as_str() {
        "PERMISSION_DENIED" | "UNAUTHENTICATED" => Colour::Red,
        _ => Colour::Yellow,
    };
    format!(
        "{}  {}  {}  {}: {}",
        paint(&when, Colour::Dim, colours),
        plain(&format!("{}{on_behalf_of}", attempt.principal)),
        plain(&format!("{call}{about}")),
        paint(&plain(why), colour, colours),
        plain(&attempt.message)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt() -> api::Attempt {
        api::Attempt {
            time: Some(prost_types::Timestamp {
                seconds: 1_767_268_800,
                nanos: 0,
            }),
            principal: "maria".to_owned(),
            method: "binnacle.v1.KpiService/DeleteKpi".to_owned(),
            resource: "workspaces/acme/kpis/nps".to_owned(),
            code: "FAILED_PRECONDITION".to_owned(),
            reason: "KPI_ARCHIVED".to_owned(),
            message: "it is archived".to_owned(),
            ..api::Attempt::default()
        }
    }

    #[test]
    fn a_line_says_when_who_what_and_why_not() {
        assert_eq!(
            line(&attempt(), &TimeZone::UTC, false),
            "2026-01-01 12:00:00  maria  DeleteKpi workspaces/acme/kpis/nps  KPI_ARCHIVED: it is archived"
        );
        let bare = api::Attempt {
            resource: String::new(),
            reason: String::new(),
            on_behalf_of: "jo".to_owned(),
            ..attempt()
        };
        assert_eq!(
            line(&bare, &TimeZone::UTC, false),
            "2026-01-01 12:00:00  maria for jo  DeleteKpi  FAILED_PRECONDITION: it is archived"
        );
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_in_a_line() {
        let hostile = api::Attempt {
            principal: "a\x1b[2J".to_owned(),
            resource: "workspaces/a\nb".to_owned(),
            message: "x\u{202e}y".to_owned(),
            ..attempt()
        };
        let line = line(&hostile, &TimeZone::UTC, false);
        assert!(!line.contains(['\x1b', '\n', '\u{202e}']), "{line}");
    }
}
