use crate::cli::manifest::document::Manifests;
use crate::domain::Id;

use super::*;

fn fields(schema: &Schema, kind: &str, yaml: &str) -> (DynamicMessage, Vec<Given>) {
    let name = match kind {
        "KeyResult" => "objectives/a/keyResults/b",
        "Objective" => "objectives/a",
        "Member" => "members/a",
        "ScoringPolicy" => "scoringPolicy",
        _ => "kpis/a",
    };
    let name = if kind == "Workspace" {
        "workspaces/acme"
    } else {
        name
    };
    let text = format!("kind: {kind}\nname: {name}\n{yaml}");
    let acme = Id::parse("acme").expect("an id");
    let files = [("a.yaml".to_owned(), text.into_bytes())];
    let mut manifests = Manifests::read(&files, Some(&acme), schema).expect("a workspace");
    assert_eq!(manifests.faults(), [""; 0], "{yaml}");
    let message = DynamicMessage::new(schema.message(kind).expect("a message"));
    (message, manifests.documents.remove(0).fields)
}

/// What a manifest makes another of what the server has, and what the server would then be sent.
fn check(kind: &str, server: &str, manifest: &str, expect: &[&str], sent: &str) {
    let schema = Schema::load().expect("the descriptors");
    let (mut before, given) = fields(&schema, kind, server);
    merge(&schema, &mut before, &given);
    let (_, given) = fields(&schema, kind, manifest);
    let mut after = before.clone();
    merge(&schema, &mut after, &given);
    let other = differences(&schema, &before, &after, &given);
    let shown: Vec<_> = other.iter().map(|one| one.shown.as_str()).collect();
    assert_eq!(shown, expect, "{manifest}");
    if !expect.is_empty() {
        assert_eq!(emit::inline_message(&schema, &after), sent, "{manifest}");
    }
}

#[test]
fn only_what_is_given_and_is_another_makes_a_difference() {
    let server = "title: NPS\nowner: members/jo\ngrace_days: 2\nlabels: {a: b, c: d}\n";
    check("Kpi", server, "title: NPS\n", &[], "");
    check(
        "Kpi",
        server,
        "labels: {c: d, a: b}\nowner: workspaces/acme/members/jo\n",
        &[],
        "",
    );
    check("Kpi", server, "description: null\narea: \"\"\n", &[], "");
    check(
        "Kpi",
        server,
        "title: NPS of all\nowner: null\ngrace_days: 3\nlabels: {a: b}\n",
        &[
            "title: NPS → NPS of all",
            "owner: members/jo → none",
            "grace_days: 2 → 3",
            "labels: {a: b, c: d} → {a: b}",
        ],
        "{title: NPS of all, grace_days: 3, labels: {a: b}}",
    );
}

#[test]
fn inside_of_a_message_what_is_not_given_is_left_alone() {
    let server = "metric: {baseline: 40, target: 65, reference_value: 3}\n";
    check("KeyResult", server, "metric: {target: 65}\n", &[], "");
    check(
        "KeyResult",
        server,
        "metric: {target: 70}\n",
        &[
            "metric: {baseline: 40, target: 65, reference_value: 3} → {baseline: 40, target: 70, reference_value: 3}",
        ],
        "{metric: {baseline: 40, target: 70, reference_value: 3}}",
    );
    check(
        "KeyResult",
        server,
        "metric: {reference_value: null}\n",
        &["metric: {baseline: 40, target: 65, reference_value: 3} → {baseline: 40, target: 65}"],
        "{metric: {baseline: 40, target: 65}}",
    );
    check(
        "ScoringPolicy",
        "hygiene: {key_results_min: 3, key_results_max: 5}\n",
        "hygiene: {key_results_min: 2}\n",
        &["hygiene: {key_results_min: 3, key_results_max: 5} → {key_results_min: 2, key_results_max: 5}"],
        "{hygiene: {key_results_min: 2, key_results_max: 5}}",
    );
}

