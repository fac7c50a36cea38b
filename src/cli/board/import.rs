//! `binnacle import board`: what a team wrote on a whiteboard becomes drafts.
//!
//! Nothing is written unless every line is understood and the server would take all of it. What is there already with
//! the same content stays as it is.

use std::collections::BTreeMap;

use clap::Args;
use tonic::Status;

use super::compare::differences;
use super::conversation::{Conversation, refused};
use super::draft::{Faults, ObjectiveDraft, Place};
use super::facts::{Facts, last};
use super::wanted::{self, Message, Resource, Todo, Wanted};
use super::when::Calendar;
use super::{date, read, runtime, todo};
use crate::cli::connection;
use crate::cli::import::report::show;
use crate::cli::import::{id, read as read_file, workspace};
use crate::cli::words::{counted, failure, say};
use crate::cli::{Failure, FailureKind};
use crate::domain::{Id, Text};
use crate::proto::api;

/// `binnacle import board`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ImportBoard {
    /// Markdown files; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// The workspace's id
    #[arg(long, value_parser = workspace, value_name = "ID")]
    workspace: Id,
    /// The cycle that the objectives are for
    #[arg(long, value_parser = id, value_name = "ID")]
    cycle: Id,
    /// Whose objectives they are, unless one says (team: ID) [default: the company's]
    #[arg(long, value_parser = id, value_name = "ID")]
    team: Option<Id>,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Checks everything and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// Who does this, for the auditor
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
    /// Why, for the auditor
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl ImportBoard {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let reason = self.reason.clone().unwrap_or_default();
        if let Err(invalid) = Text::parse(&reason) {
            return Err(Failure::new(FailureKind::Usage, format!("--reason: {invalid}")));
        }
        let mut faults = Faults::default();
        let drafts = self.drafts(&mut faults)?;
        self.refuse_if_bad(faults)?;
        runtime()?.block_on(async {
            let name = format!("workspaces/{}", self.workspace);
            let conversation = Conversation::open(&self.server, name, actor, reason).await?;
            self.bring(&conversation, drafts).await
        })
    }

    fn drafts(&self, faults: &mut Faults) -> Result<Vec<ObjectiveDraft>, Failure> {
        if self.files.iter().filter(|file| *file == "-").count() > 1 {
            let sentence = "\"-\" is given twice: standard input can be read only once";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        let mut drafts = Vec::new();
        for (index, file) in self.files.iter().enumerate() {
            let text = String::from_utf8(read_file(file)?).map_err(|_| {
                Failure::new(
                    FailureKind::Usage,
                    format!("{file}: it is no text: save it as UTF-8"),
                )
            })?;
            drafts.extend(read::board(&text, index, faults));
        }
        if drafts.is_empty() && faults.is_empty() {
            let sentence = "there is no objective in it: write \"# OBJECTIVE\" and below it \"- KR: …\"";
            faults.push(Place { file: 0, line: 1 }, sentence);
        }
        Ok(drafts)
    }

    async fn bring(&self, conversation: &Conversation, drafts: Vec<ObjectiveDraft>) -> Result<(), Failure> {
        let unwritten = |status: Status| failure(&status, "nothing was written");
        let (facts, cycle) = self.facts(conversation).await.map_err(unwritten)??;
        let mut faults = Faults::default();
        let Wanted { resources, todos } = wanted::of(drafts, &facts, &mut faults);
        let there = existing(conversation, &facts, &resources)
            .await
            .map_err(unwritten)?;
        let missing = missing(&resources, &there, &facts.workspace, &mut faults);
        self.refuse_if_bad(faults)?;
        let messages: Vec<&Message> = missing.iter().map(|resource| &resource.message).collect();
        if let Err(status) = conversation.check(&messages).await {
            let faults = refusals(&status, &missing);
            self.refuse_if_bad(faults)?;
            return Err(unwritten(status));
        }
        let mut known = there;
        for (index, resource) in missing.iter().enumerate() {
            let message = if self.dry_run {
                resource.message.clone()
            } else {
                conversation.create(&resource.message).await.map_err(|status| {
                    let at = self.at(resource.place);
                    failure(&status, &format!("{at}; {index} of {} were created; run it again when it is mended, what is there stays as it is", missing.len()))
                })?
            };
            known.insert(message.name().to_owned(), message);
        }
        self.tell(&resources, &missing, &known, &facts, &cycle, todos);
        Ok(())
    }

    async fn facts(
        &self,
        conversation: &Conversation,
    ) -> Result<Result<(Facts, api::Cycle), Failure>, Status> {
        let workspace = conversation.workspace().await?;
        let cycle = conversation
            .cycle(&format!("{}/cycles/{}", workspace.name, self.cycle))
            .await?;
        let days = date(cycle.first_date).zip(date(cycle.last_date));
        let Some((first, last)) = days else {
            let sentence = format!("{} has no days: is the server of a newer release?", cycle.name);
            return Ok(Err(Failure::new(FailureKind::Failed, sentence)));
        };
        let objectives = conversation.objectives().await?;
        let facts = Facts {
            workspace: workspace.name,
            cycle: cycle.name.clone(),
            calendar: Calendar {
                first,
                last,
                fiscal_first_month: i8::try_from(workspace.fiscal_year_first_month)
                    .unwrap_or(1)
                    .clamp(1, 12),
            },
            team: self.team.clone(),
            kpis: conversation.kpis().await?,
            members: conversation.members().await?,
            objectives: objectives
                .into_iter()
                .map(|objective| (objective.name.clone(), objective))
                .collect(),
        };
        Ok(Ok((facts, cycle)))
    }

    /// The summary, and what is left to people.
    fn tell(
        &self,
        resources: &[Resource],
        missing: &[&Resource],
        known: &BTreeMap<String, Message>,
        facts: &Facts,
        cycle: &api::Cycle,
        todos: Vec<Todo>,
    ) {
        let created = counts(missing.iter().map(|resource| &resource.message));
        let unchanged = resources.len() - missing.len();
        let boards = counted(self.files.len(), "board");
        say(&if self.dry_run {
            format!("{boards} read: would create {created}; {unchanged} unchanged")
        } else {
            format!("{boards} read: {created} created as drafts; {unchanged} unchanged")
        });
        let mut todos = todos;
        let mut ready = Vec::new();
        for resource in resources {
            let Some(Message::Objective(objective)) = known.get(resource.message.name()) else {
                continue;
            };
            use api::objective::State;
            if !matches!(objective.state(), State::Draft | State::Unspecified) {
                continue;
            }
            let key_results = known.values().filter_map(|message| match message {
                Message::KeyResult(it) if it.name.starts_with(&format!("{}/", objective.name)) => Some(it),
                _ => None,
            });
            let lacks = todo::of_draft(objective, &key_results.collect::<Vec<_>>(), &facts.kpis);
            if lacks.is_empty() {
                ready.push(Todo {
                    about: objective.name.clone(),
                    sentence: "activate it (ObjectiveService.ActivateObjective)".to_owned(),
                });
            }
            todos.extend(lacks);
        }
        if cycle.state() == api::cycle::State::Planned {
            todos.push(Todo {
                about: cycle.name.clone(),
                sentence: "it is PLANNED, and objectives are activated in an ACTIVE cycle: activate it first (CycleService.ActivateCycle)".to_owned(),
            });
        }
        todos.sort_by(|a, b| a.about.cmp(&b.about));
        todos.extend(ready);
        if !todos.is_empty() {
            say("To do:");
        }
        for todo in &todos {
            say(&format!("- [ ] {}", todo::line(todo, &facts.workspace)));
        }
    }

    fn refuse_if_bad(&self, faults: Faults) -> Result<(), Failure> {
        if faults.is_empty() {
            return Ok(());
        }
        let (faults, lines) = faults.into_sorted();
        let faults: Vec<_> = faults
            .into_iter()
            .map(|(place, sentence)| format!("{}: {sentence}", self.at(place)))
            .collect();
        show(&faults, faults.len());
        let lines = match lines {
            1 => "1 line is".to_owned(),
            lines => format!("{lines} lines are"),
        };
        let sentence = format!("nothing was written: {lines} wrong; correct them and run it again");
        Err(Failure::new(FailureKind::Usage, sentence))
    }

    fn at(&self, place: Place) -> String {
        let file = self.files.get(place.file).map_or("", String::as_str);
        format!("{file}:{}", place.line)
    }
}

