//! How a key result is measured, as the API has it: numbers in their unit, changes with their sign.

use super::draft::{KeyResultDraft, Way};
use super::measure::Goal;
use super::quantity::Quantity;
use super::unit::Frame;
use super::wanted::slug;
use crate::domain::Value;
use crate::proto::api;

/// A metric; what its line leaves out is left to the server.
///
/// # Errors
/// Its numbers do not fit each other, or its KPI.
pub(super) fn metric(
    draft: &KeyResultDraft,
    from: Option<&Quantity>,
    goal: &Goal,
    frame: &Frame,
    kpi: Option<&api::Kpi>,
) -> Result<api::Metric, String> {
    let baseline = from.map(|from| value(frame.number(from)?)).transpose()?;
    let reference = draft.reference.as_ref();
    let mut metric = api::Metric {
        baseline,
        reference_value: reference.map(|it| value(frame.number(it)?)).transpose()?,
        ..api::Metric::default()
    };
    match goal {
        Goal::To(to) => {
            let target = value(frame.number(to)?)?;
            match (draft.way, baseline) {
                (Some(Way::Up), Some(baseline)) if target < baseline => {
                    return Err("it says that it rises, and its target is below where it begins: correct the verb or the numbers".to_owned());
                }
                (Some(Way::Down), Some(baseline)) if target > baseline => {
                    return Err("it says that it falls, and its target is above where it begins: correct the verb or the numbers".to_owned());
                }
                _ => metric.target = Some(target),
            }
        }
        Goal::By(by) => {
            use api::relative_target::Change;
            let has_value = kpi
                .and_then(|kpi| kpi.health.as_ref())
                .is_some_and(|health| health.period_value.is_some());
            if baseline.is_none() && !has_value {
                return Err("a change needs where it begins: write for example from 20 % by +10 %, or name a KPI that has a value".to_owned());
            }
            let amount = if by.is_share() {
                by.number
            } else {
                frame.amount(by)?
            };
            let amount = value(signed(amount, by.is_signed, draft.way)?)?;
            metric.relative_target = Some(api::RelativeTarget {
                change: Some(if by.is_share() {
                    Change::Percent(amount)
                } else {
                    Change::Amount(amount)
                }),
            });
        }
    }
    Ok(metric)
}

/// A change with the sign that its verb or its number has.
fn signed(amount: f64, is_signed: bool, way: Option<Way>) -> Result<f64, String> {
    match way {
        Some(Way::Up) if amount >= 0.0 => Ok(amount),
        Some(Way::Down) if !is_signed || amount <= 0.0 => Ok(-amount.abs()),
        None if is_signed => Ok(amount),
        None => Err("it does not say whether it rises or falls: write by +15 or by -15".to_owned()),
        Some(_) => {
            Err("its verb and the sign of its change contradict each other: correct one of them".to_owned())
        }
    }
}

/// Bounds to be kept.
///
/// # Errors
/// They are crossed, or do not fit the KPI.
pub(super) fn maintain(
    draft: &KeyResultDraft,
    least: Option<&Quantity>,
    most: Option<&Quantity>,
    frame: &Frame,
) -> Result<api::Maintain, String> {
    use api::maintain::Mode;
    let number = |quantity: Option<&Quantity>| quantity.map(|it| value(frame.number(it)?)).transpose();
    let (at_least, at_most) = (number(least)?, number(most)?);
    if at_least.zip(at_most).is_some_and(|(least, most)| least > most) {
        return Err("its bounds are crossed: write the lower one first".to_owned());
    }
    let mode = if draft.by_share { Mode::Share } else { Mode::Now };
    Ok(api::Maintain {
        at_least,
        at_most,
        mode: mode.into(),
        tolerance: number(draft.tolerance.as_ref())?,
    })
}

/// The steps below a key result.
///
/// # Errors
/// Two would have one id.
pub(super) fn milestones(draft: &KeyResultDraft) -> Result<api::Milestones, String> {
    let mut milestones: Vec<api::Milestone> = Vec::new();
    for milestone in &draft.milestones {
        let id = milestone
            .id
            .clone()
            .unwrap_or_else(|| slug(&milestone.title, 'm'))
            .to_string();
        if milestones.iter().any(|other| other.id == id) {
            return Err(format!(
                "two milestones would be called {id:?}: give one another title, or say another name with (id: ID)"
            ));
        }
        milestones.push(api::Milestone {
            id,
            title: milestone.title.as_str().to_owned(),
            weight: Some(milestone.weight.get()),
        });
    }
    Ok(api::Milestones { milestones })
}

fn value(number: f64) -> Result<f64, String> {
    Value::parse(number)
        .map(Value::get)
        .map_err(|invalid| invalid.to_string())
}
