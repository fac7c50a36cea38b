//! Reviews: what people said when they looked back, written down once.

use binnacle::proto::api;
use tonic::Code::AlreadyExists;

use crate::common::*;
use crate::steps::*;

fn review(cycle: &str, id: &str, change: impl FnOnce(&mut api::Review)) -> api::CreateReviewRequest {
    let mut review = api::Review::default();
    change(&mut review);
    api::CreateReviewRequest {
        parent: acme(&format!("cycles/{cycle}")),
        review_id: id.to_owned(),
        review: Some(review),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_review_is_written_down_read_listed_and_told_to_auditors_and_subscribers() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    let revision = server.head().await;
    let held = || {
        review("q1", "", |it| {
            it.team = acme("teams/sales");
            it.attendees = vec![acme("members/anonymous"); 2];
            it.achieved = "Three deals.".to_owned();
            it.learned = "Ask earlier.".to_owned();
            it.next = "Call.".to_owned();
        })
    };
    let first = retried!(server, cycles.create_review(held()));
    assert!(
        first.name.starts_with(&acme("cycles/q1/reviews/r")),
        "{}",
        first.name
    );
    assert_eq!(
        (
            first.date,
            first.attendees.len(),
            first.principal.as_str(),
            first.revision
        ),
        (date(2026, 1, 1), 1, "anonymous", revision + 1)
    );
    let told = told_after(&server, revision).await;
    let name = first.name.trim_start_matches("workspaces/acme/");
    assert_eq!((told[0].0.as_str(), told[0].1.as_str()), ("ReviewRecorded", name));
    let told: Vec<(&str, &str)> = told[0]
        .2
        .iter()
        .map(|(path, _, after)| (path.as_str(), after.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("achieved", "Three deals."),
            ("attendees", "anonymous"),
            ("date", "2026-01-01"),
            ("learned", "Ask earlier."),
            ("next", "Call."),
            ("team", "sales")
        ]
    );
    assert!(snapshot(&server).await.contains(&name.to_owned()));

    let mut cycles = server.cycles();
    let read = cycles.get_review(named!(GetReviewRequest, first.name)).await;
    assert_eq!(read.expect("a review").into_inner(), first);
    cycles
        .create_review(review("q1", "z", |_| {}))
        .await
        .expect("with nothing said");
    let listed = async |parent: &str| {
        let request = api::ListReviewsRequest {
            parent: acme(parent),
            ..Default::default()
        };
        let page = server
            .cycles()
            .list_reviews(request)
            .await
            .expect("reviews")
            .into_inner();
        page.reviews
            .into_iter()
            .map(|review| review.name)
            .collect::<Vec<_>>()
    };
    let both = vec![first.name.clone(), acme("cycles/q1/reviews/z")];
    assert_eq!(listed("cycles/q1").await, both);
    assert_eq!(listed("cycles/-").await, both);
    assert_eq!(listed("cycles/q2").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_review_that_cannot_have_been_is_refused() {
    let server = Server::start().await;
    with_company(&server).await;
    with_quarter(&server, 2).await;
    server
        .workspaces()
        .create_member(new_member("maria"))
        .await
        .expect("a member");
    server
        .workspaces()
        .delete_member(named!(DeleteMemberRequest, acme("members/maria")))
        .await
        .expect("deleted");
    let mut cycles = server.cycles();
    cycles
        .create_review(review("q1", "one", |_| {}))
        .await
        .expect("a review");
    type Change = fn(&mut api::Review);
    let cases: [(&str, Change, Refused); 11] = [
        ("q1", |it| it.date = date(2026, 1, 2), invalid(&["review.date"])),
        ("q1", |it| it.date = date(2025, 12, 31), invalid(&["review.date"])),
        ("q1", |it| it.date = date(2026, 2, 30), invalid(&["review.date"])),
        ("q2", |_| {}, invalid(&["review.date"])),
        ("q1", |it| it.team = acme("teams/x"), missing("teams/x")),
        (
            "q1",
            |it| it.team = "workspaces/other/teams/sales".to_owned(),
            invalid(&["review.team"]),
        ),
        (
            "q1",
            |it| it.attendees = vec![acme("members/x")],
            missing("members/x"),
        ),
        (
            "q1",
            |it| it.attendees = vec![acme("members/maria")],
            rule("DELETED", "members/maria"),
        ),
        (
            "q1",
            |it| it.attendees = vec![acme("members/anonymous"); 101],
            invalid(&["review.attendees"]),
        ),
        (
            "q1",
            |it| {
                it.attendees = vec![acme("members/anonymous"), String::new()];
                it.next = "x".repeat(10_001);
            },
            invalid(&["review.attendees[1]", "review.next"]),
        ),
        ("q9", |_| {}, missing("cycles/q9")),
    ];
    for (cycle, change, expected) in cases {
        let refusal = server
            .refusal(cycles.create_review(review(cycle, "two", change)))
            .await;
        assert_eq!(refusal, expected);
    }
    assert_eq!(
        server
            .refusal(cycles.create_review(review("q1", "one", |_| {})))
            .await,
        refused(AlreadyExists, "ALREADY_EXISTS", &["cycles/q1/reviews/one"])
    );
    let empty = api::CreateReviewRequest {
        parent: acme("cycles/-"),
        review_id: "A".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(cycles.create_review(empty)).await,
        invalid(&["parent", "review_id", "review"])
    );
    for (name, expected) in [
        (acme("cycles/q1/reviews/x"), missing("cycles/q1/reviews/x")),
        (acme("cycles/q9/reviews/one"), missing("cycles/q9/reviews/one")),
        (acme("cycles/q1/reviews/"), invalid(&["name"])),
        (acme("cycles/-/reviews/one"), invalid(&["name"])),
    ] {
        let request = named!(GetReviewRequest, name);
        assert_eq!(server.refusal(cycles.get_review(request)).await, expected);
    }
    let below_nothing = api::ListReviewsRequest {
        parent: acme("cycles/q9"),
        ..Default::default()
    };
    assert_eq!(
        server.refusal(cycles.list_reviews(below_nothing)).await,
        missing("cycles/q9")
    );
}
