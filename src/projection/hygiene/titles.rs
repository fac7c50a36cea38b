//! What an English title gives away of a key result: that it is something to do, or something to keep as it is. Titles of
//! other languages give nothing away.

/// Verbs of doing. What names an outcome (win, sign, reach, raise, reduce) is none of them.
const DOING: &[&str] = &[
    "analyse",
    "analyze",
    "arrange",
    "attend",
    "begin",
    "build",
    "buy",
    "complete",
    "conduct",
    "configure",
    "create",
    "define",
    "deliver",
    "deploy",
    "design",
    "develop",
    "document",
    "draft",
    "establish",
    "execute",
    "find",
    "finish",
    "hire",
    "hold",
    "host",
    "implement",
    "install",
    "integrate",
    "interview",
    "introduce",
    "invest",
    "launch",
    "make",
    "migrate",
    "onboard",
    "open",
    "organise",
    "organize",
    "perform",
    "plan",
    "prepare",
    "produce",
    "publish",
    "recruit",
    "redesign",
    "refactor",
    "release",
    "replace",
    "research",
    "review",
    "rewrite",
    "roll",
    "run",
    "send",
    "set",
    "ship",
    "start",
    "train",
    "update",
    "upgrade",
    "visit",
    "write",
];

/// Words that keep, wherever they stand, once a bound follows.
const KEEPING: &[&str] = &[
    "keep",
    "keeps",
    "stay",
    "stays",
    "remain",
    "remains",
    "hold",
    "holds",
    "maintain",
    "maintains",
    "sustain",
    "sustains",
    "preserve",
    "preserves",
];

/// Words that keep without a bound when a title begins with them.
const KEEPING_ALONE: &[&str] = &["maintain", "sustain", "preserve"];

/// What says where the bound of something kept is.
const BOUNDS: &[&str] = &[
    "above", "at", "below", "between", "beyond", "least", "maximum", "minimum", "most", "over", "than",
    "under", "within",
];

/// After "keep": it goes on moving.
const MOVING: &[&str] = &[
    "cutting",
    "decreasing",
    "growing",
    "improving",
    "increasing",
    "lowering",
    "raising",
    "reducing",
];

/// Whether a title begins with a verb of doing.
pub(super) fn is_doing(title: &str) -> bool {
    words(title)
        .first()
        .is_some_and(|first| DOING.contains(&first.as_str()))
        && !is_keeping(title)
}

/// Whether a title says that something shall stay as good as it is: "Keep NPS above 40", not "raise NPS from 32 to 48".
pub(super) fn is_keeping(title: &str) -> bool {
    let words = words(title);
    let place = |known: &[&str]| words.iter().position(|word| known.contains(&word.as_str()));
    if words.iter().any(|word| word == "from") && words.iter().any(|word| word == "to") {
        return false;
    }
    let Some(at) = place(KEEPING) else {
        return false;
    };
    let behind = words.get(at + 1..).unwrap_or_default();
    let next_is = |known: &[&str]| behind.first().is_some_and(|word| known.contains(&word.as_str()));
    if next_is(MOVING) {
        return false;
    }
    place(KEEPING_ALONE) == Some(0)
        || behind.iter().any(|word| BOUNDS.contains(&word.as_str()))
        || title.contains(['<', '>', '≤', '≥'])
}

/// The words of a title in lower case, without punctuation.
fn words(title: &str) -> Vec<String> {
    title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_verb_of_doing_is_something_to_do() {
        for (title, doing) in [
            ("Launch the app in Brazil", true),
            ("BUILD a data warehouse", true),
            ("  write: the handbook", true),
            ("Hire 3 engineers", true),
            ("Implement ISO 27001", true),
            ("Hold 10 workshops", true),
            ("Introduce weekly reviews", true),
            ("Win Petrobras as a customer", false),
            ("Raise NPS from 32 to 48", false),
            ("The app is launched", false),
            ("Launcher starts in 2 s", false),
            ("Hold churn below 2 %", false),
            ("…", false),
        ] {
            assert_eq!(is_doing(title), doing, "{title:?}");
        }
    }

    #[test]
    fn what_shall_stay_as_it_is_is_told_from_what_shall_get_better() {
        for (title, keeping) in [
            ("Keep NPS above 40", true),
            ("keep churn under 2 %", true),
            ("Keep NPS ≥ 40", true),
            ("Maintain customer satisfaction", true),
            ("NPS stays above 40", true),
            ("Response time remains at most 2 h", true),
            ("Hold churn below 2 %", true),
            ("Keep onboarding under 3 days", true),
            ("raise NPS from 32 to 48", false),
            ("Keep raising NPS above 40", false),
            ("Keep NPS moving from 32 to 48", false),
            ("Reduce churn below 2 %", false),
            ("Hold 10 workshops", false),
            ("NPS of 48", false),
        ] {
            assert_eq!(is_keeping(title), keeping, "{title:?}");
        }
    }
}