/// What the server would refuse, by place. What lies in something that is refused is no fault of its own.
fn refusals(status: &Status, missing: &[&Resource]) -> Faults {
    let mut faults = Faults::default();
    let mut names: Vec<&str> = Vec::new();
    for (index, sentence) in refused(status) {
        let Some(resource) = missing.get(index) else {
            continue;
        };
        let name = resource.message.name();
        let of = match &resource.message {
            Message::Initiative(initiative) => initiative.key_result.as_str(),
            Message::Objective(_) | Message::KeyResult(_) => "",
        };
        if !names.contains(&parent(name)) && !names.contains(&of) {
            faults.push(resource.place, sentence);
        }
        names.push(name);
    }
    faults
}

/// The objectives of a board that are there already, with all that belongs to them.
async fn existing(
    conversation: &Conversation,
    facts: &Facts,
    resources: &[Resource],
) -> Result<BTreeMap<String, Message>, Status> {
    let mut there = BTreeMap::new();
    for resource in resources {
        let Some(objective) = facts.objectives.get(resource.message.name()) else {
            continue;
        };
        for key_result in conversation.key_results(&objective.name).await? {
            there.insert(key_result.name.clone(), Message::KeyResult(key_result));
        }
        for initiative in conversation.initiatives(&objective.name).await? {
            there.insert(initiative.name.clone(), Message::Initiative(initiative));
        }
        there.insert(objective.name.clone(), Message::Objective(objective.clone()));
    }
    Ok(there)
}

