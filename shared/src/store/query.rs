//! Lists: each is a Query of one partition in key order, page by page. Nothing here uses Scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::cursor::{CursorKeys, Page, PageRequest};
use super::error::sdk_error;
use super::index::Index;
use super::row::{Entity, Item, from_item, number, string};
use super::table::Store;
use crate::error::Result;
use crate::secrets::CachedSecret;

/// A read of one partition, in key order.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// The index to read, or `None` for the table itself.
    pub(crate) index: Option<Index>,
    pub(crate) partition: String,
    /// The sort keys to read, or `None` for the whole partition.
    pub(crate) range: Option<SortKeys>,
    /// Keeps only items that match all of these.
    pub(crate) filters: Vec<Filter>,
    /// Whether sort keys ascend.
    pub(crate) forward: bool,
    /// How many items to read, before filters drop any.
    pub(crate) limit: usize,
    /// The key after which to start, or `None` for the first page.
    pub(crate) start: Option<Item>,
}

/// A range of sort keys, both ends included. DynamoDB rejects an empty string as a key value, so
/// a range without a lower end is a variant of its own instead of a `Between` from `""`.
#[derive(Debug, Clone)]
pub(crate) enum SortKeys {
    /// From the first to the second.
    Between(String, String),
    /// Everything up to this key.
    UpTo(String),
}

/// A condition on a field of an item's `doc` (`price.amount` is a nested field). DynamoDB filters
/// items after reading them, so the ones it drops cost read capacity too.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    /// The field equals this text.
    Is(&'static str, String),
    /// The field contains this text.
    Contains(&'static str, String),
    /// The number is in this range, both ends included.
    Within(&'static str, i64, i64),
}

/// A page as DynamoDB returns it.
#[derive(Debug, Clone)]
pub(crate) struct QueryPage<T> {
    /// The items, in the list's order.
    pub(crate) items: Vec<T>,
    /// The start key of the next page, or `None` on the last page.
    pub(crate) next: Option<Item>,
}

impl Query {
    /// Reads a partition of the table itself, in the order of its sort keys.
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

    /// Reads an index's partition, newest first.
    pub(crate) fn newest(index: Index, partition: String) -> Self {
        Self { index: Some(index), forward: false, ..Self::table(partition) }
    }

    /// Reads an index's partition, oldest first.
    pub(crate) fn oldest(index: Index, partition: String) -> Self {
        Self { forward: true, ..Self::newest(index, partition) }
    }

    /// The names of the attributes that are the partition key and the sort key.
    fn attributes(&self) -> (&'static str, &'static str) {
        self.index.map_or(("pk", "sk"), Index::attributes)
    }

    /// Returns a text that identifies the list: everything in the query except the page. The list's
    /// cursors are sealed for this text, so renaming a variant that appears in it invalidates the
    /// cursors that clients hold.
    fn list_id(&self) -> String {
        let Self { index, partition, range, filters, forward, limit: _, start: _ } = self;
        format!("{index:?} {partition:?} {range:?} {filters:?} {forward}")
    }

    /// Returns the start key of a page that begins after this item.
    fn position_after(&self, item: &Item) -> Item {
        let (pk, sk) = self.attributes();
        let keys = ["pk", "sk", pk, sk].into_iter();
        keys.filter_map(|key| Some((key.to_owned(), item.get(key)?.clone()))).collect()
    }
}

impl Filter {
    /// Returns the filter's expression. Adds the attribute names and values that it uses to `names`
    /// and `values`. The placeholders contain `position`, which makes them unique among the filters
    /// of a query.
    fn condition(
        &self,
        position: usize,
        names: &mut HashMap<String, String>,
        values: &mut HashMap<String, AttributeValue>,
    ) -> String {
        let at = position;
        let mut path = |path: &str| {
            let parts = path.split('.').enumerate().map(|(part, name)| {
                names.insert(format!("#f{at}_{part}"), name.to_owned());
                format!("#f{at}_{part}")
            });
            format!("doc.{}", parts.collect::<Vec<_>>().join("."))
        };
        match self {
            Self::Is(field, text) => {
                values.insert(format!(":f{at}"), string(text));
                format!("{} = :f{at}", path(field))
            }
            Self::Contains(field, text) => {
                values.insert(format!(":f{at}"), string(text));
                format!("contains({}, :f{at})", path(field))
            }
            Self::Within(field, low, high) => {
                values.extend([
                    (format!(":f{at}_low"), number(low)),
                    (format!(":f{at}_high"), number(high)),
                ]);
                format!("{} BETWEEN :f{at}_low AND :f{at}_high", path(field))
            }
        }
    }
}

/// How many items a filtered list reads per Query: enough that one Query usually finds a whole
/// page.
const FILTERED_BATCH: usize = 100;

/// The most Queries that a filtered list sends for one page.
const FILTERED_READS: usize = 10;

impl Store {
    /// Returns one page of a list, with the cursor of the next page.
    ///
    /// With filters it reads on until the page is full, but at most [`FILTERED_READS`] times. After
    /// that the page may be short or even empty, and its cursor continues the search.
    pub(crate) async fn list<T: Entity>(
        &self,
        query: Query,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<T>> {
        let list_id = query.list_id();
        let mut position = cursors.open(&list_id, page.cursor.as_deref()).await?;
        // Reading one more item than requested shows whether there is a next page.
        let batch = if query.filters.is_empty() { 0 } else { FILTERED_BATCH };
        let limit = batch.max(page.limit + 1);
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
            position = found.last().map(|last| query.position_after(last));
        }
        let items = found.into_iter().map(from_item).collect::<Result<_>>()?;
        let next_cursor = position.map(|position| cursors.seal(&list_id, &position)).transpose()?;
        Ok(Page { items, next_cursor })
    }

    /// Reads one page of an index or of a partition of the table.
    pub(crate) async fn query<T: Entity>(&self, query: &Query) -> Result<QueryPage<T>> {
        let page = self.query_items(query).await?;
        let items = page.items.into_iter().map(from_item).collect::<Result<_>>()?;
        Ok(QueryPage { items, next: page.next })
    }

    /// Like [`Store::query`], with the items as they are stored.
    pub(super) async fn query_items(&self, query: &Query) -> Result<QueryPage<Item>> {
        let (pk, sk) = query.attributes();
        let mut names = HashMap::from([("#pk".to_owned(), pk.to_owned())]);
        let mut values = HashMap::from([(":pk".to_owned(), string(&query.partition))]);
        let mut condition = "#pk = :pk".to_owned();
        if let Some(range) = &query.range {
            names.insert("#sk".to_owned(), sk.to_owned());
            match range {
                SortKeys::Between(low, high) => {
                    values.extend([
                        (":low".to_owned(), string(low)),
                        (":high".to_owned(), string(high)),
                    ]);
                    condition.push_str(" AND #sk BETWEEN :low AND :high");
                }
                SortKeys::UpTo(high) => {
                    values.insert(":high".to_owned(), string(high));
                    condition.push_str(" AND #sk <= :high");
                }
            }
        }
        let filters = query.filters.iter().enumerate();
        let filters: Vec<_> = filters
            .map(|(position, filter)| filter.condition(position, &mut names, &mut values))
            .collect();
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
            .map_err(sdk_error)?;
        Ok(QueryPage { items: out.items.unwrap_or_default(), next: out.last_evaluated_key })
    }
}
