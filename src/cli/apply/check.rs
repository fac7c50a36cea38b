//! Whether the server would take it all: `Simulate` is asked before anything is written, again and again without what it
//! refuses, until everything that is wrong has been said.

use std::collections::BTreeSet;

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::command::{Command, split};
use super::order::Stage;
use super::plan::Plan;
use crate::cli::manifest::document::Manifests;
use crate::cli::manifest::kind::{Kind, full};
use crate::cli::manifest::read::Given;
use crate::cli::manifest::scalar::set;
use crate::cli::manifest::schema::Schema;
use crate::cli::remote::Wire;
use crate::cli::words::failure;
use crate::cli::{Failure, FailureKind};

/// The most commands that the server imagines at once.
const COMMANDS_MAX: usize = 10_000;
/// The most bytes of commands at once: the server takes messages of 4 MiB.
const BYTES_MAX: usize = 3 * 1024 * 1024;

/// A command of the plan by its act and its place in it.
type Spot = (usize, usize);

/// What the server says of commands.
struct Refused {
    /// The place in the request, and the sentence; the path of a field is in front of it where there is one.
    each: Vec<(usize, String)>,
}

/// Asks the server, and writes what it refuses into `manifests`.
///
/// # Errors
/// The server cannot be asked, or there is more than it can imagine at once.
pub(super) async fn check(
    wire: &Wire,
    schema: &Schema,
    plan: &mut Plan,
    manifests: &mut Manifests,
) -> Result<(), Failure> {
    // Every round refuses a document or splits a batch, so there is an end.
    loop {
        let left_out = plan.left_out(manifests);
        let spots = plan.order.iter().filter(|act| left_out[**act].is_none());
        let spots: Vec<Spot> = spots
            .flat_map(|act| (0..plan.acts[*act].commands.len()).map(|command| (*act, command)))
            .collect();
        let mut is_good = true;
        for pass in passes(plan, &spots)? {
            if let Some(refused) = ask(wire, schema, plan, manifests, &pass).await? {
                is_good = false;
                blame(plan, manifests, &pass, refused)?;
                break;
            }
        }
        if is_good {
            return Ok(());
        }
    }
}

