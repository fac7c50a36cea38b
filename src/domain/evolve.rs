//! From a state and an event to the next state. Total: history is never refused, nothing here fails or panics.
//!
//! An event that names something the state does not have changes nothing: such a log was not written by `decide`, and
//! the audit of its hashes, not the fold, is what finds it.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use smol_str::SmolStr;

use super::{
    Alert, Authorship, CheckIn, ClosedObjective, Cycle, CycleState, Event, Id, Initiative, KeyResult,
    KeyResultFields, KeyResultId, Kpi, KpiFields, Member, Objective, ObjectiveFields, ObjectiveState,
    PolicyVersion, Provenance, RecordedCheckIn, RecordedReview, ScoringPolicy, Series, SetTarget, Stamp,
    Team, Workspace, WorkspaceCreated,
};

impl Workspace {
    /// Opens a commit: the state moves to its revision, before its events are folded.
    pub fn begin(&mut self, stamp: &Stamp) {
        self.revision = stamp.revision;
        self.recorded_times.push_back(stamp.recorded_time);
    }

    /// Folds one event of the commit that `stamp` describes.
    pub fn evolve(&mut self, event: &Event, stamp: &Stamp) {
        match event {
            Event::MeasurementRecorded(recorded) => {
                if let Some(kpi) = self.kpis.get_mut(&recorded.kpi) {
                    let series = &mut Arc::make_mut(kpi).series;
                    series.record(
                        recorded.effective_time,
                        &recorded.source_id,
                        recorded.value,
                        stamp.revision,
                    );
                }
            }
            Event::EpochStarted(_) => {}
            Event::WorkspaceCreated(created) => self.create(created, stamp),
            Event::WorkspaceUpdated {
                before: _,
                after,
                rules,
            } => {
                let root = Arc::make_mut(&mut self.root);
                root.fields = (**after).clone();
                root.authorship.touch(stamp);
                if let Some(rules) = rules {
                    root.rules = rules.clone();
                }
            }
            Event::DayStarted { before: _, date } => self.today = *date,
            Event::ScoringPolicyUpdated { before: _, after } => self.set_policy(after, stamp),
            Event::Deleted { name } => self.delete(name, stamp),
            Event::Undeleted { name, deletion } => self.undelete(name, *deletion, stamp),
            Event::TeamCreated { id, fields } => {
                let team = Team {
                    fields: (**fields).clone(),
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.teams.insert(id.clone(), Arc::new(team));
            }
            Event::TeamUpdated { id, before: _, after } => change(&mut self.teams, id, |team| {
                team.fields = (**after).clone();
                team.authorship.touch(stamp);
            }),
            Event::MemberCreated { id, fields } => {
                let member = Member {
                    fields: (**fields).clone(),
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.insert_member(id, member);
            }
            Event::MemberUpdated { id, before: _, after } => {
                if let Some(member) = self.members.get(id) {
                    let mut member = (**member).clone();
                    member.fields = (**after).clone();
                    member.authorship.touch(stamp);
                    self.insert_member(id, member);
                }
            }
            Event::CycleCreated { id, fields } => {
                let cycle = Cycle {
                    fields: (**fields).clone(),
                    state: CycleState::Planned,
                    authorship: Authorship::created(stamp),
                };
                self.cycles.insert(id.clone(), Arc::new(cycle));
            }
            Event::CycleUpdated { id, before: _, after } => change(&mut self.cycles, id, |cycle| {
                cycle.fields = (**after).clone();
                cycle.authorship.touch(stamp);
            }),
            Event::CycleActivated { id, before: _ } => self.move_cycle(id, CycleState::Active, stamp),
            Event::CycleReviewBegun { id, before: _ } | Event::CycleReopened { id, before: _ } => {
                self.move_cycle(id, CycleState::Review, stamp);
            }
            Event::CycleClosed { id, before: _ } => self.move_cycle(id, CycleState::Closed, stamp),
            Event::ReviewRecorded { cycle, id, review } => {
                let recorded = RecordedReview {
                    review: (**review).clone(),
                    provenance: Provenance::of(stamp),
                };
                self.reviews
                    .insert((cycle.clone(), id.clone()), Arc::new(recorded));
            }
            Event::ObjectiveCreated {
                id,
                fields,
                carried_from,
                started_from,
            } => {
                let objective = Objective {
                    fields: (**fields).clone(),
                    state: ObjectiveState::Draft,
                    activation_date: None,
                    carried_from: carried_from.clone(),
                    started_from: started_from.clone(),
                    closed: None,
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.index_objective(id, None, Some(fields));
                self.objectives.insert(id.clone(), Arc::new(objective));
            }
            Event::ObjectiveUpdated { id, before: _, after } => {
                let before = self.objectives.get(id).map(|objective| objective.fields.clone());
                self.index_objective(id, before.as_ref(), Some(after));
                change(&mut self.objectives, id, |objective| {
                    objective.fields = (**after).clone();
                    objective.authorship.touch(stamp);
                });
            }
            Event::ObjectiveActivated { id, before: _, date } => {
                change(&mut self.objectives, id, |objective| {
                    objective.state = ObjectiveState::Active;
                    objective.activation_date = Some(*date);
                    objective.authorship.touch(stamp);
                })
            }
            Event::ObjectiveClosed {
                id,
                before: _,
                result,
            } => change(&mut self.objectives, id, |objective| {
                objective.state = ObjectiveState::Closed;
                objective.closed = Some(Arc::new(ClosedObjective {
                    result: (**result).clone(),
                    provenance: Provenance::of(stamp),
                }));
                objective.authorship.touch(stamp);
            }),
            Event::ObjectiveReopened {
                id,
                before: _,
                after,
                result: _,
            } => change(&mut self.objectives, id, |objective| {
                objective.state = *after;
                objective.closed = None;
                objective.authorship.touch(stamp);
            }),
            Event::ObjectiveCanceled { id, before: _ } => change(&mut self.objectives, id, |objective| {
                objective.state = ObjectiveState::Canceled;
                objective.authorship.touch(stamp);
            }),
            Event::KeyResultCreated { id, fields, date } => {
                let key_result = KeyResult {
                    fields: (**fields).clone(),
                    creation_date: *date,
                    check_ins: OrdMap::new(),
                    check_in_keys: OrdMap::new(),
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.index_key_result(id, None, fields);
                self.key_results.insert(id.clone(), Arc::new(key_result));
            }
            Event::KeyResultUpdated { id, before: _, after } => {
                let before = self
                    .key_results
                    .get(id)
                    .map(|key_result| key_result.fields.clone());
                self.index_key_result(id, before.as_ref(), after);
                change(&mut self.key_results, id, |key_result| {
                    key_result.fields = (**after).clone();
                    key_result.authorship.touch(stamp);
                });
            }
            Event::InitiativeCreated { id, fields } => {
                let initiative = Initiative {
                    fields: (**fields).clone(),
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.initiatives.insert(id.clone(), Arc::new(initiative));
            }
            Event::InitiativeUpdated { id, before: _, after } => {
                change(&mut self.initiatives, id, |initiative| {
                    initiative.fields = (**after).clone();
                    initiative.authorship.touch(stamp);
                })
            }
            Event::CheckInRecorded {
                key_result,
                id,
                check_in,
            } => {
                change(&mut self.key_results, key_result, |key_result| {
                    let key = (check_in.effective_time, key_result.check_ins.len());
                    let recorded = RecordedCheckIn {
                        id: id.clone(),
                        check_in: (**check_in).clone(),
                        provenance: Provenance::of(stamp),
                        corrected: None,
                        retracted: None,
                    };
                    key_result.check_in_keys.insert(id.clone(), key);
                    key_result.check_ins.insert(key, Arc::new(recorded));
                });
            }
            Event::CheckInCorrected {
                key_result,
                id,
                before: _,
                after,
            } => change(&mut self.key_results, key_result, |key_result| {
                key_result.correct(id, after, stamp);
            }),
            Event::CheckInRetracted {
                key_result,
                id,
                before: _,
            } => change(&mut self.key_results, key_result, |key_result| {
                if let Some(key) = key_result.check_in_keys.get(id)
                    && let Some(recorded) = key_result.check_ins.get_mut(key)
                {
                    Arc::make_mut(recorded).retracted = Some(stamp.recorded_time);
                }
            }),
            Event::KpiCreated { id, fields } => {
                self.index_kpi(id, None, fields);
                let kpi = Kpi {
                    fields: Arc::new((**fields).clone()),
                    targets: OrdMap::new(),
                    series: Series::default(),
                    alerts: OrdMap::new(),
                    open_alerts: OrdMap::new(),
                    archived: None,
                    deleted: None,
                    authorship: Authorship::created(stamp),
                };
                self.kpis.insert(id.clone(), Arc::new(kpi));
            }
            Event::KpiUpdated { id, before: _, after } => {
                let before = self.kpis.get(id).map(|kpi| Arc::clone(&kpi.fields));
                self.index_kpi(id, before.as_deref(), after);
                change(&mut self.kpis, id, |kpi| {
                    kpi.fields = Arc::new((**after).clone());
                    kpi.authorship.touch(stamp);
                });
            }
            Event::TargetSet {
                kpi,
                date,
                before: _,
                after,
            } => change(&mut self.kpis, kpi, |kpi| {
                let set = SetTarget {
                    target: *after,
                    recorded_time: stamp.recorded_time,
                    revision: stamp.revision,
                };
                kpi.targets.insert(*date, set);
            }),
            Event::TargetDeleted { kpi, date, before: _ } => change(&mut self.kpis, kpi, |kpi| {
                kpi.targets.remove(date);
            }),
            Event::MeasurementRetracted {
                kpi,
                effective_time,
                source_id,
                before: _,
            } => change(&mut self.kpis, kpi, |kpi| {
                kpi.series.remove(*effective_time, source_id);
            }),
            Event::KpiArchived { id } => change(&mut self.kpis, id, |kpi| {
                kpi.archived = Some(stamp.recorded_time);
                kpi.authorship.touch(stamp);
            }),
            Event::KpiUnarchived { id, before: _ } => change(&mut self.kpis, id, |kpi| {
                kpi.archived = None;
                kpi.authorship.touch(stamp);
            }),
            Event::AlertOpened { kpi, id, opening } => change(&mut self.kpis, kpi, |kpi| {
                kpi.open_alert(id, opening, stamp);
            }),
            Event::AlertClosed { kpi, id, reason } => change(&mut self.kpis, kpi, |kpi| {
                kpi.close_alert(id, *reason, stamp);
            }),
            Event::AlertAcknowledged {
                kpi,
                id,
                before: _,
                note,
            } => self.change_alert(kpi, id, |alert| {
                alert.acknowledged = Some((Provenance::of(stamp), note.clone()));
            }),
            Event::ActionPlanSet {
                kpi,
                id,
                before: _,
                after,
            } => self.change_alert(kpi, id, |alert| alert.set_plan(after, stamp)),
            Event::ActionPlanCompleted { kpi, id, note } => self.change_alert(kpi, id, |alert| {
                if let Some(set) = &mut alert.plan {
                    set.completed = Some((Provenance::of(stamp), note.clone()));
                }
            }),
            Event::ActionPlanOverdue { kpi, id, due_date: _ } => self.change_alert(kpi, id, |alert| {
                if let Some(set) = &mut alert.plan {
                    set.overdue = true;
                }
            }),
        }
    }

    fn create(&mut self, created: &WorkspaceCreated, stamp: &Stamp) {
        let root = Arc::make_mut(&mut self.root);
        root.id = Some(created.id.clone());
        root.fields = created.fields.clone();
        root.preset = created.preset;
        root.rules = created.rules.clone();
        root.authorship = Authorship::created(stamp);
        self.set_policy(&created.policy, stamp);
    }

    fn set_policy(&mut self, policy: &ScoringPolicy, stamp: &Stamp) {
        let version = PolicyVersion {
            policy: policy.clone(),
            provenance: Provenance::of(stamp),
            reason: stamp.reason.clone(),
        };
        let root = Arc::make_mut(&mut self.root);
        root.policy = policy.clone();
        root.policy_version = stamp.revision;
        root.policies.insert(stamp.revision, Arc::new(version));
    }

    fn change_alert(&mut self, kpi: &Id, id: &Id, edit: impl FnOnce(&mut Alert)) {
        change(&mut self.kpis, kpi, |kpi| change(&mut kpi.alerts, id, edit));
    }

    /// Takes a member in, new or changed, and keeps the index of principals.
    fn insert_member(&mut self, id: &Id, member: Member) {
        if let Some(before) = self.members.get(id) {
            let principal = before.fields.principal.as_str();
            if let Some(ids) = self.members_by_principal.get_mut(principal) {
                ids.retain(|other| other != id);
            }
        }
        let principal = SmolStr::new(member.fields.principal.as_str());
        self.members_by_principal
            .entry(principal)
            .or_default()
            .push(id.clone());
        self.members.insert(id.clone(), Arc::new(member));
    }

    fn move_cycle(&mut self, id: &Id, state: CycleState, stamp: &Stamp) {
        change(&mut self.cycles, id, |cycle| {
            cycle.state = state;
            cycle.authorship.touch(stamp);
        });
    }

    fn index_objective(
        &mut self,
        id: &Id,
        before: Option<&ObjectiveFields>,
        after: Option<&ObjectiveFields>,
    ) {
        let by_cycle = |fields: &ObjectiveFields| Some((fields.cycle.clone(), id.clone()));
        let by_team =
            |fields: &ObjectiveFields| Some((fields.team.clone()?, fields.cycle.clone(), id.clone()));
        let aligned =
            |fields: &ObjectiveFields| Some((fields.aligned_to.as_ref()?.objective().clone(), id.clone()));
        reindex(
            &mut self.objectives_by_cycle,
            before.and_then(by_cycle),
            after.and_then(by_cycle),
        );
        reindex(
            &mut self.objectives_by_team,
            before.and_then(by_team),
            after.and_then(by_team),
        );
        reindex(
            &mut self.aligned,
            before.and_then(aligned),
            after.and_then(aligned),
        );
        let served = |fields: Option<&ObjectiveFields>| fields.map_or(Vec::new(), |it| it.serves.clone());
        for kpi in served(before) {
            self.objectives_by_kpi.remove(&(kpi, id.clone()));
        }
        for kpi in served(after) {
            self.objectives_by_kpi.insert((kpi, id.clone()));
        }
    }

    fn index_kpi(&mut self, id: &Id, before: Option<&KpiFields>, after: &KpiFields) {
        let by_team = |fields: &KpiFields| Some((fields.team.clone()?, id.clone()));
        reindex(&mut self.kpis_by_team, before.and_then(by_team), by_team(after));
    }

    fn index_key_result(
        &mut self,
        id: &KeyResultId,
        before: Option<&KeyResultFields>,
        after: &KeyResultFields,
    ) {
        let by_kpi = |fields: &KeyResultFields| Some((fields.kpi.clone()?, id.clone()));
        reindex(
            &mut self.key_results_by_kpi,
            before.and_then(by_kpi),
            by_kpi(after),
        );
    }
}

impl KeyResult {
    /// A corrected check-in keeps its place among those of one moment.
    fn correct(&mut self, id: &Id, after: &CheckIn, stamp: &Stamp) {
        let Some(key) = self.check_in_keys.get(id).copied() else {
            return;
        };
        let Some(recorded) = self.check_ins.remove(&key) else {
            return;
        };
        let corrected = RecordedCheckIn {
            check_in: after.clone(),
            corrected: Some(stamp.recorded_time),
            ..(*recorded).clone()
        };
        let key = (after.effective_time, key.1);
        self.check_in_keys.insert(id.clone(), key);
        self.check_ins.insert(key, Arc::new(corrected));
    }
}

pub(super) fn change<K: Ord + Clone, V: Clone>(
    map: &mut OrdMap<K, Arc<V>>,
    key: &K,
    change: impl FnOnce(&mut V),
) {
    if let Some(value) = map.get_mut(key) {
        change(Arc::make_mut(value));
    }
}

fn reindex<T: Ord + Clone>(index: &mut OrdSet<T>, before: Option<T>, after: Option<T>) {
    if before != after {
        if let Some(before) = before {
            index.remove(&before);
        }
        if let Some(after) = after {
            index.insert(after);
        }
    }
}
