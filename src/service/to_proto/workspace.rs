//! Workspaces.

use jiff::civil::Weekday;

use super::scalar::{date, delete_time, revision, timestamp};
use crate::domain::{Authorship, FirstWeekday, Id, Preset, ResourceName, WorkspaceFields};
use crate::log::LogId;
use crate::projection::State;
use crate::proto::api;
use crate::service::{etag, names};

/// A workspace at the revision that `state` shows.
#[must_use]
pub(crate) fn workspace(id: &Id, state: &State, log: LogId) -> api::Workspace {
    let workspace = state.workspace();
    let WorkspaceFields {
        title,
        ultimate_goal,
        time_zone,
        fiscal_year_first_month,
        first_weekday: FirstWeekday(first_weekday),
    } = workspace.fields();
    let Authorship {
        created,
        updated,
        revision: written,
    } = *workspace.authorship();
    api::Workspace {
        name: names::full_name(id, &ResourceName::Workspace),
        title: title.as_str().to_owned(),
        ultimate_goal: ultimate_goal.as_str().to_owned(),
        time_zone: time_zone.as_str().to_owned(),
        fiscal_year_first_month: i32::from(*fiscal_year_first_month),
        first_weekday: weekday(*first_weekday).into(),
        preset: preset(workspace.preset()).into(),
        today: Some(date(workspace.today())),
        revision: revision(workspace.revision()),
        log_id: log.to_string(),
        score: state.figures().workspace(),
        create_time: Some(timestamp(created)),
        update_time: Some(timestamp(updated)),
        etag: etag::write(written),
        delete_time: delete_time(workspace.deleted()),
    }
}

fn weekday(weekday: Weekday) -> api::workspace::Weekday {
    use api::workspace::Weekday as Api;
    match weekday {
        Weekday::Monday => Api::Monday,
        Weekday::Tuesday => Api::Tuesday,
        Weekday::Wednesday => Api::Wednesday,
        Weekday::Thursday => Api::Thursday,
        Weekday::Friday => Api::Friday,
        Weekday::Saturday => Api::Saturday,
        Weekday::Sunday => Api::Sunday,
    }
}

fn preset(preset: Preset) -> api::workspace::Preset {
    use api::workspace::Preset as Api;
    match preset {
        Preset::Full => Api::Full,
        Preset::Small => Api::Small,
        Preset::KpiOnly => Api::KpiOnly,
    }
}
