//! What a commit came to: who moved, from where to where. Given, when, then who is told; and what is told of a commit is what
//! a comparison of everything that there is finds.

use super::names::all_names;
use super::*;
use crate::domain::{AlertKind, Etag, Id, ObjectivePatch, Revision, TeamPatch};
use crate::projection::{Concern, Effect, NetEffect, Scope, scope};

/// Teams top, sales below it and east below that, and other; cycles q1 and q2. East has objective win with a key result and
/// an initiative; sales has KPI nps with a target and an open alert.
fn company() -> Given {
    given(q1())
        .and([
            cycle("q2", day(4, 1), day(6, 30), None),
            team("top", None),
            team("sales", Some("top")),
            team("east", Some("sales")),
            team("other", None),
            objective("win", |fields| fields.team = Some(id("east"))),
            key_result("win/deals", |_| {}),
            initiative("win/demos", |_| {}),
        ])
        .and(aimed("nps", at_least(50.0), |fields| {
            fields.team = Some(id("sales"))
        }))
        .and([measured("nps", 1, 1, 40.0)])
}

/// `east<sales<top@q1`; in brackets where no snapshot lists it, `none` where there is no such thing.
fn told(scope: Option<&Scope>) -> String {
    let Some(Scope { teams, cycle, listed }) = scope else {
        return "none".to_owned();
    };
    let teams: Vec<String> = teams.iter().map(Id::to_string).collect();
    let cycle = cycle
        .as_ref()
        .map(|cycle| format!("@{cycle}"))
        .unwrap_or_default();
    let text = format!("{}{cycle}", teams.join("<"));
    match listed {
        true => text,
        false => format!("[{text}]"),
    }
}

fn is_listed(scope: Option<&Scope>) -> bool {
    scope.is_some_and(|scope| scope.listed)
}

/// The effect of the last commit. Whatever a snapshot before or after it lists, and belongs elsewhere, is told as moved; and
/// a comparison of both states tells the same.
fn last_effect(given: &Given) -> Effect {
    let (last, earlier) = given.commits.split_last().expect("a commit");
    let mut before = State::empty();
    for commit in earlier {
        before.apply(commit);
    }
    let mut after = before.clone();
    let effect = after.apply(last);
    let accepted = before.clone().accept(last, given.workspace.clone());
    assert_eq!(
        accepted, effect,
        "whoever folds the log sees what a live reader saw"
    );
    let net = NetEffect::between(&before, &after);
    for name in all_names(before.workspace()).union(&all_names(after.workspace())) {
        let was = scope(before.workspace(), name);
        let is = scope(after.workspace(), name);
        let lists = is_listed(was.as_ref()) || is_listed(is.as_ref());
        for concern in [
            effect.concerns.get(name),
            net.concerns.get(name).map(|(concern, _)| concern),
        ] {
            match concern {
                Some(Concern::Moves(moved)) => {
                    assert_eq!((&moved.before, &moved.after), (&was, &is), "{name}")
                }
                Some(Concern::Stays(stays)) => {
                    assert_eq!((Some(stays), Some(stays)), (was.as_ref(), is.as_ref()), "{name}");
                }
                None => assert!(!lists || was == is, "{name} moved and nobody is told"),
            }
        }
    }
    effect
}

/// Everybody that a command moves.
fn moves(given: &Given, command: Command) -> Vec<String> {
    let effect = last_effect(&given.clone().and([command]));
    let moves = effect
        .concerns
        .iter()
        .filter_map(|(name, concern)| match concern {
            Concern::Moves(moved) => Some(format!(
                "{name}: {} > {}",
                told(moved.before.as_ref()),
                told(moved.after.as_ref())
            )),
            Concern::Stays(_) => None,
        });
    moves.collect()
}

/// The same for all of some resources.
fn each(names: &[&str], moved: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name}: {moved}")).collect()
}

fn move_team(name: &str, below: Option<&str>) -> Command {
    Command::UpdateTeam {
        id: id(name),
        patch: Box::new(TeamPatch {
            parent_team: Some(below.map(id)),
            ..TeamPatch::default()
        }),
        etag: Etag::Any,
    }
}

fn of_win(change: impl FnOnce(&mut ObjectivePatch)) -> Command {
    update_objective("win", change)
}

const WIN: [&str; 3] = [
    "objectives/win",
    "objectives/win/keyResults/deals",
    "objectives/win/initiatives/demos",
];

