//! DiffStates after random commands, held against whoever reads every resource at both moments and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use binnacle::domain::Revision;
use binnacle::engine::{Engine, EngineConfig, SteppedClock};
use binnacle::log::{Append, EventLog, MemoryLog, codec};
use binnacle::proto::api::resource_difference::Kind;
use binnacle::proto::api::subscribe_request::Start;
use binnacle::proto::api::subscribe_response::Event;
use binnacle::proto::{API_DESCRIPTOR_SET, api};
use binnacle::service::ServerConfig;
use proptest::strategy::{Strategy, ValueTree};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::Value as Json;

use crate::common::{Server, until_serving};
use crate::world::{LOG, World};
use crate::{ran, steps};

const PARENT: &str = "workspaces/w0";

/// When, where in the log and by whom, and texts that say again what numbers say.
const NO_DIFFERENCE: [&str; 20] = [
    "name",
    "etag",
    "revision",
    "logId",
    "createTime",
    "updateTime",
    "recordedTime",
    "correctTime",
    "openTime",
    "openRevision",
    "closeTime",
    "principal",
    "acknowledgePrincipal",
    "updatePrincipal",
    "reason",
    "summary",
    "text",
    "periodValueText",
    "latestValueText",
    "deleteTime",
];
/// What nobody writes, at the top of a resource.
const DERIVED: [&str; 16] = [
    "confidence",
    "foundation",
    "health",
    "kind",
    "needsAction",
    "openAlerts",
    "periodCount",
    "periodValue",
    "progress",
    "referenceValue",
    "score",
    "scores",
    "semantics",
    "state of key result",
    "today",
    "version",
];

type Resources = BTreeMap<String, Json>;

/// A server on the first so many commits of a world.
async fn server(world: &World, count: usize) -> Server {
    let log = MemoryLog::new();
    let records = world.stored[..count].iter().map(|record| record.bytes.clone());
    log.append(&[Append {
        log: LOG,
        expected: Revision::ZERO,
        records: records.collect(),
    }])
    .expect("a log");
    let newest = codec::decode(LOG, &world.stored[count - 1]).expect("a commit");
    let clock = Arc::new(SteppedClock::new(newest.recorded_time));
    let given = Arc::clone(&clock);
    let server = Server::opening(ServerConfig::default(), clock, move || {
        Engine::open(Arc::new(log), None, given, EngineConfig::default()).expect("an engine")
    })
    .await;
    until_serving(&server.channel).await;
    server
}

fn json(pool: &DescriptorPool, name: &str, message: &impl Message) -> Json {
    let descriptor = pool.get_message_by_name(name).expect("a message");
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
    serde_json::to_value(message.expect("its own bytes")).expect("JSON")
}

/// What is left of a resource when that is away which makes no difference. `text` is an action plan's own.
fn stripped(json: &Json, inside_plan: bool) -> Json {
    match json {
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| {
                (inside_plan && *name == "text") || !NO_DIFFERENCE.contains(&name.as_str())
            });
            let kept = kept.map(|(name, value)| (name.clone(), stripped(value, name == "actionPlan")));
            Json::Object(kept.collect())
        }
        Json::Array(items) => items.iter().map(|item| stripped(item, false)).collect(),
        other => other.clone(),
    }
}

/// Everything that is there, read as any client would: by a snapshot, and by a list of check-ins.
async fn everything(server: &Server, pool: &DescriptorPool) -> Resources {
    let request = api::SubscribeRequest {
        parent: PARENT.to_owned(),
        start: Some(Start::Snapshot(())),
        ..Default::default()
    };
    let mut stream = server
        .progress()
        .subscribe(request)
        .await
        .expect("a stream")
        .into_inner();
    let mut found = Resources::new();
    loop {
        let message = stream.message().await.expect("a message").expect("no end");
        match message.event {
            Some(Event::Snapshot(snapshot)) => {
                for resource in &snapshot.resources {
                    let json = json(pool, "binnacle.v1.Resource", resource);
                    let (_, json) = json.as_object().expect("an object").iter().next().expect("one");
                    let name = json["name"].as_str().expect("a name").to_owned();
                    if json.get("deleteTime").is_none() {
                        found.insert(name, json.clone());
                    }
                }
            }
            Some(Event::SnapshotEnd(_)) => break,
            _ => {}
        }
    }
    let request = api::ListCheckInsRequest {
        parent: format!("{PARENT}/objectives/-/keyResults/-"),
        page_size: 1000,
        ..Default::default()
    };
    let check_ins = server
        .objectives()
        .list_check_ins(request)
        .await
        .expect("check-ins")
        .into_inner();
    for check_in in check_ins.check_ins {
        let (key_result, _) = check_in.name.split_once("/checkIns/").expect("its key result");
        if check_in.retract_time.is_none() && found.contains_key(key_result) {
            found.insert(
                check_in.name.clone(),
                json(pool, "binnacle.v1.CheckIn", &check_in),
            );
        }
    }
    found
}

