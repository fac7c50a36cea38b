//! What is wrong is said by file and line, all of it, and nothing is written; or all but it, where that is asked.

use crate::server::Server;

const EVERYTHING: &str = include_str!("everything.yaml");

#[test]
fn everything_that_is_wrong_with_the_files_is_said_before_the_server_is_asked() {
    let server = Server::start();
    server.write(
        "a/one.yaml",
        "kind: Kip\nname: kpis/nps\n---\nkind: Team\nname: teams/sales\ntitel: Sales\n",
    );
    server.write(
        "a/two.yml",
        "kind: Team\nname: workspaces/acme/teams/sales\n---\n- x\n",
    );
    server.write("a/notes.txt", "no manifest");
    let run = server.run(&["apply", "-f", "a", "--server", "http://127.0.0.1:1"], "");
    assert_eq!(run.code, Some(2), "the flag is given twice: {run:?}");
    let run = server.run(&["apply", "-f", "a"], "");
    run.refused(&[
        "a/one.yaml:1: \"Kip\" is no kind: did you mean Kpi?",
        "a/one.yaml:6: there is no field titel: did you mean title?",
        "a/two.yml:1: teams/sales is described in a/one.yaml:4 already: keep one",
        "a/two.yml:4: a manifest is a map of fields: begin with \"kind: …\"",
    ]);
    assert_eq!(server.revision(), 0);
}

/// Bad in every way that only the server, or what it has, can tell; each document with its line.
const REFUSED: &str = "\
kind: Kpi
name: kpis/new
title: New
owner: members/mara
direction: HIGHER_IS_BETTER
---
kind: Kpi
name: kpis/other
title: Other
direction: HIGHER_IS_BETTER
cadence: DAILY
grace_days: 400
unit: {kind: CURRENCY, currency_code: reais}
---
kind: KeyResult
name: objectives/grow/keyResults/same
title: Same
metric: {baseline: 3, target: 3}
---
kind: KeyResult
name: objectives/grow/keyResults/more
metric: {target: 60}
---
kind: Objective
name: objectives/no-owner
title: Nobody's
cycle: cycles/q1
state: ACTIVE
---
kind: Series
kpi: kpis/mood
points:
  - {date: 2026-01-06, value: 1}
  - {date: 2026-01-07, value: 7}
  - {date: 2026-01-08, value: 2}
  - {date: 2026-01-09, value: 0.5}
---
kind: Workspace
preset: FULL
---
kind: Review
name: cycles/q4/reviews/end
learned: nothing
---
kind: Team
name: teams/a
title: A
parent_team: teams/b
---
kind: Team
name: teams/b
title: B
parent_team: teams/a
---
kind: Target
name: kpis/mood/targets/2026-01-01
at_most: 2
---
kind: Cycle
name: cycles/q1
state: CLOSED
---
kind: CheckIn
name: objectives/given-up/keyResults/one/checkIns/late
value: 1
---
kind: Team
name: teams/good
title: Good
---
kind: Objective
name: objectives/on-it
title: Depends on what is refused
owner: members/maria
cycle: cycles/q2
serves: [kpis/new]
---
kind: Initiative
name: objectives/on-it/initiatives/first
title: Depends on what depends
";

#[test]
fn everything_that_the_server_refuses_is_said_by_line_and_nothing_is_written() {
    let server = Server::with(EVERYTHING);
    let revision = server.revision();
    let run = server.apply_text(REFUSED, &["--workspace", "acme"]);
    run.refused(&FAULTS);
    assert_eq!(server.revision(), revision);
}

const FAULTS: [&str; 15] = [
    "-:4: owner: members/mara does not exist: did you mean members/maria?",
    "-:12: grace_days: 400 is out of bounds: send 0 to 366 days",
    "-:13: unit.currency_code: \"reais\" is no currency: write its ISO 4217 code, for example \"BRL\"",
    "-:15: target 3 is the baseline 3: what is reached already is no improvement; to keep a value use a MAINTAIN key result or a KPI target",
    "-:20: changing the baseline or the target of objectives/grow/keyResults/more while its objective is ACTIVE needs a reason: give it with --reason",
    "-:28: objectives/no-owner has no owner: set the one member who answers for it, then activate",
    "-:34: value: 7 is not on the scale: send the index of a label, 0 to 2",
    "-:36: value: 0.5 is not on the scale: send the index of a label, 0 to 2",
    "-:39: preset: SMALL → FULL; it is fixed at creation: write it as it is",
    "-:43: learned: \"One thing,\\n  and another.\\n\" → nothing; a review is written down once: take another name",
    "-:45: teams/a needs itself through what it refers to: break the circle",
    "-:50: teams/b needs itself through what it refers to: break the circle",
    "-:55: at_least: it is missing: this KPI should not go lower",
    "-:57: at_most: higher is better for this KPI: use at_least and critical_at_least",
    "-:63: objectives/given-up is not ACTIVE: activate it first",
];

#[test]
fn keep_going_leaves_out_what_is_refused_and_what_needs_it_and_writes_the_rest() {
    let server = Server::with(EVERYTHING);
    let run = server.apply_text(REFUSED, &["--workspace", "acme", "--keep-going"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(
        run.stdout.lines().collect::<Vec<_>>(),
        [
            "refused   workspaces/acme",
            "create    teams/good",
            "left out  cycles/q1",
            "            its state stays: it needs what is refused in -:24",
            "refused   kpis/new",
            "refused   kpis/other",
            "refused   kpis/mood/targets/2026-01-01",
            "refused   the series of kpis/mood",
            "refused   objectives/no-owner",
            "left out  objectives/on-it: it needs what is refused in -:1",
            "refused   objectives/grow/keyResults/more",
            "refused   objectives/grow/keyResults/same",
            "left out  objectives/on-it/initiatives/first: it needs what is refused in -:1",
            "refused   objectives/given-up/keyResults/one/checkIns/late",
            "refused   cycles/q4/reviews/end",
            "refused   teams/a",
            "refused   teams/b",
            "16 documents: 1 created, 0 updated, 0 unchanged, 15 left out",
        ]
    );
    let told: Vec<_> = run.stderr.lines().collect();
    assert_eq!(told[..FAULTS.len()], FAULTS);
    assert_eq!(
        told[FAULTS.len()..],
        ["binnacle: what is wrong is left out, with what needs it; the rest is written"]
    );
    let again = server.apply_text(REFUSED, &["--workspace", "acme", "--keep-going"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.stdout.contains("unchanged teams/good\n"),
        "{}",
        again.stdout
    );
    assert_eq!(
        again.summary(),
        "16 documents: 0 created, 0 updated, 1 unchanged, 15 left out"
    );
}
