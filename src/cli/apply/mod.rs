//! `binnacle apply`: a workspace becomes what manifests say, safely and as often as one likes.
//!
//! Files become documents (`manifest`), documents are held against what the server has (`plan`), the server checks all that
//! would be sent without recording it (`check`), and only when all of it is good anything is written. A second run finds
//! nothing to do.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use clap::Args;
use prost_reflect::Value;
use tonic::metadata::{Ascii, MetadataValue};
use uuid::Uuid;

use self::command::Author;
use self::plan::{Change, Plan, Planner};
use super::manifest::document::{Document, Manifests, shown};
use super::manifest::kind::Kind;
use super::manifest::read::What;
use super::manifest::schema::{Schema, text};
use super::remote::{Remote, Wanted, Wire};
use super::words::{counted, failure, progress_bar, say, tell};
use super::{Failure, FailureKind, connection};
use crate::domain::{Id, Text};

mod archiving;
mod check;
mod command;
mod index;
pub(super) mod lifecycle;
mod measurements;
pub(super) mod merge;
mod order;
mod plan;

/// Makes a workspace what manifests say.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Apply {
    /// YAML files, folders of them, or "-" for standard input
    #[arg(short, long = "file", required = true, num_args = 1.., value_name = "FILE")]
    file: Vec<String>,
    /// The workspace's id [default: the one that the manifests name]
    #[arg(long, value_parser = workspace, value_name = "ID")]
    workspace: Option<Id>,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Shows what would be written, and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// Leaves out what is refused, and what needs it, and writes the rest; the exit code is then 1
    #[arg(long)]
    keep_going: bool,
    /// Who does this, for the auditor
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
    /// Why, for the auditor
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

const AFTER_HELP: &str = "\
A field that a manifest does not have is left alone, null clears it. Nothing is deleted, and no state is moved back. \
docs/manifests.md describes manifests.

Exit codes: 0 all is as the manifests say, or would be with --dry-run; 1 --keep-going left something out, or something \
other than the manifests went wrong; 2 something in the manifests is wrong, and nothing was written.";

/// Who the server takes a caller for who does not say.
const ANONYMOUS: &str = "anonymous";

impl Apply {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        if let Err(invalid) = Text::parse(self.reason.as_deref().unwrap_or_default()) {
            return Err(Failure::new(FailureKind::Usage, format!("--reason: {invalid}")));
        }
        let schema = Schema::load()?;
        let manifests = Manifests::read(&read(&self.file)?, self.workspace.as_ref(), &schema)?;
        if !self.keep_going {
            refuse_if_bad(&manifests)?;
        }
        if manifests.documents.is_empty() {
            refuse_if_bad(&manifests)?;
            return Err(Failure::new(
                FailureKind::Usage,
                "there is no manifest in the files",
            ));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        runtime.block_on(self.apply(&schema, manifests, actor))
    }

    async fn apply(
        &self,
        schema: &Schema,
        mut manifests: Manifests,
        actor: Option<MetadataValue<Ascii>>,
    ) -> Result<(), Failure> {
        let wire = Wire::open(&self.server, actor).await?;
        let workspace = manifests.workspace.clone();
        let remote = Remote::read(&wire, schema, &workspace, &wanted(&manifests.documents)).await?;
        let planner = self.planner(schema, &manifests, &remote, &workspace)?;
        let mut plan = planner.plan(&mut manifests)?;
        if planner.creates && planner.creator.is_none() {
            tell(
                "whoever the credentials are of creates the workspace and so becomes its owner, beside the members of the manifests: \
                 where one of these is that owner, --actor says so",
            );
        }
        check::check(&wire, schema, &mut plan, &mut manifests).await?;
        if !self.keep_going {
            refuse_if_bad(&manifests)?;
        }
        show(&plan, &manifests);
        if let Some(creator) = &planner.creator {
            tell_creator(creator, &manifests);
        }
        if !self.dry_run {
            self.send(&wire, &mut plan, &mut manifests).await?;
        }
        summary(&plan, &manifests, self.dry_run);
        let faults = manifests.faults();
        if faults.is_empty() {
            return Ok(());
        }
        faults.iter().for_each(|fault| tell(fault));
        let rest = if self.dry_run { "is good" } else { "is written" };
        let sentence = format!("what is wrong is left out, with what needs it; the rest {rest}");
        Err(Failure::new(FailureKind::Partly, sentence))
    }

