//! Every call that reads, as of a moment of the past: what it answered then. Over random histories `tests/model` asks the
//! same.

use std::collections::BTreeSet;

use binnacle::proto::API_DESCRIPTOR_SET;
use binnacle::proto::api;
use binnacle::proto::api::as_of::Moment;
use prost_reflect::{DescriptorPool, Value};
use tonic::Code;

use crate::common::every_read::{Answer, NO_MOMENT, Question, about, questions, reads};
use crate::common::*;

const ACME: &str = "workspaces/acme";

/// What the little company holds, and with what is added here every kind of resource.
fn paths() -> BTreeSet<String> {
    let paths = [
        "teams/sales",
        "members/anonymous",
        "cycles/q1",
        "cycles/q1/reviews/r1",
        "objectives/win",
        "objectives/win/keyResults/deals",
        "objectives/win/keyResults/nps",
        "objectives/win/initiatives/demos",
        "kpis/nps",
        "kpis/none",
    ];
    paths.into_iter().map(str::to_owned).collect()
}

async fn with_everything(server: &Server) {
    with_company(server).await;
    let check_in = new_check_in("objectives/win/keyResults/deals", "first", 4.0);
    server
        .objectives()
        .create_check_in(check_in)
        .await
        .expect("a check-in");
    let review = api::CreateReviewRequest {
        parent: acme("cycles/q1"),
        review_id: "r1".to_owned(),
        review: Some(api::Review {
            achieved: "Much.".to_owned(),
            date: date(2026, 1, 1),
            ..Default::default()
        }),
        ..Default::default()
    };
    server.cycles().create_review(review).await.expect("a review");
}

fn second(seconds: i64) -> Moment {
    Moment::RecordedTime(time(seconds).expect("a time"))
}

async fn answers(server: &Server, asked: &[Question]) -> Vec<Answer> {
    let mut answers = Vec::new();
    for question in asked {
        answers.push(question.ask(&server.channel).await);
    }
    answers
}

/// Everything is asked as of a moment, and answers this.
async fn answers_then(server: &Server, asked: &[Question], moment: Moment, then: &[Answer]) {
    for (question, then) in asked.iter().zip(then) {
        let again = question.as_of(moment).ask(&server.channel).await;
        assert!(
            again == *then,
            "{}: {}\nnow:  {}\nthen: {}",
            question.method.name(),
            question.request,
            question.text(&again),
            question.text(then),
        );
    }
}

#[test]
fn every_call_that_reads_a_workspace_takes_as_of() {
    let mut known = 0;
    for method in reads() {
        assert!(
            method.input().get_field_by_name("as_of").is_some(),
            "{} reads, and takes no as_of",
            method.name()
        );
        assert!(
            about(&method).is_some(),
            "nobody has said what {} is about",
            method.name()
        );
        known += 1;
    }
    assert!(known >= 33, "only {known} calls that read");
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("the API");
    for (call, reason) in NO_MOMENT {
        let mut methods = pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>());
        assert!(
            methods.any(|method| method.name() == call),
            "there is no {call}, of which {reason}"
        );
    }
}

#[tokio::test]
async fn whatever_is_changed_or_deleted_since_every_call_answers_as_then() {
    let server = Server::start().await;
    with_everything(&server).await;
    let asked = questions(ACME, &paths());
    let head = server.head().await;
    let then = answers(&server, &asked).await;
    for (question, answer) in asked.iter().zip(&then) {
        let refused = matches!(answer, Answer::Refusal(..));
        let missing = question.request.to_string().contains("kpis/none");
        // Too little was measured for a forecast.
        let forecast = [
            "SuggestTarget",
            "ForecastKpi",
            "ForecastKeyResult",
            "BatchGetSeries",
        ];
        assert!(
            !refused || missing || forecast.contains(&question.method.name()),
            "{}: {answer:?}",
            question.method.name()
        );
    }
    server.clock.advance_to(at(3 * 86_400));
    server
        .kpis()
        .record_measurement(measure("nps", 5, 60.0))
        .await
        .expect("a value");
    let later = answers(&server, &asked).await;
    assert_ne!(later, then);
    let later_head = server.head().await;
    let delete = api::DeleteWorkspaceRequest {
        name: ACME.to_owned(),
        ..Default::default()
    };
    server
        .workspaces()
        .delete_workspace(delete)
        .await
        .expect("deleted");
    for (moment, answers) in [
        (Moment::Revision(head), &then),
        (second(0), &then),
        (second(86_400), &then),
        (Moment::Revision(later_head), &later),
    ] {
        answers_then(&server, &asked, moment, answers).await;
    }
    // What is still to come is as it is now.
    let now = answers(&server, &asked).await;
    for moment in [Moment::Revision(later_head + 1000), second(900_000_000)] {
        answers_then(&server, &asked, moment, &now).await;
    }
}

