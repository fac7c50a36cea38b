//! Every call as every role, as somebody who is no member, and as nobody; and the tables of the page.

use std::collections::BTreeMap;

use binnacle::domain::{Reach, Right, Role};
use tonic::{Code, Status};

use super::calls::{CALLS, Call, Takes, methods};
use super::{Guarded, ROLES};
use crate::common::reason_of;

/// The words of the page for what a call takes.
fn word(takes: Takes) -> &'static str {
    match takes {
        Takes::Known => "be known",
        Takes::Operator => "operate the server",
        Takes::Right(right) => match right {
            Right::Administer => "administer",
            Right::Steer => "steer",
            Right::SetObjectives => "set objectives",
            Right::SetKpis => "set KPIs",
            Right::CheckIn => "check in",
            Right::Measure => "measure",
            Right::Read => "read",
            Right::Audit => "audit",
        },
    }
}

fn page() -> String {
    std::fs::read_to_string("docs/security.md").expect("the page")
}

/// The rows of the table that begins with a heading.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = page.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect()
}

#[test]
fn the_table_of_roles_on_the_page_is_the_one_of_the_code() {
    let rows = table(&page(), "| right | owner |");
    let said: Vec<Vec<String>> = rows.iter().map(|row| row[1..].to_vec()).collect();
    let expected: Vec<Vec<String>> = Right::ALL
        .iter()
        .map(|right| {
            let reaches = Role::ALL.iter().map(|role| match role.reach(*right) {
                Reach::Nowhere => "",
                Reach::Own => "own",
                Reach::Teams => "teams",
                Reach::Everywhere => "all",
            });
            reaches.map(str::to_owned).collect()
        })
        .collect();
    assert_eq!(said, expected);
    let rights: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let expected: Vec<&str> = Right::ALL
        .iter()
        .map(|right| word(Takes::Right(*right)))
        .collect();
    assert_eq!(rights, expected);
}

#[test]
fn the_page_says_of_every_call_what_it_takes() {
    let mut said = BTreeMap::new();
    for row in table(&page(), "| takes | calls |") {
        for call in row[1].split(", ") {
            assert!(
                said.insert(call.to_owned(), row[0].clone()).is_none(),
                "{call} twice"
            );
        }
    }
    let calls: BTreeMap<String, String> = CALLS
        .iter()
        .map(|(call, takes, _)| ((*call).to_owned(), word(*takes).to_owned()))
        .collect();
    assert_eq!(said, calls);
    assert_eq!(calls.len(), CALLS.len());
    for method in methods() {
        assert!(
            calls.contains_key(method.name()),
            "what does {} take?",
            method.name()
        );
    }
}

/// How a call ended.
fn ending(made: &Result<(), Status>) -> (Code, String) {
    let code = made.as_ref().map_or_else(Status::code, |()| Code::Ok);
    (code, made.as_ref().err().map(reason_of).unwrap_or_default())
}

/// What is wrong with how a call ended that a role made, where it ended so for an owner; none: nothing.
fn flaw(
    takes: Takes,
    role: Role,
    made: &Result<(), Status>,
    for_owner: &Result<(), Status>,
) -> Option<String> {
    let (code, reason) = ending(made);
    let reach = match takes {
        Takes::Known => Reach::Everywhere,
        Takes::Operator => Reach::Nowhere,
        Takes::Right(right) => role.reach(right),
    };
    let is_right = match reach {
        Reach::Nowhere => code == Code::PermissionDenied,
        // Nothing in the company is theirs, and what is not there is nobody's.
        Reach::Own => matches!(reason.as_str(), "NOT_OWN" | "NOT_FOUND"),
        // It came to where states are judged. Of what is malformed that is a time that is still to come alone.
        Reach::Teams | Reach::Everywhere => match code {
            Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented | Code::Internal => false,
            Code::InvalidArgument if reason != "EFFECTIVE_TIME_IN_FUTURE" => false,
            // It changes nothing, so that it ends for everybody who may as it ends for the owner.
            _ => ending(made) == ending(for_owner),
        },
    };
    (!is_right).then(|| format!("as {role:?}: {reach:?}, and {made:?}"))
}

#[tokio::test]
async fn every_call_is_for_those_roles_alone_that_the_table_names() {
    let guarded = Guarded::new().await;
    let mut channels = Vec::new();
    for ((word, _), role) in ROLES.into_iter().zip(Role::ALL) {
        assert_eq!(word, format!("{role:?}").to_lowercase());
        channels.push((role, guarded.channel_of(word).await));
    }
    let operator = guarded.channel_of("operator").await;
    let head = guarded.head().await;
    let (mut flaws, mut made) = (Vec::new(), 0);
    for method in methods() {
        let name = method.name();
        let (_, takes, json) = CALLS.iter().find(|(call, ..)| *call == name).expect("the call");
        let call = Call::about(&method, json, "acme");
        let (Role::Owner, owner) = &channels[0] else {
            panic!("the owner comes first");
        };
        let for_owner = call.make(owner).await;
        for (role, channel) in &channels {
            let flaw = flaw(*takes, *role, &call.make(channel).await, &for_owner);
            flaws.extend(flaw.map(|flaw| format!("{name} {flaw}")));
            made += 1;
        }
        let nobody = call.make(&guarded.nobody()).await;
        if !matches!(&nobody, Err(refused) if refused.code() == Code::Unauthenticated) {
            flaws.push(format!("{name} as nobody: {nobody:?}"));
        }
        // Who runs the server is no member of a workspace for that.
        let as_operator = call.make(&operator).await;
        let expected = match takes {
            Takes::Operator => Code::AlreadyExists,
            Takes::Known => Code::Ok,
            Takes::Right(_) => Code::NotFound,
        };
        let code = as_operator.as_ref().map_or_else(Status::code, |()| Code::Ok);
        if code != expected {
            flaws.push(format!("{name} as an operator: {as_operator:?}"));
        }
    }
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.join("\n"));
    assert_eq!(made, CALLS.len() * ROLES.len());
    // The rows of those who may measure, and nothing else.
    let recorded = guarded.head().await - head;
    assert!(recorded <= 3, "the calls recorded {recorded} commits");
}
