//! Full names after AIP-122: `workspaces/acme/objectives/win-brazil/keyResults/nps`, as requests and answers carry them.
//!
//! Invariant: what a function here answers is well-formed and of the collection that its name says. It does not know
//! whether such a resource exists.

use jiff::civil::Date;

use crate::domain::{Alignment, Id, InitiativeId, Invalid, KeyResultId, ResourceName, Revision, Violation};

/// What a kind of name looks like.
struct Pattern {
    noun: &'static str,
    text: &'static str,
}

const WORKSPACE: Pattern = Pattern {
    noun: "workspace",
    text: "workspaces/{workspace}",
};
const TEAM: Pattern = Pattern {
    noun: "team",
    text: "workspaces/{workspace}/teams/{team}",
};
const MEMBER: Pattern = Pattern {
    noun: "member",
    text: "workspaces/{workspace}/members/{member}",
};
const CYCLE: Pattern = Pattern {
    noun: "cycle",
    text: "workspaces/{workspace}/cycles/{cycle}",
};
const REVIEW: Pattern = Pattern {
    noun: "review",
    text: "workspaces/{workspace}/cycles/{cycle}/reviews/{review}",
};
const SCORING_POLICY: Pattern = Pattern {
    noun: "scoring policy",
    text: "workspaces/{workspace}/scoringPolicy",
};
const CHECK_IN: Pattern = Pattern {
    noun: "check-in",
    text: "workspaces/{workspace}/objectives/{objective}/keyResults/{key_result}/checkIns/{check_in}",
};
const OBJECTIVE: Pattern = Pattern {
    noun: "objective",
    text: "workspaces/{workspace}/objectives/{objective}",
};
const KEY_RESULT: Pattern = Pattern {
    noun: "key result",
    text: "workspaces/{workspace}/objectives/{objective}/keyResults/{key_result}",
};
const INITIATIVE: Pattern = Pattern {
    noun: "initiative",
    text: "workspaces/{workspace}/objectives/{objective}/initiatives/{initiative}",
};
const KPI: Pattern = Pattern {
    noun: "KPI",
    text: "workspaces/{workspace}/kpis/{kpi}",
};
const TARGET: Pattern = Pattern {
    noun: "target",
    text: "workspaces/{workspace}/kpis/{kpi}/targets/{date}",
};
const ALERT: Pattern = Pattern {
    noun: "alert",
    text: "workspaces/{workspace}/kpis/{kpi}/alerts/{alert}",
};
const EVENT: Pattern = Pattern {
    noun: "event",
    text: "workspaces/{workspace}/events/{revision}.{index}",
};

/// How much of a bad text a sentence repeats, in characters.
const SHOWN_CHARS_MAX: usize = 100;

/// The key results that a list is about; none: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyResultScope {
    /// Only this objective's.
    pub objective: Option<Id>,
    /// Only those of this id.
    pub key_result: Option<Id>,
}

impl KeyResultScope {
    /// Whether a key result is one of them.
    #[must_use]
    pub(crate) fn covers(&self, id: &KeyResultId) -> bool {
        self.objective.as_ref().is_none_or(|only| *only == id.objective)
            && self.key_result.as_ref().is_none_or(|only| *only == id.id)
    }
}

/// The full name of a resource.
#[must_use]
pub(crate) fn full_name(workspace: &Id, resource: &ResourceName) -> String {
    match resource {
        ResourceName::Workspace => format!("workspaces/{workspace}"),
        inside => format!("workspaces/{workspace}/{inside}"),
    }
}

/// The full name of an event.
#[must_use]
pub(crate) fn event_name(workspace: &Id, revision: Revision, index: usize) -> String {
    format!("workspaces/{workspace}/events/{revision}.{index}")
}

/// A request's `workspaces/{workspace}`.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn workspace(field: &str, text: &str) -> Result<Id, Violation> {
    variables(text, &WORKSPACE)
        .and_then(|[workspace]| Id::parse(workspace))
        .map_err(|invalid| invalid.at(field))
}

/// A request's team: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn team(field: &str, text: &str) -> Result<(Id, Id), Violation> {
    pair(text, &TEAM).map_err(|invalid| invalid.at(field))
}

/// A request's member: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn member(field: &str, text: &str) -> Result<(Id, Id), Violation> {
    pair(text, &MEMBER).map_err(|invalid| invalid.at(field))
}

