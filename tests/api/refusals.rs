//! Every way to be refused: its code, its reason, what it names; and nothing was recorded.

use binnacle::proto::api;
use tonic::Code::{self, Aborted, AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, OutOfRange};

use crate::common::*;

fn refused(code: Code, reason: &str, about: &[&str]) -> Refused {
    Refused::new(code, reason, about)
}

fn invalid(fields: &[&str]) -> Refused {
    refused(InvalidArgument, "INVALID_FIELD", fields)
}

#[tokio::test]
async fn what_does_not_exist_is_not_found_whoever_asks() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let missing = |name: &str| refused(NotFound, "NOT_FOUND", &[name]);
    let mut kpis = server.kpis();
    assert_eq!(
        server
            .refusal(kpis.record_measurement(measure("nps", 0, 1.0)))
            .await,
        missing("kpis/nps")
    );
    assert_eq!(
        server.refusal(kpis.set_target(new_target("nps"))).await,
        missing("kpis/nps")
    );
    let get = api::GetKpiRequest {
        name: acme("kpis/nps"),
        min_revision: 0,
        as_of: None,
    };
    assert_eq!(server.refusal(kpis.get_kpi(get)).await, missing("kpis/nps"));
    let mut objectives = server.objectives();
    assert_eq!(
        server
            .refusal(objectives.create_objective(new_objective("win")))
            .await,
        missing("cycles/q1")
    );
    assert_eq!(
        server
            .refusal(objectives.create_key_result(new_key_result("win", "nps")))
            .await,
        missing("objectives/win")
    );
    assert_eq!(
        server
            .refusal(objectives.create_initiative(new_initiative("win", "demos")))
            .await,
        missing("objectives/win")
    );
    assert_eq!(
        server
            .refusal(objectives.create_check_in(new_check_in("objectives/win/keyResults/nps", "c", 1.0)))
            .await,
        missing("objectives/win/keyResults/nps")
    );
    assert_eq!(
        server
            .refusal(server.workspaces().create_team(new_team("sales", "nobody")))
            .await,
        missing("teams/nobody")
    );
    let elsewhere = api::CreateTeamRequest {
        parent: "workspaces/nowhere".to_owned(),
        ..new_team("sales", "")
    };
    assert_eq!(
        server.refusal(server.workspaces().create_team(elsewhere)).await,
        refused(NotFound, "NOT_FOUND", &[])
    );
}

