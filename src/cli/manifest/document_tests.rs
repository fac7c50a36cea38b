use proptest::prelude::*;

use prost_reflect::Value;

use super::super::read::What;
use super::*;
use crate::proto::api;

fn read_files(files: &[(&str, &str)], workspace: Option<&str>) -> Result<Manifests, String> {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    let workspace = workspace.map(|id| Id::parse(id).expect("an id"));
    static SCHEMA: std::sync::OnceLock<Schema> = std::sync::OnceLock::new();
    let schema = SCHEMA.get_or_init(|| Schema::load().expect("the descriptors"));
    Manifests::read(&files, workspace.as_ref(), schema).map_err(|failure| failure.to_string())
}

/// The faults of a file, read as of the workspace "acme".
fn faults(text: &str) -> Vec<String> {
    let manifests = read_files(&[("a.yaml", text)], Some("acme")).expect("a workspace");
    manifests.faults()
}

fn check(text: &str, expect: &[&str]) {
    let expect: Vec<_> = expect.iter().map(|fault| format!("a.yaml:{fault}")).collect();
    assert_eq!(faults(text), expect, "{text}");
}

#[test]
fn what_only_the_server_says_of_kpis_and_what_is_made_of_them_is_refused() {
    for (head, fields) in [
        (
            "kind: Kpi\nname: kpis/nps\n",
            &[
                "health",
                "open_alerts",
                "needs_action",
                "archive_time",
                "period_value_text",
                "latest_value_text",
            ][..],
        ),
        (
            "kind: Target\nname: kpis/nps/targets/2026-01-01\n",
            &["text", "revision"],
        ),
        (
            "kind: Objective\nname: objectives/a\n",
            &["foundation", "started_from_kpi", "started_from_alert"],
        ),
        ("kind: Team\nname: teams/a\n", &["foundation"]),
    ] {
        for field in fields {
            let fault = format!("3: {field}: only the server says it, so leave it out");
            check(&format!("{head}{field}: x\n"), &[&fault]);
        }
    }
}

#[test]
fn every_kind_of_bad_row_is_named_by_its_line() {
    let kpi = "kind: Kpi\nname: kpis/nps\n";
    for (text, expect) in [
        (
            "- a\n- b\n",
            "1: a manifest is a map of fields: begin with \"kind: …\"",
        ),
        (
            "\nname: kpis/nps\n",
            "2: kind is missing: say what it is, for example \"kind: Objective\"",
        ),
        (
            "kind: Kip\nname: kpis/nps\n",
            "1: \"Kip\" is no kind: did you mean Kpi?",
        ),
        (
            "kind: Kpi\ntitle: NPS\n",
            "1: name is missing: write for example \"name: kpis/ID\"",
        ),
        (
            "kind: Kpi\nname: nps\n",
            "2: name: \"nps\" is no name of a Kpi: write kpis/ID",
        ),
        (
            "kind: Kpi\nname: workspaces/other/kpis/nps\n",
            "2: name: it lies in workspaces/other, and this is about workspaces/acme: apply one workspace at a time",
        ),
        (
            &format!("{kpi}titel: NPS\n"),
            "3: there is no field titel: did you mean title?",
        ),
        (
            &format!("{kpi}unit:\n  kind: NUMBER\n  currency: EUR\n"),
            "5: there is no field unit.currency: the fields are kind, currency_code, symbol, decimals, scale_labels",
        ),
        (
            &format!("{kpi}health: {{stale: true}}\n"),
            "3: health: only the server says it, so leave it out",
        ),
        (
            &format!("{kpi}archived: yes\n"),
            "3: archived: write true or false, without quotes",
        ),
        (
            &format!("{kpi}archived: \"true\"\n"),
            "3: archived: write true or false, without quotes",
        ),
        (
            "kind: Team\nname: teams/a\narchived: true\n",
            "3: there is no field archived: the fields are title, parent_team, lead",
        ),
        (
            &format!("{kpi}etag: r7\n"),
            "3: etag: what is on the server is read anew each time, so leave it out",
        ),
        (
            &format!("{kpi}direction: HIGHER\n"),
            "3: direction: \"HIGHER\" is not right here: write one of HIGHER_IS_BETTER, LOWER_IS_BETTER, IN_RANGE",
        ),
        (
            &format!("{kpi}grace_days: two\n"),
            "3: grace_days: \"two\" is not right here: write a whole number, without quotes",
        ),
        (
            &format!("{kpi}title: [a]\n"),
            "3: title: it is a list: write a text",
        ),
        (
            &format!("{kpi}unit: EUR\n"),
            "3: unit: it has another form: write its fields below it: kind, currency_code, symbol, decimals, scale_labels",
        ),
        (
            &format!("{kpi}labels: [a]\n"),
            "3: labels: it has another form: write keys with values, for example {region: south}",
        ),
        (
            &format!("{kpi}labels: {{a: }}\n"),
            "3: labels.a: write a text, or leave the key out",
        ),
        (
            &format!("{kpi}owner: maria\n"),
            "3: owner: \"maria\" is no name of a Member: write members/ID",
        ),
        (
            &format!("{kpi}owner: teams/sales\n"),
            "3: owner: \"teams/sales\" is no name of a Member: write members/ID",
        ),
        (
            &format!("{kpi}reviewCadence: DAILY\nreview_cadence: DAILY\n"),
            "4: review_cadence and review_cadence (line 3) exclude each other: keep one",
        ),
        (
            &format!("{kpi}title: a\ntitle: b\n"),
            "4: \"title\" is there twice, first in line 3: keep one",
        ),
        (
            "kind: KeyResult\nname: objectives/a/keyResults/b\nbinary: {}\nmetric: {target: 3}\n",
            "4: metric and binary (line 3) exclude each other: keep one",
        ),
        (
            "kind: Member\nname: members/jo\nroles: OWNER\n",
            "3: roles: it has another form: write a list, each element one of OWNER, LEAD, MANAGER, CONTRIBUTOR, INGEST, VIEWER, AUDITOR",
        ),
        (
            "kind: Member\nname: members/jo\nroles:\n  - LEAD\n  - OWNR\n",
            "5: roles[1]: there is no \"OWNR\": did you mean OWNER?",
        ),
        (
            "kind: Cycle\nname: cycles/q3\nstate: OPEN\n",
            "3: state: \"OPEN\" is not right here: write one of PLANNED, ACTIVE, REVIEW, CLOSED",
        ),
        (
            "kind: KeyResult\nname: objectives/a/keyResults/b\nstate: ACTIVE\n",
            "3: state: only the server says it, so leave it out",
        ),
        (
            "kind: Objective\nname: objectives/a\nstate: ACTIVE\nclosing: {learned: x}\n",
            "4: closing is what is said as it closes: add \"state: CLOSED\", or leave it out",
        ),
        (
            "kind: Objective\nname: objectives/a\nstate: CLOSED\nclosing: {grade: high}\n",
            "4: closing.grade: \"high\" is not right here: write a number, without quotes, a unit or separators of thousands",
        ),
        (
            "kind: Target\nname: kpis/nps/targets/2026-01-01\neffective_date: 2026-02-01\n",
            "3: effective_date: the name says 2026-01-01: make them agree, or leave it out",
        ),
        (
            "kind: Target\nname: kpis/nps/targets/2026-02-30\n",
            "1: name: \"2026-02-30\" is not in the calendar: correct the date",
        ),
        (
            "kind: Objective\nname: objectives/a\naligned_to: kpis/nps\n",
            "3: aligned_to: \"kpis/nps\" is no name of a Objective: write objectives/ID",
        ),
        (
            "kind: Kpi\n name: x\n",
            "2: it is no YAML: mapping values are not allowed in this context",
        ),
    ] {
        check(text, &[expect]);
    }
}

