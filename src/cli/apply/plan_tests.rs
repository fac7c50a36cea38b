use prost_reflect::ReflectMessage;
use uuid::Uuid;

use super::*;
use crate::cli::manifest::emit;
use crate::cli::manifest::scalar::set;

const LOG: Uuid = Uuid::from_u128(7);

/// The requests that manifests come to, where the server has what other manifests say, each under an etag.
fn requests(here: &str, manifests: &str, etag: &str) -> Vec<DynamicMessage> {
    let schema = Schema::load().expect("the descriptors");
    let workspace = Id::parse("acme").expect("an id");
    let read = |text: &str| {
        let files = [("a.yaml".to_owned(), text.as_bytes().to_vec())];
        Manifests::read(&files, Some(&workspace), &schema).expect("a workspace")
    };
    let mut remote = Remote::default();
    for document in read(here).documents {
        let mut message = DynamicMessage::new(schema.resource(document.kind).expect("a message"));
        merge(&schema, &mut message, &document.fields);
        set(&mut message, "etag", Value::String(etag.to_owned()));
        if let Some(stated) = document.state {
            set(&mut message, "state", Value::EnumNumber(stated.state));
        }
        remote.resources.insert((document.kind, document.name), message);
    }
    let planner = Planner {
        schema: &schema,
        author: Author {
            schema: &schema,
            workspace: &workspace,
            reason: "why",
            log: LOG,
        },
        remote: &remote,
        creates: false,
        creator: None,
        new_time_zone: None,
    };
    let mut manifests = read(manifests);
    let plan = planner.plan(&mut manifests).expect("a plan");
    assert_eq!(manifests.faults(), [""; 0]);
    let acts = plan.order.iter().flat_map(|act| &plan.acts[*act].commands);
    acts.map(|command| command.request.clone()).collect()
}

fn id(request: &DynamicMessage) -> String {
    text(request, "request_id")
}

const HERE: &str = "kind: Workspace\nname: workspaces/acme\ntitle: Acme\n---\n\
    kind: Cycle\nname: cycles/q1\ntitle: Q1\nstate: PLANNED\n---\n\
    kind: Team\nname: teams/sales\ntitle: Sales\nlead: null\n";

#[test]
fn an_update_names_what_differs_and_what_was_read() {
    let change = "kind: Team\nname: teams/sales\ntitle: Sales of all\nparent_team: null\n";
    let requests = requests(HERE, change, "r7");
    let [update] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(update.descriptor().name(), "UpdateTeamRequest");
    let team = update
        .get_field_by_name("team")
        .expect("a field")
        .as_message()
        .cloned()
        .expect("a team");
    assert_eq!(
        (text(&team, "name"), text(&team, "etag"), text(&team, "title")),
        (
            "workspaces/acme/teams/sales".to_owned(),
            "r7".to_owned(),
            "Sales of all".to_owned()
        )
    );
    let mask = update
        .get_field_by_name("update_mask")
        .expect("a field")
        .into_owned();
    let title = Value::List(vec![Value::String("title".to_owned())]);
    assert_eq!(
        mask.as_message()
            .and_then(|mask| mask.get_field_by_name("paths"))
            .as_deref(),
        Some(&title)
    );
    assert_eq!(text(update, "reason"), "why");
}

#[test]
fn only_the_first_call_about_a_resource_holds_it_to_what_was_read() {
    let both = "kind: Cycle\nname: cycles/q1\ntitle: First\nstate: REVIEW\n";
    let etags = |manifests: &str| -> Vec<(String, String)> {
        let requests = requests(HERE, manifests, "r7");
        let of = |request: &DynamicMessage| {
            let etag = match request.get_field_by_name("cycle") {
                Some(cycle) => text(cycle.as_message().expect("a cycle"), "etag"),
                None => text(request, "etag"),
            };
            (request.descriptor().name().to_owned(), etag)
        };
        requests.iter().map(of).collect()
    };
    let pair = |name: &str, etag: &str| (name.to_owned(), etag.to_owned());
    assert_eq!(
        etags(both),
        [
            pair("UpdateCycleRequest", "r7"),
            pair("ActivateCycleRequest", ""),
            pair("BeginCycleReviewRequest", "")
        ]
    );
    assert_eq!(
        etags("kind: Cycle\nname: cycles/q1\nstate: REVIEW\n"),
        [
            pair("ActivateCycleRequest", "r7"),
            pair("BeginCycleReviewRequest", "")
        ]
    );
}

