//! Steps in, table out.

use super::*;

const OBJECTIVE: &str = "w/a/objectives/o";

const SCREEN: Screen = Screen {
    columns: 80,
    rows: 24,
    colours: false,
};

fn message(resume_token: &str, event: Event) -> api::SubscribeResponse {
    api::SubscribeResponse {
        resume_token: resume_token.to_owned(),
        event: Some(event),
    }
}

fn objective(score: f64) -> api::Resource {
    let progress = progress(score);
    api::Resource {
        resource: Some(Resource::Objective(api::Objective {
            name: OBJECTIVE.to_owned(),
            title: "Grow".to_owned(),
            progress: Some(progress),
            ..api::Objective::default()
        })),
    }
}

fn progress(score: f64) -> api::ObjectiveProgress {
    let mut progress = api::ObjectiveProgress {
        score: Some(score),
        ..api::ObjectiveProgress::default()
    };
    progress.set_status(api::Status::OnTrack);
    progress
}

fn started(token: &str, head_revision: i64) -> api::SubscribeResponse {
    let started = api::Started {
        head_revision,
        oldest_revision: 1,
    };
    message(token, Event::Started(started))
}

fn snapshot(resources: Vec<api::Resource>) -> api::SubscribeResponse {
    message("", Event::Snapshot(api::Snapshot { resources }))
}

fn update(revision: i64, update: api::Update) -> api::SubscribeResponse {
    let commit = api::Commit {
        revision,
        ..api::Commit::default()
    };
    let update = api::Update {
        commit: Some(commit),
        ..update
    };
    message("t", Event::Update(update))
}

fn scored(before: f64, after: f64) -> api::Update {
    let change = api::ObjectiveChange {
        before: Some(progress(before)),
        after: Some(progress(after)),
    };
    api::Update {
        derived_changes: vec![api::DerivedChange {
            resource: OBJECTIVE.to_owned(),
            figure: Some(api::derived_change::Figure::Objective(change)),
        }],
        ..api::Update::default()
    }
}

fn seen(board: &mut Board, messages: Vec<api::SubscribeResponse>) -> String {
    let now = Instant::now();
    board.take(&Step::Messages(messages), now);
    board.lines(SCREEN, now).join("\n")
}

fn begun() -> Vec<api::SubscribeResponse> {
    vec![
        started("", 7),
        snapshot(vec![objective(0.25)]),
        message("t7", Event::SnapshotEnd(api::SnapshotEnd { revision: 7 })),
        message("t7", Event::CaughtUp(api::CaughtUp { revision: 7 })),
    ]
}

#[test]
fn a_score_moves_and_leaves_a_trail() {
    let mut board = Board::new();
    let text = seen(&mut board, begun());
    assert!(
        text.contains("live  revision 7 ") && text.contains("Grow") && text.contains("0.25"),
        "{text}"
    );
    let text = seen(
        &mut board,
        vec![update(8, scored(0.25, 0.5)), update(9, scored(0.5, 0.75))],
    );
    assert!(
        text.contains("0.75 ▁▅█") && text.contains("revision 9 "),
        "{text}"
    );
}

#[test]
fn what_leaves_is_gone_and_what_comes_in_is_there() {
    let mut board = Board::new();
    seen(&mut board, begun());
    let left = api::Update {
        left: vec![OBJECTIVE.to_owned()],
        ..api::Update::default()
    };
    let text = seen(&mut board, vec![update(8, left)]);
    assert!(!text.contains("Grow"), "{text}");
    let entered = api::Update {
        entered: vec![objective(0.5)],
        ..api::Update::default()
    };
    let text = seen(&mut board, vec![update(9, entered)]);
    assert!(text.contains("Grow") && text.contains("0.50 ▅"), "{text}");
}

#[test]
fn a_lost_connection_is_seen_and_what_was_shown_stays() {
    let mut board = Board::new();
    seen(&mut board, begun());
    let now = Instant::now();
    let lost = Step::Lost {
        why: "the connection to the server is lost".to_owned(),
        pause: Duration::from_millis(1_500),
        reached: 7,
    };
    board.take(&lost, now);
    let text = board.lines(SCREEN, now + Duration::from_secs(5)).join("\n");
    assert!(
        text.contains("the connection to the server is lost, asking again in 1.5 s  revision 7")
            && text.contains("Grow"),
        "{text}"
    );
    // It resumes with its token: the picture goes on.
    let text = seen(&mut board, vec![started("t7", 20)]);
    assert!(
        text.contains("catching up  revision 7, 13 behind") && text.contains("Grow"),
        "{text}"
    );
    let checkpoint = api::Checkpoint {
        revision: 20,
        recorded_time: None,
    };
    let text = seen(&mut board, vec![message("t20", Event::Checkpoint(checkpoint))]);
    assert!(text.contains("revision 20  "), "{text}");
}

#[test]
fn a_snapshot_that_begins_anew_takes_the_place_of_half_of_one() {
    let mut board = Board::new();
    seen(&mut board, vec![started("", 7), snapshot(vec![objective(0.25)])]);
    let text = seen(&mut board, vec![started("", 8), snapshot(Vec::new())]);
    assert!(!text.contains("Grow"), "{text}");
}

#[test]
fn the_terminal_is_as_it_was_before_whatever_ends_it() {
    let mut out = Vec::new();
    let mut dashboard = Dashboard::open(&mut out, || Some((24, 80)), false)
        .ok()
        .expect("a terminal");
    assert!(dashboard.take(&Step::Messages(begun())).is_ok());
    assert!(dashboard.pass_time().is_ok());
    drop(dashboard);
    let text = String::from_utf8(out).expect("text");
    let drawn = text.strip_prefix(ENTER).and_then(|text| text.strip_suffix(LEAVE));
    assert!(drawn.is_some_and(|drawn| drawn.contains("Grow")), "{text:?}");
}

#[test]
fn it_is_drawn_when_something_is_new_and_after_a_second_anyway() {
    let mut out = Vec::new();
    let mut dashboard = Dashboard::open(&mut out, || Some((24, 80)), false)
        .ok()
        .expect("a terminal");
    let start = Instant::now();
    let after_ms = |ms| start + Duration::from_millis(ms);
    let drawn = |dashboard: &mut Dashboard<&mut Vec<u8>>, at| {
        let before = dashboard.out.len();
        assert!(dashboard.draw(at).is_ok());
        dashboard.out.len() > before
    };
    assert!(drawn(&mut dashboard, start));
    assert!(!drawn(&mut dashboard, after_ms(100)));
    assert!(dashboard.take(&Step::Messages(begun())).is_ok());
    assert!(drawn(&mut dashboard, after_ms(200)));
    assert!(!drawn(&mut dashboard, after_ms(1_100)));
    assert!(drawn(&mut dashboard, after_ms(1_300)));
    dashboard.size = || Some((24, 81));
    assert!(drawn(&mut dashboard, after_ms(1_400)));
}