/// What is not there yet. What is there with another content is a fault.
fn missing<'r>(
    resources: &'r [Resource],
    there: &BTreeMap<String, Message>,
    workspace: &str,
    faults: &mut Faults,
) -> Vec<&'r Resource> {
    let mut missing = Vec::new();
    for resource in resources {
        let name = resource.message.name();
        let short = name
            .strip_prefix(workspace)
            .unwrap_or(name)
            .trim_start_matches('/');
        if let Some(other) = there.get(name) {
            let differs = differences(other, &resource.message);
            if !differs.is_empty() {
                let sentence = format!(
                    "{short} is there already with another {}: make the board say what it says (binnacle board), change it there, or give this one another name with (id: ID)",
                    differs.join(", ")
                );
                faults.push(resource.place, sentence);
            }
            continue;
        }
        if matches!(resource.message, Message::KeyResult(_))
            && let Some(Message::Objective(objective)) = there.get(parent(name))
            && objective.state() != api::objective::State::Draft
        {
            let sentence = format!(
                "objectives/{} is no draft any more, and a board writes drafts only: add the key result with ObjectiveService.CreateKeyResult",
                last(&objective.name)
            );
            faults.push(resource.place, sentence);
        }
        missing.push(resource);
    }
    missing
}

/// The name of what something lies in.
fn parent(name: &str) -> &str {
    name.rsplitn(3, '/').nth(2).unwrap_or_default()
}

/// "2 objectives, 5 key results and 1 initiative".
fn counts<'m>(messages: impl Iterator<Item = &'m Message>) -> String {
    let (mut objectives, mut key_results, mut initiatives) = (0, 0, 0);
    for message in messages {
        match message {
            Message::Objective(_) => objectives += 1,
            Message::KeyResult(_) => key_results += 1,
            Message::Initiative(_) => initiatives += 1,
        }
    }
    format!(
        "{}, {} and {}",
        counted(objectives, "objective"),
        counted(key_results, "key result"),
        counted(initiatives, "initiative")
    )
}