#[tokio::test]
async fn a_list_below_something_that_does_not_exist_is_not_found() {
    let server = Server::start().await;
    with_workspace(&server).await;
    let mut objectives = server.objectives();
    let key_results = api::ListKeyResultsRequest {
        parent: acme("objectives/win"),
        ..Default::default()
    };
    let initiatives = api::ListInitiativesRequest {
        parent: acme("objectives/win"),
        ..Default::default()
    };
    let missing = refused(NotFound, "NOT_FOUND", &["objectives/win"]);
    assert_eq!(
        server.refusal(objectives.list_key_results(key_results)).await,
        missing
    );
    assert_eq!(
        server.refusal(objectives.list_initiatives(initiatives)).await,
        missing
    );
    for (parent, named) in [
        ("objectives/win/keyResults/nps", "objectives/win"),
        ("objectives/win/keyResults/-", "objectives/win"),
    ] {
        let check_ins = api::ListCheckInsRequest {
            parent: acme(parent),
            ..Default::default()
        };
        assert_eq!(
            server.refusal(objectives.list_check_ins(check_ins)).await,
            refused(NotFound, "NOT_FOUND", &[named])
        );
    }
    let targets = api::ListTargetsRequest {
        parent: acme("kpis/nps"),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.kpis().list_targets(targets)).await,
        refused(NotFound, "NOT_FOUND", &["kpis/nps"])
    );
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::start().await;
    with_company(&server).await;
    let taken = |name: &str| refused(AlreadyExists, "ALREADY_EXISTS", &[name]);
    assert_eq!(
        server
            .refusal(server.workspaces().create_workspace(new_workspace("acme")))
            .await,
        refused(AlreadyExists, "ALREADY_EXISTS", &[])
    );
    let team = server
        .refusal(server.workspaces().create_team(new_team("sales", "")))
        .await;
    assert_eq!(team, taken("teams/sales"));
    assert_eq!(
        server
            .refusal(server.cycles().create_cycle(new_cycle("q1")))
            .await,
        taken("cycles/q1")
    );
    assert_eq!(
        server.refusal(server.kpis().create_kpi(new_kpi("nps"))).await,
        taken("kpis/nps")
    );
    let mut objectives = server.objectives();
    assert_eq!(
        server
            .refusal(objectives.create_objective(new_objective("win")))
            .await,
        taken("objectives/win")
    );
    let deals = "objectives/win/keyResults/deals";
    assert_eq!(
        server
            .refusal(objectives.create_key_result(new_key_result("win", "deals")))
            .await,
        taken(deals)
    );
    objectives
        .create_check_in(new_check_in(deals, "c1", 1.0))
        .await
        .unwrap();
    assert_eq!(
        server
            .refusal(objectives.create_check_in(new_check_in(deals, "c1", 2.0)))
            .await,
        taken(&format!("{deals}/checkIns/c1"))
    );
    let mut member = new_member("maria");
    member.member.as_mut().unwrap().principal = "anonymous".to_owned();
    assert_eq!(
        server.refusal(server.workspaces().create_member(member)).await,
        refused(AlreadyExists, "PRINCIPAL_TAKEN", &["members/anonymous"])
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_named_field_by_field() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut kpis = server.kpis();
    for value in [f64::NAN, f64::INFINITY, -1e16] {
        let refusal = server
            .refusal(kpis.record_measurement(measure("nps", 0, value)))
            .await;
        assert_eq!(refusal, invalid(&["measurement.value"]), "{value}");
    }
    assert_eq!(
        server
            .refusal(kpis.record_measurement(measure("nps", 301, 1.0)))
            .await,
        refused(InvalidArgument, "EFFECTIVE_TIME_IN_FUTURE", &["effective_time"])
    );
    let tomorrow = api::RecordMeasurementRequest {
        measurement: Some(api::Measurement {
            effective_date: date(2026, 1, 2),
            value: Some(1.0),
            ..Default::default()
        }),
        ..measure("nps", 0, 1.0)
    };
    assert_eq!(
        server.refusal(kpis.record_measurement(tomorrow)).await,
        refused(InvalidArgument, "EFFECTIVE_TIME_IN_FUTURE", &["effective_time"])
    );
    let mut kpi = new_kpi("bad");
    let fields = kpi.kpi.as_mut().unwrap();
    (
        fields.direction,
        fields.cadence,
        fields.aggregation,
        fields.category,
    ) = (99, -1, 77, 4);
    fields.review_cadence = i32::MAX;
    fields.unit = Some(api::Unit {
        kind: 55,
        ..Default::default()
    });
    let unknown = [
        "category",
        "unit.kind",
        "direction",
        "cadence",
        "review_cadence",
        "aggregation",
    ];
    let mut refusal = server.refusal(kpis.create_kpi(kpi)).await;
    let mut expected = unknown.map(|field| format!("kpi.{field}"));
    refusal.about.sort();
    expected.sort();
    assert_eq!(refusal.about, expected);
    assert_eq!(refusal.code, InvalidArgument);

    let empty = api::CreateObjectiveRequest {
        parent: "workspaces/Acme!".to_owned(),
        objective_id: "-".to_owned(),
        objective: None,
        request_id: "7".to_owned(),
        reason: "x".repeat(10_001),
    };
    assert_eq!(
        server.refusal(server.objectives().create_objective(empty)).await,
        invalid(&["parent", "objective_id", "objective", "request_id", "reason"])
    );
    let mut check_in = new_check_in("objectives/win/keyResults/deals", "c", 1.0);
    check_in.check_in = Some(api::CheckIn::default());
    assert_eq!(
        server
            .refusal(server.objectives().create_check_in(check_in))
            .await,
        invalid(&["check_in"])
    );
}

#[tokio::test]
async fn a_mask_names_fields_that_may_be_written() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let update = |paths: &[&str]| api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            title: String::new(),
            ..Default::default()
        }),
        update_mask: mask(paths),
        ..Default::default()
    };
    let mut kpis = server.kpis();
    for bad in [
        "name",
        "etag",
        "health",
        "nothing",
        "unit.kind",
        "",
        "labels.tier",
    ] {
        assert_eq!(
            server.refusal(kpis.update_kpi(update(&[bad]))).await,
            invalid(&["update_mask"]),
            "{bad}"
        );
    }
    let too_many = vec!["title"; 101];
    assert_eq!(
        server.refusal(kpis.update_kpi(update(&too_many))).await,
        invalid(&["update_mask"])
    );
    assert_eq!(
        server.refusal(kpis.update_kpi(update(&["title"]))).await,
        invalid(&["kpi.title"])
    );
    let all = server.refusal(kpis.update_kpi(update(&["*"]))).await;
    assert_eq!(all, invalid(&["kpi.title", "kpi.direction", "kpi.cadence"]));
    kpis.update_kpi(update(&[]))
        .await
        .expect("nothing set, nothing changed");
}

#[tokio::test]
async fn an_etag_of_an_older_version_is_aborted_and_a_measurement_ages_no_etag() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let update = |area: &str, etag: &str| api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            area: area.to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut kpis = server.kpis();
    kpis.record_measurement(measure("nps", 0, 1.0)).await.unwrap();
    kpis.set_target(new_target("nps")).await.unwrap();
    let updated = kpis
        .update_kpi(update("sales", "r2"))
        .await
        .expect("nobody wrote its fields")
        .into_inner();
    for old in ["r2", "r99", "garbage", "\"r5\""] {
        assert_eq!(
            server.refusal(kpis.update_kpi(update("care", old))).await,
            refused(Aborted, "ETAG_MISMATCH", &["kpis/nps"]),
            "{old}"
        );
    }
    kpis.update_kpi(update("care", &updated.etag))
        .await
        .expect("the newest");
}

