//! `binnacle import`: what a person or a cron job has in files comes into a workspace, safely and as often as they like.
//!
//! Files become rows (`rows`), rows become measurements (`mapping`), the measurements of all files are checked against
//! each other (`gather`) and against the server's KPIs, and only when all of them are good anything is sent (`batch`,
//! `send`). Running it again records nothing that is known already.

use std::io::Read;
use std::path::Path;

use clap::{Args, Subcommand};
use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

use self::creation::{Blueprint, Creation};
use self::gather::Gathered;
use self::mapping::{Horizon, Wanted};
use self::report::{listed, refusal, refuse_if_bad, rows_read};
use self::rows::{Format, Table};
use self::send::Connection;
use super::board::ImportBoard;
use super::words::{counted, failure, progress_bar, say, tell};
use super::{Failure, FailureKind, connection};
use crate::domain::{Id, Text, Timestamp};

mod batch;
mod columns;
pub(super) mod creation;
mod gather;
mod mapping;
pub(super) mod report;
mod rows;
mod send;

/// Brings data from files into a workspace.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Records the measurements that CSV, JSON or NDJSON files hold; what is known already stays as it is
    Kpi(ImportKpi),
    /// Makes drafts of the objectives that Markdown boards hold; what is there already stays as it is
    Board(ImportBoard),
}

/// `binnacle import kpi`.
#[derive(Debug, Args)]
struct ImportKpi {
    /// Files; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The workspace's id
    #[arg(long, value_parser = workspace, value_name = "ID")]
    workspace: Id,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// How the files are written [default: what their extension says]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,
    /// When it was true: an RFC 3339 time, or a day as YYYY-MM-DD [default: time, date or timestamp]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// The value [default: value]
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// The KPI of all rows
    #[arg(long, value_parser = id, value_name = "ID", conflicts_with = "kpi_column")]
    kpi: Option<Id>,
    /// The KPI's name; several columns are joined with "-" [default: kpi]
    #[arg(long, value_name = "COLUMN")]
    kpi_column: Vec<String>,
    /// Tells two values of one moment apart [default: source, where there is one]
    #[arg(long, value_name = "COLUMN")]
    source_column: Option<String>,
    /// A note for the auditor
    #[arg(long, value_name = "COLUMN")]
    note_column: Option<String>,
    /// Takes only the rows with this text in this column; given several times, all of them have to hold
    #[arg(long = "where", value_parser = column_value, value_name = "COLUMN=VALUE")]
    only: Vec<(String, String)>,
    #[command(flatten)]
    creation: Creation,
    /// Checks everything and sends nothing
    #[arg(long)]
    dry_run: bool,
    /// Who does this, for the auditor
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
    /// Why, for the auditor
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// How far ahead of now a measurement may be, in seconds: as the server has it.
const AHEAD_MAX_S: i64 = 5 * 60;
/// How far ahead of UTC the earliest local date is, in seconds.
const EARLIEST_ZONE_S: i64 = 14 * 60 * 60;

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.what {
            What::Kpi(import) => import.run(),
            What::Board(import) => import.run(),
        }
    }
}

impl ImportKpi {
    fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let reason = self.reason.clone().unwrap_or_default();
        if let Err(invalid) = Text::parse(&reason) {
            return Err(Failure::new(FailureKind::Usage, format!("--reason: {invalid}")));
        }
        let gathered = self.gather()?;
        refuse_if_bad(&gathered)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    FailureKind::Failed,
                    format!("the runtime cannot be started: {error}"),
                )
            })?;
        runtime.block_on(self.send(gathered, actor, reason))
    }

    fn gather(&self) -> Result<Gathered, Failure> {
        if self.files.iter().filter(|file| *file == "-").count() > 1 {
            let sentence = "\"-\" is given twice: standard input can be read only once";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        let wanted = self.wanted();
        let horizon = horizon()?;
        let mut gathered = Gathered::default();
        for file in &self.files {
            let format = self.format.or_else(|| Format::of_name(file)).ok_or_else(|| {
                let sentence =
                    format!("{file}: the name does not tell the format: say --format csv, json or ndjson");
                Failure::new(FailureKind::Usage, sentence)
            })?;
            let table = Table::parse(format, &read(file)?);
            gathered.add(file, &table, &wanted, horizon);
        }
        for sentence in &gathered.by_default {
            tell(sentence);
        }
        Ok(gathered)
    }

    fn wanted(&self) -> Wanted {
        Wanted {
            time: self.time.clone(),
            value: self.value.clone(),
            kpi: self.kpi.clone(),
            kpi_columns: self.kpi_column.clone(),
            source: self.source_column.clone(),
            note: self.note_column.clone(),
            only: self.only.clone(),
        }
    }

    async fn send(
        &self,
        mut gathered: Gathered,
        actor: Option<MetadataValue<Ascii>>,
        reason: String,
    ) -> Result<(), Failure> {
        let workspace = format!("workspaces/{}", self.workspace);
        let run = Uuid::new_v4();
        let connection =
            Connection::open(&self.server, workspace.clone(), actor, reason.clone(), run).await?;
        let blueprint = self.creation.blueprint();
        let missing = check(&connection, &mut gathered, &workspace, blueprint.as_ref()).await?;
        let batches = batch::batches(&gathered.measurements, &workspace, &reason, run);
        if self.dry_run {
            say(&format!(
                "{}: would send {} of {} in {}, and create {}{}",
                rows_read(&gathered),
                counted(gathered.measurements.len(), "measurement"),
                counted(gathered.kpis.len(), "KPI"),
                if batches.len() == 1 {
                    "1 batch".to_owned()
                } else {
                    format!("{} batches", batches.len())
                },
                counted(missing.len(), "KPI"),
                listed(&missing),
            ));
            return Ok(());
        }
        let created = match &blueprint {
            Some(blueprint) => create(&connection, &gathered, &missing, blueprint).await?,
            None => 0,
        };
        let bar = progress_bar(gathered.measurements.len() as u64);
        let (counts, refused) = connection.record(batches, |count| bar.inc(count)).await;
        bar.finish_and_clear();
        if let Some(first) = refused.first() {
            return Err(refusal(&gathered, &refused, first, counts, created));
        }
        say(&format!(
            "{}: {} recorded, {} superseded, {} unchanged; {} created",
            rows_read(&gathered),
            counts.recorded,
            counts.superseded,
            counts.unchanged,
            counted(created, "KPI")
        ));
        Ok(())
    }
}

