//! The moment that a read is about: now, or as of a revision or a time of the past. A moment that is still to come is
//! answered with what is known now. How the past is rebuilt only the engine knows.

use super::{from_proto, pages};
use crate::domain::{Invalid, Revision, Timestamp, Violation, Workspace};
use crate::proto::api;
use crate::proto::api::as_of;

/// The moment that a read is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// What is known now, and at least as new as a revision.
    Now(Revision),
    /// What was known at a revision.
    Revision(Revision),
    /// What was known at a time: of all that was recorded then or before.
    RecordedTime(Timestamp),
}

impl Moment {
    /// Reads the moment of a request.
    ///
    /// # Errors
    /// It is negative, empty, outside of the calendar, or there are two.
    pub(crate) fn parse(min_revision: i64, as_of: Option<&api::AsOf>) -> Result<Self, Violation> {
        let at_least = pages::min_revision(min_revision)?;
        let Some(api::AsOf { moment }) = as_of else {
            return Ok(Self::Now(at_least));
        };
        if at_least > Revision::ZERO {
            let sentence =
                "min_revision is there too: a moment of the past does not get newer, so send one of them";
            return Err(Invalid::new(sentence).at("as_of"));
        }
        match moment {
            None => Err(Invalid::new("it is empty: send a revision or a recorded_time").at("as_of")),
            Some(as_of::Moment::Revision(number)) => match u64::try_from(*number) {
                Ok(revision @ 1..) => Ok(Self::Revision(Revision(revision))),
                _ => {
                    let sentence = format!("{number} is no revision: the first one is 1");
                    Err(Invalid::new(sentence).at("as_of.revision"))
                }
            },
            Some(as_of::Moment::RecordedTime(time)) => {
                let time = from_proto::optional_timestamp("as_of.recorded_time", Some(time))?;
                Ok(Self::RecordedTime(time.unwrap_or_default()))
            }
        }
    }

    /// How new the state must be that the moment is looked up in.
    pub(crate) fn at_least(self) -> Revision {
        match self {
            Self::Now(at_least) => at_least,
            Self::Revision(_) | Self::RecordedTime(_) => Revision::ZERO,
        }
    }

    /// The revision that was the newest then; none: it is the one that is the newest now.
    pub(crate) fn past(self, newest: &Workspace) -> Option<Revision> {
        let revision = match self {
            Self::Now(_) => return None,
            Self::Revision(revision) => revision,
            Self::RecordedTime(time) => {
                newest.revision_before(Timestamp::from_micros(time.as_micros().saturating_add(1)))
            }
        };
        (revision < newest.revision()).then_some(revision)
    }

    /// What a page token of a list as of this moment is bound to; none: what is known now.
    pub(crate) fn binding(self) -> Option<String> {
        match self {
            Self::Now(_) => None,
            Self::Revision(revision) => Some(format!("as of revision {}", revision.0)),
            Self::RecordedTime(time) => Some(format!("as of {time}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_of(moment: Option<as_of::Moment>) -> Option<api::AsOf> {
        Some(api::AsOf { moment })
    }

    fn time(seconds: i64, nanos: i32) -> Option<as_of::Moment> {
        Some(as_of::Moment::RecordedTime(prost_types::Timestamp {
            seconds,
            nanos,
        }))
    }

    #[test]
    fn a_read_is_about_one_moment() {
        let revision = |number| Some(as_of::Moment::Revision(number));
        for (min_revision, asked, moment) in [
            (0, None, Moment::Now(Revision::ZERO)),
            (7, None, Moment::Now(Revision(7))),
            (0, as_of(revision(3)), Moment::Revision(Revision(3))),
            (
                0,
                as_of(time(1, 1500)),
                Moment::RecordedTime(Timestamp::from_micros(1_000_001)),
            ),
        ] {
            assert_eq!(Moment::parse(min_revision, asked.as_ref()), Ok(moment));
        }
        for (min_revision, asked, field) in [
            (-1, None, "min_revision"),
            (1, as_of(revision(3)), "as_of"),
            (0, as_of(None), "as_of"),
            (0, as_of(revision(0)), "as_of.revision"),
            (0, as_of(revision(-4)), "as_of.revision"),
            (0, as_of(time(0, -1)), "as_of.recorded_time"),
        ] {
            let refused = Moment::parse(min_revision, asked.as_ref()).unwrap_err();
            assert_eq!(refused.field, field);
        }
    }
}