/// A request's cycle: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn cycle(field: &str, text: &str) -> Result<(Id, Id), Violation> {
    pair(text, &CYCLE).map_err(|invalid| invalid.at(field))
}

/// A request's objective: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn objective(field: &str, text: &str) -> Result<(Id, Id), Violation> {
    pair(text, &OBJECTIVE).map_err(|invalid| invalid.at(field))
}

/// A request's KPI: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn kpi(field: &str, text: &str) -> Result<(Id, Id), Violation> {
    pair(text, &KPI).map_err(|invalid| invalid.at(field))
}

/// A request's target: its workspace, its KPI and its date.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn target(field: &str, text: &str) -> Result<(Id, (Id, Date)), Violation> {
    let read = || {
        variables::<3>(text, &TARGET)?;
        match resource(field, text) {
            Ok((workspace, ResourceName::Target(kpi, date))) => Ok((workspace, (kpi, date))),
            Ok(_) => Err(not_a(text, &TARGET)),
            Err(violation) => Err(Invalid::new(violation.sentence)),
        }
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A request's alert: its workspace, its KPI and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn alert(field: &str, text: &str) -> Result<(Id, (Id, Id)), Violation> {
    let read = || {
        let [workspace, kpi, id] = variables(text, &ALERT)?;
        Ok((Id::parse(workspace)?, (Id::parse(kpi)?, Id::parse(id)?)))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A request's key result: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn key_result(field: &str, text: &str) -> Result<(Id, KeyResultId), Violation> {
    key_result_pair(text).map_err(|invalid| invalid.at(field))
}

/// A request's initiative: its workspace and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn initiative(field: &str, text: &str) -> Result<(Id, InitiativeId), Violation> {
    let read = || {
        let [workspace, objective, id] = variables(text, &INITIATIVE)?;
        let (objective, id) = (Id::parse(objective)?, Id::parse(id)?);
        Ok((Id::parse(workspace)?, InitiativeId { objective, id }))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A request's review: its workspace, its cycle and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn review(field: &str, text: &str) -> Result<(Id, (Id, Id)), Violation> {
    let read = || {
        let [workspace, cycle, id] = variables(text, &REVIEW)?;
        Ok((Id::parse(workspace)?, (Id::parse(cycle)?, Id::parse(id)?)))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A request's scoring policy: its workspace.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn scoring_policy(field: &str, text: &str) -> Result<Id, Violation> {
    variables(text, &SCORING_POLICY)
        .and_then(|[workspace]| Id::parse(workspace))
        .map_err(|invalid| invalid.at(field))
}

/// A request's check-in: its workspace, its key result and its id.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn check_in(field: &str, text: &str) -> Result<(Id, (KeyResultId, Id)), Violation> {
    let read = || {
        let [workspace, objective, key_result, id] = variables(text, &CHECK_IN)?;
        let key_result = KeyResultId {
            objective: Id::parse(objective)?,
            id: Id::parse(key_result)?,
        };
        Ok((Id::parse(workspace)?, (key_result, Id::parse(id)?)))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A request's resource of any kind: its workspace, and its name inside of it.
///
/// # Errors
/// It is missing, or no resource's name.
pub(crate) fn resource(field: &str, text: &str) -> Result<(Id, ResourceName), Violation> {
    let read = || {
        let inside = text.strip_prefix("workspaces/").ok_or_else(|| {
            Invalid::new(format!(
                "{:?} does not begin with \"workspaces/\": write the whole name, as the API answered it",
                shown(text)
            ))
        })?;
        Ok(match inside.split_once('/') {
            None => (Id::parse(inside)?, ResourceName::Workspace),
            Some((_, "")) => return Err(not_a(text, &WORKSPACE)),
            Some((workspace, rest)) => (Id::parse(workspace)?, ResourceName::parse(rest)?),
        })
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// The same for one that has to be of `workspace`.
///
/// # Errors
/// It is missing, no resource's name, or in another workspace.
pub(crate) fn resource_of(field: &str, workspace: &Id, text: &str) -> Result<ResourceName, Violation> {
    let (found, name) = resource(field, text)?;
    let elsewhere = || {
        Invalid::new(format!(
            "{:?} is in another workspace: name a resource of workspaces/{workspace}",
            shown(text)
        ))
    };
    (found == *workspace)
        .then_some(name)
        .ok_or_else(|| elsewhere().at(field))
}

/// A list's parent `workspaces/{workspace}/cycles/{cycle}`; `-`: none, so all cycles.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn cycle_or_all(field: &str, text: &str) -> Result<(Id, Option<Id>), Violation> {
    pair_or_all(text, &CYCLE).map_err(|invalid| invalid.at(field))
}

/// A request's event: its workspace, its revision and its index in the commit.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn event(field: &str, text: &str) -> Result<(Id, Revision, usize), Violation> {
    let read = || {
        let [workspace, event] = variables(text, &EVENT)?;
        let workspace = Id::parse(workspace)?;
        let number = |part: &str| -> Option<u64> {
            // A number is written in one way only, so that an event has one name.
            part.parse()
                .ok()
                .filter(|number: &u64| number.to_string() == part)
        };
        let (revision, index) = event
            .split_once('.')
            .and_then(|(revision, index)| {
                Some((Revision(number(revision)?), usize::try_from(number(index)?).ok()?))
            })
            .ok_or_else(|| not_a(text, &EVENT))?;
        Ok((workspace, revision, index))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A list's parent `workspaces/{workspace}/objectives/{objective}`; `-`: none, so all objectives.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn objective_or_all(field: &str, text: &str) -> Result<(Id, Option<Id>), Violation> {
    pair_or_all(text, &OBJECTIVE).map_err(|invalid| invalid.at(field))
}

/// A list's or a batch's parent `workspaces/{workspace}/kpis/{kpi}`; `-`: none, so all KPIs.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn kpi_or_all(field: &str, text: &str) -> Result<(Id, Option<Id>), Violation> {
    pair_or_all(text, &KPI).map_err(|invalid| invalid.at(field))
}

/// A list's parent `workspaces/{workspace}/objectives/{objective}/keyResults/{key_result}`, each part maybe `-`.
///
/// # Errors
/// It is missing, or something else.
pub(crate) fn key_result_or_all(field: &str, text: &str) -> Result<(Id, KeyResultScope), Violation> {
    let read = || {
        let [workspace, objective, key_result] = variables(text, &KEY_RESULT)?;
        let scope = KeyResultScope {
            objective: id_or_all(objective)?,
            key_result: id_or_all(key_result)?,
        };
        Ok((Id::parse(workspace)?, scope))
    };
    read().map_err(|invalid: Invalid| invalid.at(field))
}

/// A reference to a team of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn team_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    reference(workspace, text, &TEAM, pair)
}

/// A reference to a member of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn member_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    reference(workspace, text, &MEMBER, pair)
}

/// A reference to a cycle of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn cycle_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    reference(workspace, text, &CYCLE, pair)
}

