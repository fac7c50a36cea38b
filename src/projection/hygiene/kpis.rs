//! Rules about KPIs. A KPI that another one replaces is history, so none of them looks at it.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::look::Look;
use super::{Finding, FindingCode, history};
use crate::domain::{AlertKind, Cadence, Health, Id, Kpi, ResourceName, TOLERANCE};

/// Fewer KPIs than this are too few to speak of "most" of them.
const KPIS_FOR_SHARE_MIN: usize = 3;

/// "KPI without owner".
pub(super) fn without_owner(look: &Look<'_>, found: &mut Vec<Finding>) {
    without(look, found, FindingCode::KpiWithoutOwner, "owner", |kpi| {
        kpi.fields.owner.is_none()
    });
}

/// "KPI without … data source".
pub(super) fn without_data_source(look: &Look<'_>, found: &mut Vec<Finding>) {
    without(
        look,
        found,
        FindingCode::KpiWithoutDataSource,
        "data source",
        |kpi| kpi.fields.data_source.as_str().trim().is_empty(),
    );
}

/// "KPI without … target": none in force, and none to come.
pub(super) fn without_target(look: &Look<'_>, found: &mut Vec<Finding>) {
    without(look, found, FindingCode::KpiWithoutTarget, "target", |kpi| {
        kpi.targets.is_empty()
    });
}

fn without(
    look: &Look<'_>,
    found: &mut Vec<Finding>,
    code: FindingCode,
    what: &str,
    lacks: fn(&Kpi) -> bool,
) {
    let lacking = look.kpis().iter().filter(|(_, kpi)| lacks(kpi));
    found.extend(lacking.map(|(id, kpi)| {
        let title = kpi.fields.title.as_str();
        finding(code, id, format!("The KPI \"{title}\" has no {what}."))
    }));
}

/// "KPI breached … with no objective after two periods": BREACHED by its newest value, and by each of so many periods that
/// are over, while no open objective serves or measures it.
pub(super) fn breached_without_objective(look: &Look<'_>, found: &mut Vec<Finding>) {
    let most = look.limits().breached_periods_max as usize;
    for (id, kpi) in look.kpis() {
        let breached = look
            .figures
            .kpi(id)
            .is_some_and(|figure| figure.health == Health::Breached);
        if !breached || look.is_worked_on(id) {
            continue;
        }
        let periods = history::breached_periods(kpi, look.workspace);
        if periods >= most {
            let title = kpi.fields.title.as_str();
            let sentence = format!(
                "The KPI \"{title}\" has been breached for {periods} periods, and no objective is about it."
            );
            found.push(finding(FindingCode::KpiBreachedWithoutObjective, id, sentence));
        }
    }
}

/// "KPI breached with no action plan": its open BREACH needs action.
pub(super) fn breached_without_plan(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (id, kpi) in look.kpis() {
        let mut open = kpi.open_alerts();
        if open.any(|(_, alert)| alert.opening.kind == AlertKind::Breach && alert.needs_action()) {
            let title = kpi.fields.title.as_str();
            let sentence = format!("The KPI \"{title}\" is breached, and its alert has no action plan.");
            found.push(finding(FindingCode::KpiBreachedWithoutPlan, id, sentence));
        }
    }
}

/// "not 3 to 5 KPIs in an area of a team". The company itself counts like a team; KPIs without an area lie in none.
pub(super) fn count_of_area(look: &Look<'_>, found: &mut Vec<Finding>) {
    let limits = look.limits();
    let (least, most) = (limits.kpis_of_area_min, limits.kpis_of_area_max);
    let mut counts: BTreeMap<(Option<&Id>, String), u32> = BTreeMap::new();
    for (_, kpi) in look.kpis() {
        let area = kpi.fields.area.as_str().trim().to_lowercase();
        if !area.is_empty() {
            *counts.entry((kpi.fields.team.as_ref(), area)).or_default() += 1;
        }
    }
    for ((team, area), count) in counts {
        let (resource, owner) = match team {
            Some(team) => (ResourceName::Team(team.clone()), look.team_title(team)),
            None => (ResourceName::Workspace, "The company".to_owned()),
        };
        let kpis = if count == 1 { "KPI" } else { "KPIs" };
        let (code, than) = if count < least {
            (FindingCode::TooFewKpisInArea, format!("fewer than {least}"))
        } else if count > most {
            (FindingCode::TooManyKpisInArea, format!("more than {most}"))
        } else {
            continue;
        };
        found.push(Finding {
            code,
            resource,
            sentence: format!("{owner} has {count} {kpis} in the area \"{area}\", {than}."),
        });
    }
}

/// "most KPIs turned into key results": of all KPIs of the workspace, those that a key result of an open objective measures.
pub(super) fn mostly_key_results(look: &Look<'_>, found: &mut Vec<Finding>) {
    let count = look.kpis().len();
    if !look.is_whole() || count < KPIS_FOR_SHARE_MIN {
        return;
    }
    let linked = look.kpis().iter().filter(|(id, _)| look.is_measured(id)).count();
    if linked as f64 / count as f64 > look.limits().linked_kpis_share_max + TOLERANCE {
        found.push(Finding {
            code: FindingCode::MostKpisAreKeyResults,
            resource: ResourceName::Workspace,
            sentence: format!("Of {count} KPIs {linked} are key results at once."),
        });
    }
}

/// "KPI not reviewed in its cadence": no review of its team or of the company in the running or the previous period of its
/// review cadence. A KPI that is younger than that has time.
pub(super) fn not_reviewed(look: &Look<'_>, found: &mut Vec<Finding>) {
    let workspace = look.workspace;
    let mut newest: BTreeMap<Option<&Id>, Date> = BTreeMap::new();
    for recorded in workspace.reviews().values() {
        let held = newest.entry(recorded.review.team.as_ref()).or_insert(Date::MIN);
        *held = (*held).max(recorded.review.date);
    }
    for (id, kpi) in look.kpis() {
        let Some(cadence) = kpi
            .fields
            .review_cadence
            .filter(|cadence| *cadence != Cadence::Irregular)
        else {
            continue;
        };
        let running = workspace.calendar().period(cadence, workspace.today());
        let previous = workspace
            .calendar()
            .period(cadence, running.first.saturating_sub(1.day()));
        let of_team = kpi.fields.team.as_ref().and_then(|team| newest.get(&Some(team)));
        let held = of_team.max(newest.get(&None)).copied();
        let created = workspace.rules().date(kpi.authorship.created);
        if created < previous.first && held.is_none_or(|held| held < previous.first) {
            let (title, since) = (kpi.fields.title.as_str(), previous.first);
            let sentence = format!("The KPI \"{title}\" was in no review since {since}.");
            found.push(finding(FindingCode::KpiNotReviewed, id, sentence));
        }
    }
}

fn finding(code: FindingCode, id: &Id, sentence: String) -> Finding {
    Finding {
        code,
        resource: ResourceName::Kpi(id.clone()),
        sentence,
    }
}
