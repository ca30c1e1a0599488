//! Reads all items of an index that are due, for functions that run on a schedule.

use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;

use super::index::Index;
use super::keys;
use super::query::{Query, SortKeys};
use super::row::{Entity, Item, from_item};
use super::table::Store;
use crate::error::{Error, Result};

/// How many items one Query reads.
const PAGE: usize = 50;

impl Store {
    /// Streams the items in these partitions of an index whose time is `until` or earlier: page by
    /// page, and oldest first within each partition. The items have only the attributes that the
    /// index contains. An item that can't be read is an error, after which the others follow.
    pub(super) fn due_items<T: Entity + Send + 'static>(
        &self,
        index: Index,
        partitions: impl IntoIterator<Item = String>,
        until: Timestamp,
    ) -> impl Stream<Item = Result<T>> + Send {
        // `LAST` sorts after every id, so this includes all items of the last instant.
        let range = SortKeys::UpTo(format!("{}#{}", keys::time(until), keys::LAST));
        let partitions = partitions.into_iter().map(|partition| {
            let query = Query {
                range: Some(range.clone()),
                limit: PAGE,
                ..Query::oldest(index, partition)
            };
            self.pages(query).boxed()
        });
        stream::select_all(partitions)
    }

    fn pages<T: Entity + Send + 'static>(
        &self,
        query: Query,
    ) -> impl Stream<Item = Result<T>> + Send + use<T> {
        let pages = stream::try_unfold(Some((self.clone(), query)), |next| async {
            let Some((store, mut query)) = next else { return Ok(None) };
            let page = store.query_items(&query).await?;
            query.start = page.next;
            let next = query.start.is_some().then_some((store, query));
            Ok::<_, Error>(Some((page.items, next)))
        });
        pages.flat_map(|page| {
            let (items, failure) = match page {
                Ok(items) => (items, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            stream::iter(items.into_iter().map(read).chain(failure))
        })
    }
}

/// Reads an item. The error names it.
fn read<T: Entity>(item: Item) -> Result<T> {
    let key = item.get("pk").and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
    from_item(item).map_err(|error| Error::internal(format!("{key}: {}", error.cause())))
}
