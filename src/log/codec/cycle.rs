//! Cycles: their fields, and what happened to them.

use super::fault::{At, Fault};
use super::scalar::{
    before_and_after, created_fields, date_from_stored, date_to_stored, id_from_stored, id_to_stored,
    optional_date_from_stored, optional_id_from_stored, optional_id_to_stored, stored_enum,
};
use crate::domain::{CycleFields, CycleState, Event, Id, Title};
use crate::proto::stored;

stored_enum!(state_to_stored, state_from_stored:
    CycleState = stored::CycleState { Planned, Active, Review, Closed });

fn fields_to_stored(fields: &CycleFields) -> stored::CycleFields {
    let CycleFields {
        title,
        first_date,
        last_date,
        review_date,
        parent_cycle,
    } = fields;
    stored::CycleFields {
        title: title.as_str().to_owned(),
        first_date: date_to_stored(*first_date),
        last_date: date_to_stored(*last_date),
        review_date: review_date.map(date_to_stored),
        parent_cycle: optional_id_to_stored(parent_cycle.as_ref()),
    }
}

fn fields_from_stored(stored: stored::CycleFields) -> Result<CycleFields, Fault> {
    let stored::CycleFields {
        title,
        first_date,
        last_date,
        review_date,
        parent_cycle,
    } = stored;
    Ok(CycleFields {
        title: Title::parse(&title).at("title")?,
        first_date: date_from_stored(first_date).at("first_date")?,
        last_date: date_from_stored(last_date).at("last_date")?,
        review_date: optional_date_from_stored(review_date).at("review_date")?,
        parent_cycle: optional_id_from_stored(parent_cycle.as_deref()).at("parent_cycle")?,
    })
}

pub(super) fn created_to_stored(id: &Id, fields: &CycleFields) -> stored::CycleCreated {
    stored::CycleCreated {
        cycle: id_to_stored(id),
        fields: Some(fields_to_stored(fields)),
    }
}

pub(super) fn created_from_stored(stored: stored::CycleCreated) -> Result<Event, Fault> {
    let stored::CycleCreated { cycle, fields } = stored;
    Ok(Event::CycleCreated {
        id: id_from_stored(&cycle).at("cycle")?,
        fields: created_fields(fields, fields_from_stored)?,
    })
}

pub(super) fn updated_to_stored(id: &Id, before: &CycleFields, after: &CycleFields) -> stored::CycleUpdated {
    stored::CycleUpdated {
        cycle: id_to_stored(id),
        before: Some(fields_to_stored(before)),
        after: Some(fields_to_stored(after)),
    }
}

pub(super) fn updated_from_stored(stored: stored::CycleUpdated) -> Result<Event, Fault> {
    let stored::CycleUpdated { cycle, before, after } = stored;
    let (before, after) = before_and_after(before, after, fields_from_stored)?;
    Ok(Event::CycleUpdated {
        id: id_from_stored(&cycle).at("cycle")?,
        before,
        after,
    })
}

pub(super) fn activated_to_stored(id: &Id, before: CycleState) -> stored::CycleActivated {
    stored::CycleActivated {
        cycle: id_to_stored(id),
        before: state_to_stored(before),
    }
}

pub(super) fn activated_from_stored(stored: stored::CycleActivated) -> Result<Event, Fault> {
    let stored::CycleActivated { cycle, before } = stored;
    Ok(Event::CycleActivated {
        id: id_from_stored(&cycle).at("cycle")?,
        before: state_from_stored(before).at("before")?,
    })
}

pub(super) fn review_begun_to_stored(id: &Id, before: CycleState) -> stored::CycleReviewBegun {
    stored::CycleReviewBegun {
        cycle: id_to_stored(id),
        before: state_to_stored(before),
    }
}

pub(super) fn review_begun_from_stored(stored: stored::CycleReviewBegun) -> Result<Event, Fault> {
    let stored::CycleReviewBegun { cycle, before } = stored;
    Ok(Event::CycleReviewBegun {
        id: id_from_stored(&cycle).at("cycle")?,
        before: state_from_stored(before).at("before")?,
    })
}

pub(super) fn closed_to_stored(id: &Id, before: CycleState) -> stored::CycleClosed {
    stored::CycleClosed {
        cycle: id_to_stored(id),
        before: state_to_stored(before),
    }
}

pub(super) fn closed_from_stored(stored: stored::CycleClosed) -> Result<Event, Fault> {
    let stored::CycleClosed { cycle, before } = stored;
    Ok(Event::CycleClosed {
        id: id_from_stored(&cycle).at("cycle")?,
        before: state_from_stored(before).at("before")?,
    })
}

pub(super) fn reopened_to_stored(id: &Id, before: CycleState) -> stored::CycleReopened {
    stored::CycleReopened {
        cycle: id_to_stored(id),
        before: state_to_stored(before),
    }
}

pub(super) fn reopened_from_stored(stored: stored::CycleReopened) -> Result<Event, Fault> {
    let stored::CycleReopened { cycle, before } = stored;
    Ok(Event::CycleReopened {
        id: id_from_stored(&cycle).at("cycle")?,
        before: state_from_stored(before).at("before")?,
    })
}
