//! From a state and a command to events, or a refusal. Pure: all it knows of the world is in the stamp.

use super::{
    Command, CreateWorkspace, Etag, Event, FirstWeekday, Id, MemberFields, Principal, Rejection,
    ResourceName, Role, Roles, ScoringPolicy, Stamp, TimeZoneRules, Title, Workspace, WorkspaceCreated,
    WorkspacePatch, check_in, cycle, initiative, key_result, kpi, measurement, objective, team,
};

/// Decides a command on a state. No events: it changes nothing.
///
/// # Errors
/// A rule of the domain says no; nothing is to be recorded.
pub fn decide(workspace: &Workspace, command: &Command, stamp: &Stamp) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::CreateWorkspace(new) => create_workspace(workspace, new, stamp),
        Command::UpdateWorkspace { patch, rules, etag } => {
            update_workspace(workspace, patch, rules.as_ref(), *etag, stamp)
        }
        Command::StartDay { date } if workspace.today() < *date => Ok(vec![Event::DayStarted {
            before: Some(workspace.today()),
            date: *date,
        }]),
        Command::StartDay { .. } => Ok(Vec::new()),
        Command::CreateTeam { id, fields } => team::create_team(workspace, id, fields),
        Command::UpdateTeam { id, patch, etag } => team::update_team(workspace, id, patch, *etag),
        Command::CreateMember { id, fields } => team::create_member(workspace, id, fields),
        Command::UpdateMember { id, patch, etag } => team::update_member(workspace, id, patch, *etag),
        Command::CreateCycle { id, fields } => cycle::create(workspace, id, fields),
        Command::UpdateCycle { id, patch, etag } => cycle::update(workspace, id, patch, *etag),
        Command::ActivateCycle { id, etag } => cycle::activate(workspace, id, *etag),
        Command::CreateObjective { id, fields } => objective::create(workspace, id, fields),
        Command::UpdateObjective { id, patch, etag } => objective::update(workspace, id, patch, *etag),
        Command::ActivateObjective { id, etag } => objective::activate(workspace, id, *etag),
        Command::CreateKeyResult { id, fields } => key_result::create(workspace, id, fields),
        Command::UpdateKeyResult { id, patch, etag } => {
            key_result::update(workspace, id, patch, *etag, stamp)
        }
        Command::CreateInitiative { id, fields } => initiative::create(workspace, id, fields),
        Command::UpdateInitiative { id, patch, etag } => initiative::update(workspace, id, patch, *etag),
        Command::CreateCheckIn {
            key_result,
            id,
            check_in,
        } => check_in::create(workspace, key_result, id, check_in, stamp),
        Command::CreateKpi { id, fields } => kpi::create(workspace, id, fields),
        Command::UpdateKpi { id, patch, etag } => kpi::update(workspace, id, patch, *etag),
        Command::SetTarget { kpi, date, target } => kpi::set_target(workspace, kpi, *date, target),
        Command::RecordMeasurements(measurements) => measurement::record(workspace, measurements, stamp),
    }
}

/// The log begins: the workspace, its first day, and whoever asked as its first owner.
fn create_workspace(
    workspace: &Workspace,
    new: &CreateWorkspace,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    if workspace.id().is_some() {
        return Err(Rejection::AlreadyExists(ResourceName::Workspace));
    }
    let owner = MemberFields {
        title: Title::parse(&stamp.principal).unwrap_or_else(|_| Title::untitled()),
        principal: Principal::parse(&stamp.principal)
            .map_err(|invalid| Rejection::Invalid(vec![invalid.at("principal")]))?,
        roles: Roles::parse(vec![Role::Owner])
            .map_err(|invalid| Rejection::Invalid(vec![invalid.at("roles")]))?,
    };
    let owner_id = Id::from_text(&stamp.principal).unwrap_or_else(Id::owner);
    Ok(vec![
        Event::WorkspaceCreated(Box::new(WorkspaceCreated {
            id: new.id.clone(),
            fields: new.fields.clone(),
            preset: new.preset,
            rules: new.rules.clone(),
            policy: ScoringPolicy::default(),
        })),
        Event::DayStarted {
            before: None,
            date: new.rules.date(stamp.recorded_time),
        },
        Event::MemberCreated {
            id: owner_id,
            fields: Box::new(owner),
        },
    ])
}

fn update_workspace(
    workspace: &Workspace,
    patch: &WorkspacePatch,
    rules: Option<&TimeZoneRules>,
    etag: Etag,
    stamp: &Stamp,
) -> Result<Vec<Event>, Rejection> {
    workspace.authorship().check(etag, || ResourceName::Workspace)?;
    let before = workspace.fields();
    let after = patch.applied_to(before);
    let rules = rules.filter(|rules| *rules != workspace.rules());
    if after == *before && rules.is_none() {
        return Ok(Vec::new());
    }
    // A zone further east may be in its next day already; a later command would only find out by accident.
    let date = rules
        .map(|rules| rules.date(stamp.recorded_time))
        .filter(|date| *date > workspace.today());
    let updated = Event::WorkspaceUpdated {
        before: Box::new(before.clone()),
        after: Box::new(after),
        rules: rules.cloned(),
    };
    let day = date.map(|date| Event::DayStarted {
        before: Some(workspace.today()),
        date,
    });
    Ok(std::iter::once(updated).chain(day).collect())
}

impl FirstWeekday {
    /// Monday.
    pub const MONDAY: Self = Self(jiff::civil::Weekday::Monday);
}
