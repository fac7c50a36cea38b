//! What a filtered stream has to be, worked out the long way: from the stream of everything, and from a snapshot of
//! everything at each revision. It knows the contract and nothing of the server's ways.

use std::collections::{BTreeMap, BTreeSet};

use binnacle::proto::api;
use binnacle::proto::api::derived_change::Figure;
use binnacle::proto::api::resource::Resource;
use binnacle::proto::api::subscription_filter::{ChangeKind, ResourceKind};

use crate::common::*;
use crate::kept::Kept;
use crate::life::Life;
use crate::reader::*;

/// Everything there is at one revision, and where whatever there ever was belongs.
#[derive(Clone, Default)]
pub(crate) struct Moment {
    pub(crate) revision: i64,
    resources: BTreeMap<String, api::Resource>,
    /// Objectives and KPIs: their team and their cycle. Of what is deleted, where it was last.
    homes: BTreeMap<String, (String, String)>,
    /// Teams: the one above.
    above: BTreeMap<String, String>,
}

/// A moment after each commit.
pub(crate) struct History(pub(crate) Vec<Moment>);

impl Moment {
    /// What a snapshot shows now, with what is known from before.
    async fn now(server: &Server, before: &Self) -> Self {
        let (kept, revision, _) = Kept::fresh(server, &everything()).await;
        let mut moment = Self {
            revision,
            resources: kept.0,
            ..before.clone()
        };
        for (name, resource) in &moment.resources {
            match resource.resource.as_ref().expect("a resource") {
                Resource::Team(team) => {
                    moment.above.insert(name.clone(), team.parent_team.clone());
                }
                Resource::Objective(it) => {
                    moment
                        .homes
                        .insert(name.clone(), (it.team.clone(), it.cycle.clone()));
                }
                Resource::Kpi(it) => {
                    moment
                        .homes
                        .insert(name.clone(), (it.team.clone(), String::new()));
                }
                _ => {}
            }
        }
        moment
    }

    /// The teams of a resource, from its own upwards, and its cycle; none: there never was such a thing.
    fn home(&self, name: &str) -> Option<(BTreeSet<&str>, String)> {
        let inside = name.strip_prefix("workspaces/acme/").unwrap_or_default();
        let mut parts = inside.splitn(3, '/');
        let (kind, id) = (parts.next()?, parts.next().unwrap_or_default());
        let top = acme(&format!("{kind}/{id}"));
        let (team, cycle) = match kind {
            "teams" => (self.above.get_key_value(&top)?.0.clone(), String::new()),
            "cycles" => (String::new(), top),
            "objectives" | "kpis" => self.homes.get(&top)?.clone(),
            _ => Default::default(),
        };
        let mut teams = BTreeSet::new();
        let mut next = self.above.get_key_value(&team);
        while let Some((team, above)) = next {
            teams.insert(team.as_str());
            next = self.above.get_key_value(above);
        }
        Some((teams, cycle))
    }

    fn takes(&self, filter: &api::SubscriptionFilter, name: &str, cycle: Option<&str>) -> bool {
        let Some((teams, own_cycle)) = self.home(name) else {
            return false;
        };
        let cycle = cycle.unwrap_or(&own_cycle);
        let named = |pattern: &String| match pattern.strip_suffix('*') {
            Some(begins) => name.starts_with(begins),
            None => name == pattern,
        };
        let any = |empty: bool, found: bool| empty || found;
        any(
            filter.resource_kinds.is_empty(),
            filter.resource_kinds.contains(&kind_of(name).into()),
        ) && any(filter.names.is_empty(), filter.names.iter().any(named))
            && any(
                filter.teams.is_empty(),
                filter.teams.iter().any(|team| teams.contains(team.as_str())),
            )
            && any(
                filter.cycles.is_empty(),
                filter.cycles.iter().any(|it| it == cycle),
            )
    }

    /// The names of a snapshot with a filter.
    pub(crate) fn listed<'a>(&'a self, filter: &api::SubscriptionFilter) -> Vec<&'a str> {
        let names = self.resources.keys().map(String::as_str);
        names.filter(|name| self.takes(filter, name, None)).collect()
    }
}

impl History {
    /// Lives some steps and looks at everything after each.
    pub(crate) async fn lived(server: &Server, life: &mut Life<'_>, steps: u32) -> Self {
        let mut moments = vec![Moment::now(server, &Moment::default()).await];
        for _ in 0..steps {
            life.step().await;
            let before = &moments[moments.len() - 1];
            let now = Moment::now(server, before).await;
            if now.revision > before.revision {
                assert_eq!(now.revision, before.revision + 1, "a command is a commit");
                moments.push(now);
            }
        }
        Self(moments)
    }

