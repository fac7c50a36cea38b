//! The rules at the top of `commit.proto`, as far as its text and the codec's can show them. That a number, a type or a
//! meaning never changes is what the golden files hold, and `buf breaking`.

use super::{LOG, commit, decode, encode, golden, names_in_proto, record};
use crate::domain::{AlertRules, Event, HygieneLimits, RollUp, ScoringPolicy};
use crate::proto::stored::event::Payload;

const PROTO: &str = include_str!("../../../../proto/binnacle/event/v1/commit.proto");

/// What people write freely, or are called by, whatever the message.
const PERSONAL: [&str; 12] = [
    "principal",
    "on_behalf_of",
    "peer",
    "note",
    "comment",
    "cause",
    "text",
    "source_id",
    "achieved",
    "learned",
    "explanation",
    "grade_reason",
];

/// A message of the proto: its name and its own lines, without those of what is declared inside it.
struct Message<'p> {
    name: &'p str,
    lines: Vec<&'p str>,
}

impl Message<'_> {
    /// Its fields: the name and the number of each.
    fn fields(&self) -> impl Iterator<Item = (&str, u32)> {
        self.lines.iter().filter_map(|line| {
            let (declared, number) = line.strip_suffix(';')?.split_once(" = ")?;
            let name = declared.rsplit(' ').next()?;
            // Options may follow the number.
            let number = number.split(' ').next()?.parse().ok()?;
            Some((name, number))
        })
    }

    fn keeps_room_for_a_sealed_form(&self) -> bool {
        self.lines.contains(&"reserved 900 to 909;")
    }
}

fn messages() -> Vec<Message<'static>> {
    let mut found = Vec::new();
    let mut open: Vec<Option<Message<'static>>> = Vec::new();
    for line in PROTO.lines().map(str::trim) {
        if line.starts_with("//") {
        } else if line == "}" {
            found.extend(open.pop().expect("what was opened"));
        } else if let Some(declared) = line.strip_suffix(" {") {
            let name = declared.strip_prefix("message ");
            open.push(name.map(|name| Message {
                name,
                lines: Vec::new(),
            }));
        } else if let Some(message) = open.iter_mut().rev().flatten().next() {
            // A member of a oneof is a field of its message; the numbers of an enum are harmless here.
            message.lines.push(line);
        }
    }
    assert!(open.is_empty(), "braces that do not match");
    found
}

#[test]
fn what_carries_something_personal_keeps_numbers_for_its_sealed_form() {
    let messages = messages();
    let event = messages.iter().find(|message| message.name == "Event");
    let events = event.map_or(0, |event| event.fields().count());
    assert_eq!(events, names_in_proto().len(), "the proto is read otherwise");
    let mut personal = 0;
    for message in &messages {
        for (field, number) in message.fields() {
            let place = format!("{}.{field}", message.name);
            assert!(
                !(900..=909).contains(&number),
                "{place}: 900 to 909 are for sealed forms"
            );
            if PERSONAL.contains(&field) {
                personal += 1;
                assert!(
                    message.keeps_room_for_a_sealed_form(),
                    "{place}: the message does not reserve 900 to 909"
                );
            }
        }
    }
    assert!(personal >= PERSONAL.len(), "{personal} personal fields only");
}

/// What early releases did not write, in their own words: not what a new workspace begins with today.
#[test]
fn what_the_absence_of_a_policys_fields_means_is_written_in_the_codec() {
    let whole = golden::kpi::policy_with_alert_rules();
    let commit = golden::commit_of(vec![Event::ScoringPolicyUpdated {
        before: Box::new(whole.clone()),
        after: Box::new(whole.clone()),
    }]);
    let mut stored = commit::commit_to_stored(LOG, &commit);
    let Some(Payload::ScoringPolicyUpdated(updated)) = &mut stored.events[0].payload else {
        panic!("another event");
    };
    let after = updated.after.as_mut().expect("a policy");
    after.achieved_from = None;
    after.partial_from = None;
    after.roll_up = 0;
    after.hygiene = None;
    after.alerts = None;
    let bytes = prost::Message::encode_to_vec(&stored);
    let decoded = decode(LOG, &record(golden::REVISION, bytes)).expect("a commit");
    let expected = ScoringPolicy {
        achieved_from: 0.7,
        partial_from: 0.4,
        roll_up: RollUp::Own,
        hygiene: HygieneLimits {
            objectives_of_team_max: 3,
            key_results_min: 3,
            key_results_max: 5,
            kpis_of_area_min: 3,
            kpis_of_area_max: 5,
            confidence_min: 0.4,
            linked_kpis_share_max: 0.5,
            breached_periods_max: 2,
        },
        alerts: AlertRules {
            breach_after: 1,
            recover_after: 1,
            adverse_move_periods: 3,
            adverse_move_percent: 20.0,
            healthy_share_periods: 12,
        },
        ..whole
    };
    let expected = Event::ScoringPolicyUpdated {
        before: Box::new(golden::kpi::policy_with_alert_rules()),
        after: Box::new(expected),
    };
    assert_eq!(decoded.events, std::slice::from_ref(&expected));
    // Read once, it is written whole: a later release has nothing to guess.
    let again = decode(LOG, &record(golden::REVISION, encode(LOG, &decoded))).expect("a commit");
    assert_eq!(again.events, [expected]);
    let codec = include_str!("../policy.rs");
    assert!(
        !codec.to_lowercase().contains("default"),
        "the codec follows the policy of a new workspace"
    );
}
