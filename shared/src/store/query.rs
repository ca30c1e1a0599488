//! Lists: a Query of one partition in key order, page by page. There is no Scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::cursor::Page;
use super::error::failed;
use super::row::{Entity, Item, from_item};
use super::transaction::{n, s};
use super::{CursorKey, Index, Listed, PageRequest, Store};
use crate::error::Result;

/// A read of one partition, in key order.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) index: Option<Index>,
    pub(crate) partition: String,
    /// The sort keys to read; all of the partition's when `None`.
    pub(crate) range: Option<SortKeys>,
    /// Only items of which all of these hold.
    pub(crate) filters: Vec<Filter>,
    pub(crate) forward: bool,
    pub(crate) limit: usize,
    pub(crate) start: Option<Item>,
}

/// A range of sort keys, both ends included. DynamoDB refuses an empty string as the value of a
/// key, so a range that is open at its lower end says so instead of starting at `""`.
#[derive(Debug, Clone)]
pub(crate) enum SortKeys {
    /// From the first to the second.
    Between(String, String),
    /// Everything up to this one.
    UpTo(String),
}

/// A condition on a field of an item's `doc` (`price.amount` is a field within one). Items are
/// filtered after they are read, and paid for.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// The text is this.
    Is(&'static str, String),
    /// The text holds this.
    Contains(&'static str, String),
    /// The number lies between these, both included.
    Within(&'static str, i64, i64),
}

impl Query {
    /// A partition of the table itself, in the order of its sort keys.
    pub(crate) fn table(partition: String) -> Self {
        Self {
            index: None,
            partition,
            range: None,
            filters: Vec::new(),
            forward: true,
            limit: 100,
            start: None,
        }
    }

    /// An index's partition, newest first.
    pub(crate) fn newest(index: Index, partition: String) -> Self {
        Self { index: Some(index), forward: false, ..Self::table(partition) }
    }

    /// An index's partition, oldest first.
    pub(crate) fn oldest(index: Index, partition: String) -> Self {
        Self { forward: true, ..Self::newest(index, partition) }
    }

    /// Partition and sort key attribute.
    fn attributes(&self) -> (&'static str, &'static str) {
        self.index.map_or(("pk", "sk"), Index::attributes)
    }

    /// All that makes it this list and no other: what its cursors are sealed for.
    fn name(&self) -> String {
        let Self { index, partition, range, filters, forward, limit: _, start: _ } = self;
        format!("{index:?} {partition:?} {range:?} {filters:?} {forward}")
    }

    /// The position right after this item.
    fn after(&self, item: &Item) -> Item {
        let (pk, sk) = self.attributes();
        let keys = ["pk", "sk", pk, sk].into_iter();
        keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect()
    }
}

impl Filter {
    /// Its condition; names and values that it speaks of are added, under names that `at` makes its
    /// own.
    fn condition(
        &self,
        at: usize,
        names: &mut HashMap<String, String>,
        values: &mut HashMap<String, AttributeValue>,
    ) -> String {
        let mut path = |path: &str| {
            let parts = path.split('.').enumerate().map(|(part, name)| {
                names.insert(format!("#f{at}_{part}"), name.to_owned());
                format!("#f{at}_{part}")
            });
            format!("doc.{}", parts.collect::<Vec<_>>().join("."))
        };
        match self {
            Self::Is(field, text) => {
                values.insert(format!(":f{at}"), s(text));
                format!("{} = :f{at}", path(field))
            }
            Self::Contains(field, text) => {
                values.insert(format!(":f{at}"), s(text));
                format!("contains({}, :f{at})", path(field))
            }
            Self::Within(field, low, high) => {
                values.extend([(format!(":f{at}_low"), n(low)), (format!(":f{at}_high"), n(high))]);
                format!("{} BETWEEN :f{at}_low AND :f{at}_high", path(field))
            }
        }
    }
}

/// Items that a filtered list reads at once: one Query mostly finds a whole page then.
const FILTERED_AT_ONCE: usize = 100;

/// Reads that a filtered list may take for one page.
const FILTERED_READS: usize = 10;

impl Store {
    /// One page of a list that a caller asked for, with the cursor to go on with. With filters it
    /// reads on until the page is full, up to [`FILTERED_READS`] times; what it gives then may be
    /// short of the limit, even empty, with a cursor that goes on.
    pub(crate) async fn list<T: Entity>(
        &self,
        query: Query,
        page: &PageRequest,
        cursors: &CursorKey,
    ) -> Result<Listed<T>> {
        let name = query.name();
        let mut position =
            page.cursor.as_deref().map(|cursor| cursors.open(&name, cursor)).transpose()?;
        // One more than asked for tells whether there is more.
        let least = if query.filters.is_empty() { 0 } else { FILTERED_AT_ONCE };
        let limit = least.max(page.limit + 1);
        let mut found: Vec<Item> = Vec::new();
        for _ in 0..FILTERED_READS {
            let read =
                self.query_items(&Query { limit, start: position.take(), ..query.clone() }).await?;
            found.extend(read.items);
            position = read.next;
            if position.is_none() || found.len() > page.limit {
                break;
            }
        }
        if found.len() > page.limit {
            found.truncate(page.limit);
            position = found.last().map(|last| query.after(last));
        }
        let items = found.into_iter().map(from_item).collect::<Result<_>>()?;
        let next_cursor = position.map(|position| cursors.seal(&name, &position)).transpose()?;
        Ok(Listed { items, next_cursor })
    }

    /// One page of an index or of one partition of the table.
    pub(crate) async fn query<T: Entity>(&self, query: &Query) -> Result<Page<T>> {
        let page = self.query_items(query).await?;
        let items = page.items.into_iter().map(from_item).collect::<Result<_>>()?;
        Ok(Page { items, next: page.next })
    }

    async fn query_items(&self, query: &Query) -> Result<Page<Item>> {
        let (pk, sk) = query.attributes();
        let mut names = HashMap::from([("#pk".to_owned(), pk.to_owned())]);
        let mut values = HashMap::from([(":pk".to_owned(), s(&query.partition))]);
        let mut condition = "#pk = :pk".to_owned();
        if let Some(range) = &query.range {
            names.insert("#sk".to_owned(), sk.to_owned());
            match range {
                SortKeys::Between(low, high) => {
                    values.extend([(":low".to_owned(), s(low)), (":high".to_owned(), s(high))]);
                    condition.push_str(" AND #sk BETWEEN :low AND :high");
                }
                SortKeys::UpTo(high) => {
                    values.insert(":high".to_owned(), s(high));
                    condition.push_str(" AND #sk <= :high");
                }
            }
        }
        let filters = query.filters.iter().enumerate();
        let filters: Vec<_> =
            filters.map(|(at, filter)| filter.condition(at, &mut names, &mut values)).collect();
        let out = self
            .client
            .query()
            .table_name(&self.table)
            .set_index_name(query.index.map(|i| i.name().to_owned()))
            .key_condition_expression(condition)
            .set_filter_expression((!filters.is_empty()).then(|| filters.join(" AND ")))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(query.forward)
            .consistent_read(query.index.is_none())
            .limit(i32::try_from(query.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(query.start.clone())
            .send()
            .await
            .map_err(failed)?;
        Ok(Page { items: out.items.unwrap_or_default(), next: out.last_evaluated_key })
    }
}