/// Checks measurements against the server's KPIs: that they exist, or may be created, and that values fit their units.
/// Answers which are to be created.
async fn check(
    connection: &Connection,
    gathered: &mut Gathered,
    workspace: &str,
    blueprint: Option<&Blueprint>,
) -> Result<Vec<Id>, Failure> {
    let known = connection
        .kpis()
        .await
        .map_err(|status| failure(&status, "nothing was written"))?;
    let mut missing = Vec::new();
    let mut refused = Vec::new();
    for (id, (place, _)) in &gathered.kpis {
        if known.contains_key(id) {
            continue;
        }
        missing.push(id.clone());
        if blueprint.is_none() {
            let sentence = format!(
                "{workspace}/kpis/{id} does not exist: correct the name, or let it be created with --create"
            );
            refused.push((*place, sentence));
        }
    }
    for (place, measurement) in &gathered.measurements {
        let unit = known.get(&measurement.kpi).or(blueprint.map(Blueprint::unit));
        if let Some(Err(invalid)) = unit.map(|unit| unit.check(measurement.value.get())) {
            refused.push((*place, format!("kpis/{}: {invalid}", measurement.kpi)));
        }
    }
    for (place, sentence) in refused {
        gathered.refuse(place, sentence);
    }
    refuse_if_bad(gathered)?;
    Ok(missing)
}

async fn create(
    connection: &Connection,
    gathered: &Gathered,
    missing: &[Id],
    blueprint: &Blueprint,
) -> Result<usize, Failure> {
    let mut created = 0;
    for id in missing {
        let Some((place, name)) = gathered.kpis.get(id) else {
            continue;
        };
        match connection.create(id, &name.title, blueprint).await {
            Ok(is_new) => created += usize::from(is_new),
            Err(status) => {
                let written = format!(
                    "kpis/{id} ({}) could not be created, {created} KPIs were, and no measurement was written",
                    gathered.at(*place)
                );
                return Err(failure(&status, &written));
            }
        }
    }
    Ok(created)
}

/// A file, or standard input.
pub(super) fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(Path::new(file))
    };
    bytes.map_err(|error| Failure::new(FailureKind::Usage, format!("{file}: it cannot be read: {error}")))
}

fn horizon() -> Result<Horizon, Failure> {
    let moment = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()).plus_seconds(AHEAD_MAX_S);
    let date = jiff::Timestamp::from_microsecond(moment.plus_seconds(EARLIEST_ZONE_S).as_micros()).map_err(
        |error| {
            Failure::new(
                FailureKind::Failed,
                format!("this machine's clock is wrong: {error}"),
            )
        },
    )?;
    let date = date.to_zoned(jiff::tz::TimeZone::UTC).date();
    Ok(Horizon { moment, date })
}

/// An id on the command line.
pub(super) fn id(text: &str) -> Result<Id, String> {
    Id::parse(text).map_err(|invalid| invalid.to_string())
}

/// A workspace's id, with or without its collection.
pub(super) fn workspace(text: &str) -> Result<Id, String> {
    id(text.strip_prefix("workspaces/").unwrap_or(text))
}

fn column_value(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok((column.to_owned(), value.trim().to_owned()))
}
