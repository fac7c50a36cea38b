//! KPIs in manifests: targets that move, transforms, rules for alerts, and KPIs that are measured no more.

use binnacle::proto::api::audit_service_client::AuditServiceClient;
use binnacle::proto::{api, google_type};

use crate::lists::Lists;
use crate::server::Server;

const GAUGES: &str = include_str!("gauges.yaml");

fn kpi(server: &Server, id: &str) -> api::Kpi {
    let request = api::GetKpiRequest {
        name: format!("workspaces/acme/kpis/{id}"),
        min_revision: 0,
        as_of: None,
    };
    let kpi = server.ask(server.kpis().get_kpi(request));
    kpi.expect("a KPI").into_inner()
}

fn is_archived(server: &Server, id: &str) -> bool {
    kpi(server, id).archive_time.is_some()
}

/// What people did to a KPI, first to last.
fn acts(server: &Server, id: &str) -> Vec<String> {
    let request = api::ListEventsRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1000,
        ..api::ListEventsRequest::default()
    };
    let mut audit = AuditServiceClient::new(server.channel.clone());
    let events = server.ask(audit.list_events(request)).expect("events");
    let (name, below) = (
        format!("workspaces/acme/kpis/{id}"),
        format!("workspaces/acme/kpis/{id}/targets/"),
    );
    let events = events.into_inner().events.into_iter();
    // Alerts follow from them.
    let mine = events.filter(|event| {
        (event.resource == name || event.resource.starts_with(&below)) && !event.r#type.starts_with("Alert")
    });
    mine.map(|event| event.r#type).collect()
}

#[test]
fn what_is_said_of_kpis_is_applied_once_and_exported_to_an_equal_workspace() {
    let server = Server::with(GAUGES);
    let day = |month, day| google_type::Date {
        year: 2026,
        month,
        day,
    };
    let lists = Lists::of(&server);
    let transforms: Vec<_> = lists.kpis.iter().map(api::Kpi::transform).collect();
    use api::kpi::Transform::{ChangePercent, Unspecified};
    assert_eq!(transforms, [ChangePercent, Unspecified, Unspecified, Unspecified]);
    let ramps: Vec<_> = lists.targets.iter().map(|target| target.ramp).collect();
    let rises = api::target::Ramp {
        date: Some(day(12, 31)),
        at_least: Some(5.0),
        ..api::target::Ramp::default()
    };
    let narrows = api::target::Ramp {
        date: Some(day(6, 30)),
        at_least: Some(45.0),
        at_most: Some(55.0),
        critical_at_most: Some(70.0),
        ..api::target::Ramp::default()
    };
    assert_eq!(ramps, [Some(rises), Some(narrows), None]);
    let rules = lists.policy.alerts.expect("rules");
    assert_eq!(
        (
            rules.breach_after,
            rules.recover_after,
            rules.adverse_move_percent
        ),
        (Some(2), Some(1), Some(0.0))
    );
    let archived: Vec<_> = lists.kpis.iter().map(|kpi| kpi.archive_time.is_some()).collect();
    assert_eq!(archived, [false, false, false, true]);

    let revision = server.revision();
    let again = server.apply_text(GAUGES, &[]);
    assert_eq!(
        again.good().summary(),
        "16 documents: 0 created, 0 updated, 16 unchanged"
    );
    let exported = server.export();
    assert_eq!(server.apply_text(&exported.stdout, &[]).good().changes(), [""; 0]);
    assert_eq!(server.revision(), revision);

    let copy = Server::start();
    assert_eq!(copy.apply_text(&exported.stdout, &[]).good().stderr, "");
    let copied = Lists::of(&copy);
    assert!(copied == lists, "{lists:#?}\n{copied:#?}");
    assert_eq!(copy.export().stdout, exported.stdout);
}