#[test]
fn whoever_belongs_elsewhere_after_a_commit_is_told_with_all_that_moves_along() {
    let company = company();
    let alert = format!("kpis/nps/alerts/{}", company.alert_id("nps", AlertKind::Breach));
    let nps = ["kpis/nps", "kpis/nps/targets/2026-01-01", alert.as_str()];
    let mut below_other = each(&["teams/sales"], "sales<top > sales<other");
    below_other.splice(0..0, each(&["teams/east"], "east<sales<top > east<sales<other"));
    below_other.extend(each(&WIN, "east<sales<top@q1 > east<sales<other@q1"));
    below_other.extend(each(&nps, "sales<top > sales<other"));
    let mut on_top = each(&["teams/east"], "east<sales<top > east");
    on_top.extend(each(&WIN, "east<sales<top@q1 > east@q1"));
    let mut teams_deleted = each(&["teams/east"], "east<sales<top > [east<sales<top]");
    teams_deleted.extend(each(&["teams/sales"], "sales<top > [sales<top]"));
    for (command, expected) in [
        (move_team("sales", Some("other")), below_other),
        (move_team("east", None), on_top),
        (
            move_team("other", Some("east")),
            each(&["teams/other"], "other > other<east<sales<top"),
        ),
        (
            of_win(|patch| patch.team = Some(Some(id("other")))),
            each(&WIN, "east<sales<top@q1 > other@q1"),
        ),
        (
            of_win(|patch| patch.team = Some(None)),
            each(&WIN, "east<sales<top@q1 > @q1"),
        ),
        (
            of_win(|patch| patch.cycle = Some(id("q2"))),
            each(&WIN, "east<sales<top@q1 > east<sales<top@q2"),
        ),
        (retitle("win"), Vec::new()),
        (activate("win"), Vec::new()),
        (
            update_kpi("nps", |patch| patch.team = Some(Some(id("east")))),
            each(&nps, "sales<top > east<sales<top"),
        ),
        (
            update_kpi("nps", |patch| patch.team = Some(None)),
            each(&nps, "sales<top > "),
        ),
        (
            update_kpi("nps", |patch| patch.title = Some(title("NPS"))),
            Vec::new(),
        ),
        // What a team owns stays where it is.
        (delete("teams/sales"), teams_deleted),
        (
            delete("objectives/win"),
            each(&WIN, "east<sales<top@q1 > [east<sales<top@q1]"),
        ),
        (
            delete("keyResults/win/deals"),
            each(&WIN[1..2], "east<sales<top@q1 > [east<sales<top@q1]"),
        ),
        (delete("kpis/nps"), each(&nps, "sales<top > [sales<top]")),
        (archive("nps"), each(&nps[2..], "sales<top > [sales<top]")),
        (
            aim("nps", day(2, 1), at_least(60.0)),
            each(&["kpis/nps/targets/2026-02-01"], "[sales<top] > sales<top"),
        ),
        (aim("nps", day(1, 1), at_least(45.0)), Vec::new()),
        (delete("workspace"), each(&["the workspace"], " > []")),
        (
            team("west", Some("sales")),
            each(&["teams/west"], "none > west<sales<top"),
        ),
        (
            key_result("win/calls", |_| {}),
            each(&["objectives/win/keyResults/calls"], "none > east<sales<top@q1"),
        ),
        (
            review("q1", "kickoff", |_| {}),
            each(&["cycles/q1/reviews/kickoff"], "none > @q1"),
        ),
        (
            acknowledge("nps", &company.alert_id("nps", AlertKind::Breach), "seen"),
            Vec::new(),
        ),
    ] {
        assert_eq!(moves(&company, command.clone()), expected, "{command:?}");
    }
}

#[test]
fn an_alert_comes_when_it_opens_and_goes_when_it_closes() {
    let company = company();
    let alert = format!("kpis/nps/alerts/{}", company.alert_id("nps", AlertKind::Breach));
    let tomorrow = company.on(1, 2);
    assert_eq!(
        moves(&tomorrow, measured("nps", 1, 2, 70.0)),
        each(&[&alert], "sales<top > [sales<top]")
    );
    let better = tomorrow.and([measured("nps", 1, 2, 70.0)]).on(1, 3);
    let worse = moves(&better, measured("nps", 1, 3, 20.0));
    let another = better.and([measured("nps", 1, 3, 20.0)]);
    let another = format!("kpis/nps/alerts/{}", another.alert_id("nps", AlertKind::Breach));
    assert_eq!(worse, each(&[&another], "none > sales<top"));
}

#[test]
fn an_undeletion_brings_back_what_that_deletion_took_and_nothing_else() {
    let gone = company().and([delete("keyResults/win/deals"), delete("objectives/win")]);
    assert_eq!(
        moves(&gone, undelete("objectives/win")),
        each(
            &["objectives/win", "objectives/win/initiatives/demos"],
            "[east<sales<top@q1] > east<sales<top@q1"
        ),
    );
    let gone = company().and([delete("teams/east"), delete("teams/sales")]);
    assert_eq!(
        moves(&gone, undelete("teams/sales")),
        each(&["teams/sales"], "[sales<top] > sales<top")
    );
    let gone = company().and([delete("kpis/nps")]);
    assert_eq!(
        moves(&gone, undelete("kpis/nps")).len(),
        3,
        "its target and its alert too"
    );
}

