//! `binnacle board`: objectives, how they go, and what needs attention, as a Markdown board.
//!
//! The same state is the same text. What it adds for people stands where the reader skips it.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;
use tonic::Status;

use super::conversation::Conversation;
use super::escape::escaped;
use super::facts::{Facts, last};
use super::read::ACTIONS;
use super::standing::{score, status};
use super::when::Calendar;
use super::write::Writer;
use super::{date, runtime, todo};
use crate::cli::connection;
use crate::cli::import::{id, workspace};
use crate::cli::words::{failure, say};
use crate::cli::{Failure, FailureKind};
use crate::domain::Id;
use crate::proto::api;

/// `binnacle board`.
#[derive(Debug, Args)]
pub(in crate::cli) struct Board {
    /// The workspace's id
    #[arg(long, value_parser = workspace, value_name = "ID")]
    workspace: Id,
    /// The cycle [default: every ACTIVE one]
    #[arg(long, value_parser = id, value_name = "ID")]
    cycle: Option<Id>,
    /// Only this team's objectives
    #[arg(long, value_parser = id, value_name = "ID")]
    team: Option<Id>,
    /// A file to write; standard output if it is not given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who does this
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

/// Everything that is on the board.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// The workspace.
    pub(super) workspace: api::Workspace,
    /// Its KPIs.
    pub(super) kpis: Vec<api::Kpi>,
    /// Its members.
    pub(super) members: Vec<api::Member>,
    /// The cycles, each with its objectives.
    pub(super) cycles: Vec<(api::Cycle, Vec<ShownObjective>)>,
}

/// One objective with what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct ShownObjective {
    /// Itself.
    pub(super) objective: api::Objective,
    /// Its key results.
    pub(super) key_results: Vec<api::KeyResult>,
    /// What is done for it.
    pub(super) initiatives: Vec<api::Initiative>,
}

impl Board {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let board = runtime()?.block_on(async {
            let name = format!("workspaces/{}", self.workspace);
            let conversation = Conversation::open(&self.server, name, actor, String::new()).await?;
            let shown = self.shown(&conversation).await;
            let shown = shown.map_err(|status| failure(&status, "no board was written"))?;
            if shown.cycles.is_empty() {
                let sentence = "no cycle is ACTIVE: name one with --cycle";
                return Err(Failure::new(FailureKind::Usage, sentence));
            }
            Ok(shown.board())
        })?;
        match &self.output {
            None => say(board.trim_end()),
            Some(file) => std::fs::write(file, board).map_err(|error| {
                let sentence = format!("{}: it cannot be written: {error}", file.display());
                Failure::new(FailureKind::Failed, sentence)
            })?,
        }
        Ok(())
    }

    async fn shown(&self, conversation: &Conversation) -> Result<Shown, Status> {
        let workspace = conversation.workspace().await?;
        let cycles = match &self.cycle {
            Some(cycle) => vec![
                conversation
                    .cycle(&format!("{}/cycles/{cycle}", workspace.name))
                    .await?,
            ],
            None => {
                let is_active = |cycle: &api::Cycle| cycle.state() == api::cycle::State::Active;
                conversation
                    .cycles()
                    .await?
                    .into_iter()
                    .filter(is_active)
                    .collect()
            }
        };
        let team = self
            .team
            .as_ref()
            .map(|team| format!("{}/teams/{team}", workspace.name));
        let mut objectives = conversation.objectives().await?;
        // What was given up is no plan any more.
        objectives.retain(|objective| {
            objective.state() != api::objective::State::Canceled
                && team.as_ref().is_none_or(|team| objective.team == *team)
        });
        let mut shown = Shown {
            workspace,
            kpis: conversation.kpis().await?,
            members: conversation.members().await?,
            cycles: Vec::new(),
        };
        for cycle in cycles {
            let mut of_cycle = Vec::new();
            for objective in objectives
                .iter()
                .filter(|objective| objective.cycle == cycle.name)
            {
                of_cycle.push(ShownObjective {
                    key_results: conversation.key_results(&objective.name).await?,
                    initiatives: conversation.initiatives(&objective.name).await?,
                    objective: objective.clone(),
                });
            }
            shown.cycles.push((cycle, of_cycle));
        }
        Ok(shown)
    }
}

impl Shown {
    /// The board as Markdown.
    pub(super) fn board(&self) -> String {
        let mut board = String::new();
        let mut actions = Vec::new();
        for (cycle, objectives) in &self.cycles {
            let writer = Writer::new(self.facts(cycle));
            board += &self.cycle_remark(cycle);
            for shown in objectives {
                board += &objective_block(&writer, shown);
                actions.extend(self.actions(shown));
            }
        }
        if !actions.is_empty() {
            board += &format!("\n## {ACTIONS}\n\n");
            for action in actions {
                board += &format!("- [ ] {action}\n");
            }
        }
        board.trim_start().to_owned()
    }

    fn cycle_remark(&self, cycle: &api::Cycle) -> String {
        let days = date(cycle.first_date).zip(date(cycle.last_date));
        let days = days
            .map(|(first, last)| format!(", {first} to {last}"))
            .unwrap_or_default();
        let today = date(self.workspace.today)
            .map(|today| format!(" · as of {today}"))
            .unwrap_or_default();
        format!(
            "\n> {} · {}{days}{today}\\\n> {}\n",
            escaped(&self.workspace.title),
            escaped(&cycle.title),
            score(cycle.score, None)
        )
    }