#[test]
fn every_kind_of_bad_point_is_named_by_its_line() {
    let series = "kind: Series\nkpi: kpis/nps\npoints:\n";
    for (points, expect) in [
        (
            "  - {date: 2026-01-01}\n",
            "4: points[0]: value is missing: write a number, also when it is 0",
        ),
        (
            "  - {value: 3}\n",
            "4: points[0]: time or date is missing: say when it was true",
        ),
        (
            "  - {date: 2026-01-01, time: 2026-01-01T00:00:00Z, value: 3}\n",
            "4: points[0].date: time is there too: keep one",
        ),
        (
            "  - {date: 2026-01-01, value: 3 NPS}\n",
            "4: points[0].value: \"3 NPS\" is not right here: write a number, without quotes or a unit",
        ),
        (
            "  - {date: 2026-01-01, value: 1e16}\n",
            "4: points[0].value: 10000000000000000 is out of bounds: at most 1e15 either way",
        ),
        (
            "  - {date: 1.1.2026, value: 3}\n",
            "4: points[0].date: \"1.1.2026\" is no day: write YYYY-MM-DD",
        ),
        (
            "  - 3\n",
            "4: points[0]: it has another form: write {date: 2026-01-31, value: 3}",
        ),
        (
            "  - {date: 2026-01-01, value: 3, source: crm}\n",
            "4: there is no field points[0].source: did you mean source_id?",
        ),
        (
            "  - {effective_date: 2026-01-01, value: 3}\n",
            "4: points[0].effective_date: a point calls it date",
        ),
        (
            "  - {date: 2026-01-01, value: 3}\n  - {date: 2026-01-01, value: 3, source_id: a}\n  - {date: 2026-01-01, value: 4}\n",
            "6: points[2]: the same time stands in line 4 too: keep one, or tell them apart by source_id",
        ),
    ] {
        check(&format!("{series}{points}"), &[expect]);
    }
    check(
        "kind: Series\nkpi: kpis/nps\n",
        &["1: points is missing: list them below it"],
    );
    check(
        "kind: Series\npoints: []\n",
        &["1: kpi is missing: write for example \"kpi: kpis/ID\""],
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_the_files() {
    let one = "kind: Kpi\nname: kpis/nps\ndirektion: UP\ngrace_days: x\n---\nkind: Kip\n";
    let other = "kind: Team\nname: teams/sales\n---\nkind: Kpi\nname: workspaces/acme/kpis/nps\n";
    let manifests = read_files(&[("one.yaml", one), ("two.yaml", other)], None).expect("a workspace");
    assert_eq!(
        manifests.faults(),
        [
            "one.yaml:3: there is no field direktion: did you mean direction?",
            "one.yaml:4: grace_days: \"x\" is not right here: write a whole number, without quotes",
            "one.yaml:6: \"Kip\" is no kind: did you mean Kpi?",
            "two.yaml:4: kpis/nps is described in one.yaml:1 already: keep one",
        ]
    );
    let broken: Vec<_> = manifests
        .documents
        .iter()
        .map(|document| document.is_broken)
        .collect();
    assert_eq!(broken, [true, false, true]);
}

#[test]
fn the_workspace_is_the_one_that_is_named() {
    let workspace = |text: &str| read_files(&[("a.yaml", text)], None).map(|read| read.workspace.to_string());
    assert_eq!(
        workspace("kind: Workspace\nname: workspaces/acme\n").as_deref(),
        Ok("acme")
    );
    assert_eq!(
        workspace("kind: Kpi\nname: workspaces/acme/kpis/nps\n").as_deref(),
        Ok("acme")
    );
    assert_eq!(
        workspace("kind: Kpi\nname: kpis/nps\n"),
        Err("no manifest names its workspace: say which with --workspace, or describe it in one of kind Workspace".to_owned())
    );
    assert_eq!(
        workspace("kind: Kpi\nname: workspaces/b/kpis/nps\n---\nkind: Kpi\nname: workspaces/a/kpis/nps\n"),
        Err(
            "the manifests are about several workspaces, workspaces/a, workspaces/b: apply one at a time"
                .to_owned()
        )
    );
}

#[test]
fn a_manifest_is_read_with_everything_it_refers_to() {
    let text = "kind: Objective\nname: objectives/win\ntitle: 2026\nowner: members/maria\n\
        contributingTeams: [teams/a, workspaces/acme/teams/b]\naligned_to: objectives/top/keyResults/nps\n\
        description: null\nweight: 2\nlabels: {region: south}\nstate: CLOSED\nclosing:\n  learned: |\n    much\n";
    let manifests = read_files(&[("a.yaml", text)], Some("acme")).expect("a workspace");
    assert_eq!(manifests.faults(), [""; 0]);
    let document = &manifests.documents[0];
    let references: Vec<_> = document
        .references
        .iter()
        .map(|named| format!("{} {} {:?} {}", named.line, named.field, named.kind, named.name))
        .collect();
    assert_eq!(
        references,
        [
            "4 owner Member members/maria",
            "5 contributing_teams[0] Team teams/a",
            "5 contributing_teams[1] Team teams/b",
            "6 aligned_to KeyResult objectives/top/keyResults/nps",
        ]
    );
    assert_eq!(
        document.state.map(|stated| stated.state),
        Some(api::objective::State::Closed.into())
    );
    let given: Vec<_> = document
        .fields
        .iter()
        .map(|given| given.field.name().to_owned())
        .collect();
    assert_eq!(
        given,
        [
            "title",
            "owner",
            "contributing_teams",
            "aligned_to",
            "description",
            "weight",
            "labels"
        ]
    );
    assert!(matches!(document.fields[4].what, What::Cleared));
    assert!(matches!(&document.fields[0].what, What::Value(Value::String(title)) if title == "2026"));
    assert_eq!(document.closing.as_ref().map(|closing| closing.line), Some(11));
    assert_eq!(Given::line_of(&document.fields, "labels.region"), Some(9));
    assert_eq!(Given::line_of(&document.fields, "cycle"), None);
}

proptest! {
    #[test]
    fn no_text_that_looks_like_a_manifest_breaks_the_reading(
        lines in prop::collection::vec(
            "(kind: (Kpi|Objective|Series|Target|Member|Cycle|\\PC{0,5})|name: (kpis/nps|objectives/a|kpis/a/targets/2026-01-01|\\PC{0,9})|\
             (title|owner|unit|points|labels|state|closing|metric|roles|weight|effective_date): (null|1|a|\\{\\}|\\[\\]|\\[1, a\\]|\\{kind: NUMBER\\}|2026-01-01|\\PC{0,9})|\
             points:|  - \\{(time|date|value): \\PC{0,5}(, value: 3)?\\}|---)",
            0..20,
        )
    ) {
        let text = lines.join("\n");
        let manifests = read_files(&[("a.yaml", &text)], Some("acme")).expect("a workspace");
        let lines = text.lines().count().max(1) + 1;
        for document in &manifests.documents {
            prop_assert!((1..=lines).contains(&document.place.line));
        }
        for fault in manifests.faults() {
            let line = fault.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
            prop_assert!(line.is_some_and(|line| (1..=lines).contains(&line)), "{fault}");
        }
    }
}
