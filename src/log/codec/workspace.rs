//! The workspace itself: its fields, the rules of its time zone, its days and its epochs.

use jiff::civil::{Date, Weekday};
use smol_str::SmolStr;

use super::fault::{At, Fault};
use super::policy::{policy_from_stored, policy_to_stored};
use super::scalar::{
    array_from_stored, before_and_after, date_from_stored, date_to_stored, id_from_stored, id_to_stored,
    optional_date_from_stored, required, small_to_stored, stored_enum,
};
use crate::domain::{
    EpochStarted, Event, FirstWeekday, Preset, Revision, Text, TimeZoneRules, Title, WorkspaceCreated,
    WorkspaceFields,
};
use crate::proto::stored;

stored_enum!(preset_to_stored, preset_from_stored:
    Preset = stored::workspace_created::Preset { Full, Small, KpiOnly });

pub(super) fn epoch_started_to_stored(epoch: &EpochStarted) -> stored::EpochStarted {
    let EpochStarted {
        restored_revision,
        restored_root,
        reason,
    } = epoch;
    stored::EpochStarted {
        restored_revision: restored_revision.0,
        restored_root: restored_root.to_vec(),
        reason: small_to_stored(reason),
    }
}

pub(super) fn epoch_started_from_stored(stored: stored::EpochStarted) -> Result<Event, Fault> {
    let stored::EpochStarted {
        restored_revision,
        restored_root,
        reason,
    } = stored;
    Ok(Event::EpochStarted(Box::new(EpochStarted {
        restored_revision: Revision(restored_revision),
        restored_root: array_from_stored(&restored_root).at("restored_root")?,
        reason: SmolStr::from(reason),
    })))
}

pub(super) fn created_to_stored(created: &WorkspaceCreated) -> stored::WorkspaceCreated {
    let WorkspaceCreated {
        id,
        fields,
        preset,
        rules,
        policy,
    } = created;
    stored::WorkspaceCreated {
        workspace_id: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
        preset: preset_to_stored(*preset),
        time_zone_rules: Some(rules_to_stored(rules)),
        scoring_policy: Some(policy_to_stored(policy)),
    }
}

pub(super) fn created_from_stored(stored: stored::WorkspaceCreated) -> Result<Event, Fault> {
    let stored::WorkspaceCreated {
        workspace_id,
        fields,
        preset,
        time_zone_rules,
        scoring_policy,
    } = stored;
    Ok(Event::WorkspaceCreated(Box::new(WorkspaceCreated {
        id: id_from_stored(&workspace_id).at("workspace_id")?,
        fields: required(fields).and_then(fields_from_stored).at("fields")?,
        preset: preset_from_stored(preset).at("preset")?,
        rules: required(time_zone_rules)
            .and_then(rules_from_stored)
            .at("time_zone_rules")?,
        policy: required(scoring_policy)
            .and_then(policy_from_stored)
            .at("scoring_policy")?,
    })))
}

pub(super) fn updated_to_stored(
    before: &WorkspaceFields,
    after: &WorkspaceFields,
    rules: Option<&TimeZoneRules>,
) -> stored::WorkspaceUpdated {
    stored::WorkspaceUpdated {
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
        time_zone_rules: rules.map(rules_to_stored),
    }
}

pub(super) fn updated_from_stored(stored: stored::WorkspaceUpdated) -> Result<Event, Fault> {
    let stored::WorkspaceUpdated {
        before,
        after,
        time_zone_rules,
    } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    let rules = time_zone_rules.map(rules_from_stored).transpose();
    Ok(Event::WorkspaceUpdated {
        before,
        after,
        rules: rules.at("time_zone_rules")?,
    })
}

pub(super) fn day_started_to_stored(before: Option<Date>, date: Date) -> stored::DayStarted {
    stored::DayStarted {
        before: before.map(date_to_stored),
        date: date_to_stored(date),
    }
}

pub(super) fn day_started_from_stored(stored: stored::DayStarted) -> Result<Event, Fault> {
    let stored::DayStarted { before, date } = stored;
    Ok(Event::DayStarted {
        before: optional_date_from_stored(before).at("before")?,
        date: date_from_stored(date).at("date")?,
    })
}

fn fields_to_stored(fields: &WorkspaceFields) -> stored::WorkspaceFields {
    let WorkspaceFields {
        title,
        ultimate_goal,
        time_zone,
        fiscal_year_first_month,
        first_weekday,
    } = fields;
    stored::WorkspaceFields {
        title: title.as_str().to_owned(),
        ultimate_goal: ultimate_goal.as_str().to_owned(),
        fiscal_year_first_month: u32::from(fiscal_year_first_month.unsigned_abs()),
        first_weekday: weekday_to_stored(*first_weekday),
        time_zone: time_zone.as_str().to_owned(),
    }
}

fn fields_from_stored(stored: stored::WorkspaceFields) -> Result<WorkspaceFields, Fault> {
    let stored::WorkspaceFields {
        title,
        ultimate_goal,
        fiscal_year_first_month,
        first_weekday,
        time_zone,
    } = stored;
    Ok(WorkspaceFields {
        title: Title::parse(&title).at("title")?,
        ultimate_goal: Text::parse(&ultimate_goal).at("ultimate_goal")?,
        time_zone: Text::parse(&time_zone).at("time_zone")?,
        fiscal_year_first_month: month_from_stored(fiscal_year_first_month).at("fiscal_year_first_month")?,
        first_weekday: weekday_from_stored(first_weekday).at("first_weekday")?,
    })
}

fn month_from_stored(number: u32) -> Result<i8, Fault> {
    match i8::try_from(number) {
        Ok(month @ 1..=12) => Ok(month),
        _ => Err(Fault::damaged(format!("{number} is no month"))),
    }
}

fn weekday_to_stored(weekday: FirstWeekday) -> u32 {
    u32::from(weekday.0.to_monday_one_offset().unsigned_abs())
}

fn weekday_from_stored(number: u32) -> Result<FirstWeekday, Fault> {
    i8::try_from(number)
        .ok()
        .and_then(|number| Weekday::from_monday_one_offset(number).ok())
        .map(FirstWeekday)
        .ok_or_else(|| Fault::damaged(format!("{number} is no weekday")))
}

fn rules_to_stored(rules: &TimeZoneRules) -> stored::TimeZoneRules {
    stored::TimeZoneRules {
        name: rules.name().to_owned(),
        tzif: rules.tzif().to_vec(),
    }
}

fn rules_from_stored(stored: stored::TimeZoneRules) -> Result<TimeZoneRules, Fault> {
    let stored::TimeZoneRules { name, tzif } = stored;
    let utc = TimeZoneRules::utc();
    // The zone that never changes needs no TZif.
    if tzif.is_empty() && name == utc.name() {
        return Ok(utc);
    }
    TimeZoneRules::parse(&name, &tzif).map_err(|invalid| Fault::damaged(invalid.to_string()))
}