#[test]
fn what_excludes_what_is_given_goes() {
    check(
        "KeyResult",
        "metric: {baseline: 40, target: 65}\n",
        "binary: {}\n",
        &["binary: none → {}"],
        "{binary: {}}",
    );
    check(
        "Kpi",
        "unit: {kind: CURRENCY, currency_code: BRL, decimals: 2}\n",
        "unit: {kind: PERCENT}\n",
        &["unit: {kind: CURRENCY, currency_code: BRL, decimals: 2} → {kind: PERCENT}"],
        "{unit: {kind: PERCENT}}",
    );
    let relative = "metric: {baseline: 40, target: 44, relative_target: {percent: 10}}\n";
    check(
        "KeyResult",
        relative,
        "metric: {baseline: 40, relative_target: {percent: 10}}\n",
        &[],
        "",
    );
    check(
        "KeyResult",
        relative,
        "metric: {target: 50}\n",
        &["metric: {baseline: 40, target: 44, relative_target: {percent: 10}} → {baseline: 40, target: 50}"],
        "{metric: {baseline: 40, target: 50}}",
    );
    check(
        "KeyResult",
        relative,
        "metric: {relative_target: {amount: 5}}\n",
        &[
            "metric: {baseline: 40, target: 44, relative_target: {percent: 10}} → {baseline: 40, target: 44, relative_target: {amount: 5}}",
        ],
        "{metric: {baseline: 40, target: 44, relative_target: {amount: 5}}}",
    );
    check(
        "KeyResult",
        "maintain: {at_least: 3, mode: NOW, tolerance: 1}\n",
        "maintain: {mode: SHARE}\n",
        &["maintain: {at_least: 3, mode: NOW, tolerance: 1} → {at_least: 3, mode: SHARE}"],
        "{maintain: {at_least: 3, mode: SHARE}}",
    );
}

#[test]
fn what_the_server_answers_where_nothing_was_said_is_no_difference() {
    check(
        "Objective",
        "weight: 1\nambition: COMMITTED\n",
        "weight: null\nambition: null\n",
        &[],
        "",
    );
    check(
        "Workspace",
        "time_zone: America/Sao_Paulo\n",
        "time_zone: america/sao_paulo\n",
        &[],
        "",
    );
    check(
        "Workspace",
        "fiscal_year_first_month: 1\n",
        "fiscal_year_first_month: 0\n",
        &[],
        "",
    );
    check(
        "Member",
        "roles: [OWNER, LEAD]\n",
        "roles: [LEAD, OWNER, LEAD]\n",
        &[],
        "",
    );
    check(
        "Objective",
        "serves: [kpis/a, kpis/b]\n",
        "serves: [kpis/b, kpis/a]\n",
        &[],
        "",
    );
    check(
        "KeyResult",
        "metric: {baseline: 0, target: 1}\n",
        "metric: {baseline: -0.0}\n",
        &[],
        "",
    );
    let milestones =
        "milestones: {milestones: [{id: a, title: A, weight: 1}, {id: b, title: B, weight: 3}]}\n";
    check(
        "KeyResult",
        milestones,
        "milestones: {milestones: [{id: a, title: A}, {id: b, title: B, weight: 3}]}\n",
        &[],
        "",
    );
    check(
        "KeyResult",
        milestones,
        "milestones: {milestones: [{id: b, title: B}, {id: a, title: A}]}\n",
        &[
            "milestones: {milestones: [{id: a, title: A, weight: 1}, {id: b, title: B, weight: 3}]} → {milestones: [{id: b, title: B}, {id: a, title: A}]}",
        ],
        "{milestones: {milestones: [{id: b, title: B}, {id: a, title: A}]}}",
    );
    // An ordered list is another one when its order is.
    check(
        "Kpi",
        "unit: {kind: SCALE, scale_labels: [bad, good]}\n",
        "unit: {scale_labels: [good, bad]}\n",
        &["unit: {kind: SCALE, scale_labels: [bad, good]} → {kind: SCALE, scale_labels: [good, bad]}"],
        "{unit: {kind: SCALE, scale_labels: [good, bad]}}",
    );
}