#[tokio::test]
async fn a_rule_that_says_no_is_a_failed_precondition_that_names_its_subject() {
    let server = Server::start().await;
    with_company(&server).await;
    let rule = |reason: &str, about: &str| refused(FailedPrecondition, reason, &[about]);
    let (mut objectives, mut kpis, mut cycles) = (server.objectives(), server.kpis(), server.cycles());
    let nps = "objectives/win/keyResults/nps";
    assert_eq!(
        server
            .refusal(objectives.create_check_in(new_check_in(nps, "c", 1.0)))
            .await,
        rule("VALUE_COMES_FROM_KPI", nps)
    );
    let redirect = api::UpdateKpiRequest {
        kpi: Some(api::Kpi {
            name: acme("kpis/nps"),
            direction: api::Direction::LowerIsBetter.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(kpis.update_kpi(redirect)).await,
        rule("KPI_HAS_MEASUREMENTS", "kpis/nps")
    );
    let again = api::ActivateCycleRequest {
        name: acme("cycles/q1"),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(cycles.activate_cycle(again)).await,
        rule("CYCLE_NOT_PLANNED", "cycles/q1")
    );
    let move_target = api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            kind: Some(api::key_result::Kind::Metric(api::Metric {
                baseline: Some(0.0),
                target: Some(20.0),
                ..Default::default()
            })),
            name: acme("objectives/win/keyResults/deals"),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server
            .refusal(objectives.update_key_result(move_target.clone()))
            .await,
        rule("REASON_MISSING", "objectives/win/keyResults/deals")
    );
    let with_reason = api::UpdateKeyResultRequest {
        reason: "we aimed too low".to_owned(),
        ..move_target
    };
    objectives
        .update_key_result(with_reason)
        .await
        .expect("with a reason");
    let align = api::UpdateObjectiveRequest {
        objective: Some(api::Objective {
            name: acme("objectives/win"),
            aligned_to: acme("objectives/win"),
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(objectives.update_objective(align)).await,
        rule("ALIGNMENT_CYCLE", "objectives/win")
    );
    let demote = api::UpdateMemberRequest {
        member: Some(api::Member {
            name: acme("members/anonymous"),
            roles: vec![api::member::Role::Viewer.into()],
            ..Default::default()
        }),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(server.workspaces().update_member(demote)).await,
        rule("LAST_OWNER", "members/anonymous")
    );
}

#[tokio::test]
async fn a_bad_batch_names_each_bad_element_and_records_none() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let element = |kpi: &str, second: i64, value: f64| api::Measurement {
        kpi: acme(&format!("kpis/{kpi}")),
        ..measure("nps", second, value).measurement.unwrap()
    };
    let batch = |measurements: Vec<api::Measurement>| api::BatchRecordMeasurementsRequest {
        parent: acme("kpis/-"),
        measurements,
        ..Default::default()
    };
    let mut kpis = server.kpis();
    let bad = vec![
        element("nps", 0, 1.0),
        element("missing", 0, 1.0),
        element("nps", 0, 2.0),
        element("nps", 999, 2.0),
    ];
    let refusal = server.refusal(kpis.batch_record_measurements(batch(bad))).await;
    assert_eq!(
        refusal,
        refused(
            NotFound,
            "NOT_FOUND",
            &["measurements[1]", "measurements[2]", "measurements[3]"]
        )
    );
    let malformed = vec![element("nps", 0, f64::NAN), element("nps", 1, 1.0)];
    let refusal = server
        .refusal(kpis.batch_record_measurements(batch(malformed)))
        .await;
    assert_eq!(refusal, invalid(&["measurements[0].value"]));
    for count in [0, 1001] {
        let refusal = server
            .refusal(kpis.batch_record_measurements(batch(vec![element("nps", 0, 1.0); count])))
            .await;
        assert_eq!(refusal, invalid(&["measurements"]));
    }
    let alone = server
        .refusal(kpis.batch_record_measurements(batch(vec![element("missing", 0, 1.0)])))
        .await;
    assert_eq!(
        alone,
        refused(NotFound, "NOT_FOUND", &["measurements[0]"]),
        "a batch of one is a batch"
    );
}

#[tokio::test]
async fn a_revision_that_is_not_there_yet_is_out_of_range_at_once() {
    let server = Server::start().await;
    with_kpi(&server).await;
    let get = |min_revision| api::GetKpiRequest {
        name: acme("kpis/nps"),
        min_revision,
        as_of: None,
    };
    server.kpis().get_kpi(get(2)).await.expect("it has come so far");
    for ahead in [3, i64::MAX] {
        assert_eq!(
            server.refusal(server.kpis().get_kpi(get(ahead))).await,
            refused(OutOfRange, "REVISION_IN_FUTURE", &[])
        );
    }
    assert_eq!(
        server.refusal(server.kpis().get_kpi(get(-1))).await,
        invalid(&["min_revision"])
    );
}
