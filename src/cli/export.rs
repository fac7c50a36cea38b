//! `binnacle export`: a workspace as manifests that `binnacle apply` makes an equal one of.
//!
//! Invariant: all of it is of one revision, and the same workspace is always written in the same bytes. What is deleted or
//! retracted is left out, also where something refers to it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::apply::lifecycle::objective_stands;
use super::apply::merge::authored;
use super::manifest::document::ARCHIVED;
use super::manifest::emit;
use super::manifest::kind::{Kind, parent, workspace_of};
use super::manifest::schema::{self, ALIGNED_TO, Schema};
use super::manifest::series;
use super::remote::{Remote, Wanted, Wire, without_gone};
use super::words::{say, tell};
use super::{Failure, FailureKind, connection};
use crate::domain::Id;
use crate::proto::api::objective;

/// Writes a workspace as manifests.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(super) struct Export {
    /// The workspace's id
    #[arg(long, value_parser = workspace, value_name = "ID")]
    workspace: Id,
    /// Where to write; it is replaced as a whole [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The server's address
    #[arg(long, default_value = "http://127.0.0.1:7700", value_name = "URL")]
    server: String,
    /// Who asks
    #[arg(long, env = "BINNACLE_ACTOR", value_name = "NAME")]
    actor: Option<String>,
}

const AFTER_HELP: &str = "\
Applied to a server that has no such workspace, the manifests make an equal one: every field that people write, states, \
targets, measurements, check-ins, reviews and the scoring policy. What is not in them: history, who did what and when, \
revisions, notes of measurements, alerts and their action plans, where a baseline came from, what is deleted or \
retracted. What is closed is graded anew, on the day on which it is applied. An objective that was carried over is \
written as CANCELED: it counts as little.

Creating a workspace makes a member of whoever does it: the first line of the output says with which --actor to apply it.";

/// How often it is read again when the workspace changes meanwhile.
const ATTEMPTS_MAX: usize = 5;

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let actor = self.actor.as_deref().filter(|actor| !actor.is_empty());
        let actor = actor.map(connection::actor).transpose()?;
        let schema = Schema::load()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            Failure::new(
                FailureKind::Failed,
                format!("the runtime cannot be started: {error}"),
            )
        })?;
        let remote = runtime.block_on(async {
            let wire = Wire::open(&self.server, actor).await?;
            self.read(&wire, &schema).await
        })?;
        let mut writer = Writer {
            schema: &schema,
            remote: &remote,
            workspace: &self.workspace,
            out: String::new(),
            left_out: Vec::new(),
        };
        writer.everything()?;
        writer.left_out.iter().for_each(|sentence| tell(sentence));
        match &self.output {
            Some(file) => replace(file, writer.out.as_bytes()),
            None => {
                say(writer.out.trim_end());
                Ok(())
            }
        }
    }

    /// Everything at one revision.
    async fn read(&self, wire: &Wire, schema: &Schema) -> Result<Remote, Failure> {
        let wanted = Wanted {
            kinds: Kind::ALL.into_iter().collect(),
            series: None,
        };
        for _ in 0..ATTEMPTS_MAX {
            let remote = Remote::read(wire, schema, &self.workspace, &wanted).await?;
            if remote.standing(Kind::Workspace, "").is_none() {
                let what = match remote.gone(Kind::Workspace, "") {
                    Some(_) => "is deleted: undelete it first",
                    None => "does not exist: correct the name",
                };
                let sentence = format!("workspaces/{} {what}", self.workspace);
                return Err(Failure::new(FailureKind::Usage, sentence));
            }
            if remote.revisions.len() == 1 {
                return Ok(remote);
            }
        }
        Err(Failure::new(
            FailureKind::Failed,
            format!(
                "the workspace changed while it was read, {ATTEMPTS_MAX} times: try again when it is quiet"
            ),
        ))
    }
}

/// Writes documents one behind the other.
struct Writer<'a> {
    schema: &'a Schema,
    remote: &'a Remote,
    workspace: &'a Id,
    out: String,
    /// What is left out because it refers to what is deleted, a sentence each.
    left_out: Vec<String>,
}