/// A reference to a KPI of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn kpi_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    reference(workspace, text, &KPI, pair)
}

/// A reference to a key result of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn key_result_reference(
    workspace: Option<&Id>,
    text: &str,
) -> Result<Option<KeyResultId>, Invalid> {
    reference(workspace, text, &KEY_RESULT, |text, _| key_result_pair(text))
}

/// A reference to an objective of `workspace` (none: of any); empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn objective_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Id>, Invalid> {
    reference(workspace, text, &OBJECTIVE, pair)
}

/// A reference to what an objective is aligned to, an objective or a key result of `workspace`; empty: none.
///
/// # Errors
/// It is something else, or in another workspace.
pub(crate) fn alignment_reference(workspace: Option<&Id>, text: &str) -> Result<Option<Alignment>, Invalid> {
    if text.contains("/keyResults/") {
        Ok(key_result_reference(workspace, text)?.map(Alignment::KeyResult))
    } else {
        Ok(objective_reference(workspace, text)?.map(Alignment::Objective))
    }
}

/// The same for a reference that must not be empty.
///
/// # Errors
/// It is empty.
pub(crate) fn given<T>(reference: Option<T>) -> Result<T, Invalid> {
    reference.ok_or_else(|| Invalid::new("it is missing: name a resource, as the API answered it"))
}

fn pair(text: &str, pattern: &Pattern) -> Result<(Id, Id), Invalid> {
    let [workspace, id] = variables(text, pattern)?;
    Ok((Id::parse(workspace)?, Id::parse(id)?))
}

fn pair_or_all(text: &str, pattern: &Pattern) -> Result<(Id, Option<Id>), Invalid> {
    let [workspace, id] = variables(text, pattern)?;
    Ok((Id::parse(workspace)?, id_or_all(id)?))
}

