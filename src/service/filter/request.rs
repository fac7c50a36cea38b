//! Which lists are narrowed and ordered, and which of them have deleted ones to show.

use crate::proto::api;

/// What a request asks of a list beside its parent and its page.
#[derive(Clone, Copy, Debug, Default)]
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
    ($($Request:ident $(with $show_deleted:ident)?;)*) => {
        $(
            impl Narrowed for api::$Request {
                fn narrowing(&self) -> Narrowing<'_> {
                    Narrowing {
                        filter: &self.filter,
                        order_by: &self.order_by,
                        $(show_deleted: self.$show_deleted,)?
                        ..Narrowing::default()
                    }
                }
            }
        )*
    };
}

narrowed! {
    ListWorkspacesRequest with show_deleted;
    ListTeamsRequest with show_deleted;
    ListMembersRequest with show_deleted;
    // Nothing of these two kinds is ever deleted.
    ListCyclesRequest;
    ListReviewsRequest;
    ListObjectivesRequest with show_deleted;
    ListKeyResultsRequest with show_deleted;
    ListInitiativesRequest with show_deleted;
    ListCheckInsRequest with show_deleted;
    ListKpisRequest with show_deleted;
}