/// What differs, by comparing everything.
fn naive(before: &Resources, after: &Resources) -> BTreeMap<String, Kind> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = BTreeMap::new();
    for name in names {
        let kind = match (before.get(name), after.get(name)) {
            (None, Some(_)) => Kind::Created,
            (Some(_), None) => Kind::Removed,
            (Some(was), Some(is)) => {
                let (was, is) = (stripped(was, false), stripped(is, false));
                if was == is {
                    continue;
                }
                let fields = |json: &Json| json.as_object().cloned().unwrap_or_default();
                let (was, is) = (fields(&was), fields(&is));
                let written = was.keys().chain(is.keys()).any(|field| {
                    let is_figure = DERIVED.contains(&field.as_str())
                        || (field == "state" && name.contains("/keyResults/"))
                        || (field == "confidence" && !name.contains("/checkIns/"));
                    let check_ins_own = field == "confidence" && name.contains("/checkIns/");
                    was.get(field) != is.get(field) && (!is_figure || check_ins_own)
                });
                if written { Kind::Changed } else { Kind::Recomputed }
            }
            (None, None) => continue,
        };
        found.insert(name.clone(), kind);
    }
    found
}

/// All pages of what differs, each by its name.
async fn differences(server: &Server, before: i64, after: i64, resource: &str) -> BTreeMap<String, Kind> {
    let as_of = |revision| api::AsOf {
        moment: Some(api::as_of::Moment::Revision(revision)),
    };
    let mut request = api::DiffStatesRequest {
        parent: PARENT.to_owned(),
        resource: resource.to_owned(),
        before: Some(as_of(before)),
        after: Some(as_of(after)),
        page_size: 7,
        ..Default::default()
    };
    let mut found = BTreeMap::new();
    loop {
        let page = server
            .audit()
            .diff_states(request.clone())
            .await
            .expect("a page")
            .into_inner();
        assert_eq!((page.before_revision, page.after_revision), (before, after));
        for difference in page.differences {
            let kind = difference.kind();
            assert!(
                !difference.changes.is_empty() || !difference.derived.is_empty(),
                "nothing differs: {difference:?}"
            );
            assert_eq!(found.insert(difference.name, kind), None, "said twice");
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn after_any_commands_what_differs_is_what_comparing_everything_finds() {
    let pool = DescriptorPool::decode(API_DESCRIPTOR_SET).expect("descriptors");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..40 {
        let world = ran(&steps().new_tree(&mut runner).expect("steps").current());
        let count = world.stored.len();
        let before = (1..count).new_tree(&mut runner).expect("a revision").current();
        let (then, now) = (server(&world, before).await, server(&world, count).await);
        let (was, is) = (everything(&then, &pool).await, everything(&now, &pool).await);
        let expected = naive(&was, &is);
        let revisions = [before, count].map(|count| i64::try_from(count).expect("few"));
        let found = differences(&now, revisions[0], revisions[1], "").await;
        assert_eq!(found, expected, "between {before} and {count}");
        // What lies below one resource is the same without the others.
        if let Some(name) = expected.keys().nth(expected.len() / 2) {
            let below = |other: &String| other == name || other.starts_with(&format!("{name}/"));
            let expected = expected.iter().filter(|(other, _)| below(other));
            let expected: BTreeMap<String, Kind> =
                expected.map(|(name, kind)| (name.clone(), *kind)).collect();
            let found = differences(&now, revisions[0], revisions[1], name).await;
            if name == PARENT {
                assert_eq!(
                    found.len(),
                    differences(&now, revisions[0], revisions[1], "").await.len()
                );
            } else {
                assert_eq!(found, expected, "below {name}");
            }
        }
        for kind in found.values() {
            *kinds.entry(format!("{kind:?}")).or_default() += 1;
        }
    }
    assert_eq!(kinds.len(), 4, "the commands reach every kind: {kinds:?}");
}
