//! What a dashboard shows: every figure by whose it is, folded from a snapshot and the changes behind it.

use std::collections::BTreeMap;

use binnacle::proto::api;
use binnacle::proto::api::resource::Resource;

/// A dashboard's view: every figure by whose it is, as the API shows it.
pub(crate) type View = BTreeMap<String, String>;

pub(crate) fn view_of(resources: &[api::Resource]) -> View {
    let mut view = View::new();
    for resource in resources {
        match resource.resource.as_ref().expect("a resource") {
            Resource::Workspace(w) => note(&mut view, &w.name, w.score.as_ref()),
            Resource::Team(team) => {
                let foundation = rests_on(team.foundation());
                note(&mut view, &format!("{} rests", team.name), foundation.as_ref());
                for score in &team.scores {
                    note(
                        &mut view,
                        &format!("{} in {}", team.name, score.cycle),
                        score.score.as_ref(),
                    );
                }
            }
            Resource::Cycle(cycle) => note(&mut view, &cycle.name, cycle.score.as_ref()),
            Resource::Objective(objective) => {
                note(&mut view, &objective.name, objective.progress.as_ref());
                let foundation = rests_on(objective.foundation());
                note(
                    &mut view,
                    &format!("{} rests", objective.name),
                    foundation.as_ref(),
                );
            }
            Resource::KeyResult(key_result) => {
                note(&mut view, &key_result.name, key_result.progress.as_ref())
            }
            Resource::Kpi(kpi) => note(&mut view, &kpi.name, kpi.health.as_ref()),
            Resource::Member(_)
            | Resource::Initiative(_)
            | Resource::Target(_)
            | Resource::Review(_)
            | Resource::ScoringPolicy(_) => {}
            Resource::Alert(alert) => note(&mut view, &alert.name, open(Some(alert))),
        }
    }
    view
}

/// A view has the alerts that are open.
fn open(alert: Option<&api::Alert>) -> Option<&api::Alert> {
    alert.filter(|alert| alert.state() == api::alert::State::Open)
}

/// A view has the foundations that are known.
pub(crate) fn rests_on(foundation: api::Foundation) -> Option<api::Foundation> {
    (foundation != api::Foundation::Unknown).then_some(foundation)
}

fn note(view: &mut View, whose: &str, figure: Option<&impl std::fmt::Debug>) {
    match figure {
        Some(figure) => view.insert(whose.to_owned(), format!("{figure:?}")),
        None => view.remove(whose),
    };
}

/// One change: what the view showed is what the change says that it was.
pub(crate) fn fold(view: &mut View, change: &api::DerivedChange) {
    try_fold(view, change).unwrap_or_else(|jump| panic!("{jump}"));
}

/// # Errors
/// The view showed something else: what.
pub(crate) fn try_fold(view: &mut View, change: &api::DerivedChange) -> Result<(), String> {
    use api::derived_change::Figure;
    fn step(
        view: &mut View,
        whose: &str,
        before: Option<&impl std::fmt::Debug>,
        after: Option<&impl std::fmt::Debug>,
    ) -> Result<(), String> {
        let before = before.map(|figure| format!("{figure:?}"));
        let shown = view.get(whose);
        if shown != before.as_ref() {
            return Err(format!("{whose} jumps: from {before:?}, and {shown:?} was shown"));
        }
        note(view, whose, after);
        Ok(())
    }
    let whose = &change.resource;
    match change.figure.as_ref().expect("a figure") {
        Figure::KeyResult(c) => step(view, whose, c.before.as_ref(), c.after.as_ref()),
        Figure::Objective(c) => step(view, whose, c.before.as_ref(), c.after.as_ref()),
        Figure::Kpi(c) => step(view, whose, c.before.as_ref(), c.after.as_ref()),
        Figure::Score(c) => step(view, whose, c.before.as_ref(), c.after.as_ref()),
        Figure::Alert(c) => step(view, whose, open(c.before.as_ref()), open(c.after.as_ref())),
        Figure::Foundation(c) => step(
            view,
            &format!("{whose} rests"),
            rests_on(c.before()).as_ref(),
            rests_on(c.after()).as_ref(),
        ),
        Figure::TeamScore(c) => {
            let whose = format!("{whose} in {}", c.cycle);
            step(view, &whose, c.before.as_ref(), c.after.as_ref())
        }
    }
}

/// A resource's name.
pub(crate) fn name_of(resource: &api::Resource) -> &str {
    match resource.resource.as_ref().expect("a resource") {
        Resource::Workspace(it) => &it.name,
        Resource::Team(it) => &it.name,
        Resource::Member(it) => &it.name,
        Resource::Cycle(it) => &it.name,
        Resource::Objective(it) => &it.name,
        Resource::KeyResult(it) => &it.name,
        Resource::Initiative(it) => &it.name,
        Resource::Kpi(it) => &it.name,
        Resource::Target(it) => &it.name,
        Resource::Review(it) => &it.name,
        Resource::ScoringPolicy(it) => &it.name,
        Resource::Alert(it) => &it.name,
    }
}
