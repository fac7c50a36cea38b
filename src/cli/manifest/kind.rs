//! The kinds of manifests: how each is called, which message of the API it is, and what its names look like.

use crate::domain::Id;

/// What a document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::cli) enum Kind {
    /// The workspace itself.
    Workspace,
    /// A member.
    Member,
    /// A team.
    Team,
    /// The scoring policy.
    ScoringPolicy,
    /// A cycle.
    Cycle,
    /// A KPI.
    Kpi,
    /// What a KPI should be from a date on.
    Target,
    /// The measurements of a KPI.
    Series,
    /// An objective.
    Objective,
    /// A key result.
    KeyResult,
    /// An initiative.
    Initiative,
    /// A check-in.
    CheckIn,
    /// A review of a cycle.
    Review,
}

impl Kind {
    /// All of them, in the order in which they are applied.
    pub(in crate::cli) const ALL: [Self; 13] = [
        Self::Workspace,
        Self::Member,
        Self::Team,
        Self::ScoringPolicy,
        Self::Cycle,
        Self::Kpi,
        Self::Target,
        Self::Series,
        Self::Objective,
        Self::KeyResult,
        Self::Initiative,
        Self::CheckIn,
        Self::Review,
    ];

    /// How a manifest calls it, which is how the API calls its message.
    pub(in crate::cli) fn word(self) -> &'static str {
        match self {
            Self::Workspace => "Workspace",
            Self::Member => "Member",
            Self::Team => "Team",
            Self::ScoringPolicy => "ScoringPolicy",
            Self::Cycle => "Cycle",
            Self::Kpi => "Kpi",
            Self::Target => "Target",
            Self::Series => "Series",
            Self::Objective => "Objective",
            Self::KeyResult => "KeyResult",
            Self::Initiative => "Initiative",
            Self::CheckIn => "CheckIn",
            Self::Review => "Review",
        }
    }

    /// How the API's requests call a field of this kind.
    pub(in crate::cli) fn snake(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Member => "member",
            Self::Team => "team",
            Self::ScoringPolicy => "scoring_policy",
            Self::Cycle => "cycle",
            Self::Kpi => "kpi",
            Self::Target => "target",
            Self::Series => "measurement",
            Self::Objective => "objective",
            Self::KeyResult => "key_result",
            Self::Initiative => "initiative",
            Self::CheckIn => "check_in",
            Self::Review => "review",
        }
    }

    /// The collections on the way to one, from the workspace down; a word without an id behind it stands alone.
    fn collections(self) -> &'static [&'static str] {
        match self {
            Self::Workspace => &[],
            Self::Member => &["members"],
            Self::Team => &["teams"],
            Self::ScoringPolicy => &["scoringPolicy"],
            Self::Cycle => &["cycles"],
            Self::Kpi | Self::Series => &["kpis"],
            Self::Target => &["kpis", "targets"],
            Self::Objective => &["objectives"],
            Self::KeyResult => &["objectives", "keyResults"],
            Self::Initiative => &["objectives", "initiatives"],
            Self::CheckIn => &["objectives", "keyResults", "checkIns"],
            Self::Review => &["cycles", "reviews"],
        }
    }

    /// What its names look like: `objectives/ID/keyResults/ID`.
    pub(in crate::cli) fn pattern(self) -> String {
        match self {
            Self::Workspace => "workspaces/ID".to_owned(),
            Self::ScoringPolicy => "scoringPolicy".to_owned(),
            Self::Target => "kpis/ID/targets/YYYY-MM-DD".to_owned(),
            _ => {
                let parts = self.collections().iter().map(|word| format!("{word}/ID"));
                parts.collect::<Vec<_>>().join("/")
            }
        }
    }

    /// The parent of all of them in a list: `objectives/-`, empty for what lies in the workspace itself.
    pub(in crate::cli) fn parent_of_all(self) -> String {
        let above = self
            .collections()
            .split_last()
            .map_or(&[][..], |(_, above)| above);
        let parts = above.iter().map(|word| format!("{word}/-"));
        parts.collect::<Vec<_>>().join("/")
    }

    /// The kind of a manifest's word; else the sentence that helps.
    pub(in crate::cli) fn of_word(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.into_iter().map(Self::word);
        match Self::ALL.into_iter().find(|kind| kind.word() == word) {
            Some(kind) => Ok(kind),
            None => Err(format!(
                "{word:?} is no kind: {}",
                nearest(word, words()).map_or_else(
                    || format!("write one of {}", words().collect::<Vec<_>>().join(", ")),
                    |near| format!("did you mean {near}?")
                )
            )),
        }
    }

    /// A name relative to its workspace; empty for the workspace itself.
    ///
    /// # Errors
    /// It is no name of this kind, or lies in another workspace than `workspace`.
    pub(in crate::cli) fn relative(self, text: &str, workspace: &Id) -> Result<String, String> {
        let wrong = || {
            format!(
                "{:?} is no name of a {}: write {}",
                shortened(text),
                self.word(),
                self.pattern()
            )
        };
        let relative = match workspace_of(text) {
            Some((id, rest)) if id == workspace.as_str() => rest,
            Some((id, _)) => {
                return Err(format!(
                    "it lies in workspaces/{id}, and this is about workspaces/{workspace}: apply one workspace at a time"
                ));
            }
            None => text,
        };
        let mut parts = relative.split('/').filter(|_| !relative.is_empty());
        for word in self.collections() {
            if parts.next() != Some(word) {
                return Err(wrong());
            }
            match (*word, parts.next()) {
                ("scoringPolicy", None) => {}
                ("targets", Some(date)) if super::scalar::is_date(date) => {}
                ("scoringPolicy" | "targets", _) | (_, None) => return Err(wrong()),
                (_, Some(id)) => {
                    Id::parse(id).map_err(|invalid| invalid.to_string())?;
                }
            }
        }
        match parts.next() {
            None => Ok(relative.to_owned()),
            Some(_) => Err(wrong()),
        }
    }
}