impl Writer<'_> {
    /// In an order in which one reads: people, cycles with their reviews, KPIs with targets and series, objectives with what
    /// belongs to them. What lies in something comes behind it; `apply` needs no order.
    fn everything(&mut self) -> Result<(), Failure> {
        self.head();
        self.resource(Kind::Workspace, "");
        self.all(Kind::Member, "", &[]);
        self.all(Kind::Team, "", &["parent_team"]);
        self.resource(Kind::ScoringPolicy, "scoringPolicy");
        for cycle in self.names(Kind::Cycle, "", &["parent_cycle"]) {
            self.resource(Kind::Cycle, &cycle);
            self.all(Kind::Review, &cycle, &[]);
        }
        for kpi in self.names(Kind::Kpi, "", &["replaces"]) {
            self.resource(Kind::Kpi, &kpi);
            self.all(Kind::Target, &kpi, &[]);
            self.series(&kpi);
        }
        for objective in self.names(Kind::Objective, "", &[ALIGNED_TO]) {
            self.resource(Kind::Objective, &objective);
            for key_result in self.names(Kind::KeyResult, &objective, &[]) {
                self.resource(Kind::KeyResult, &key_result);
                self.all(Kind::CheckIn, &key_result, &[]);
            }
            self.all(Kind::Initiative, &objective, &[]);
        }
        Ok(())
    }

    fn head(&mut self) {
        let owner = i32::from(crate::proto::api::member::Role::Owner);
        let is_owner = |name: &String| {
            let member = self.remote.standing(Kind::Member, name);
            let roles = member.and_then(|member| member.get_field_by_name("roles"));
            let roles = roles.as_deref().and_then(Value::as_list).unwrap_or_default();
            roles.contains(&Value::EnumNumber(owner))
        };
        let owners = self.remote.standing_names(Kind::Member).into_iter();
        // Whoever is called like an owner's id becomes that member by creating the workspace.
        let first = owners
            .filter(is_owner)
            .map(|name| parent(&name).1.to_owned())
            .next();
        let _infallible = writeln!(
            self.out,
            "# binnacle apply --actor {} -f FILE",
            first.unwrap_or_else(|| "OWNER".to_owned())
        );
    }

    /// The names of what is not deleted and lies in `above`; what `up` refers to comes first.
    fn names(&self, kind: Kind, above: &str, up: &[&str]) -> Vec<String> {
        let names = self.remote.standing_names(kind).into_iter();
        let names: Vec<_> = names
            .filter(|name| above.is_empty() || parent(name).0 == above)
            .collect();
        let mut ordered = Vec::with_capacity(names.len());
        let mut done = BTreeSet::new();
        for name in &names {
            // From the name up to what is not written yet, and down again.
            let mut chain = vec![name.clone()];
            while let Some(next) = chain.last().and_then(|last| self.referred(kind, last, up)) {
                if done.contains(&next) || chain.contains(&next) || !names.contains(&next) {
                    break;
                }
                chain.push(next);
            }
            for name in chain.into_iter().rev() {
                if done.insert(name.clone()) {
                    ordered.push(name);
                }
            }
        }
        ordered
    }

    /// What a resource refers to with the first of some fields, as a resource of its own kind.
    fn referred(&self, kind: Kind, name: &str, fields: &[&str]) -> Option<String> {
        let resource = self.remote.standing(kind, name)?;
        let full = schema::text(resource, fields.first()?);
        let (_, name) = workspace_of(&full)?;
        // An objective may be aligned to a key result.
        Some(name.split("/keyResults/").next().unwrap_or(name).to_owned())
    }

    fn all(&mut self, kind: Kind, above: &str, up: &[&str]) {
        for name in self.names(kind, above, up) {
            self.resource(kind, &name);
        }
    }

    fn resource(&mut self, kind: Kind, name: &str) {
        let Some(resource) = self.remote.standing(kind, name) else {
            return;
        };
        let mut own = authored(self.schema, resource);
        self.without_deleted(name, &mut own);
        if let Some(Value::Message(metric)) =
            own.get_field_by_name("metric").map(std::borrow::Cow::into_owned)
            && metric.has_field_by_name("relative_target")
        {
            // The target follows from it.
            let mut metric = metric;
            metric.clear_field_by_name("target");
            super::manifest::scalar::set(&mut own, "metric", Value::Message(metric));
        }
        if kind == Kind::Target {
            own.clear_field_by_name("effective_date");
        }
        let full = match kind {
            Kind::Workspace => format!("workspaces/{}", self.workspace),
            _ => name.to_owned(),
        };
        let _infallible = write!(self.out, "---\nkind: {}\nname: {full}\n", kind.word());
        emit::message(&mut self.out, self.schema, 0, &own);
        match kind {
            Kind::Kpi if resource.has_field_by_name("archive_time") => {
                let _infallible = writeln!(self.out, "{ARCHIVED}: true");
            }
            Kind::Cycle => self.state(resource, None),
            Kind::Objective => self.state(resource, Some(objective_stands(Some(resource)))),
            _ => {}
        }
    }

    /// The state, and what was said when it was closed.
    fn state(&mut self, resource: &DynamicMessage, stands: Option<i32>) {
        let Some(field) = resource.descriptor().get_field_by_name("state") else {
            return;
        };
        let state = match stands {
            Some(state) => Value::EnumNumber(state),
            None => resource.get_field(&field).into_owned(),
        };
        emit::field(&mut self.out, self.schema, 0, &field, &state);
        if stands != Some(objective::State::Closed.into()) {
            return;
        }
        let result = resource.get_field_by_name("result");
        let Some(result) = result.as_deref().and_then(Value::as_message) else {
            return;
        };
        if let Some(closing) = result.descriptor().get_field_by_name("closing")
            && let Value::Message(said) = result.get_field(&closing).as_ref()
            && said.fields().next().is_some()
        {
            let said = Value::Message(said.clone());
            emit::field(&mut self.out, self.schema, 0, &closing, &said);
        }
    }

    /// Takes out what refers to something that is deleted.
    fn without_deleted(&mut self, name: &str, message: &mut DynamicMessage) {
        let stands = |kind: Kind, name: &str| self.remote.standing(kind, name).is_some();
        let gone = without_gone(self.schema, message, false, stands);
        let gone = gone
            .into_iter()
            .map(|(field, deleted)| format!("{name} is written without its {field}: {deleted} is deleted"));
        self.left_out.extend(gone);
    }

    fn series(&mut self, kpi: &str) {
        let Some(series) = self.remote.series.get(kpi).filter(|series| !series.is_empty()) else {
            return;
        };
        let _infallible = write!(
            self.out,
            "---\nkind: {}\nkpi: {kpi}\npoints:\n",
            Kind::Series.word()
        );
        for ((moment, source_id), measured) in series {
            self.out
                .push_str(&series::line(*moment, measured.value, source_id));
        }
    }
}

/// Writes a file beside its place and moves it there, so that nobody finds half of it.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written = std::fs::write(&beside, bytes).and_then(|()| std::fs::rename(&beside, file));
    written.map_err(|error| {
        let sentence = format!("{} cannot be written: {error}", file.display());
        Failure::new(FailureKind::Failed, sentence)
    })
}

fn workspace(text: &str) -> Result<Id, String> {
    Id::parse(text.strip_prefix("workspaces/").unwrap_or(text)).map_err(|invalid| invalid.to_string())
}
