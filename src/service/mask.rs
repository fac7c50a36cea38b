//! Update masks after AIP-134: which fields of a resource a request is about.
//!
//! One parser a resource reads creation (all fields) and update (the masked ones) alike: it asks the mask before it looks
//! at a field, so that a field which is not to change does not have to be valid. The mask knows paths, not values.

use prost_types::FieldMask;

use crate::domain::Violation;

/// The most paths in one mask; no resource has as many fields.
const PATHS_MAX: usize = 100;

/// One field of `M` that may change, and whether a message has it set.
pub(crate) struct Field<M> {
    /// Its path, as the proto calls it.
    pub path: &'static str,
    /// Whether it is set in a message.
    pub is_set: fn(&M) -> bool,
}

/// The fields that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    /// All that may be written.
    All,
    /// These alone.
    Only(Vec<&'static str>),
}

impl<M> Field<M> {
    /// A field of this path.
    #[must_use]
    pub(crate) const fn new(path: &'static str, is_set: fn(&M) -> bool) -> Self {
        Self { path, is_set }
    }
}

impl Mask {
    /// Reads a request's mask. Absent or empty: the fields that are set in `message`; "*": all.
    ///
    /// # Errors
    /// It names something that cannot be changed: one violation a path.
    pub(crate) fn parse<M>(
        mask: Option<&FieldMask>,
        fields: &[Field<M>],
        message: &M,
    ) -> Result<Self, Vec<Violation>> {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() {
            let set = fields.iter().filter(|field| (field.is_set)(message));
            return Ok(Self::Only(set.map(|field| field.path).collect()));
        }
        if paths.len() > PATHS_MAX {
            return Err(vec![Violation {
                field: "update_mask".to_owned(),
                sentence: format!("it has {} paths: {PATHS_MAX} at most", paths.len()),
            }]);
        }
        let mut only = Vec::with_capacity(paths.len().min(fields.len()));
        let mut unknown = Vec::new();
        for path in paths.iter().filter(|path| *path != "*") {
            match fields.iter().find(|field| field.path == path) {
                Some(field) if only.contains(&field.path) => {}
                Some(field) => only.push(field.path),
                None => unknown.push(violation(path, fields)),
            }
        }
        if !unknown.is_empty() {
            Err(unknown)
        } else if paths.iter().any(|path| path == "*") {
            Ok(Self::All)
        } else {
            Ok(Self::Only(only))
        }
    }

    /// Whether the field of this path is one of them.
    #[must_use]
    pub(crate) fn has(&self, path: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(paths) => paths.contains(&path),
        }
    }
}

fn violation<M>(path: &str, fields: &[Field<M>]) -> Violation {
    let known = || {
        fields
            .iter()
            .map(|field| field.path)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let shown: String = path.chars().take(100).collect();
    let top = path.split_once('.').map(|(top, _)| top);
    let sentence = match top.and_then(|top| fields.iter().find(|field| field.path == top)) {
        Some(field) => format!(
            "{shown:?} is a part of a field: name the whole field, {:?}",
            field.path
        ),
        None => format!("{shown:?} cannot be changed: name any of {}", known()),
    };
    Violation {
        field: "update_mask".to_owned(),
        sentence,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Message {
        title: &'static str,
        unit: Option<u8>,
    }

    const FIELDS: &[Field<Message>] = &[
        Field::new("title", |message| !message.title.is_empty()),
        Field::new("unit", |message| message.unit.is_some()),
    ];

    fn parse(paths: Option<&[&str]>, title: &'static str, unit: Option<u8>) -> Result<Mask, Vec<String>> {
        let mask = paths.map(|paths| FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        });
        Mask::parse(mask.as_ref(), FIELDS, &Message { title, unit })
            .map_err(|violations| violations.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_mask_is_what_is_named_or_else_what_is_set() {
        for (paths, expected) in [
            (None, Mask::Only(vec!["title"])),
            (Some(&[][..]), Mask::Only(vec!["title"])),
            (Some(&["*"][..]), Mask::All),
            (Some(&["unit"][..]), Mask::Only(vec!["unit"])),
            (
                Some(&["unit", "title", "unit"][..]),
                Mask::Only(vec!["unit", "title"]),
            ),
            (Some(&["title", "*"][..]), Mask::All),
        ] {
            assert_eq!(parse(paths, "New", None), Ok(expected), "{paths:?}");
        }
        assert!(Mask::All.has("title") && !Mask::Only(vec!["unit"]).has("title"));
    }

    #[test]
    fn every_path_that_cannot_be_changed_is_a_violation() {
        assert_eq!(
            parse(Some(&["title", "state", "unit.kind", "*", ""]), "", None),
            Err(vec![
                "update_mask: \"state\" cannot be changed: name any of title, unit".to_owned(),
                "update_mask: \"unit.kind\" is a part of a field: name the whole field, \"unit\"".to_owned(),
                "update_mask: \"\" cannot be changed: name any of title, unit".to_owned(),
            ])
        );
    }

    #[test]
    fn a_mask_has_an_end() {
        assert_eq!(
            parse(Some(&["title"; 100]), "", None),
            Ok(Mask::Only(vec!["title"]))
        );
        let refused = parse(Some(&["x"; 101]), "", None);
        assert_eq!(
            refused,
            Err(vec!["update_mask: it has 101 paths: 100 at most".to_owned()])
        );
    }

    proptest! {
        #[test]
        fn no_paths_break_a_mask(paths in prop::collection::vec("(title|unit|\\*|\\.|\\PC){0,4}", 1..6)) {
            let message = Message { title: "", unit: None };
            let known = paths.iter().all(|path| ["title", "unit", "*"].contains(&path.as_str()));
            let mask = Mask::parse(Some(&FieldMask { paths }), FIELDS, &message);
            prop_assert_eq!(mask.is_ok(), known);
        }
    }
}
