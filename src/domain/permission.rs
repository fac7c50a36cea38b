//! Who may do what in a workspace: what each role allows and how far, and what each command takes.
//!
//! Invariant: what no role of a member allows is denied, and whoever is no member may do nothing. Rights are those of the state
//! that is asked, so a right that is taken away is gone with the commit that takes it.
//!
//! What it does not know: how somebody was authenticated, and the calls of the API.

use std::fmt;

use super::{
    Command, Id, InitiativeId, KeyResultId, Member, MemberFields, Rejection, ResourceName, Role, Workspace,
};

/// What somebody does to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Changes the workspace itself and its members.
    Administer,
    /// Changes teams, cycles, reviews and the scoring policy.
    Steer,
    /// Changes objectives and key results.
    SetObjectives,
    /// Changes KPIs, their targets and what is done about their alerts.
    SetKpis,
    /// Checks in, and changes initiatives.
    CheckIn,
    /// Records measurements.
    Measure,
    /// Reads what there is, as it is and as it was.
    Read,
    /// Reads who did what: events, proofs, exports, refused attempts.
    Audit,
}

/// How far a role reaches with a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not at all.
    Nowhere,
    /// To what the member owns, within the member's teams.
    Own,
    /// To what belongs to the member's teams and the teams below; everywhere, if the member has no teams.
    Teams,
    /// Everywhere.
    Everywhere,
}

/// What a command is about, as far as rights go.
struct About<'a> {
    name: ResourceName,
    /// Whose it is. None: the workspace's.
    team: Option<&'a Id>,
    /// Who may say that it is theirs.
    owners: Vec<&'a Id>,
}

impl Right {
    /// Every right, in the order of the table in `docs/security.md`.
    pub const ALL: [Self; 8] = [
        Self::Administer,
        Self::Steer,
        Self::SetObjectives,
        Self::SetKpis,
        Self::CheckIn,
        Self::Measure,
        Self::Read,
        Self::Audit,
    ];
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Administer => "change the workspace and its members",
            Self::Steer => "change teams, cycles, reviews and the scoring policy",
            Self::SetObjectives => "change objectives and key results",
            Self::SetKpis => "change KPIs, targets and what is done about alerts",
            Self::CheckIn => "check in and change initiatives",
            Self::Measure => "record measurements",
            Self::Read => "read the workspace",
            Self::Audit => "read events, proofs and exports",
        })
    }
}

impl Role {
    /// Every role, in order.
    pub const ALL: [Self; 7] = [
        Self::Owner,
        Self::Lead,
        Self::Manager,
        Self::Contributor,
        Self::Ingest,
        Self::Viewer,
        Self::Auditor,
    ];

    /// How far a role reaches with a right. The table of `docs/security.md`.
    #[must_use]
    pub const fn reach(self, right: Right) -> Reach {
        match (self, right) {
            (Self::Owner, _) | (_, Right::Read) | (Self::Auditor, Right::Audit) => Reach::Everywhere,
            (Self::Lead, Right::Steer | Right::SetObjectives | Right::CheckIn)
            | (Self::Manager, Right::SetObjectives | Right::SetKpis | Right::CheckIn | Right::Measure)
            | (Self::Ingest, Right::Measure) => Reach::Teams,
            (Self::Contributor, Right::CheckIn | Right::Measure) => Reach::Own,
            (
                Self::Lead | Self::Manager | Self::Contributor | Self::Ingest | Self::Viewer | Self::Auditor,
                _,
            ) => Reach::Nowhere,
        }
    }
}

impl Workspace {
    /// The member that a principal is.
    #[must_use]
    pub fn member_of(&self, principal: &str) -> Option<(&Id, &Member)> {
        let ids = self.members_by_principal.get(principal)?;
        let members = ids
            .iter()
            .filter_map(|id| Some((id, self.members.get(id)?.as_ref())));
        members.into_iter().find(|(_, member)| member.deleted.is_none())
    }

