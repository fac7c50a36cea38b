//! `binnacle import kpi`: its flags, and the run from files to the summary.
//!
//! Invariant: nothing is sent before everything was read and checked that can be checked without the server's clock. It
//! deliberately does not know how a file is written (`notation`, `mapping`) or what is sent (`batch`).

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

use super::creation::{Blueprints, Creation};
use super::gather::Gathered;
use super::notation::Notation;
use super::per_kpi::PerKpi;
use super::report::{refusal, refuse_if_bad, sent, skipped, would_send};
use super::rows::{Delimiter, Format, Table};
use super::send::Connection;
use super::settle::settle;
use super::value_unit::ValueUnit;
use super::wanted::Wanted;
use super::when::Horizon;
use super::{batch, connection, read, workspace};
use crate::cli::words::{failure, progress_bar, say, tell};
use crate::cli::{Failure, FailureKind};
use crate::domain::{Id, Text, Timestamp, Unit};

/// `binnacle import kpi`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ImportKpi {
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
    /// What separates the fields of CSV files [default: comma]
    #[arg(long, value_enum, value_name = "DELIMITER")]
    delimiter: Option<Delimiter>,
    /// Skips rows and values that are wrong, names them and sends the rest; the exit code is then 1
    #[arg(long)]
    skip_bad: bool,
    /// Checks everything and sends nothing
    #[arg(long)]
    dry_run: bool,
    /// Who does this, for the auditor
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
    /// Why, for the auditor
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    notation: Notation,
    #[command(flatten)]
    creation: Creation,
}

const AFTER_HELP: &str = "\
What can be read in two ways is refused by file and line, with the flag that says which one is meant. A second run \
records nothing. docs/kpi-import.md shows tables of every kind.

Exit codes: 0 everything is recorded, or would be with --dry-run; 1 --skip-bad skipped something, or something other \
than the files went wrong; 2 something in the files is wrong, and nothing was written.";

/// How far ahead of now a measurement may be, in seconds: as the server has it.
const AHEAD_MAX_S: i64 = 5 * 60;
/// How far ahead of UTC the earliest local date is, in seconds.
const EARLIEST_ZONE_S: i64 = 14 * 60 * 60;

/// What the command line says of KPIs.
struct Told {
    blueprints: Option<Blueprints>,
    value_units: PerKpi<ValueUnit>,
}