#[tokio::test]
async fn before_it_was_created_a_workspace_is_not_found() {
    let server = Server::start().await;
    with_everything(&server).await;
    for question in questions(ACME, &paths()) {
        let refused = question.as_of(second(-1)).ask(&server.channel).await;
        let Answer::Refusal(code, sentence, _) = refused else {
            panic!("{} answers {refused:?}", question.method.name());
        };
        assert_eq!(
            (code, sentence.as_str()),
            (
                Code::NotFound,
                "workspaces/acme did not exist yet: it was created at 2026-01-01T12:00:00Z, so ask for then or later"
            ),
            "{}",
            question.method.name()
        );
    }
}

#[tokio::test]
async fn a_moment_that_is_none_is_refused_with_its_field() {
    let server = Server::start().await;
    with_everything(&server).await;
    for question in questions(ACME, &paths()) {
        let mut both = question.as_of(Moment::Revision(1));
        both.request.set_field_by_name("min_revision", Value::I64(1));
        let mut cases = vec![(both, "as_of")];
        for (moment, field) in [
            (Moment::Revision(0), "as_of.revision"),
            (Moment::Revision(-3), "as_of.revision"),
            (
                Moment::RecordedTime(prost_types::Timestamp {
                    seconds: 0,
                    nanos: -1,
                }),
                "as_of.recorded_time",
            ),
        ] {
            cases.push((question.as_of(moment), field));
        }
        for (question, field) in cases {
            let refused = question.ask(&server.channel).await;
            let Answer::Refusal(code, sentence, _) = &refused else {
                panic!("{} answers {refused:?}", question.method.name());
            };
            assert_eq!(
                *code,
                Code::InvalidArgument,
                "{}: {refused:?}",
                question.method.name()
            );
            assert!(sentence.contains(field), "{}: {sentence}", question.method.name());
        }
    }
}

#[tokio::test]
async fn the_pages_of_any_list_as_of_a_moment_belong_to_that_moment() {
    let server = Server::start().await;
    with_workspace(&server).await;
    for id in ["a", "b", "c"] {
        server
            .workspaces()
            .create_team(new_team(id, ""))
            .await
            .expect("a team");
    }
    let then = server.head().await;
    server
        .workspaces()
        .create_team(new_team("bb", ""))
        .await
        .expect("a team");
    let ask = async |page_token: &str, as_of| {
        let request = api::ListTeamsRequest {
            parent: ACME.to_owned(),
            page_size: 2,
            page_token: page_token.to_owned(),
            as_of: Some(api::AsOf { moment: Some(as_of) }),
            ..Default::default()
        };
        server.workspaces().list_teams(request).await
    };
    let first = ask("", Moment::Revision(then))
        .await
        .expect("a page")
        .into_inner();
    let token = first.next_page_token.as_str();
    let rest = ask(token, Moment::Revision(then))
        .await
        .expect("a page")
        .into_inner();
    let titles: Vec<_> = first
        .teams
        .iter()
        .chain(&rest.teams)
        .map(|team| team.title.as_str())
        .collect();
    assert_eq!(titles, ["a", "b", "c"]);
    assert_eq!(
        (first.revision, rest.revision, rest.next_page_token.as_str()),
        (then, then, "")
    );
    let other = server.refusal(ask(token, Moment::Revision(then + 1))).await;
    assert_eq!(
        (other.code, other.about),
        (Code::InvalidArgument, vec!["page_token".to_owned()])
    );
}

/// Kept versions lie 1,024 commits apart: what is between two of them is folded, and what is at one is taken as it is.
#[tokio::test]
async fn over_thousands_of_commits_every_call_answers_as_then_wherever_it_is_folded_from() {
    let server = Server::start().await;
    with_everything(&server).await;
    let asked = questions(ACME, &paths());
    let mut remembered = Vec::new();
    for number in 1..=3200 {
        // Few measurements that supersede each other: a list is one page, whose token would name the moment.
        let value = f64::from(u32::try_from(number).expect("a small number"));
        let measurement = measure("nps", -(number % 50), value);
        server
            .kpis()
            .record_measurement(measurement)
            .await
            .expect("a value");
        let head = server.head().await;
        if [1000, 1023, 1024, 1025, 2047, 2048, 2049, 3000, 3072].contains(&head) {
            remembered.push((head, answers(&server, &asked).await));
        }
    }
    assert_eq!(remembered.len(), 9);
    // The newest first: none is folded on from another that was asked for just now.
    for (head, then) in remembered.iter().rev() {
        answers_then(&server, &asked, Moment::Revision(*head), then).await;
    }
}
