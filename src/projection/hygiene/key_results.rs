//! Rules about key results.

use super::look::Look;
use super::{Finding, FindingCode, titles};
use crate::domain::{
    Ambition, KeyResult, KeyResultId, KeyResultKind, ObjectiveState, ResourceName, TOLERANCE,
};

/// "key result without KPI (info)". A deleted KPI is none.
pub(super) fn without_kpi(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (_, id, key_result) in look.key_results() {
        let title = key_result.fields.title.as_str();
        let sentence = match &key_result.fields.kpi {
            None => format!("The key result \"{title}\" has no KPI."),
            Some(kpi) if look.workspace.kpi(kpi).is_err() => {
                format!("The KPI of the key result \"{title}\", kpis/{kpi}, is deleted.")
            }
            Some(_) => continue,
        };
        found.push(finding(FindingCode::KeyResultWithoutKpi, id, sentence));
    }
}

/// "key result that is an activity (\"launch …\": BINARY or MILESTONES only)".
pub(super) fn activity(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (_, id, key_result) in look.key_results() {
        let title = key_result.fields.title.as_str();
        let done_or_not = match key_result.fields.kind {
            KeyResultKind::Binary | KeyResultKind::Milestones(_) => true,
            KeyResultKind::Metric(_) | KeyResultKind::Maintain(_) => false,
        };
        if done_or_not && titles::is_doing(title) {
            let sentence = format!("The key result \"{title}\" says what to do, not what shall be better.");
            found.push(finding(FindingCode::KeyResultIsActivity, id, sentence));
        }
    }
}

/// "\"maintain\" key results that should be KPI targets": MAINTAIN of a KPI, or whatever is no list of milestones and says
/// so in its title.
pub(super) fn kept(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (_, id, key_result) in look.key_results() {
        if is_kept(key_result) {
            let title = key_result.fields.title.as_str();
            let sentence =
                format!("The key result \"{title}\" keeps what is there: that is a target of a KPI.");
            found.push(finding(FindingCode::KeyResultIsKpiTarget, id, sentence));
        }
    }
}

fn is_kept(key_result: &KeyResult) -> bool {
    let says_so = titles::is_keeping(key_result.fields.title.as_str());
    match key_result.fields.kind {
        KeyResultKind::Maintain(_) => key_result.fields.kpi.is_some() || says_so,
        KeyResultKind::Metric(_) | KeyResultKind::Binary => says_so,
        KeyResultKind::Milestones(_) => false,
    }
}

/// "committed key result with confidence under 0.4": the newest confidence, of an ACTIVE objective.
pub(super) fn unlikely(look: &Look<'_>, found: &mut Vec<Finding>) {
    let least = look.limits().confidence_min;
    for (objective, id, key_result) in look.key_results() {
        let committed =
            objective.state == ObjectiveState::Active && objective.fields.ambition == Ambition::Committed;
        let low = key_result
            .confidence()
            .filter(|confidence| committed && *confidence < least - TOLERANCE);
        found.extend(low.map(|confidence| {
            let title = key_result.fields.title.as_str();
            let sentence = format!(
                "The key result \"{title}\" is committed, with a confidence of {confidence}, under {least}."
            );
            finding(FindingCode::CommittedConfidenceLow, id, sentence)
        }));
    }
}

/// "outdated".
pub(super) fn outdated(look: &Look<'_>, found: &mut Vec<Finding>) {
    for (_, id, key_result) in look.key_results() {
        if look
            .figures
            .key_result(id)
            .is_some_and(|progress| progress.outdated)
        {
            let title = key_result.fields.title.as_str();
            let policy = look.workspace.policy();
            let days = policy
                .check_in_cadence_days
                .saturating_add(policy.check_in_grace_days);
            let sentence =
                format!("Nothing was heard of the key result \"{title}\" for more than {days} days.");
            found.push(finding(FindingCode::KeyResultOutdated, id, sentence));
        }
    }
}

fn finding(code: FindingCode, id: &KeyResultId, sentence: String) -> Finding {
    Finding {
        code,
        resource: ResourceName::KeyResult(id.clone()),
        sentence,
    }
}