    /// Whether a team is one of some, or lies below one of them.
    fn lies_in(&self, team: &Id, teams: &[Id]) -> bool {
        let mut above = Some(team);
        // History cannot be refused, not even one in which a team lies below itself.
        for _ in 0..=self.teams.len() {
            let Some(team) = above else { return false };
            if teams.contains(team) {
                return true;
            }
            let held = self.teams.get(team);
            above = held.and_then(|held| held.fields.parent_team.as_ref());
        }
        false
    }
}

/// Whether a member may do something that is about the workspace as a whole.
///
/// # Errors
/// No role of theirs allows it, or only within their teams.
pub fn check_right(member: &Member, right: Right) -> Result<(), Rejection> {
    let everywhere = |reach| match reach {
        Reach::Everywhere => true,
        Reach::Teams => member.fields.teams.is_empty(),
        Reach::Own | Reach::Nowhere => false,
    };
    let mut reaches = reaches(&member.fields, right);
    if reaches.any(everywhere) {
        return Ok(());
    }
    Err(denied(&member.fields, right, ResourceName::Workspace))
}

/// Whether a member may do what a command asks. What it names and is not there is left for `decide` to say.
///
/// # Errors
/// No role of theirs allows it, what it is about lies outside of their teams, or it is not theirs.
pub fn check_command(
    workspace: &Workspace,
    (id, member): (&Id, &Member),
    command: &Command,
) -> Result<(), Rejection> {
    let (right, about) = takes(workspace, command);
    let Some(about) = about else {
        return check_right(member, right);
    };
    if reaches(&member.fields, right).all(|reach| reach == Reach::Nowhere) {
        return Err(denied(&member.fields, right, ResourceName::Workspace));
    }
    for about in about {
        let teams = &member.fields.teams;
        let is_inside = teams.is_empty() || about.team.is_some_and(|team| workspace.lies_in(team, teams));
        let allows = |reach| match reach {
            Reach::Everywhere => true,
            Reach::Teams => is_inside,
            Reach::Own => is_inside && about.owners.contains(&id),
            Reach::Nowhere => false,
        };
        if !reaches(&member.fields, right).any(allows) {
            return Err(match is_inside {
                true => Rejection::NotOwn(about.name),
                false => Rejection::OutsideTeams(about.name),
            });
        }
    }
    Ok(())
}

fn reaches(member: &MemberFields, right: Right) -> impl Iterator<Item = Reach> {
    member.roles.as_slice().iter().map(move |role| role.reach(right))
}

/// Of something that is about all of the workspace, or that no role allows anywhere.
fn denied(member: &MemberFields, right: Right, name: ResourceName) -> Rejection {
    match reaches(member, right).all(|reach| reach == Reach::Nowhere) {
        true => Rejection::RoleMissing(right),
        false => Rejection::OutsideTeams(name),
    }
}

