//! The clock, against the newest recorded time of the log. Whether it is synchronised is the machine's to say.

use super::{Finding, Patient};
use crate::domain::Timestamp;
use crate::engine::{Clock, SystemClock, far_from_the_log};

const ABOUT: &str = "clock";

/// What a start would say of the clock.
pub(super) fn look(patient: &Patient<'_>, newest: Timestamp) -> Finding {
    judge(
        SystemClock::default().wall(),
        newest,
        patient.settings.accepts_clock(),
    )
}

fn judge(wall: Timestamp, newest: Timestamp, accepted: bool) -> Finding {
    match far_from_the_log(wall, newest).filter(|_| !accepted) {
        Some(sentence) => Finding::wrong(
            ABOUT,
            format!("{sentence}, so a server that starts takes no writes"),
            "put the clock right (timedatectl), or start once with --accept-clock if it is right",
        ),
        None => Finding::ok(
            ABOUT,
            format!("{wall}, and the log's newest commit is of {newest}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_clock_is_held_against_the_log_as_a_start_does_it() {
        let at = |day: i64| Timestamp::from_micros(day * 86_400_000_000);
        for (today, accepted, level) in [
            (100, false, Level::Ok),
            (130, false, Level::Ok),
            (131, false, Level::Wrong),
            (99, false, Level::Wrong),
            (131, true, Level::Ok),
        ] {
            assert_eq!(judge(at(today), at(100), accepted).level, level, "day {today}");
        }
    }
}