impl ImportKpi {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let reason = self.reason.clone().unwrap_or_default();
        if let Err(invalid) = Text::parse(&reason) {
            return Err(usage(format!("--reason: {invalid}")));
        }
        self.wanted.check().map_err(usage)?;
        let told = Told {
            blueprints: self.creation.blueprints().map_err(usage)?,
            value_units: self.notation.value_units().map_err(usage)?,
        };
        let gathered = self.gather()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    FailureKind::Failed,
                    format!("the runtime cannot be started: {error}"),
                )
            })?;
        runtime.block_on(self.send(gathered, &told, actor, reason))
    }

    fn gather(&self) -> Result<Gathered, Failure> {
        if self.files.iter().filter(|file| *file == "-").count() > 1 {
            return Err(usage(
                "\"-\" is given twice: standard input can be read only once",
            ));
        }
        let conventions = self.notation.conventions(horizon()?).map_err(usage)?;
        let mut gathered = Gathered::default();
        for file in &self.files {
            let format = self.format.or_else(|| Format::of_name(file)).ok_or_else(|| {
                usage(format!(
                    "{file}: the name does not tell the format: say --format csv, json or ndjson"
                ))
            })?;
            let bytes = read(file)?;
            let table = match (format, self.delimiter) {
                (Format::Csv, Some(delimiter)) => Table::parse_delimited(&bytes, delimiter),
                _ => Table::parse(format, &bytes),
            };
            gathered.add(file, &table, &self.wanted, &conventions);
        }
        for sentence in &gathered.by_default {
            tell(sentence);
        }
        Ok(gathered)
    }

    async fn send(
        &self,
        mut gathered: Gathered,
        told: &Told,
        actor: Option<MetadataValue<Ascii>>,
        reason: String,
    ) -> Result<(), Failure> {
        if gathered.is_spoilt {
            refuse_if_bad(&gathered)?;
        }
        let workspace = format!("workspaces/{}", self.workspace);
        let run = Uuid::new_v4();
        let connected = connect(&self.server, &workspace, actor, &reason, run).await;
        let (connection, known) = match connected {
            Ok(connected) => connected,
            Err(failure) => {
                // What is known to be wrong is said even when nobody answers.
                refuse_if_bad(&gathered)?;
                return Err(failure);
            }
        };
        let is_one = |id: &Id| gathered.kpis.contains_key(id) || known.contains_key(id);
        told.only_of(is_one).map_err(usage)?;
        self.wanted.only_of(is_one).map_err(usage)?;
        let remedy = self.wanted.remedy_of_unknown_kpi();
        let units = told.units(&gathered, &known, |id| {
            format!("{workspace}/kpis/{id} does not exist: {remedy}")
        });
        let settled = settle(&mut gathered, &units, &told.value_units);
        if !self.skip_bad {
            refuse_if_bad(&gathered)?;
        }
        let missing: BTreeSet<&Id> = settled.kpis().filter(|id| !known.contains_key(*id)).collect();
        let missing: Vec<Id> = missing.into_iter().cloned().collect();
        let batches = batch::batches(&settled.measurements, &workspace, &reason, run);
        if self.dry_run {
            say(&would_send(&gathered, &settled, batches.len(), &missing));
            return skipped(&gathered, "would be recorded");
        }
        let created = match &told.blueprints {
            Some(blueprints) => create(&connection, &gathered, &missing, blueprints).await?,
            None => 0,
        };
        let bar = progress_bar(settled.measurements.len() as u64);
        let (counts, refused) = connection.record(batches, |count| bar.inc(count)).await;
        bar.finish_and_clear();
        if let Some(first) = refused.first() {
            let measurements = settled.measurements.len();
            return Err(refusal(&gathered, measurements, &refused, first, counts, created));
        }
        say(&sent(&gathered, &settled, counts, created));
        skipped(&gathered, "is recorded")
    }
}

impl Told {
    /// # Errors
    /// Something is said for a KPI that is none.
    fn only_of(&self, is_one: impl Fn(&Id) -> bool) -> Result<(), String> {
        if let Some(blueprints) = &self.blueprints {
            blueprints.only_of(&is_one)?;
        }
        self.value_units.only_of(is_one)
    }

    /// What the KPIs of the files are measured in, or why they cannot be measured at all.
    fn units(
        &self,
        gathered: &Gathered,
        known: &BTreeMap<Id, Result<Unit, String>>,
        unknown: impl Fn(&Id) -> String,
    ) -> BTreeMap<Id, Result<Unit, String>> {
        let unit = |id: &Id| match (known.get(id), &self.blueprints) {
            (Some(measured_in), _) => measured_in.clone(),
            (None, Some(blueprints)) => blueprints.of(id).map(|blueprint| blueprint.unit().clone()),
            (None, None) => Err(unknown(id)),
        };
        gathered.kpis.keys().map(|id| (id.clone(), unit(id))).collect()
    }
}

async fn connect(
    server: &str,
    workspace: &str,
    actor: Option<MetadataValue<Ascii>>,
    reason: &str,
    run: Uuid,
) -> Result<(Connection, BTreeMap<Id, Result<Unit, String>>), Failure> {
    let connection = Connection::open(server, workspace.to_owned(), actor, reason.to_owned(), run).await?;
    let kpis = connection.kpis().await;
    let known = kpis.map_err(|status| failure(&status, "nothing was written"))?;
    Ok((connection, known))
}

async fn create(
    connection: &Connection,
    gathered: &Gathered,
    missing: &[Id],
    blueprints: &Blueprints,
) -> Result<usize, Failure> {
    let mut created = 0;
    for id in missing {
        let Some((place, name)) = gathered.kpis.get(id) else {
            continue;
        };
        let blueprint = blueprints.of(id).map_err(usage)?;
        match connection.create(id, &name.title, &blueprint).await {
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

fn usage(sentence: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Usage, sentence)
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
