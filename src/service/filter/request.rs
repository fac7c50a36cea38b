//! Which lists are narrowed and ordered, and which of them have deleted ones to show.

use crate::proto::api;

/// What a request asks of a list beside its parent and its page.
#[derive(Clone, Copy, Debug)]
pub(in crate::service) struct Narrowing<'r> {
    pub(in crate::service) filter: &'r str,
    pub(in crate::service) order_by: &'r str,
    pub(in crate::service) show_deleted: bool,
}

/// A request of such a list.
pub(in crate::service) trait Narrowed {
    fn narrowing(&self) -> Narrowing<'_>;
}

impl<'r> Narrowing<'r> {
    /// What a page token is bound to.
    pub(in crate::service) fn binding(self) -> [&'r str; 3] {
        let deleted = if self.show_deleted { "show_deleted" } else { "" };
        [self.filter, self.order_by, deleted]
    }
}

macro_rules! narrowed {
    ($($Request:ident($show_deleted:expr);)*) => {
        $(
            impl Narrowed for api::$Request {
                fn narrowing(&self) -> Narrowing<'_> {
                    let show_deleted: fn(&Self) -> bool = $show_deleted;
                    Narrowing {
                        filter: &self.filter,
                        order_by: &self.order_by,
                        show_deleted: show_deleted(self),
                    }
                }
            }
        )*
    };
}

narrowed! {
    ListWorkspacesRequest(|request| request.show_deleted);
    ListTeamsRequest(|request| request.show_deleted);
    ListMembersRequest(|request| request.show_deleted);
    // Nothing of these two kinds is ever deleted.
    ListCyclesRequest(|_| false);
    ListReviewsRequest(|_| false);
    ListObjectivesRequest(|request| request.show_deleted);
    ListKeyResultsRequest(|request| request.show_deleted);
    ListInitiativesRequest(|request| request.show_deleted);
    ListCheckInsRequest(|request| request.show_deleted);
    ListKpisRequest(|request| request.show_deleted);
    ListAlertsRequest(|request| request.show_deleted);
}