/// A full name as the id of its workspace and the rest.
pub(in crate::cli) fn workspace_of(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix("workspaces/")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// A relative name as a full one.
pub(in crate::cli) fn full(workspace: &Id, relative: &str) -> String {
    match relative {
        "" => format!("workspaces/{workspace}"),
        relative => format!("workspaces/{workspace}/{relative}"),
    }
}

/// A relative name as that of what it lies in, and its own id: `objectives/win/keyResults/nps` as `objectives/win` and
/// `nps`.
pub(in crate::cli) fn parent(relative: &str) -> (&str, &str) {
    let (rest, id) = relative.rsplit_once('/').unwrap_or(("", relative));
    let above = rest.rsplit_once('/').map_or("", |(above, _)| above);
    (above, id)
}

/// The word that was probably meant.
pub(in crate::cli) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &known.to_lowercase());
    let near = known.map(|known| (distance(known), known));
    let near = near.filter(|(distance, known)| *distance <= known.len().div_ceil(3).min(4));
    near.min().map(|(_, known)| known)
}

/// A text from a file as a sentence may quote it.
pub(in crate::cli) fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 100;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> Id {
        Id::parse("acme").expect("an id")
    }

    #[test]
    fn a_name_is_relative_or_full_and_of_its_kind() {
        for (kind, text, expect) in [
            (Kind::Workspace, "workspaces/acme", ""),
            (Kind::Team, "teams/sales", "teams/sales"),
            (Kind::Team, "workspaces/acme/teams/sales", "teams/sales"),
            (Kind::ScoringPolicy, "scoringPolicy", "scoringPolicy"),
            (
                Kind::Target,
                "kpis/nps/targets/2026-01-01",
                "kpis/nps/targets/2026-01-01",
            ),
            (
                Kind::CheckIn,
                "objectives/a/keyResults/b/checkIns/c",
                "objectives/a/keyResults/b/checkIns/c",
            ),
            (Kind::Review, "cycles/q3/reviews/end", "cycles/q3/reviews/end"),
        ] {
            assert_eq!(kind.relative(text, &acme()).as_deref(), Ok(expect), "{text}");
        }
        for (kind, text, expect) in [
            (
                Kind::Workspace,
                "acme",
                "\"acme\" is no name of a Workspace: write workspaces/ID",
            ),
            (
                Kind::Team,
                "sales",
                "\"sales\" is no name of a Team: write teams/ID",
            ),
            (
                Kind::Team,
                "teams/sales/x",
                "\"teams/sales/x\" is no name of a Team: write teams/ID",
            ),
            (Kind::Team, "", "\"\" is no name of a Team: write teams/ID"),
            (
                Kind::Team,
                "workspaces/other/teams/sales",
                "it lies in workspaces/other, and this is about workspaces/acme: apply one workspace at a time",
            ),
            (
                Kind::Target,
                "kpis/nps/targets/today",
                "\"kpis/nps/targets/today\" is no name of a Target: write kpis/ID/targets/YYYY-MM-DD",
            ),
            (
                Kind::Kpi,
                "kpis/NPS",
                "\"NPS\" is not an id: use 1 to 63 of a-z, 0-9 and \"-\", beginning with a letter and not ending with \"-\"",
            ),
        ] {
            assert_eq!(kind.relative(text, &acme()), Err(expect.to_owned()), "{text}");
        }
    }

    #[test]
    fn an_unknown_kind_gets_a_suggestion() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_word(kind.word()), Ok(kind));
        }
        for (word, expect) in [
            ("objective", "\"objective\" is no kind: did you mean Objective?"),
            ("KPI", "\"KPI\" is no kind: did you mean Kpi?"),
            ("Keyresults", "\"Keyresults\" is no kind: did you mean KeyResult?"),
        ] {
            assert_eq!(Kind::of_word(word), Err(expect.to_owned()));
        }
        let far = Kind::of_word("Deployment").expect_err("no kind");
        assert!(far.contains("write one of Workspace, Member"), "{far}");
    }

    #[test]
    fn a_name_has_a_parent() {
        for (name, expect) in [
            ("teams/sales", ("", "sales")),
            ("objectives/a/keyResults/b", ("objectives/a", "b")),
            ("scoringPolicy", ("", "scoringPolicy")),
        ] {
            assert_eq!(parent(name), expect, "{name}");
        }
        assert_eq!(Kind::CheckIn.parent_of_all(), "objectives/-/keyResults/-");
        assert_eq!(Kind::Team.parent_of_all(), "");
    }
}