/// What a command takes: the right, and what it is about. None: the workspace as a whole.
fn takes<'a>(workspace: &'a Workspace, command: &'a Command) -> (Right, Option<Vec<About<'a>>>) {
    let objective = |id| about_objective(workspace, id);
    let key_result = |id| about_key_result(workspace, id);
    let kpi = |id| about_kpi(workspace, id);
    let whole = |right| (right, None);
    let of = |right, about: Vec<Option<About<'a>>>| (right, Some(about.into_iter().flatten().collect()));
    match command {
        Command::CreateWorkspace(_)
        | Command::UpdateWorkspace { .. }
        | Command::StartDay { .. }
        | Command::CreateMember { .. }
        | Command::UpdateMember { .. } => whole(Right::Administer),
        Command::UpdateScoringPolicy { .. }
        | Command::CreateCycle { .. }
        | Command::UpdateCycle { .. }
        | Command::ActivateCycle { .. }
        | Command::BeginCycleReview { .. }
        | Command::CloseCycle { .. }
        | Command::ReopenCycle { .. } => whole(Right::Steer),
        Command::Delete { name, .. } | Command::Undelete { name, .. } => match name {
            ResourceName::Workspace | ResourceName::Member(_) => whole(Right::Administer),
            ResourceName::Team(id) => of(Right::Steer, vec![about_team(workspace, id)]),
            ResourceName::Objective(id) => of(Right::SetObjectives, vec![objective(id)]),
            ResourceName::KeyResult(id) => of(Right::SetObjectives, vec![key_result(id)]),
            ResourceName::Initiative(id) => of(Right::CheckIn, vec![about_initiative(workspace, id)]),
            ResourceName::CheckIn(id, _) => of(Right::CheckIn, vec![key_result(id)]),
            ResourceName::Kpi(id) | ResourceName::Target(id, _) | ResourceName::Alert(id, _) => {
                of(Right::SetKpis, vec![kpi(id)])
            }
            ResourceName::ScoringPolicy | ResourceName::Cycle(_) | ResourceName::Review(..) => {
                whole(Right::Steer)
            }
        },
        Command::CreateReview { review, .. } => match &review.team {
            Some(team) => of(Right::Steer, vec![about_team(workspace, team)]),
            None => whole(Right::Steer),
        },
        Command::CreateTeam { id, fields } => of(
            Right::Steer,
            vec![Some(new(
                ResourceName::Team(id.clone()),
                fields.parent_team.as_ref(),
                None,
            ))],
        ),
        Command::UpdateTeam { id, patch, .. } => {
            let name = || ResourceName::Team(id.clone());
            let moved = patch
                .parent_team
                .as_ref()
                .map(|to| new(name(), to.as_ref(), None));
            of(Right::Steer, vec![about_team(workspace, id), moved])
        }
        Command::CreateObjective { id, fields } => {
            let name = ResourceName::Objective(id.clone());
            of(
                Right::SetObjectives,
                vec![Some(new(name, fields.team.as_ref(), fields.owner.as_ref()))],
            )
        }
        Command::UpdateObjective { id, patch, .. } => {
            let name = || ResourceName::Objective(id.clone());
            let moved = patch.team.as_ref().map(|to| new(name(), to.as_ref(), None));
            of(Right::SetObjectives, vec![objective(id), moved])
        }
        Command::ActivateObjective { id, .. }
        | Command::CloseObjective { id, .. }
        | Command::ReopenObjective { id, .. }
        | Command::CancelObjective { id, .. }
        | Command::CarryOverObjective { id, .. } => of(Right::SetObjectives, vec![objective(id)]),
        Command::CascadeObjective { id, teams, .. } => {
            let to = teams.iter().map(|to| about_team(workspace, &to.team));
            of(
                Right::SetObjectives,
                [objective(id)].into_iter().chain(to).collect(),
            )
        }
        Command::CreateKeyResult { id, .. } => of(Right::SetObjectives, vec![objective(&id.objective)]),
        Command::UpdateKeyResult { id, .. } => of(Right::SetObjectives, vec![key_result(id)]),
        Command::CreateInitiative { id, .. } => of(Right::CheckIn, vec![objective(&id.objective)]),
        Command::UpdateInitiative { id, .. } => of(Right::CheckIn, vec![about_initiative(workspace, id)]),
        Command::CreateCheckIn(placed) => of(Right::CheckIn, vec![key_result(&placed.key_result)]),
        Command::CreateCheckIns(placed) => of(
            Right::CheckIn,
            placed
                .iter()
                .map(|placed| key_result(&placed.key_result))
                .collect(),
        ),
        Command::CorrectCheckIn { key_result: id, .. } | Command::RetractCheckIn { key_result: id, .. } => {
            of(Right::CheckIn, vec![key_result(id)])
        }
        Command::CreateKpi { id, fields } => {
            let name = ResourceName::Kpi(id.clone());
            of(
                Right::SetKpis,
                vec![Some(new(name, fields.team.as_ref(), fields.owner.as_ref()))],
            )
        }
        Command::UpdateKpi { id, patch, .. } => {
            let name = || ResourceName::Kpi(id.clone());
            let moved = patch.team.as_ref().map(|to| new(name(), to.as_ref(), None));
            of(Right::SetKpis, vec![kpi(id), moved])
        }
        Command::SetTarget { kpi: id, .. }
        | Command::DeleteTarget { kpi: id, .. }
        | Command::ArchiveKpi { id, .. }
        | Command::UnarchiveKpi { id, .. }
        | Command::AcknowledgeAlert { kpi: id, .. }
        | Command::SetActionPlan { kpi: id, .. }
        | Command::CompleteActionPlan { kpi: id, .. } => of(Right::SetKpis, vec![kpi(id)]),
        Command::RecordMeasurements(measurements) => {
            // Rows of one KPI mostly come together.
            let mut ids: Vec<&Id> = measurements.iter().map(|measurement| &measurement.kpi).collect();
            ids.dedup();
            of(Right::Measure, ids.into_iter().map(kpi).collect())
        }
        Command::CorrectMeasurement(measurement) => of(Right::Measure, vec![kpi(&measurement.kpi)]),
        Command::RetractMeasurement(identity) => of(Right::Measure, vec![kpi(&identity.kpi)]),
        Command::StartObjective(start) => {
            let name = ResourceName::Objective(start.objective.clone());
            let of_the_kpi = workspace.kpis.get(&start.kpi);
            let of_the_kpi = of_the_kpi.and_then(|kpi| kpi.fields.team.as_ref());
            // As it will be: a team that is deleted is not passed on.
            let stands = |team: &&Id| workspace.team(team).is_ok();
            let team = start.team.as_ref().or(of_the_kpi.filter(stands));
            // What is done about the alert of the KPI is set as well.
            let about = vec![Some(new(name, team, start.owner.as_ref())), kpi(&start.kpi)];
            of(Right::SetObjectives, about)
        }
        Command::CreateKpiFromKeyResult(made) => {
            let name = ResourceName::Kpi(made.kpi.clone());
            let objective = workspace.objectives.get(&made.key_result.objective);
            let team = objective.and_then(|objective| objective.fields.team.as_ref());
            let team = team.filter(|team| workspace.team(team).is_ok());
            of(
                Right::SetKpis,
                vec![key_result(&made.key_result), Some(new(name, team, None))],
            )
        }
    }
}