/// What fits into one question: everything but measurements, and as many of those as there is room for. What is left asks
/// again, with what it needs.
fn passes(plan: &Plan, spots: &[Spot]) -> Result<Vec<Vec<Spot>>, Failure> {
    let bytes = |(act, command): &Spot| plan.acts[*act].commands[*command].request.encoded_len() + 16;
    let stage = |(act, _): &Spot| plan.acts[*act].stage;
    let mut passes = Vec::new();
    let mut waiting: Vec<Spot> = spots
        .iter()
        .copied()
        .filter(|spot| stage(spot) == Stage::Series)
        .collect();
    // The newest of every series first: what follows from them is in the same question.
    waiting.sort_by_key(|(act, command)| (*command, *act));
    loop {
        let is_first = passes.is_empty();
        let needed = |spot: &&Spot| stage(spot) < Stage::Series || (is_first && stage(spot) > Stage::Series);
        let needed: Vec<Spot> = spots.iter().filter(needed).copied().collect();
        let mut size = needed.iter().map(bytes).sum::<usize>();
        let mut taken = needed.len();
        if taken > COMMANDS_MAX || size > BYTES_MAX {
            let sentence = format!(
                "{taken} changes of {size} bytes are more than can be checked at once ({COMMANDS_MAX}, {BYTES_MAX}), and nothing was written: apply the files in parts"
            );
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        let mut fitting = BTreeSet::new();
        waiting.retain(|spot| {
            let fits = taken < COMMANDS_MAX && size + bytes(spot) <= BYTES_MAX;
            if fits {
                taken += 1;
                size += bytes(spot);
                fitting.insert(*spot);
            }
            !fits
        });
        if !is_first && fitting.is_empty() {
            let sentence = "the measurements leave no room to be checked, and nothing was written: apply the files in parts";
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        let needed: BTreeSet<Spot> = needed.into_iter().collect();
        let pass = spots
            .iter()
            .filter(|spot| needed.contains(spot) || fitting.contains(spot));
        passes.push(pass.copied().collect());
        if waiting.is_empty() {
            return Ok(passes);
        }
    }
}

async fn ask(
    wire: &Wire,
    schema: &Schema,
    plan: &Plan,
    manifests: &Manifests,
    pass: &[Spot],
) -> Result<Option<Refused>, Failure> {
    if pass.is_empty() {
        return Ok(None);
    }
    let method = schema.method("Simulate")?;
    let simulated = schema.message("SimulatedCommand")?;
    let commands = pass.iter().map(|(act, command)| {
        let Command { request, .. } = &plan.acts[*act].commands[*command];
        let mut command = DynamicMessage::new(simulated.clone());
        let of_type = |field: &prost_reflect::FieldDescriptor| {
            field
                .kind()
                .as_message()
                .is_some_and(|message| *message == request.descriptor())
        };
        if let Some(field) = simulated.fields().find(of_type) {
            command.set_field(&field, Value::Message(request.clone()));
        }
        Value::Message(command)
    });
    let mut request = DynamicMessage::new(method.input());
    set(
        &mut request,
        "parent",
        Value::String(full(&manifests.workspace, "")),
    );
    set(&mut request, "commands", Value::List(commands.collect()));
    match wire.call(method, &request).await {
        Ok(_) => Ok(None),
        Err(status) => match refused(&status) {
            refused if refused.each.is_empty() => Err(failure(&status, "nothing was written")),
            refused => Ok(Some(refused)),
        },
    }
}

/// `commands[3]` as 3.
fn refused(status: &Status) -> Refused {
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
    let each = violations.into_iter().flatten().filter_map(|violation| {
        let (index, _) = violation.field.strip_prefix("commands[")?.split_once(']')?;
        Some((index.parse().ok()?, violation.description))
    });
    let each = if matches!(status.code(), Code::Unavailable | Code::Internal) {
        Vec::new()
    } else {
        each.collect()
    };
    Refused { each }
}

/// Finds the lines that are to blame.
fn blame(
    plan: &mut Plan,
    manifests: &mut Manifests,
    pass: &[Spot],
    Refused { each }: Refused,
) -> Result<(), Failure> {
    let mut batches: Vec<(Spot, String)> = Vec::new();
    let mut progress = false;
    // Who needs somebody that is refused has nothing wrong in itself: the next round says.
    for (index, sentence) in each {
        let Some((act, command)) = pass.get(index).copied() else {
            continue;
        };
        let depends = plan.left_out(manifests)[act].is_some();
        if depends && !manifests.documents[plan.acts[act].document].is_broken {
            continue;
        }
        progress = true;
        if plan.acts[act].commands[command].lines.len() > 1 {
            batches.push(((act, command), sentence));
            continue;
        }
        refuse(plan, manifests, act, command, &sentence);
    }
    // From the last on, so that those in front stay where they are.
    batches.sort_by(|(a, _), (b, _)| b.cmp(a));
    for ((act, command), _) in batches {
        let commands = &mut plan.acts[act].commands;
        let one_by_one = split(&commands[command]);
        commands.splice(command..=command, one_by_one);
    }
    if progress {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Failed,
        "the server refuses what it was not asked, so nothing was written: is it of another release?",
    ))
}

/// Says what is wrong with a command in the line that it comes from.
pub(super) fn refuse(plan: &Plan, manifests: &mut Manifests, act: usize, command: usize, sentence: &str) {
    let at = plan.acts[act].document;
    // What a closing cycle lacks is said of its objectives, each in its own line.
    if plan.acts[act].stage == Stage::ClosedCycles {
        let named: Vec<usize> = sentence
            .split([' ', ',', ':'])
            .filter_map(|word| manifests.find(Kind::Objective, word))
            .collect();
        if !named.is_empty() {
            for objective in named {
                let document = &manifests.documents[objective];
                let line = document
                    .closing
                    .as_ref()
                    .map_or(document.place.line, |closing| closing.line);
                manifests.refuse(objective, line, sentence.to_owned());
            }
            return;
        }
    }
    let document = &manifests.documents[at];
    let (snake, place) = (document.kind.snake(), document.place);
    let point = match plan.acts[act].commands[command].lines.as_slice() {
        [line] => Some(*line),
        _ => None,
    };
    // What is wrong with a state is said of its line.
    let is_own = plan.acts_of[at].first() == Some(&act);
    let stated = document.state.map(|stated| stated.line);
    let stated = stated.or(document.archived.map(|archived| archived.line));
    let stated = stated.filter(|_| !is_own);
    // What the API takes as a field of the request is a flag here, and what it takes as a call a field.
    let sentence = sentence
        .replace(
            "needs a reason: send one",
            "needs a reason: give it with --reason",
        )
        .replace(
            "is archived: unarchive it first",
            "is archived: say in its manifest whether it stays so (archived: true or false)",
        );
    for (own, sentence) in each_field(&sentence, snake) {
        let fields = &manifests.documents[at].fields;
        let line = point
            .or_else(|| Given::line_of(fields, own?))
            .or(stated)
            .unwrap_or(place.line);
        // The path is the API's; in a manifest the fields stand at the top.
        let sentence = match own {
            Some(own) => format!("{own}: {sentence}"),
            None => sentence.to_owned(),
        };
        manifests.refuse(at, line, sentence);
    }
}

/// What is wrong with each field: `kpi.unit.kind: it is …; kpi.area: it is …` as the paths below the resource, each with its
/// sentence; a sentence about no field stands alone.
fn each_field<'s>(sentence: &'s str, snake: &str) -> Vec<(Option<&'s str>, &'s str)> {
    let between = format!("; {snake}.");
    let front = format!("{snake}.");
    let mut parts = Vec::new();
    let mut rest = sentence;
    loop {
        let end = rest.find(&between);
        let part = &rest[..end.unwrap_or(rest.len())];
        let own = part.strip_prefix(&front).and_then(|part| part.split_once(": "));
        parts.push(own.map_or((None, part), |(path, sentence)| (Some(path), sentence)));
        match end {
            Some(end) => rest = &rest[end + "; ".len()..],
            None => return parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::command::Author;
    use super::super::order::Act;
    use super::*;
    use crate::domain::Id;

    /// A plan of acts, each a stage and how many requests of how many bytes.
    fn plan(acts: &[(Stage, usize, usize)]) -> (Plan, Vec<Spot>) {
        let schema = Schema::load().expect("the descriptors");
        let workspace = Id::parse("acme").expect("an id");
        let acts = acts.iter().map(|(stage, count, bytes)| {
            let reason = "x".repeat(*bytes);
            let author = Author {
                schema: &schema,
                workspace: &workspace,
                reason: &reason,
                log: Uuid::nil(),
            };
            let command = author
                .transition("ActivateCycle", "cycles/q1", "", "", &[])
                .expect("a command");
            Act {
                document: 0,
                stage: *stage,
                commands: vec![command; *count],
                needs: BTreeSet::new(),
            }
        });
        let acts: Vec<_> = acts.collect();
        let spots = acts.iter().enumerate();
        let spots = spots.flat_map(|(act, it)| (0..it.commands.len()).map(move |command| (act, command)));
        let spots = spots.collect();
        let plan = Plan {
            acts_of: Vec::new(),
            order: (0..acts.len()).collect(),
            changes: Vec::new(),
            notes: Vec::new(),
            acts,
        };
        (plan, spots)
    }

    #[test]
    fn measurements_that_do_not_fit_are_asked_about_again_with_what_they_need() {
        let mib = 1024 * 1024;
        let (plan, spots) = plan(&[
            (Stage::Kpis, 2, 1_000),
            (Stage::Series, 4, mib),
            (Stage::Series, 1, mib),
            (Stage::Objectives, 1, 1_000),
        ]);
        let passes = passes(&plan, &spots).expect("passes");
        let kpis = [(0, 0), (0, 1)];
        let shown: Vec<Vec<Spot>> = passes;
        // The newest of both series come with the objective, everything else with the KPIs alone.
        assert_eq!(
            shown,
            [
                [&kpis[..], &[(1, 0), (2, 0), (3, 0)]].concat(),
                [&kpis[..], &[(1, 1), (1, 2)]].concat(),
                [&kpis[..], &[(1, 3)]].concat(),
            ]
        );
    }

    #[test]
    fn more_than_the_server_imagines_at_once_is_refused() {
        for (acts, is_good) in [
            (&[(Stage::Teams, 10_000, 1)][..], true),
            (&[(Stage::Teams, 10_001, 1)], false),
            (&[(Stage::Teams, 1, 3 * 1024 * 1024)], false),
            (&[(Stage::Teams, 9_999, 1), (Stage::Series, 3, 1)], true),
            (&[(Stage::Teams, 10_000, 1), (Stage::Series, 1, 1)], false),
            (&[], true),
        ] {
            let (plan, spots) = plan(acts);
            let passes = passes(&plan, &spots);
            assert_eq!(passes.is_ok(), is_good, "{acts:?}");
            for pass in passes.into_iter().flatten() {
                assert!(pass.len() <= COMMANDS_MAX);
            }
        }
    }

    #[test]
    fn every_field_that_a_sentence_is_about_is_told_apart() {
        for (sentence, expect) in [
            (
                "kpis/nps has measurements: x; y",
                vec![(None, "kpis/nps has measurements: x; y")],
            ),
            ("kpi.area: it is long", vec![(Some("area"), "it is long")]),
            (
                "kpi.unit.kind: it is a; or b; kpi.area: it is long; and 3 more",
                vec![
                    (Some("unit.kind"), "it is a; or b"),
                    (Some("area"), "it is long; and 3 more"),
                ],
            ),
            ("kpi.", vec![(None, "kpi.")]),
            ("", vec![(None, "")]),
        ] {
            assert_eq!(each_field(sentence, "kpi"), expect, "{sentence}");
        }
    }
}