fn id_or_all(text: &str) -> Result<Option<Id>, Invalid> {
    if text == "-" {
        Ok(None)
    } else {
        Id::parse(text).map(Some)
    }
}

fn key_result_pair(text: &str) -> Result<(Id, KeyResultId), Invalid> {
    let [workspace, objective, id] = variables(text, &KEY_RESULT)?;
    let (objective, id) = (Id::parse(objective)?, Id::parse(id)?);
    Ok((Id::parse(workspace)?, KeyResultId { objective, id }))
}

fn reference<T>(
    workspace: Option<&Id>,
    text: &str,
    pattern: &Pattern,
    read: impl FnOnce(&str, &Pattern) -> Result<(Id, T), Invalid>,
) -> Result<Option<T>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let (found, id) = read(text, pattern)?;
    match workspace {
        Some(workspace) if *workspace != found => Err(Invalid::new(format!(
            "{:?} is in another workspace: name a {} of workspaces/{workspace}",
            shown(text),
            pattern.noun
        ))),
        _ => Ok(Some(id)),
    }
}

/// The parts of a name that stand where its pattern has a variable.
fn variables<'text, const N: usize>(text: &'text str, pattern: &Pattern) -> Result<[&'text str; N], Invalid> {
    if text.is_empty() {
        return Err(Invalid::new(format!(
            "it is missing: write the name of a {}, \"{}\"",
            pattern.noun, pattern.text
        )));
    }
    let mut found = [""; N];
    let mut places = found.iter_mut();
    let mut parts = text.split('/');
    for expected in pattern.text.split('/') {
        let part = parts.next().ok_or_else(|| not_a(text, pattern))?;
        if !expected.starts_with('{') {
            if part != expected {
                return Err(not_a(text, pattern));
            }
        } else if let Some(place) = places.next() {
            *place = part;
        }
    }
    match parts.next() {
        None => Ok(found),
        Some(_) => Err(not_a(text, pattern)),
    }
}

fn not_a(text: &str, pattern: &Pattern) -> Invalid {
    Invalid::new(format!(
        "{:?} is not the name of a {}: write \"{}\"",
        shown(text),
        pattern.noun,
        pattern.text
    ))
}