#[test]
fn a_request_id_follows_from_the_log_what_was_read_and_what_is_asked() {
    let team = |title: &str| format!("kind: Team\nname: teams/sales\ntitle: {title}\n");
    let of = |manifests: &str, etag: &str| id(&requests(HERE, manifests, etag)[0]);
    let first = of(&team("A"), "r7");
    assert_eq!(first, of(&team("A"), "r7"), "the same is asked again");
    assert_ne!(first, of(&team("B"), "r7"), "another title");
    assert_ne!(first, of(&team("A"), "r8"), "somebody changed it in between");
    let new = |id: &str| format!("kind: Team\nname: teams/{id}\ntitle: New\nlead: null\n");
    assert_ne!(of(&new("a"), "r7"), of(&new("b"), "r7"), "another name");
    assert!(Uuid::try_parse(&first).is_ok());
}

#[test]
fn parents_come_first_however_the_files_are_ordered() {
    let manifests = "kind: CheckIn\nname: objectives/b/keyResults/k/checkIns/c\nvalue: 1\n---\n\
        kind: Objective\nname: objectives/a\ntitle: A\ncycle: cycles/q1\naligned_to: objectives/b/keyResults/k\nstate: CLOSED\n---\n\
        kind: KeyResult\nname: objectives/b/keyResults/k\ntitle: K\nkpi: kpis/z\nbinary: {}\n---\n\
        kind: Objective\nname: objectives/b\ntitle: B\ncycle: cycles/q2\nstate: ACTIVE\n---\n\
        kind: Series\nkpi: kpis/z\npoints: [{date: 2026-01-01, value: 1}]\n---\n\
        kind: Kpi\nname: kpis/z\ntitle: Z\nreplaces: kpis/zz\nteam: teams/x\n---\n\
        kind: Kpi\nname: kpis/zz\ntitle: ZZ\n---\n\
        kind: Cycle\nname: cycles/q2\ntitle: Q2\nparent_cycle: cycles/y\nstate: CLOSED\n---\n\
        kind: Cycle\nname: cycles/y\ntitle: Y\nstate: CLOSED\n---\n\
        kind: Team\nname: teams/x\ntitle: X\nparent_team: teams/y\n---\n\
        kind: Team\nname: teams/y\ntitle: Y\n";
    let schema = Schema::load().expect("the descriptors");
    let requests = requests(HERE, manifests, "r7");
    let named = requests.iter().map(|request| {
        let call = request.descriptor().name().trim_end_matches("Request").to_owned();
        let shown = emit::inline_message(&schema, request);
        let title = shown
            .split("title: ")
            .nth(1)
            .and_then(|rest| rest.split([',', '}']).next());
        let name = text(request, "name");
        format!(
            "{call} {}",
            title.unwrap_or(name.trim_start_matches("workspaces/acme/"))
        )
        .trim_end()
        .to_owned()
    });
    assert_eq!(
        named.collect::<Vec<_>>(),
        [
            "CreateTeam \"Y\"",
            "CreateTeam X",
            "CreateCycle \"Y\"",
            "CreateCycle Q2",
            "ActivateCycle cycles/q2",
            "ActivateCycle cycles/y",
            "CreateKpi ZZ",
            "CreateKpi Z",
            "BatchRecordMeasurements",
            "CreateObjective B",
            "CreateKeyResult K",
            "CreateObjective A",
            "ActivateObjective objectives/a",
            "ActivateObjective objectives/b",
            "CreateCheckIn",
            "CloseObjective objectives/a",
            "BeginCycleReview cycles/q2",
            "BeginCycleReview cycles/y",
            "CloseCycle cycles/q2",
            "CloseCycle cycles/y",
        ]
    );
}