    fn facts(&self, cycle: &api::Cycle) -> Facts {
        let first = date(cycle.first_date).unwrap_or(Date::MIN);
        Facts {
            workspace: self.workspace.name.clone(),
            cycle: cycle.name.clone(),
            calendar: Calendar {
                first,
                last: date(cycle.last_date).unwrap_or(first),
                fiscal_first_month: 1,
            },
            team: None,
            kpis: self.kpis.clone(),
            members: self.members.clone(),
            objectives: std::collections::BTreeMap::new(),
        }
    }

    /// What needs attention.
    fn actions(&self, shown: &ShownObjective) -> Vec<String> {
        use api::objective::State;
        let objective = &shown.objective;
        let title = escaped(&objective.title);
        match objective.state() {
            State::Draft => {
                let key_results: Vec<_> = shown.key_results.iter().collect();
                let todos = todo::of_draft(objective, &key_results, &self.kpis);
                let lacks = todos.iter().map(|todo| {
                    let line = todo::line(todo, &self.workspace.name);
                    format!("{title} is a draft. {}", escaped(&line))
                });
                return lacks.collect();
            }
            State::Active => {}
            State::Unspecified | State::Closed | State::Canceled => return Vec::new(),
        }
        let mut actions = Vec::new();
        let is_member = |owner: &str| self.members.iter().any(|member| member.name == owner);
        if !is_member(&objective.owner) {
            actions.push(format!(
                "{title}: it has no owner who is a member: set its field owner"
            ));
        }
        for key_result in &shown.key_results {
            let Some(progress) = &key_result.progress else {
                continue;
            };
            let about = format!("{title}, {}", escaped(&key_result.title));
            if progress.status() == api::Status::AtRisk {
                actions.push(format!(
                    "{about}: at risk, {:.2} where {:.2} is expected: say what is done about it",
                    progress.score, progress.expected
                ));
            }
            if progress.outdated {
                let how = self.to_be_heard(key_result);
                actions.push(format!("{about}: nothing was heard of it for too long: {how}"));
            }
        }
        let today = date(self.workspace.today);
        for initiative in &shown.initiatives {
            use api::initiative::State;
            let is_open = !matches!(initiative.state(), State::Done | State::Dropped);
            let due = date(initiative.due_date).filter(|due| today.is_some_and(|today| *due < today));
            if let Some(due) = due.filter(|_| is_open) {
                let about = escaped(&initiative.title);
                actions.push(format!(
                    "{title}, {about}: it was due on {due}: finish it, or move its due date"
                ));
            }
        }
        actions
    }

    /// How a key result that is silent is heard of again.
    fn to_be_heard(&self, key_result: &api::KeyResult) -> String {
        let mut archived = self.kpis.iter().filter(|kpi| kpi.archive_time.is_some());
        let is_archived = archived.any(|kpi| kpi.name == key_result.kpi);
        match last(&key_result.kpi) {
            "" => "check in".to_owned(),
            kpi if is_archived => {
                format!("kpis/{kpi} is archived: take it into use, or link the one that replaces it")
            }
            kpi => format!("measure kpis/{kpi}"),
        }
    }
}

fn objective_block(writer: &Writer, shown: &ShownObjective) -> String {
    let ShownObjective {
        objective,
        key_results,
        initiatives,
    } = shown;
    let mut block = format!("\n{}\n\n> {}\n\n", writer.heading(objective), remark(objective));
    if !objective.description.is_empty() {
        block += &writer.description(&objective.description);
        block += "\n\n";
    }
    for key_result in key_results {
        block += &writer.key_result(key_result);
        block += "\n";
        for initiative in initiatives
            .iter()
            .filter(|initiative| initiative.key_result == key_result.name)
        {
            block += &writer.initiative(initiative, 1);
            block += "\n";
        }
    }
    let is_of_none = |initiative: &&api::Initiative| {
        !key_results
            .iter()
            .any(|key_result| key_result.name == initiative.key_result)
    };
    for initiative in initiatives.iter().filter(is_of_none) {
        block += &writer.initiative(initiative, 0);
        block += "\n";
    }
    block
}

/// How an objective goes, in one line.
fn remark(objective: &api::Objective) -> String {
    use api::objective::State;
    let state = match objective.state() {
        State::Unspecified | State::Draft => return "draft".to_owned(),
        State::Active => "active",
        State::Closed => "closed",
        State::Canceled => "canceled",
    };
    let progress = objective.progress.unwrap_or_default();
    let mut said = score(progress.score, progress.expected);
    if let Some(expected) = progress.expected {
        said += &format!(" of {expected:.2} expected");
    }
    let words = status(progress.status())
        .into_iter()
        .chain(progress.outdated.then_some("outdated"));
    // A closed one has that for its status already.
    for word in words.filter(|word| *word != state).chain([state]) {
        said += " · ";
        said += word;
    }
    if let Some(grade) = objective
        .result
        .as_ref()
        .and_then(|result| result.grading.as_ref()?.grade)
    {
        said += &format!(" · grade {grade:.1}");
    }
    said
}
