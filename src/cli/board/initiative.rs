//! A line that says what is to be done: its words, then until when and how much of it, then marks.

use super::draft::{InitiativeDraft, Place, Stands, each_mark};
use super::marks::{self, Mark};
use super::sentence::{check_box, whole_title};
use super::token::{Token, TokenKind, tokens};
use super::when::{self, When};

/// An initiative behind its prefix.
///
/// # Errors
/// Its title, its date or its marks cannot be read.
pub(super) fn read(text: &str, is_checked: Option<bool>, place: Place) -> Result<InitiativeDraft, String> {
    let (own_box, body) = check_box(text);
    let tokens = tokens(body);
    let (left, marks) = marks::take(&tokens)?;
    let end = initiative_end(&tokens[..left])?;
    let is_done = is_checked.or(own_box) == Some(true);
    let mut draft = InitiativeDraft {
        place,
        id: None,
        title: whole_title(body, &tokens[..end.left])?,
        owner: None,
        due: end.due,
        stands: if is_done { Stands::Done } else { Stands::Planned },
        planned: end.counts.map(|(_, planned)| planned),
        done: end.counts.map(|(done, _)| done),
    };
    let mut twice = false;
    let takes = "an initiative takes @owner, (due DATE), (in progress), (dropped), (planned: N), (done: N) and (id: ID)";
    each_mark(marks, takes, |mark| {
        match mark {
            Mark::Owner(owner) => draft.owner = Some(owner),
            Mark::Due(due) => twice |= draft.due.replace(due).is_some(),
            Mark::Id(id) => draft.id = Some(id),
            Mark::InProgress => {
                twice |= draft.stands != Stands::Planned;
                draft.stands = Stands::InProgress;
            }
            Mark::Dropped => {
                twice |= draft.stands != Stands::Planned;
                draft.stands = Stands::Dropped;
            }
            Mark::Planned(planned) => twice |= draft.planned.replace(planned).is_some(),
            Mark::Done(done) => twice |= draft.done.replace(done).is_some(),
            other => return Err(other),
        }
        Ok(())
    })?;
    if twice {
        return Err(
            "it says twice when it is due, where it stands, or how many there are: keep one of them"
                .to_owned(),
        );
    }
    Ok(draft)
}

/// What stands behind an initiative's words.
struct InitiativeEnd {
    left: usize,
    due: Option<When>,
    counts: Option<(i64, i64)>,
}

fn initiative_end(tokens: &[Token<'_>]) -> Result<InitiativeEnd, String> {
    let mut end = InitiativeEnd {
        left: tokens.len(),
        due: None,
        counts: None,
    };
    loop {
        let rest = &tokens[..end.left];
        if end.counts.is_none()
            && rest.len() > 1
            && let Some(counts) = rest.last().and_then(counts)
        {
            end.counts = Some(counts);
            end.left -= 1;
            continue;
        }
        let by = (1..rest.len()).rfind(|at| rest[*at].is_any(&["by", "until"]));
        if end.due.is_none()
            && let Some(by) = by
            && let Some((when, behind)) = when::read(rest, by + 1)?
            && behind == rest.len()
        {
            end.due = Some(when);
            end.left = by;
            continue;
        }
        return Ok(end);
    }
}

/// `3/100`: done, and planned. More done than planned are no counts ("open 24/7").
fn counts(token: &Token<'_>) -> Option<(i64, i64)> {
    let (done, planned) = token.text.split_once('/')?;
    let count = |text: &str| {
        let text = text.replace(',', "");
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| is_number)
    };
    let (done, planned) = (count(done)?, count(planned)?);
    (token.kind == TokenKind::Word && done <= planned).then_some((done, planned))
}
