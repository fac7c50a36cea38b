//! What must hold of what a commit came to, so that a subscription can be filtered by it.

use binnacle::domain::ResourceName;
use binnacle::projection::{Concern, Effect, NetEffect, Scope, State, scope};

use crate::names::all_names;

/// Whatever belongs elsewhere than before, or is listed and was not, is among the commit's concerns with both places; and
/// whatever is among them as staying is where it was.
pub(crate) fn no_resource_moves_unnoticed(before: &State, after: &State, effect: &Effect) {
    let (before, after) = (before.workspace(), after.workspace());
    for name in all_names(after) {
        let (was, is) = (scope(before, &name), scope(after, &name));
        match effect.concerns.get(&name) {
            None => assert!(
                was == is || !listed(&was) && !listed(&is),
                "{name} moved unnoticed"
            ),
            Some(concern) => {
                assert_eq!(
                    (concern.before(), concern.after()),
                    (was.as_ref(), is.as_ref()),
                    "{name}"
                );
                let moves = matches!(concern, Concern::Moves(_));
                assert_eq!(moves, was != is, "{name}");
            }
        }
    }
}

/// Seen as a whole, one commit comes to the same figures and the same moves as by itself.
pub(crate) fn a_net_effect_is_the_effect_of_its_one_commit(before: &State, after: &State, effect: &Effect) {
    let net = NetEffect::between(before, after);
    let sorted = |changes: &[_]| {
        let mut changes: Vec<String> = changes.iter().map(|change| format!("{change:?}")).collect();
        changes.sort();
        changes
    };
    assert_eq!(sorted(&net.changes), sorted(&effect.changes));
    let moves = |name: &ResourceName, concern: &Concern| match concern {
        Concern::Moves(moved) if listed(&moved.before) || listed(&moved.after) => {
            Some((name.clone(), moved.as_ref().clone()))
        }
        Concern::Moves(_) | Concern::Stays(_) => None,
    };
    let of_the_net: Vec<_> = net
        .concerns
        .iter()
        .filter_map(|(name, (concern, _))| moves(name, concern))
        .collect();
    let of_the_commit: Vec<_> = effect
        .concerns
        .iter()
        .filter_map(|(name, concern)| moves(name, concern))
        .collect();
    assert_eq!(of_the_net, of_the_commit);
}

fn listed(scope: &Option<Scope>) -> bool {
    scope.as_ref().is_some_and(|scope| scope.listed)
}