/// The beginning of a text: a sentence does not repeat a megabyte.
fn shown(text: &str) -> &str {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        None => text,
        Some((end, _)) => &text[..end],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> Id {
        Id::parse(text).unwrap()
    }

    fn key_result_id(objective: &str, key_result: &str) -> KeyResultId {
        KeyResultId {
            objective: id(objective),
            id: id(key_result),
        }
    }

    #[test]
    fn a_full_name_is_read_as_it_is_written() {
        for text in [
            "workspaces/acme",
            "workspaces/acme/teams/sales",
            "workspaces/acme/members/maria",
            "workspaces/acme/cycles/q3",
            "workspaces/acme/cycles/q3/reviews/mid-term",
            "workspaces/acme/scoringPolicy",
            "workspaces/acme/objectives/win",
            "workspaces/acme/objectives/win/keyResults/nps",
            "workspaces/acme/objectives/win/initiatives/demos",
            "workspaces/acme/objectives/win/keyResults/nps/checkIns/c1",
            "workspaces/acme/kpis/nps",
            "workspaces/acme/kpis/nps/targets/2026-01-01",
        ] {
            let (workspace, resource) = resource("name", text).unwrap();
            assert_eq!(full_name(&workspace, &resource), text);
        }
        for bad in [
            "",
            "workspaces",
            "workspaces/",
            "workspaces/acme/",
            "workspaces/Acme",
            "acme/teams/sales",
            "workspaces/acme/teams",
            "workspaces/acme/kpis/nps/targets/20260101",
        ] {
            assert!(resource("name", bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_request_names_a_resource_of_one_collection() {
        assert_eq!(workspace("name", "workspaces/acme"), Ok(id("acme")));
        assert_eq!(
            kpi("parent", "workspaces/acme/kpis/nps"),
            Ok((id("acme"), id("nps")))
        );
        assert_eq!(
            key_result("parent", "workspaces/acme/objectives/win/keyResults/nps"),
            Ok((id("acme"), key_result_id("win", "nps")))
        );
        assert_eq!(
            event("name", "workspaces/acme/events/12.0"),
            Ok((id("acme"), Revision(12), 0))
        );
        assert_eq!(
            event_name(&id("acme"), Revision(12), 0),
            "workspaces/acme/events/12.0"
        );
        for (refused, sentence) in [
            (
                kpi("parent", ""),
                "it is missing: write the name of a KPI, \"workspaces/{workspace}/kpis/{kpi}\"",
            ),
            (
                kpi("parent", "workspaces/acme/teams/nps"),
                "\"workspaces/acme/teams/nps\" is not the name of a KPI: write \"workspaces/{workspace}/kpis/{kpi}\"",
            ),
            (
                kpi("parent", "workspaces/acme/kpis/-"),
                "\"-\" is not an id: use 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter and not ending with \"-\"",
            ),
        ] {
            let expected = Violation {
                field: "parent".to_owned(),
                sentence: sentence.to_owned(),
            };
            assert_eq!(refused, Err(expected));
        }
        for bad in ["12", "12.", ".0", "+1.0", "01.0", "1.0.0", "1.-1"] {
            assert!(
                event("name", &format!("workspaces/acme/events/{bad}")).is_err(),
                "{bad:?} was taken"
            );
        }
    }

    #[test]
    fn a_list_takes_a_hyphen_for_all() {
        assert_eq!(
            kpi_or_all("parent", "workspaces/acme/kpis/-"),
            Ok((id("acme"), None))
        );
        assert_eq!(
            objective_or_all("parent", "workspaces/acme/objectives/win"),
            Ok((id("acme"), Some(id("win"))))
        );
        assert!(objective_or_all("parent", "workspaces/-/objectives/-").is_err());
        let covered = |parent: &str| {
            let (_, scope) = key_result_or_all("parent", parent).unwrap();
            [
                key_result_id("win", "nps"),
                key_result_id("win", "churn"),
                key_result_id("grow", "nps"),
            ]
            .map(|id| scope.covers(&id))
        };
        assert_eq!(
            covered("workspaces/acme/objectives/-/keyResults/-"),
            [true, true, true]
        );
        assert_eq!(
            covered("workspaces/acme/objectives/win/keyResults/-"),
            [true, true, false]
        );
        assert_eq!(
            covered("workspaces/acme/objectives/-/keyResults/nps"),
            [true, false, true]
        );
        assert_eq!(
            covered("workspaces/acme/objectives/win/keyResults/nps"),
            [true, false, false]
        );
    }

    #[test]
    fn a_reference_stays_in_its_workspace_and_its_collection() {
        let acme = id("acme");
        assert_eq!(member_reference(Some(&acme), ""), Ok(None));
        assert_eq!(
            member_reference(Some(&acme), "workspaces/acme/members/maria"),
            Ok(Some(id("maria")))
        );
        let elsewhere = member_reference(Some(&acme), "workspaces/other/members/maria");
        assert_eq!(
            elsewhere.unwrap_err().to_string(),
            "\"workspaces/other/members/maria\" is in another workspace: name a member of workspaces/acme"
        );
        assert!(member_reference(Some(&acme), "workspaces/acme/teams/sales").is_err());
        assert!(member_reference(None, "workspaces/other/members/maria").is_ok());
        assert_eq!(
            alignment_reference(Some(&acme), "workspaces/acme/objectives/win/keyResults/nps"),
            Ok(Some(Alignment::KeyResult(key_result_id("win", "nps"))))
        );
        assert_eq!(
            alignment_reference(Some(&acme), "workspaces/acme/objectives/win"),
            Ok(Some(Alignment::Objective(id("win"))))
        );
        assert!(alignment_reference(Some(&acme), "workspaces/acme/kpis/nps").is_err());
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reading_of_names(text in "(workspaces/|objectives/|kpis/|keyResults/|events/|-|/|acme|[0-9.]|\\PC){0,12}") {
            let acme = id("acme");
            if let Ok((workspace, resource)) = resource("name", &text) {
                prop_assert_eq!(full_name(&workspace, &resource), text.clone());
            }
            for (workspace, inside) in [kpi("name", &text), objective("name", &text)].into_iter().flatten() {
                let beginning = format!("workspaces/{workspace}/");
                prop_assert!(text.starts_with(&beginning) && text.ends_with(inside.as_str()));
            }
            if let Ok((workspace, revision, index)) = event("name", &text) {
                prop_assert_eq!(event_name(&workspace, revision, index), text.clone());
            }
            let _ = (key_result("name", &text), initiative("name", &text), key_result_or_all("name", &text));
            let _ = alignment_reference(Some(&acme), &text);
        }
    }
}
