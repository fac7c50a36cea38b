//! What the options of `watch` say, as the API is asked: kinds, names, teams, cycles, and how long.
//!
//! Invariant: a word that is none is one sentence that names those there are. Whether a team or a cycle is there is the
//! server's to say.

use std::time::Duration;

use crate::cli::{Failure, FailureKind};
use crate::domain::Id;
use crate::proto::api::SubscriptionFilter;
use crate::proto::api::subscription_filter::{ChangeKind, ResourceKind};

/// What a subscription is about, as it was written.
#[derive(Debug, Default)]
pub(super) struct Words<'a> {
    pub(super) kinds: &'a [ResourceKind],
    pub(super) names: &'a [String],
    pub(super) teams: &'a [String],
    pub(super) cycles: &'a [String],
    pub(super) changes: &'a [ChangeKind],
}

impl Words<'_> {
    /// The filter for a workspace; none: everything is asked for.
    ///
    /// # Errors
    /// A name, a team or a cycle that cannot be one of this workspace.
    pub(super) fn filter(&self, workspace: &Id) -> Result<Option<SubscriptionFilter>, Failure> {
        let Self {
            kinds,
            names,
            teams,
            cycles,
            changes,
        } = self;
        let all = |texts: &[String], read: &dyn Fn(&str) -> Result<String, Failure>| {
            texts.iter().map(|text| read(text)).collect::<Result<Vec<_>, _>>()
        };
        let filter = SubscriptionFilter {
            resource_kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            names: all(names, &|text| name(workspace, text))?,
            teams: all(teams, &|text| member_of(workspace, "--team", "teams", text))?,
            cycles: all(cycles, &|text| member_of(workspace, "--cycle", "cycles", text))?,
            change_kinds: changes.iter().map(|kind| (*kind).into()).collect(),
        };
        Ok((filter != SubscriptionFilter::default()).then_some(filter))
    }
}

/// A kind of resource, in any case, with `-` or `_`.
///
/// # Errors
/// It is none: those there are.
pub(super) fn kind(text: &str) -> Result<ResourceKind, String> {
    let found = ResourceKind::from_str_name(&constant("RESOURCE_KIND_", text));
    let found = found.filter(|kind| *kind != ResourceKind::Unspecified);
    found.ok_or_else(|| {
        let all = (1..).map_while(|number| ResourceKind::try_from(number).ok());
        no_word(
            "kind of resource",
            all.map(|kind| kind.as_str_name()),
            "RESOURCE_KIND_",
        )
    })
}

/// What became of a resource.
///
/// # Errors
/// It is none: those there are.
pub(super) fn change(text: &str) -> Result<ChangeKind, String> {
    let found = ChangeKind::from_str_name(&constant("CHANGE_KIND_", text));
    let found = found.filter(|kind| *kind != ChangeKind::Unspecified);
    found.ok_or_else(|| {
        let all = (1..).map_while(|number| ChangeKind::try_from(number).ok());
        no_word(
            "kind of change",
            all.map(|kind| kind.as_str_name()),
            "CHANGE_KIND_",
        )
    })
}

/// How long one net change takes at least.
///
/// # Errors
/// It is no duration, or not one that the API takes.
pub(super) fn min_interval(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_millis(100), "100ms")
}

/// How often a quiet stream says where it stands.
///
/// # Errors
/// It is no duration, or not one that the API takes.
pub(super) fn checkpoint_interval(text: &str) -> Result<Duration, String> {
    duration(text, Duration::from_secs(1), "1s")
}

fn duration(text: &str, least: Duration, least_text: &str) -> Result<Duration, String> {
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read.ok_or_else(|| "it is no duration: write for example 500ms, 5s or 2m".to_owned())?;
    let read = Duration::try_from(read).unwrap_or_default();
    if read < least || read > Duration::from_secs(3600) {
        return Err(format!("it goes from {least_text} to 1h: write for example 5s"));
    }
    Ok(read)
}

fn constant(prefix: &str, text: &str) -> String {
    format!("{prefix}{}", text.to_ascii_uppercase().replace('-', "_"))
}

fn no_word(what: &str, all: impl Iterator<Item = &'static str>, prefix: &str) -> String {
    let all: Vec<_> = all.filter_map(|name| name.strip_prefix(prefix)).collect();
    format!("it is no {what}: write {}", all.join(", "))
}

/// A full name, or one inside the workspace, perhaps with a `*` at its end.
fn name(workspace: &Id, text: &str) -> Result<String, Failure> {
    let own = format!("workspaces/{workspace}");
    let below = |rest: &str| rest.is_empty() || rest.starts_with(['/', '*']);
    let inside = text.trim_end_matches('*');
    if text.starts_with("workspaces/") {
        return match text.strip_prefix(&own) {
            Some(rest) if below(rest) => Ok(text.to_owned()),
            _ => Err(wrong(
                "--name",
                text,
                &format!("is not in {own}: leave the workspace out, or watch the other one"),
            )),
        };
    }
    if (inside.is_empty() && text != "*") || text.starts_with('/') {
        return Err(wrong(
            "--name",
            text,
            "is no name: write for example kpis/revenue or objectives/grow*",
        ));
    }
    Ok(format!("{own}/{text}"))
}