#[test]
fn a_ramp_changes_in_what_is_given_and_goes_with_null_and_a_target_that_is_not_there_stays() {
    let server = Server::with(GAUGES);
    let apply = |text: &str| {
        let run = server.apply_text(text, &["--workspace", "acme"]);
        run.good();
        run
    };
    let change = "kind: Target\nname: kpis/load/targets/2026-02-01\nramp: {at_most: 50, critical_at_most: null}\n---\n\
        kind: Target\nname: kpis/growth/targets/2026-01-01\nramp: null\n---\n\
        kind: ScoringPolicy\nalerts: {breach_after: 3}\n";
    let told = apply(change);
    let ramp =
        |at_most: u32, more: &str| format!("{{date: 2026-06-30, at_least: 45, at_most: {at_most}{more}}}");
    assert_eq!(
        told.changes()[1],
        "            alerts: {breach_after: 2, recover_after: 1, adverse_move_periods: 3, adverse_move_percent: 0, healthy_share_periods: 12} → {breach_after: 3, recover_after: 1, adverse_move_periods: 3, adverse_move_percent: 0, healthy_share_periods: 12}"
    );
    assert_eq!(
        told.changes()[2..],
        [
            "update    kpis/growth/targets/2026-01-01",
            "            ramp: {date: 2026-12-31, at_least: 5} → none",
            "update    kpis/load/targets/2026-02-01",
            &format!(
                "            ramp: {} → {}",
                ramp(55, ", critical_at_most: 70"),
                ramp(50, "")
            ),
        ]
    );
    assert_eq!(apply(change).changes(), [""; 0]);
    let targets = Lists::of(&server).targets;
    assert_eq!(targets.len(), 3, "{targets:?}");
    let bad = "kind: Target\nname: kpis/load/targets/2026-02-01\nramp: {date: 2026-01-01}\n";
    let refused = server.apply_text(bad, &["--workspace", "acme"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.starts_with("-:3: ramp"), "{}", refused.stderr);
}

#[test]
fn an_archived_kpi_is_taken_into_use_for_what_changes_and_archived_again() {
    let server = Server::with(GAUGES);
    let before = acts(&server, "old-nps");
    assert_eq!(
        before,
        [
            "KpiCreated",
            "TargetSet",
            "MeasurementRecorded",
            "MeasurementRecorded",
            "KpiArchived"
        ]
    );
    let change = "kind: Series\nkpi: kpis/old-nps\npoints: [{date: 2026-01-12, value: 34}]\n---\n\
        kind: Kpi\nname: workspaces/acme/kpis/old-nps\ntitle: NPS until 2026\narchived: true\n---\n\
        kind: Target\nname: kpis/old-nps/targets/2026-01-01\ncritical_at_least: 20\n---\n\
        kind: KeyResult\nname: objectives/listen/keyResults/again\ntitle: Once more\nkpi: kpis/old-nps\nmetric: {target: 50}\n";
    let run = server.apply_text(change, &[]);
    assert_eq!(
        run.good().changes(),
        [
            "update    kpis/old-nps",
            "            title: NPS of old → NPS until 2026",
            "update    kpis/old-nps/targets/2026-01-01",
            "            critical_at_least: none → 20",
            "update    the series of kpis/old-nps",
            "            2026-01-12T00:00:00Z: 33 → 34",
            "create    objectives/listen/keyResults/again",
        ]
    );
    assert_eq!(
        run.stderr,
        "kpis/old-nps is archived: it is taken into use for what changes, and archived again\n"
    );
    assert_eq!(
        acts(&server, "old-nps")[before.len()..],
        [
            "KpiUpdated",
            "KpiUnarchived",
            "TargetSet",
            "MeasurementRecorded",
            "KpiArchived"
        ]
    );
    let revision = server.revision();
    let again = server.apply_text(change, &[]);
    assert_eq!((again.good().changes(), again.stderr.as_str()), (vec![], ""));
    assert_eq!(server.revision(), revision);
    // What an archived KPI does not refuse leaves it where it is.
    let titled = "kind: Kpi\nname: workspaces/acme/kpis/old-nps\ntitle: Old\narchived: true\n---\n\
        kind: KeyResult\nname: objectives/listen/keyResults/nps\ntitle: NPS\nkpi: kpis/old-nps\n";
    let run = server.apply_text(titled, &[]);
    assert_eq!((run.good().changes().len(), run.stderr.as_str()), (4, ""));
    let last = acts(&server, "old-nps").pop();
    assert_eq!(last.as_deref(), Some("KpiUpdated"));
}

#[test]
fn a_kpi_is_archived_and_taken_into_use_as_often_as_its_manifest_says_so() {
    let server = Server::with(GAUGES);
    let apply = |text: &str| server.apply_text(text, &["--workspace", "acme"]);
    let says = |archived: &str| format!("kind: Kpi\nname: kpis/old-nps\narchived: {archived}\n");
    for _ in 0..2 {
        for (says_so, detail, is) in [("false", "true → false", false), ("true", "false → true", true)] {
            let run = apply(&says(says_so));
            let detail = format!("            archived: {detail}");
            assert_eq!(run.good().changes(), ["update    kpis/old-nps", detail.as_str()]);
            assert_eq!(is_archived(&server, "old-nps"), is);
            assert_eq!(apply(&says(says_so)).good().changes(), [""; 0]);
        }
    }
    // What says nothing of it leaves it alone, and then it takes nothing new.
    let revision = server.revision();
    for silent in [
        "kind: Kpi\nname: kpis/old-nps\ntitle: NPS of old\n",
        &says("null"),
    ] {
        assert_eq!(apply(silent).good().changes(), [""; 0]);
    }
    let series = "kind: Series\nkpi: kpis/old-nps\npoints:\n  - {date: 2026-01-19, value: 35}\n";
    apply(series).refused(&[
        "-:4: kpis/old-nps is archived: say in its manifest whether it stays so (archived: true or false), or name its successor",
    ]);
    assert_eq!(server.revision(), revision);
    let run = apply(&format!("{series}---\n{}", says("false")));
    assert_eq!(
        run.good().summary(),
        "2 documents: 0 created, 2 updated, 0 unchanged"
    );
    let stands = kpi(&server, "old-nps");
    assert_eq!(
        (stands.archive_time, stands.latest_value_text.as_str()),
        (None, "35")
    );
}

#[test]
fn a_kpi_is_not_archived_while_something_of_it_is_missing() {
    let server = Server::with(GAUGES);
    let half = "kind: Kpi\nname: workspaces/acme/kpis/visits\ntitle: Visits\nunit: {kind: COUNT}\n\
        direction: HIGHER_IS_BETTER\ncadence: DAILY\narchived: true\n---\n\
        kind: Series\nkpi: kpis/visits\npoints: [{date: 2026-01-05, value: 1.5}]\n";
    let run = server.apply_text(half, &["--keep-going"]);
    assert_eq!(
        run.stdout.lines().take(3).collect::<Vec<_>>(),
        [
            "create    kpis/visits",
            "            its state stays: it needs what is refused in -:9",
            "refused   the series of kpis/visits",
        ],
        "{run:?}"
    );
    assert_eq!(run.code, Some(1));
    assert!(!is_archived(&server, "visits"));
    let run = server.apply_text(&half.replace("1.5", "1"), &[]);
    assert_eq!(
        run.good().changes()[..2],
        ["update    kpis/visits", "            archived: false → true"]
    );
    assert!(is_archived(&server, "visits"));
}
