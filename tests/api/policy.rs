//! The scoring policy: every version of it, what scores follow which, and every number that makes no sense.

use binnacle::proto::api;
use tonic::Code::{Aborted, NotFound};

use crate::common::*;
use crate::steps::*;

/// An update of the policy of workspaces/acme.
fn update(change: impl FnOnce(&mut api::ScoringPolicy)) -> api::UpdateScoringPolicyRequest {
    let mut policy = api::ScoringPolicy {
        name: acme("scoringPolicy"),
        ..Default::default()
    };
    change(&mut policy);
    api::UpdateScoringPolicyRequest {
        scoring_policy: Some(policy),
        reason: "Agreed in the review.".to_owned(),
        ..Default::default()
    }
}

async fn version(server: &Server, version: i64) -> api::ScoringPolicy {
    let request = named!(GetScoringPolicyRequest, acme("scoringPolicy"), version: version);
    let found = server.workspaces().get_scoring_policy(request).await;
    found.expect("a version").into_inner()
}

#[tokio::test]
async fn each_change_is_a_version_that_says_who_set_it_and_why_and_scores_name_the_one_they_follow() {
    let server = Server::start().await;
    with_company(&server).await;
    let first = version(&server, 0).await;
    assert_eq!(
        (first.version, first.committed_bar, first.semantics),
        (1, Some(1.0), 1)
    );
    assert_eq!(
        objective(&server, "win")
            .await
            .progress
            .expect("ACTIVE")
            .policy_version,
        1
    );
    server
        .objectives()
        .create_check_in(value("win/deals", "c", 9.0))
        .await
        .expect("a check-in");
    let revision = server.head().await;
    let lower = || {
        update(|policy| {
            policy.committed_bar = Some(0.45);
            policy.etag = "r1".to_owned();
        })
    };
    let second = retried!(server, workspaces.update_scoring_policy(lower()));
    assert_eq!(second.version, revision + 1);
    assert_eq!(
        (
            second.principal.as_str(),
            second.reason.as_str(),
            second.etag.clone()
        ),
        ("anonymous", "Agreed in the review.", format!("r{}", revision + 1))
    );
    let win = objective(&server, "win").await.progress.expect("ACTIVE");
    assert_eq!(
        (win.status(), win.policy_version),
        (api::Status::Achieved, second.version),
        "0.45 is enough now"
    );
    let told = told_after(&server, revision).await;
    let expected = ("ScoringPolicyUpdated".to_owned(), "scoringPolicy".to_owned());
    assert_eq!((told[0].0.clone(), told[0].1.clone()), expected);
    assert_eq!(
        told[0].2,
        [("committed_bar".to_owned(), "1".to_owned(), "0.45".to_owned())]
    );
    let changes = changes_after(&server, revision).await;
    assert!(
        changes.iter().any(|change| change.contains("objectives/win\"")),
        "a subscriber sees what follows: {changes:?}"
    );

    let mut stale = lower();
    stale.scoring_policy.as_mut().expect("a policy").committed_bar = Some(0.5);
    assert_eq!(
        server
            .refusal(server.workspaces().update_scoring_policy(stale))
            .await,
        refused(Aborted, "ETAG_MISMATCH", &["scoringPolicy"])
    );
    assert_eq!(version(&server, 1).await, first);
    assert_eq!(version(&server, 0).await, second);
    let list = |page_token: String| api::ListScoringPoliciesRequest {
        parent: "workspaces/acme".to_owned(),
        page_size: 1,
        page_token,
        ..Default::default()
    };
    let mut workspaces = server.workspaces();
    let page = workspaces
        .list_scoring_policies(list(String::new()))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(page.scoring_policies, [second], "the newest first");
    let page = workspaces
        .list_scoring_policies(list(page.next_page_token))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        (page.scoring_policies.as_slice(), page.next_page_token.as_str()),
        (&[first][..], "")
    );
}