/// The name of a team or a cycle, from its id or its name.
fn member_of(workspace: &Id, option: &str, collection: &str, text: &str) -> Result<String, Failure> {
    let own = format!("workspaces/{workspace}/");
    let id = text.strip_prefix(&own).unwrap_or(text);
    let id = id.strip_prefix(&format!("{collection}/")).unwrap_or(id);
    let id = Id::parse(id).map_err(|_| {
        let example = format!(
            "{collection}/{}",
            if collection == "teams" { "sales" } else { "2026-q4" }
        );
        wrong(
            option,
            text,
            &format!("is no id and no name in {own}{collection}: write for example {example}"),
        )
    })?;
    Ok(format!("{own}{collection}/{id}"))
}

fn wrong(option: &str, text: &str, what: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("{option} {text:?} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> Id {
        Id::parse("acme").expect("an id")
    }

    #[test]
    fn a_word_of_the_api_is_read_in_any_case_and_another_names_those_there_are() {
        assert_eq!(kind("KPI"), Ok(ResourceKind::Kpi));
        assert_eq!(kind("key-result"), Ok(ResourceKind::KeyResult));
        assert_eq!(kind("Check_In"), Ok(ResourceKind::CheckIn));
        assert_eq!(
            kind("unspecified").expect_err("no kind"),
            "it is no kind of resource: write WORKSPACE, TEAM, MEMBER, CYCLE, OBJECTIVE, KEY_RESULT, INITIATIVE, KPI, \
             TARGET, REVIEW, SCORING_POLICY, ALERT, CHECK_IN"
        );
        assert_eq!(change("value-changed"), Ok(ChangeKind::ValueChanged));
        assert_eq!(
            change("CHANGED").expect_err("no kind"),
            "it is no kind of change: write CREATED, UPDATED, DELETED, STATE_CHANGED, VALUE_CHANGED, FIGURE_CHANGED"
        );
    }

    #[test]
    fn a_duration_has_a_unit_and_a_range() {
        for (text, read) in [
            ("5s", Ok(5_000)),
            ("500ms", Ok(500)),
            ("2m", Ok(120_000)),
            ("1h", Ok(3_600_000)),
            ("1m 30s", Ok(90_000)),
            ("100ms", Ok(100)),
            ("99ms", Err("it goes from 100ms to 1h: write for example 5s")),
            ("-5s", Err("it goes from 100ms to 1h: write for example 5s")),
            ("61m", Err("it goes from 100ms to 1h: write for example 5s")),
            ("5", Err("it is no duration: write for example 500ms, 5s or 2m")),
            ("", Err("it is no duration: write for example 500ms, 5s or 2m")),
            (
                "soon",
                Err("it is no duration: write for example 500ms, 5s or 2m"),
            ),
        ] {
            let read = read.map(Duration::from_millis).map_err(ToOwned::to_owned);
            assert_eq!(min_interval(text), read, "{text}");
        }
        assert_eq!(
            checkpoint_interval("500ms").expect_err("too short"),
            "it goes from 1s to 1h: write for example 5s"
        );
    }

    #[test]
    fn a_name_is_one_of_the_workspace_however_it_is_written() {
        for (text, name_read) in [
            ("kpis/nps", Some("workspaces/acme/kpis/nps")),
            ("objectives/grow*", Some("workspaces/acme/objectives/grow*")),
            ("*", Some("workspaces/acme/*")),
            ("workspaces/acme", Some("workspaces/acme")),
            ("workspaces/acme/kpis/*", Some("workspaces/acme/kpis/*")),
            ("workspaces/acme2/kpis/nps", None),
            ("workspaces/other", None),
            ("", None),
            ("/kpis", None),
        ] {
            assert_eq!(name(&acme(), text).ok().as_deref(), name_read, "{text}");
        }
        let refused = name(&acme(), "workspaces/other/kpis/x").expect_err("another workspace");
        assert_eq!(
            refused.to_string(),
            "--name \"workspaces/other/kpis/x\" is not in workspaces/acme: leave the workspace out, or watch the other one"
        );
    }

    #[test]
    fn a_team_and_a_cycle_are_ids_or_names() {
        for text in ["sales", "teams/sales", "workspaces/acme/teams/sales"] {
            let read = member_of(&acme(), "--team", "teams", text).expect("a team");
            assert_eq!(read, "workspaces/acme/teams/sales");
        }
        let refused = member_of(&acme(), "--cycle", "cycles", "Q4 2026").expect_err("no id");
        assert_eq!(
            refused.to_string(),
            "--cycle \"Q4 2026\" is no id and no name in workspaces/acme/cycles: write for example cycles/2026-q4"
        );
    }

    #[test]
    fn nothing_asked_for_is_no_filter_at_all() {
        assert_eq!(Words::default().filter(&acme()).expect("no filter"), None);
        let words = Words {
            kinds: &[ResourceKind::Kpi],
            ..Words::default()
        };
        let filter = words.filter(&acme()).expect("a filter").expect("a filter");
        assert_eq!(filter.resource_kinds, [i32::from(ResourceKind::Kpi)]);
    }
}
