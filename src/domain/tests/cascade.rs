//! What goes on in other teams.

use super::super::given::*;
use super::super::{Ambition, Command, Etag, ObjectiveState, Revision};
use super::{company, elements};

/// "**Cascade**: from one objective a draft child per named team, aligned to it."
#[test]
fn a_cascade_makes_a_draft_for_each_team() {
    let lead = Command::UpdateTeam {
        id: id("sales"),
        patch: Box::new(super::super::TeamPatch {
            lead: Some(Some(id("maria"))),
            ..super::super::TeamPatch::default()
        }),
        etag: Etag::Any,
    };
    let given = company().and([
        team("support", None),
        team("lost", None),
        delete("teams/lost"),
        lead,
        update_objective("win", |p| {
            p.ambition = Some(Ambition::Aspirational);
            p.contributing_teams = Some(vec![id("support")]);
        }),
    ]);
    let both = cascade("win", &[("sales", "sell"), ("support", "help")]);
    assert_eq!(
        given.when(both.clone()),
        Ok(vec!["ObjectiveCreated", "ObjectiveCreated"])
    );
    let cascaded = given.clone().and([both]);
    for (name, team, owner) in [("sell", "sales", Some("maria")), ("help", "support", None)] {
        let child = cascaded.workspace.objective(&id(name)).unwrap();
        assert_eq!(child.state, ObjectiveState::Draft);
        assert_eq!(child.fields.team, Some(id(team)));
        assert_eq!(child.fields.owner, owner.map(id));
        assert_eq!(child.fields.aligned_to, Some(alignment("win")));
        assert_eq!(child.fields.ambition, Ambition::Aspirational);
        assert_eq!(child.fields.title, title("win"));
        assert!(child.fields.contributing_teams.is_empty());
    }
    let refused = given.refused(&cascade(
        "win",
        &[
            ("sales", "a"),
            ("x", "b"),
            ("sales", "c"),
            ("support", "win"),
            ("lost", "d"),
        ],
    ));
    assert_eq!(
        elements(&refused),
        (
            "teams",
            vec![
                (1, "NOT_FOUND"),
                (2, "INVALID_FIELD"),
                (3, "ALREADY_EXISTS"),
                (4, "DELETED")
            ]
        )
    );
    let old = Command::CascadeObjective {
        id: id("win"),
        teams: Vec::new(),
        etag: Etag::Exactly(Revision(2)),
    };
    assert_eq!(given.when(old), Err("ETAG_MISMATCH"));
    assert_eq!(given.when(cascade("x", &[("sales", "a")])), Err("NOT_FOUND"));
    let chain = (1..16).map(|n| {
        let above = if n == 1 {
            "win".to_owned()
        } else {
            format!("o{}", n - 1)
        };
        objective(&format!("o{n}"), move |f| f.aligned_to = Some(alignment(&above)))
    });
    let deep = given.and(chain);
    assert_eq!(
        elements(&deep.refused(&cascade("o15", &[("sales", "deeper")]))),
        ("teams", vec![(0, "ALIGNMENT_TOO_DEEP")])
    );
}
