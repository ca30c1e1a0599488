//! Sweeps: everything that is due in an index, for functions that run by the clock.

use futures::{Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::query::SortKeys;
use super::row::Entity;
use super::{Index, Query, Store, keys};
use crate::error::{Error, Result};

/// Items per page of a sweep.
const PAGE: usize = 50;

impl Store {
    /// What lies in these partitions of an index with a time up to `until`: page by page, oldest
    /// first within each partition. What an index does not carry is missing in it.
    pub(super) fn sweep<T: Entity + Send + 'static>(
        &self,
        index: Index,
        partitions: impl IntoIterator<Item = String>,
        until: Timestamp,
    ) -> impl Stream<Item = Result<T>> + Send {
        // Up to every id of the last instant.
        let range = SortKeys::UpTo(format!("{}#{}", keys::time(until), keys::LAST));
        let partitions = partitions.into_iter().map(|partition| {
            let query = Query {
                range: Some(range.clone()),
                limit: PAGE,
                ..Query::oldest(index, partition)
            };
            self.pages(query).boxed()
        });
        stream::select_all(partitions.collect::<Vec<_>>())
    }

    fn pages<T: Entity + Send + 'static>(
        &self,
        query: Query,
    ) -> impl Stream<Item = Result<T>> + Send + use<T> {
        let pages = stream::try_unfold(Some((self.clone(), query)), |next| async {
            let Some((store, mut query)) = next else { return Ok(None) };
            let page = store.query(&query).await?;
            query.start = page.next;
            let next = query.start.is_some().then_some((store, query));
            Ok::<_, Error>(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
        });
        pages.try_flatten()
    }
}
