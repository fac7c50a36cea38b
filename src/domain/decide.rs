//! From a state and a command to events, or a refusal. Pure: all it knows of the world is in the stamp.

use super::{
    Command, CreateWorkspace, Etag, Event, FirstWeekday, Id, MemberFields, Principal, Rejection,
    ResourceName, Role, Roles, ScoringPolicy, Stamp, TimeZoneRules, Title, Workspace, WorkspaceCreated,
    WorkspacePatch, alarm, alert, carry_over, check_in, closing, cycle, deletion, initiative, key_result,
    key_result_kpi, kpi, measurement, objective, policy, review, start_objective, target, team,
};

/// What a command comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What happens. None: it changes nothing.
    pub events: Vec<Event>,
    /// The state that the events lead to, where deciding had to look at it: whoever records them need not fold them again.
    pub after: Option<Workspace>,
}

/// Decides a command on a state: what it does, then the alerts that open and close because of that.
///
/// # Errors
/// A rule of the domain says no; nothing is to be recorded.
pub fn decide(workspace: &Workspace, command: &Command, stamp: &Stamp) -> Result<Decision, Rejection> {
    let mut events = decide_alone(workspace, command, stamp)?;
    if matches!(command, Command::StartDay { date } if *date == workspace.today()) {
        let events = alarm::left_over(workspace, stamp);
        return Ok(Decision { events, after: None });
    }
    if !alarm::may_follow(&events) {
        return Ok(Decision { events, after: None });
    }
    let mut after = workspace.clone();
    after.begin(stamp);
    for event in &events {
        after.evolve(event, stamp);
    }
    let alarms = alarm::follow(&events, &after, stamp);
    for alarm in &alarms {
        after.evolve(alarm, stamp);
    }
    events.extend(alarms);
    let after = Some(after);
    Ok(Decision { events, after })
}

/// What a command does by itself.
fn decide_alone(workspace: &Workspace, command: &Command, stamp: &Stamp) -> Result<Vec<Event>, Rejection> {
    let stays_possible = match command {
        Command::StartDay { .. } | Command::CreateWorkspace(_) => true,
        Command::Delete { name, .. } | Command::Undelete { name, .. } => *name == ResourceName::Workspace,
        _ => false,
    };
    if workspace.deleted().is_some() && !stays_possible {
        return Err(Rejection::Deleted(ResourceName::Workspace));
    }
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
        Command::UpdateScoringPolicy { patch, etag } => policy::update(workspace, patch, *etag),
        Command::Delete { name, etag } => deletion::delete(workspace, name, *etag),
        Command::Undelete { name, etag } => deletion::undelete(workspace, name, *etag),
        Command::CreateTeam { id, fields } => team::create_team(workspace, id, fields),
        Command::UpdateTeam { id, patch, etag } => team::update_team(workspace, id, patch, *etag),
        Command::CreateMember { id, fields } => team::create_member(workspace, id, fields),
        Command::UpdateMember { id, patch, etag } => team::update_member(workspace, id, patch, *etag),
        Command::CreateCycle { id, fields } => cycle::create(workspace, id, fields),
        Command::UpdateCycle { id, patch, etag } => cycle::update(workspace, id, patch, *etag),
        Command::ActivateCycle { id, etag } => cycle::activate(workspace, id, *etag),
        Command::BeginCycleReview { id, etag } => cycle::begin_review(workspace, id, *etag),
        Command::CloseCycle { id, closings, etag } => cycle::close(workspace, id, closings, *etag),
        Command::ReopenCycle { id, etag } => cycle::reopen(workspace, id, *etag, stamp),
        Command::CreateReview { cycle, id, review } => review::create(workspace, cycle, id, review),
        Command::CreateObjective { id, fields } => objective::create(workspace, id, fields),
        Command::UpdateObjective { id, patch, etag } => objective::update(workspace, id, patch, *etag),
        Command::ActivateObjective { id, etag } => objective::activate(workspace, id, *etag),
        Command::CloseObjective { id, closing, etag } => closing::close(workspace, id, closing, *etag),
        Command::ReopenObjective { id, etag } => closing::reopen(workspace, id, *etag, stamp),
        Command::CancelObjective { id, etag } => closing::cancel(workspace, id, *etag),
        Command::CarryOverObjective { id, to, etag } => carry_over::carry_over(workspace, id, to, *etag),
        Command::CascadeObjective { id, teams, etag } => carry_over::cascade(workspace, id, teams, *etag),
        Command::CreateKeyResult { id, fields } => key_result::create(workspace, id, fields),
        Command::UpdateKeyResult { id, patch, etag } => {
            key_result::update(workspace, id, patch, *etag, stamp)
        }
        Command::CreateInitiative { id, fields } => initiative::create(workspace, id, fields),
        Command::UpdateInitiative { id, patch, etag } => initiative::update(workspace, id, patch, *etag),
        Command::CreateCheckIn(placed) => Ok(vec![check_in::create(workspace, placed, stamp)?]),
        Command::CreateCheckIns(placed) => check_in::create_batch(workspace, placed, stamp),
        Command::CorrectCheckIn {
            key_result,
            id,
            patch,
        } => check_in::correct(workspace, key_result, id, patch, stamp),
        Command::RetractCheckIn { key_result, id } => check_in::retract(workspace, key_result, id),
        Command::CreateKpi { id, fields } => kpi::create(workspace, id, fields),
        Command::UpdateKpi { id, patch, etag } => kpi::update(workspace, id, patch, *etag),
        Command::SetTarget { kpi, date, target } => target::set(workspace, kpi, *date, target),
        Command::DeleteTarget { kpi, date } => target::delete(workspace, kpi, *date),
        Command::ArchiveKpi { id, etag } => kpi::archive(workspace, id, *etag),
        Command::UnarchiveKpi { id, etag } => kpi::unarchive(workspace, id, *etag),
        Command::CorrectMeasurement(measurement) => measurement::correct(workspace, measurement, stamp),
        Command::RetractMeasurement(identity) => measurement::retract(workspace, identity, stamp),
        Command::AcknowledgeAlert { kpi, id, note } => alert::acknowledge(workspace, kpi, id, note),
        Command::SetActionPlan { kpi, id, plan } => alert::set_plan(workspace, kpi, id, plan),
        Command::CompleteActionPlan { kpi, id, note } => alert::complete_plan(workspace, kpi, id, note),
        Command::StartObjective(new) => start_objective::start(workspace, new, stamp),
        Command::CreateKpiFromKeyResult(new) => key_result_kpi::create(workspace, new, stamp),
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
        teams: Vec::new(),
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