fn new<'a>(name: ResourceName, team: Option<&'a Id>, owner: Option<&'a Id>) -> About<'a> {
    About {
        name,
        team,
        owners: owner.into_iter().collect(),
    }
}

fn about_team<'a>(workspace: &'a Workspace, id: &'a Id) -> Option<About<'a>> {
    let (id, _) = workspace.teams.get_key_value(id)?;
    Some(new(ResourceName::Team(id.clone()), Some(id), None))
}

fn about_objective<'a>(workspace: &'a Workspace, id: &Id) -> Option<About<'a>> {
    let fields = &workspace.objectives.get(id)?.fields;
    let name = ResourceName::Objective(id.clone());
    Some(new(name, fields.team.as_ref(), fields.owner.as_ref()))
}

/// Also the objective's owner answers for it.
fn about_key_result<'a>(workspace: &'a Workspace, id: &KeyResultId) -> Option<About<'a>> {
    let mut about = about_objective(workspace, &id.objective)?;
    about.name = ResourceName::KeyResult(id.clone());
    let fields = &workspace.key_results.get(id)?.fields;
    about.owners.extend(&fields.owner);
    Some(about)
}

/// Also the objective's owner answers for it.
fn about_initiative<'a>(workspace: &'a Workspace, id: &InitiativeId) -> Option<About<'a>> {
    let mut about = about_objective(workspace, &id.objective)?;
    about.name = ResourceName::Initiative(id.clone());
    let fields = &workspace.initiatives.get(id)?.fields;
    about.owners.extend(&fields.owner);
    Some(about)
}

fn about_kpi<'a>(workspace: &'a Workspace, id: &Id) -> Option<About<'a>> {
    let fields = &workspace.kpis.get(id)?.fields;
    let name = ResourceName::Kpi(id.clone());
    Some(new(name, fields.team.as_ref(), fields.owner.as_ref()))
}