    fn planner<'a>(
        &'a self,
        schema: &'a Schema,
        manifests: &Manifests,
        remote: &'a Remote,
        workspace: &'a Id,
    ) -> Result<Planner<'a>, Failure> {
        let wrong = |sentence: String| Err(Failure::new(FailureKind::Usage, sentence));
        if remote.gone(Kind::Workspace, "").is_some() {
            return wrong(format!("workspaces/{workspace} is deleted: undelete it first"));
        }
        let here = remote.standing(Kind::Workspace, "");
        let described = manifests
            .find(Kind::Workspace, "")
            .map(|at| &manifests.documents[at]);
        if here.is_none() && described.is_none() {
            return wrong(format!(
                "workspaces/{workspace} does not exist: describe it in a manifest of kind Workspace, or correct the name"
            ));
        }
        let log = here.and_then(|workspace| Uuid::try_parse(&text(workspace, "log_id")).ok());
        let said = self.actor.as_deref().filter(|actor| !actor.is_empty());
        // Whose a credential is the server alone knows.
        let actor = said.or_else(|| (!connection::shows_who_asks()).then_some(ANONYMOUS));
        // As the server calls the first member.
        let creator = || actor.and_then(|actor| Id::from_text(actor).or_else(|| Id::parse("owner").ok()));
        let time_zone = described.and_then(|described| {
            let given = described
                .fields
                .iter()
                .find(|given| given.field.name() == "time_zone")?;
            match &given.what {
                What::Value(Value::String(zone)) => Some(zone.clone()),
                _ => None,
            }
        });
        Ok(Planner {
            schema,
            author: Author {
                schema,
                workspace,
                reason: self.reason.as_deref().unwrap_or_default(),
                log: log.unwrap_or_default(),
            },
            remote,
            creates: here.is_none(),
            creator: here.is_none().then(creator).flatten(),
            new_time_zone: time_zone,
        })
    }

    /// Sends what is to be done, in order. With `--keep-going` a refusal leaves out what needs it; else it ends the run.
    async fn send(&self, wire: &Wire, plan: &mut Plan, manifests: &mut Manifests) -> Result<(), Failure> {
        let count = plan.acts.iter().map(|act| act.commands.len()).sum::<usize>();
        let bar = progress_bar(count as u64);
        let mut written = 0;
        let mut left_out = plan.left_out(manifests);
        for act in plan.order.clone() {
            if left_out[act].is_some() {
                continue;
            }
            for command in 0..plan.acts[act].commands.len() {
                let it = &plan.acts[act].commands[command];
                let Err(status) = wire.call(&it.method, &it.request).await else {
                    written += 1;
                    bar.inc(1);
                    continue;
                };
                let place = manifests.at(manifests.documents[plan.acts[act].document].place);
                let so_far = format!(
                    "{place}; {written} of {} written, run it again for the rest",
                    counted(count, "change")
                );
                let refusal = failure(&status, &so_far);
                if !self.keep_going || !matches!(refusal.kind, FailureKind::Usage) {
                    bar.finish_and_clear();
                    return Err(refusal);
                }
                // Somebody else was faster than this run.
                check::refuse(plan, manifests, act, command, status.message());
                left_out = plan.left_out(manifests);
                break;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// What of the server's the documents are held against.
fn wanted(documents: &[Document]) -> Wanted {
    // Whatever may be referred to, and the kinds that are described.
    let mut kinds = BTreeSet::from([
        Kind::Member,
        Kind::Team,
        Kind::Cycle,
        Kind::Kpi,
        Kind::Objective,
        Kind::KeyResult,
    ]);
    kinds.extend(documents.iter().map(|document| document.kind));
    let series = documents.iter().filter(|document| document.kind == Kind::Series);
    Wanted {
        kinds,
        series: Some(series.map(|document| document.name.clone()).collect()),
    }
}

/// Shows what is wrong, if there is anything.
fn refuse_if_bad(manifests: &Manifests) -> Result<(), Failure> {
    let faults = manifests.faults();
    if faults.is_empty() {
        return Ok(());
    }
    faults.iter().for_each(|fault| tell(fault));
    let faults = match faults.len() {
        1 => "1 thing is".to_owned(),
        many => format!("{many} things are"),
    };
    let sentence = format!("nothing was written: {faults} wrong; correct them and run it again");
    Err(Failure::new(FailureKind::Usage, sentence))
}

/// What comes of each document, in the order in which it is done.
fn show(plan: &Plan, manifests: &Manifests) {
    let left_out = plan.left_out(manifests);
    let needs = |blamed: usize| {
        let place = manifests.at(manifests.documents[blamed].place);
        format!("it needs what is refused in {place}")
    };
    // The acts that make documents come first and in their order.
    let made = plan.order.iter().filter(|act| **act < manifests.documents.len());
    for at in made {
        let document = &manifests.documents[*at];
        let name = shown(document.kind, &document.name, &manifests.workspace);
        let Change { is_new, details } = &plan.changes[*at];
        // Where only a later part of it is left out, that is its state.
        let half = plan.acts_of[*at].iter().find_map(|act| left_out[*act]);
        let is_state = |detail: &&String| detail.starts_with("state: ") || detail.starts_with("archived: ");
        let details: Vec<_> = details
            .iter()
            .filter(|one| half.is_none() || !is_state(one))
            .collect();
        let (verb, more) = match left_out[*at] {
            Some(_) if document.is_broken => ("refused  ", String::new()),
            Some(blamed) => ("left out ", format!(": {}", needs(blamed))),
            None if *is_new => ("create   ", String::new()),
            None if !details.is_empty() => ("update   ", String::new()),
            None if half.is_some() => ("left out ", String::new()),
            None => ("unchanged", String::new()),
        };
        say(&format!("{verb} {name}{more}"));
        if left_out[*at].is_some() {
            continue;
        }
        for detail in details {
            say(&format!("            {detail}"));
        }
        if let Some(blamed) = half {
            say(&format!("            its state stays: {}", needs(blamed)));
        }
    }
    for note in &plan.notes {
        tell(note);
    }
}

/// Whoever creates a workspace becomes its member, which may surprise.
fn tell_creator(creator: &Id, manifests: &Manifests) {
    let name = format!("members/{creator}");
    if manifests.find(Kind::Member, &name).is_none() {
        tell(&format!(
            "{name} creates the workspace and so becomes its owner, beside the members of the manifests: --actor says who that is"
        ));
    }
}

fn left_out_documents(plan: &Plan, manifests: &Manifests) -> BTreeSet<usize> {
    let left_out = plan.left_out(manifests);
    let acts = plan.acts.iter().zip(left_out);
    acts.filter(|(_, blame)| blame.is_some())
        .map(|(act, _)| act.document)
        .collect()
}

fn summary(plan: &Plan, manifests: &Manifests, dry_run: bool) {
    let left_out = left_out_documents(plan, manifests);
    let (mut new, mut changed, mut same) = (0, 0, 0);
    for (at, change) in plan.changes.iter().enumerate() {
        match (left_out.contains(&at), change.is_new, change.details.is_empty()) {
            (true, ..) => {}
            (false, true, _) => new += 1,
            (false, false, false) => changed += 1,
            (false, false, true) => same += 1,
        }
    }
    let would = if dry_run { "would be " } else { "" };
    let left_out = match left_out.len() {
        0 => String::new(),
        count => format!(", {count} left out"),
    };
    say(&format!(
        "{}: {new} {would}created, {changed} {would}updated, {same} unchanged{left_out}",
        counted(plan.changes.len(), "document")
    ));
}

/// The bytes of all files, a folder's by name.
fn read(files: &[String]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let unreadable = |file: &str, error: std::io::Error| {
        Failure::new(FailureKind::Usage, format!("{file}: it cannot be read: {error}"))
    };
    if files.iter().filter(|file| *file == "-").count() > 1 {
        let sentence = "\"-\" is given twice: standard input can be read only once";
        return Err(Failure::new(FailureKind::Usage, sentence));
    }
    let mut all = Vec::new();
    for file in files {
        if file == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map_err(|error| unreadable(file, error))?;
            all.push((file.clone(), bytes));
        } else if Path::new(file).is_dir() {
            let inside = folder(file).map_err(|error| unreadable(file, error))?;
            if inside.is_empty() {
                let sentence = format!("{file}: there is no file in it that ends in .yaml or .yml");
                return Err(Failure::new(FailureKind::Usage, sentence));
            }
            for file in inside {
                let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, error))?;
                all.push((file, bytes));
            }
        } else {
            let bytes = std::fs::read(file).map_err(|error| unreadable(file, error))?;
            all.push((file.clone(), bytes));
        }
    }
    Ok(all)
}

fn folder(folder: &str) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if matches!(ending, Some("yaml" | "yml")) {
            files.push(path.to_string_lossy().into_owned());
        }
    }
    files.sort();
    Ok(files)
}

fn workspace(text: &str) -> Result<Id, String> {
    Id::parse(text.strip_prefix("workspaces/").unwrap_or(text)).map_err(|invalid| invalid.to_string())
}