#[tokio::test]
async fn a_version_that_never_was_is_not_found() {
    let server = Server::start().await;
    with_company(&server).await;
    for wrong in [2, i64::MAX, -1] {
        let request = named!(GetScoringPolicyRequest, acme("scoringPolicy"), version: wrong);
        let refusal = server
            .refusal(server.workspaces().get_scoring_policy(request))
            .await;
        assert_eq!(
            refusal,
            refused(NotFound, "NOT_FOUND", &["scoringPolicy"]),
            "{wrong}"
        );
    }
    for wrong in [
        "",
        "workspaces/acme",
        "workspaces/acme/scoringPolicies/1",
        "workspaces/acme/scoringPolicy/",
    ] {
        let request = named!(GetScoringPolicyRequest, wrong);
        let refusal = server
            .refusal(server.workspaces().get_scoring_policy(request))
            .await;
        assert_eq!(refusal, invalid(&["name"]), "{wrong:?}");
        let mut request = update(|policy| policy.committed_bar = Some(0.5));
        request.scoring_policy.as_mut().expect("a policy").name = wrong.to_owned();
        let refusal = server
            .refusal(server.workspaces().update_scoring_policy(request))
            .await;
        assert_eq!(refusal, invalid(&["scoring_policy.name"]), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_policy_that_makes_no_sense_is_refused_field_by_field() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut workspaces = server.workspaces();
    type Change = fn(&mut api::ScoringPolicy);
    let cases: [(&[&str], Change); 15] = [
        (&["committed_bar"], |it| it.committed_bar = Some(0.0)),
        (&["committed_bar"], |it| it.committed_bar = Some(f64::NAN)),
        (&["aspirational_bar"], |it| it.aspirational_bar = Some(1.1)),
        (&["achieved_from"], |it| it.achieved_from = Some(f64::INFINITY)),
        (&["on_track_gap"], |it| it.on_track_gap = Some(-0.1)),
        (&["behind_gap"], |it| it.behind_gap = Some(0.05)),
        (&["behind_gap"], |it| it.behind_gap = Some(f64::NAN)),
        (&["partial_from"], |it| it.partial_from = Some(0.7)),
        (&["roll_up"], |it| it.roll_up = 9),
        (&["check_in_cadence_days"], |it| {
            it.check_in_cadence_days = Some(0)
        }),
        (&["check_in_cadence_days", "check_in_grace_days"], |it| {
            (it.check_in_cadence_days, it.check_in_grace_days) = (Some(-1), Some(i32::MIN));
        }),
        (&["check_in_grace_days"], |it| it.check_in_grace_days = Some(367)),
        (&["hygiene.key_results_max"], |it| {
            it.hygiene = Some(api::HygieneLimits {
                key_results_min: Some(6),
                ..Default::default()
            });
        }),
        (&["hygiene.confidence_min"], |it| {
            it.hygiene = Some(api::HygieneLimits {
                confidence_min: Some(f64::NAN),
                ..Default::default()
            });
        }),
        (
            &["hygiene.objectives_of_team_max", "hygiene.breached_periods_max"],
            |it| {
                it.hygiene = Some(api::HygieneLimits {
                    objectives_of_team_max: Some(0),
                    breached_periods_max: Some(101),
                    ..Default::default()
                });
            },
        ),
    ];
    for (fields, change) in cases {
        let fields: Vec<String> = fields
            .iter()
            .map(|field| format!("scoring_policy.{field}"))
            .collect();
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let refusal = server
            .refusal(workspaces.update_scoring_policy(update(change)))
            .await;
        assert_eq!(refusal, invalid(&fields));
    }
    let empty = api::UpdateScoringPolicyRequest::default();
    assert_eq!(
        server.refusal(workspaces.update_scoring_policy(empty)).await,
        invalid(&["scoring_policy"])
    );
    for path in ["version", "semantics", "etag", "hygiene.key_results_min", "x"] {
        let mut request = update(|_| {});
        request.update_mask = mask(&[path]);
        assert_eq!(
            server.refusal(workspaces.update_scoring_policy(request)).await,
            invalid(&["update_mask"]),
            "{path}"
        );
    }
    let head = server.head().await;
    let nothing = workspaces
        .update_scoring_policy(update(|_| {}))
        .await
        .expect("nothing to change");
    assert_eq!(
        nothing.metadata().get("binnacle-revision").expect("a trailer"),
        &head.to_string()
    );
    assert_eq!(nothing.into_inner().version, 1);
}

#[tokio::test]
async fn what_is_closed_stays_as_it_was_graded_whatever_the_policy_becomes() {
    let server = Server::start().await;
    with_company(&server).await;
    let mut objectives = server.objectives();
    objectives
        .create_check_in(value("win/deals", "c", 10.0))
        .await
        .expect("a check-in");
    let explained = api::Closing {
        explanation: "Rain.".to_owned(),
        ..Default::default()
    };
    let close = named!(CloseObjectiveRequest, acme("objectives/win"), closing: Some(explained));
    let closed = objectives
        .close_objective(close)
        .await
        .expect("closed")
        .into_inner();
    let grading = closed
        .result
        .as_ref()
        .and_then(|result| result.grading)
        .expect("a grade");
    assert_eq!(
        (grading.grade, grading.outcome()),
        (Some(0.5), api::Outcome::Partial)
    );
    let harder = update(|policy| {
        policy.partial_from = Some(0.6);
        policy.roll_up = api::scoring_policy::RollUp::OwnAndAligned.into();
    });
    retried!(server, workspaces.update_scoring_policy(harder));
    assert_eq!(objective(&server, "win").await, closed);
    // With an absent number it is as at first again.
    let mut whole = update(|_| {});
    whole.update_mask = mask(&["*"]);
    let whole = server
        .workspaces()
        .update_scoring_policy(whole)
        .await
        .expect("all of it")
        .into_inner();
    assert_eq!(
        (whole.partial_from, whole.roll_up()),
        (Some(0.4), api::scoring_policy::RollUp::Own)
    );
}
