//! What a list is asked for beside its parent: which resources (a filter after AIP-160), in which order, deleted ones too
//! or not. docs/filters.md is the reference.
//!
//! From the text to the answer: `syntax` reads terms, `condition` finds each term's field and reads its value, `order`
//! reads the order, `fields` says which fields each list has, `words` how values of enums are written, `request` which
//! lists take what.
//!
//! Invariant: a query is parsed once a request, before any state is looked at; what it is asked of are the values of the
//! domain, so a message is made only for what a page shows. It does not know pages and tokens.

mod condition;
mod fields;
mod order;
mod request;
mod syntax;
mod value;
mod words;

pub(super) use request::{Narrowed, Narrowing};

use condition::{Condition, Field};
use order::Order;
use syntax::Expression;

use crate::domain::{Id, Invalid, Rejection, Violation};
use crate::projection::State;

/// A kind of resource that a list may be narrowed to and ordered by the fields of.
pub(super) trait Listed: Sized + 'static {
    /// What names one beside what it knows itself.
    type Id;

    /// Its fields, in the order of the reference.
    const FIELDS: &'static [Field<Self>];

    /// The part of its name that differs inside the workspace: what pages are continued behind.
    fn key(entry: Entry<'_, Self>) -> String;

    /// Whether it is shown without being asked for deleted ones.
    fn stands(entry: Entry<'_, Self>) -> bool;
}

/// One resource of a state.
pub(super) struct Entry<'a, R: Listed> {
    pub(super) id: &'a R::Id,
    pub(super) it: &'a R,
    pub(super) state: &'a State,
}

impl<R: Listed> Clone for Entry<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: Listed> Copy for Entry<'_, R> {}

/// Resources of a state, by name.
pub(super) type Entries<'a, R> = Box<dyn Iterator<Item = Entry<'a, R>> + 'a>;

/// Which resources of a list, and in which order.
pub(super) struct ListQuery<R: Listed> {
    filter: Option<Expression<Condition<R>>>,
    order: Order<R>,
    show_deleted: bool,
}

impl<R: Listed> ListQuery<R> {
    /// Reads what is asked of a list in `workspace`; none: the list is of workspaces.
    ///
    /// # Errors
    /// The filter or the order is malformed, or names what the list has not.
    pub(super) fn parse(asked: Narrowing<'_>, workspace: Option<&Id>) -> Result<Self, Rejection> {
        let Narrowing {
            filter,
            order_by,
            show_deleted,
        } = asked;
        let read_filter = || {
            let terms = syntax::parse(filter)?;
            terms
                .map(|terms| terms.read(&mut |term| condition::read(&term, workspace)))
                .transpose()
        };
        let filter = read_filter().map_err(|fault| fault.of("filter"));
        let order = Order::parse(order_by).map_err(|fault| fault.of("order_by"));
        match (filter, order) {
            (Ok(filter), Ok(order)) => Ok(Self {
                filter,
                order,
                show_deleted,
            }),
            (filter, order) => {
                let violations = filter.err().into_iter().chain(order.err());
                Err(Rejection::Invalid(violations.collect()))
            }
        }
    }

    /// Whether deleted ones are asked for too.
    pub(super) fn shows_deleted(&self) -> bool {
        self.show_deleted
    }

    /// Whether it is asked for in the order in which names stand anyway.
    pub(super) fn is_by_name(&self) -> bool {
        self.order.is_by_name()
    }

    /// Whether a resource is asked for.
    pub(super) fn asks_for(&self, entry: Entry<'_, R>) -> bool {
        let matches = |filter: &Expression<Condition<R>>| filter.holds(&|condition| condition(entry));
        (self.show_deleted || R::stands(entry)) && self.filter.as_ref().is_none_or(matches)
    }

    /// So many of what is asked for behind the one with `last_key`. `entries` answers all behind a key, by name.
    pub(super) fn page<'a>(
        &self,
        last_key: Option<&str>,
        count: usize,
        entries: impl FnOnce(Option<&str>) -> Entries<'a, R>,
    ) -> Vec<Entry<'a, R>> {
        let asked_for = |entry: &Entry<'a, R>| self.asks_for(*entry);
        if self.is_by_name() {
            return entries(last_key).filter(asked_for).take(count).collect();
        }
        let ordered = self.order.sorted(entries(None).filter(asked_for));
        let begin = match last_key {
            None => 0,
            // A key that is not there is of a token that somebody made up: nothing is behind it.
            Some(last_key) => ordered
                .iter()
                .position(|entry| R::key(*entry) == last_key)
                .map_or(ordered.len(), |last| last + 1),
        };
        ordered.into_iter().skip(begin).take(count).collect()
    }
}

/// What is wrong with a filter or an order, and where.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// The place: the first character is 1.
    at: usize,
    sentence: String,
}

impl Fault {
    fn new(at: usize, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self { at, sentence }
    }

    /// As the violation of a request's field.
    fn of(self, field: &str) -> Violation {
        let Self { at, sentence } = self;
        Invalid::new(format!("at character {at}: {sentence}")).at(field)
    }
}

#[cfg(test)]
mod tests;
