//! What a call answered once, it answers for ever as of that moment: to the byte, over random histories of a real server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use binnacle::domain::{Actor, Authentication, Origin, Revision, RollUp, Timestamp};
use binnacle::engine::{Engine, EngineConfig, Request, SteppedClock};
use binnacle::log::{Append, EventLog, MemoryLog};
use binnacle::proto::api::as_of::Moment;
use binnacle::service::ServerConfig;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::commands::{Step, command};
use crate::common::every_read::{Answer, Question, questions};
use crate::common::{Server, until_serving};
use crate::world::{LOG, World, id};

const WORKSPACE: &str = "workspaces/w0";
/// Random histories, and the most commands of each behind the company that it begins with.
const HISTORIES: usize = 3;
const COMMANDS_MAX: usize = 24;

/// What was answered while a revision was the newest.
struct Remembered {
    revision: Revision,
    recorded: Timestamp,
    answers: Vec<(Question, Answer)>,
}

/// The server of a world, and the engine in it.
async fn served(world: &World) -> (Server, Engine, Arc<SteppedClock>) {
    let log = MemoryLog::new();
    let append = Append {
        log: LOG,
        expected: Revision::ZERO,
        records: world.stored.iter().map(|record| record.bytes.clone()).collect(),
    };
    log.append(&[append]).expect("appended");
    let clock = Arc::new(SteppedClock::new(world.now));
    let engine =
        Engine::open(Arc::new(log), None, clock.clone(), EngineConfig::default()).expect("an engine");
    let given = engine.clone();
    let server = Server::opening(ServerConfig::default(), Arc::clone(&clock), move || given).await;
    until_serving(&server.channel).await;
    (server, engine, clock)
}

/// Every call about everything that there has been so far.
async fn asked(server: &Server, paths: &mut BTreeSet<String>) -> Vec<(Question, Answer)> {
    // What the lists answer is what the others are asked about.
    for question in questions(WORKSPACE, &BTreeSet::new()) {
        paths.extend(question.names_in(&question.ask(&server.channel).await));
    }
    let mut answers = Vec::new();
    for question in questions(WORKSPACE, paths) {
        let answer = question.ask(&server.channel).await;
        answers.push((question, answer));
    }
    answers
}

/// Lives through a history, remembers every answer, and asks again at its end; answers how many were messages, by call.
async fn lived(steps: &[Step]) -> BTreeMap<String, usize> {
    let mut world = World::new(RollUp::OwnAndAligned);
    let (server, engine, clock) = served(&world).await;
    let workspace = id("w", 0, 1);
    let mut remembered: Vec<Remembered> = Vec::new();
    let mut paths = BTreeSet::new();
    for step in steps {
        world.state = (*engine.read(&workspace, Revision::ZERO).expect("w0").state).clone();
        let request = Request {
            workspace: workspace.clone(),
            command: command(&world, *step),
            origin: Origin {
                actor: Actor {
                    principal: "maria".into(),
                    authentication: Authentication::None,
                    on_behalf_of: "".into(),
                },
                ..Origin::system("test")
            },
            size_bytes: 100,
        };
        // A refusal records at most the day that has begun.
        let _done = engine.execute(request).await;
        let newest = engine.read(&workspace, Revision::ZERO).expect("w0");
        let of = newest.state.workspace();
        if remembered.last().is_none_or(|last| last.revision < of.revision()) {
            remembered.push(Remembered {
                revision: of.revision(),
                recorded: of.newest_recorded_time().expect("a time"),
                answers: asked(&server, &mut paths).await,
            });
        }
        world.now = world.now.plus_seconds(1 + i64::from(step.4 % 64) * 1800);
        clock.advance_to(world.now);
    }
    let mut messages = BTreeMap::new();
    for then in &remembered {
        for (question, answer) in &then.answers {
            for moment in [revision(then.revision), time(then.recorded)] {
                let again = question.as_of(moment).ask(&server.channel).await;
                assert!(
                    again == *answer,
                    "{} as of {moment:?}: {}\nnow:  {}\nthen: {}",
                    question.method.name(),
                    question.request,
                    question.text(&again),
                    question.text(answer),
                );
            }
            if matches!(answer, Answer::Message(..)) {
                *messages.entry(question.method.name().to_owned()).or_default() += 1;
            }
        }
    }
    messages
}

fn revision(revision: Revision) -> Moment {
    Moment::Revision(i64::try_from(revision.0).expect("a small number"))
}

fn time(time: Timestamp) -> Moment {
    Moment::RecordedTime(prost_types::Timestamp {
        seconds: time.as_micros().div_euclid(1_000_000),
        nanos: i32::try_from(time.as_micros().rem_euclid(1_000_000) * 1000).expect("nanoseconds"),
    })
}

#[test]
fn whatever_was_answered_once_is_answered_for_ever_as_of_then() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let step = (any::<u8>(), any::<u8>(), any::<u8>(), -200i16..200, any::<u8>());
    let steps = prop::collection::vec(step, COMMANDS_MAX / 2..COMMANDS_MAX);
    let mut runner = TestRunner::new(ProptestConfig::default());
    let mut messages: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..HISTORIES {
        let steps = steps.new_tree(&mut runner).expect("steps").current();
        println!("{steps:?}");
        for (call, count) in runtime.block_on(lived(&steps)) {
            *messages.entry(call).or_default() += count;
        }
    }
    println!("{messages:?}");
    for call in [
        "GetKeyResult",
        "ListCheckIns",
        "GetObjectiveTree",
        "GetScoreSeries",
        "ListMeasurements",
        "GetOverview",
    ] {
        assert!(
            messages.contains_key(call),
            "{call} has answered nothing: {messages:?}"
        );
    }
}
