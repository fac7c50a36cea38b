//! What goes on in another cycle.

use binnacle::proto::api;
use binnacle::proto::api::key_result::Kind;
use binnacle::proto::api::objective::State;
use tonic::Code::AlreadyExists;

use crate::common::*;
use crate::steps::*;

fn carry(objective: &str, cycle: &str, id: &str) -> api::CarryOverObjectiveRequest {
    named!(
        CarryOverObjectiveRequest,
        acme(&format!("objectives/{objective}")),
        cycle: acme(&format!("cycles/{cycle}")),
        objective_id: id.to_owned()
    )
}

#[tokio::test]
async fn what_is_not_reached_goes_on_from_where_it_stands_and_what_is_reached_stays_behind() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    let mut objectives = server.objectives();
    let steps = key_result("win/steps", milestones(&["plan", "build", "ship"]));
    let keep = key_result(
        "win/keep",
        Kind::Maintain(api::Maintain {
            at_most: Some(3.0),
            ..Default::default()
        }),
    );
    for request in [steps, keep, key_result("win/open", Kind::Binary(api::Binary {}))] {
        objectives.create_key_result(request).await.expect("a key result");
    }
    let mut done = new_initiative("win", "done");
    done.initiative.as_mut().expect("an initiative").state = api::initiative::State::Done.into();
    let mut call = new_initiative("win", "call");
    call.initiative.as_mut().expect("an initiative").key_result = key_result_name("win/open");
    for request in [done, call] {
        objectives
            .create_initiative(request)
            .await
            .expect("an initiative");
    }
    let week = [
        value("win/deals", "c", 4.0),
        value("win/keep", "c", 5.0),
        value("win/open", "c", 1.0),
        check_in("win/steps", "c", |it| {
            it.reached_milestones = Some(api::ReachedMilestones {
                milestones: vec!["build".to_owned()],
            });
        }),
    ];
    for request in week {
        objectives.create_check_in(request).await.expect("a check-in");
    }
    let before = scores(&server, "win").await;
    let revision = server.head().await;
    let carried = retried!(server, objectives.carry_over_objective(carry("win", "q2", "")));
    let draft = carried.objective.expect("a draft");
    assert_eq!(
        (draft.state(), draft.carried_from, draft.cycle),
        (State::Draft, acme("objectives/win"), acme("cycles/q2"))
    );
    assert_eq!(carried.left_behind, [key_result_name("win/open")]);
    let kinds: Vec<_> = carried
        .key_results
        .iter()
        .map(|it| (it.name.rsplit('/').next().unwrap_or_default(), it.kind.as_ref()))
        .collect();
    let [
        ("deals", Some(Kind::Metric(deals))),
        ("keep", Some(Kind::Maintain(keep))),
        ("nps", Some(Kind::Metric(nps))),
        ("steps", Some(Kind::Milestones(steps))),
    ] = kinds.as_slice()
    else {
        panic!("{kinds:?}");
    };
    assert_eq!((deals.baseline, deals.target), (Some(4.0), Some(10.0)));
    assert_eq!(keep.at_most, Some(3.0));
    assert_eq!((nps.baseline, nps.target), (Some(40.0), Some(65.0)));
    let left: Vec<&str> = steps.milestones.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(left, ["plan", "ship"]);
    let initiatives: Vec<_> = carried
        .initiatives
        .iter()
        .map(|it| (it.title.as_str(), it.key_result.as_str()))
        .collect();
    assert_eq!(
        initiatives,
        [("call", ""), ("demos", "")],
        "of what stayed behind, the objective's"
    );
    let source = carried.source.expect("the source");
    let grading = source
        .result
        .as_ref()
        .and_then(|it| it.grading)
        .expect("an outcome");
    assert_eq!(
        (source.state(), grading.outcome(), grading.grade),
        (State::Closed, api::Outcome::Postponed, None)
    );
    assert_ne!(before[1], None);
    assert_eq!(
        scores(&server, "win").await[1..],
        [None; 3],
        "postponed counts nowhere"
    );
    let told = told_after(&server, revision).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, ..)| kind.as_str()).take(8).collect();
    assert_eq!(
        kinds,
        [
            "ObjectiveCreated",
            "KeyResultCreated",
            "KeyResultCreated",
            "KeyResultCreated",
            "KeyResultCreated",
            "InitiativeCreated",
            "InitiativeCreated",
            "ObjectiveClosed"
        ]
    );
    assert_eq!(
        messages_after(&server, revision).await[0].1.events.len(),
        8,
        "one commit"
    );
}

#[tokio::test]
async fn an_objective_is_not_carried_where_it_is_nor_twice_nor_into_what_is_closed() {
    let server = Server::start().await;
    with_company(&server).await;
    for quarter in [2, 3] {
        with_quarter(&server, quarter).await;
    }
    with_objective(&server, "given-up", |_| {}).await;
    let mut objectives = server.objectives();
    let cancel = named!(CancelObjectiveRequest, acme("objectives/given-up"));
    objectives.cancel_objective(cancel).await.expect("canceled");
    let mut cycles = server.cycles();
    cycles.create_cycle(new_cycle("over")).await.expect("a cycle");
    cycles
        .activate_cycle(named!(ActivateCycleRequest, acme("cycles/over")))
        .await
        .expect("ACTIVE");
    cycles
        .begin_cycle_review(named!(BeginCycleReviewRequest, acme("cycles/over")))
        .await
        .expect("REVIEW");
    cycles
        .close_cycle(named!(CloseCycleRequest, acme("cycles/over")))
        .await
        .expect("CLOSED");
    let mut bad = carry("win", "q2", "A");
    bad.cycle = "workspaces/other/cycles/q2".to_owned();
    for (request, expected) in [
        (carry("win", "q1", "x"), invalid(&["cycle"])),
        (carry("win", "q9", "x"), missing("cycles/q9")),
        (carry("win", "over", "x"), rule("CYCLE_CLOSED", "cycles/over")),
        (
            carry("given-up", "q2", "x"),
            rule("OBJECTIVE_OVER", "objectives/given-up"),
        ),
        (
            carry("win", "q2", "win"),
            refused(AlreadyExists, "ALREADY_EXISTS", &["objectives/win"]),
        ),
        (bad, invalid(&["cycle", "objective_id"])),
        (
            named!(CarryOverObjectiveRequest, acme("objectives/win")),
            invalid(&["cycle"]),
        ),
    ] {
        assert_eq!(
            server
                .refusal(objectives.carry_over_objective(request.clone()))
                .await,
            expected,
            "{request:?}"
        );
    }
    objectives
        .carry_over_objective(carry("win", "q2", "again"))
        .await
        .expect("carried");
    let twice = refused(AlreadyExists, "CARRIED_OVER_ALREADY", &["objectives/again"]);
    assert_eq!(
        server
            .refusal(objectives.carry_over_objective(carry("win", "q2", "x")))
            .await,
        twice
    );
    let delete = named!(DeleteObjectiveRequest, acme("objectives/again"));
    objectives.delete_objective(delete).await.expect("deleted");
    assert_eq!(
        server
            .refusal(objectives.carry_over_objective(carry("win", "q2", "x")))
            .await,
        twice,
        "what is deleted can be brought back"
    );
    let closed = objective(&server, "win").await.result;
    let elsewhere = objectives
        .carry_over_objective(carry("win", "q3", "third"))
        .await
        .expect("into another")
        .into_inner();
    assert_eq!(
        elsewhere.source.expect("the source").result,
        closed,
        "it is closed already"
    );
}