#[test]
fn what_is_made_in_one_go_is_told_one_by_one() {
    let company = company();
    assert_eq!(
        moves(
            &company,
            start_objective("nps", "mend", |new| new.team = Some(id("other")))
        ),
        each(
            &["objectives/mend", "objectives/mend/keyResults/nps"],
            "none > other@q1"
        ),
    );
    let mut cascaded = each(&["objectives/win-other"], "none > other@q1");
    cascaded.extend(each(&["objectives/win-top"], "none > top@q1"));
    let cascade = cascade("win", &[("other", "win-other"), ("top", "win-top")]);
    assert_eq!(moves(&company.and([activate("win")]), cascade), cascaded);
    let first = last_effect(&given([]));
    let names: Vec<String> = first.concerns.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(names, ["the workspace", "members/maria", "scoringPolicy"]);
}

/// The names of which a snapshot would show other fields, after some commands.
fn written(given: &Given, commands: impl IntoIterator<Item = Command>) -> Vec<String> {
    let (before, after) = (state_of(given), state_of(&given.clone().and(commands)));
    let net = NetEffect::between(&before, &after);
    let written = net.concerns.iter().filter(|(_, (concern, written))| {
        *written && is_listed(concern.before()) && is_listed(concern.after())
    });
    written.map(|(name, _)| name.to_string()).collect()
}

#[test]
fn of_what_only_has_another_figure_nothing_was_written() {
    let company = company().and([activate("win")]);
    let breach = company.alert_id("nps", AlertKind::Breach);
    let alert = format!("kpis/nps/alerts/{breach}");
    let confident = check_in("win/deals", "b", |check_in| {
        check_in.confidence = Some(crate::domain::Confidence::parse(0.5).unwrap());
    });
    let start_day = Command::StartDay { date: day(1, 2) };
    for (commands, expected) in [
        (vec![deals("a", 3.0)], vec![]),
        (vec![measured("nps", 1, 1, 41.0)], vec![]),
        // It is the key result's confidence from now on.
        (vec![confident], vec!["objectives/win/keyResults/deals"]),
        (vec![start_day], vec!["the workspace"]),
        (vec![retitle("win")], vec!["objectives/win"]),
        (
            vec![cancel("win")],
            vec!["objectives/win", "objectives/win/keyResults/deals"],
        ),
        (vec![move_team("sales", None)], vec!["teams/sales"]),
        // What the alert says begins with the KPI's title.
        (
            vec![update_kpi("nps", |patch| patch.title = Some(title("NPS")))],
            vec!["kpis/nps", &alert],
        ),
        (vec![acknowledge("nps", &breach, "seen")], vec![&alert]),
        // The KPI says whether something has to be done.
        (vec![set_plan("nps", &breach, |_| {})], vec!["kpis/nps", &alert]),
        (
            vec![aim("nps", day(1, 1), at_least(48.0))],
            vec!["kpis/nps/targets/2026-01-01"],
        ),
        (
            vec![update_policy(|patch| patch.achieved_from = Some(0.9))],
            vec!["scoringPolicy"],
        ),
        (vec![team("west", None), delete("teams/west")], vec![]),
    ] {
        assert_eq!(written(&company, commands.clone()), expected, "{commands:?}");
    }
}

#[test]
fn what_came_and_went_in_between_is_in_no_net_change() {
    let given = company();
    let passing = [
        kpi("brief", |_| {}),
        delete("kpis/brief"),
        team("west", None),
        delete("teams/west"),
    ];
    let (before, after) = (state_of(&given), state_of(&given.clone().and(passing)));
    let net = NetEffect::between(&before, &after);
    let listed = |(concern, _): &(Concern, bool)| is_listed(concern.before()) || is_listed(concern.after());
    let listed: Vec<_> = net
        .concerns
        .iter()
        .filter(|(_, concern)| listed(concern))
        .collect();
    assert_eq!((net.changes.len(), listed), (0, Vec::new()), "{:?}", net.changes);
    let nothing = NetEffect::between(&after, &after);
    assert_eq!(nothing, NetEffect::default());
    let everything = NetEffect::between(&State::empty(), &after);
    let all = all_names(&given.workspace);
    for name in all {
        let (concern, _) = &everything.concerns[&name];
        assert!(
            is_listed(concern.after()) && !is_listed(concern.before()),
            "{name}"
        );
    }
    assert_eq!(
        after.workspace().revision(),
        Revision(given.workspace.revision().0 + 4)
    );
}