    /// What a stream with a filter is sent, out of what the stream of everything was sent.
    pub(crate) fn expected(
        &self,
        filter: &api::SubscriptionFilter,
        everything: &[(String, api::Update)],
    ) -> Vec<api::Update> {
        let pairs = self.0.windows(2);
        pairs
            .zip(everything)
            .filter_map(|(pair, (_, update))| {
                let (before, after) = (&pair[0], &pair[1]);
                assert_eq!(revision_of(update), after.revision);
                let expected = filtered(filter, update, before, after);
                let empty = expected.events.is_empty()
                    && expected.derived_changes.is_empty()
                    && expected.entered.is_empty()
                    && expected.left.is_empty();
                (!empty).then_some(expected)
            })
            .collect()
    }
}

fn filtered(
    filter: &api::SubscriptionFilter,
    update: &api::Update,
    before: &Moment,
    after: &Moment,
) -> api::Update {
    let wants =
        |kind: ChangeKind| filter.change_kinds.is_empty() || filter.change_kinds.contains(&kind.into());
    let about = |name: &str, cycle: Option<&str>| {
        before.takes(filter, name, cycle) || after.takes(filter, name, cycle)
    };
    let events = update.events.iter().filter(|event| {
        let existed = before.resources.contains_key(&event.resource);
        wants(change_kind(&event.r#type, existed)) && about(&event.resource, None)
    });
    let derived = update.derived_changes.iter().filter(|change| {
        let cycle = match change.figure.as_ref().expect("a figure") {
            Figure::TeamScore(score) => Some(score.cycle.as_str()),
            _ => None,
        };
        wants(ChangeKind::FigureChanged) && about(&change.resource, cycle)
    });
    let (was, is): (BTreeSet<&str>, BTreeSet<&str>) = (
        before.listed(filter).into_iter().collect(),
        after.listed(filter).into_iter().collect(),
    );
    api::Update {
        commit: update.commit.clone(),
        events: events.cloned().collect(),
        derived_changes: derived.cloned().collect(),
        entered: is
            .difference(&was)
            .map(|name| after.resources[*name].clone())
            .collect(),
        left: was.difference(&is).map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    }
}

/// Entered and left come in no order that is promised.
pub(crate) fn in_order(mut update: api::Update) -> api::Update {
    update.entered.sort_by(|a, b| name_of(a).cmp(name_of(b)));
    update.left.sort();
    update
}

fn kind_of(name: &str) -> ResourceKind {
    let parts: Vec<&str> = name.split('/').skip(2).collect();
    match parts.as_slice() {
        [] => ResourceKind::Workspace,
        ["teams", _] => ResourceKind::Team,
        ["members", _] => ResourceKind::Member,
        ["scoringPolicy"] => ResourceKind::ScoringPolicy,
        ["cycles", _] => ResourceKind::Cycle,
        ["cycles", _, _, _] => ResourceKind::Review,
        ["objectives", _] => ResourceKind::Objective,
        ["objectives", _, "keyResults", _] => ResourceKind::KeyResult,
        ["objectives", _, "initiatives", _] => ResourceKind::Initiative,
        ["objectives", ..] => ResourceKind::CheckIn,
        ["kpis", _] => ResourceKind::Kpi,
        ["kpis", _, "targets", _] => ResourceKind::Target,
        ["kpis", _, "alerts", _] => ResourceKind::Alert,
        other => panic!("no resource: {other:?}"),
    }
}

fn change_kind(event: &str, existed: bool) -> ChangeKind {
    match event {
        "AlertOpened" | "ReviewRecorded" => ChangeKind::Created,
        "TargetSet" if existed => ChangeKind::Updated,
        "TargetSet" => ChangeKind::Created,
        "AlertAcknowledged" | "ActionPlanSet" => ChangeKind::Updated,
        _ if event.ends_with("Created") || event.ends_with("Undeleted") => ChangeKind::Created,
        _ if event.ends_with("Updated") => ChangeKind::Updated,
        _ if event.ends_with("Deleted") => ChangeKind::Deleted,
        _ if event.starts_with("CheckIn") || event.starts_with("Measurement") => ChangeKind::ValueChanged,
        _ => ChangeKind::StateChanged,
    }
}
