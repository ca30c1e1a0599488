//! Counts the active services of each category. A counter changes in the same transaction as the
//! service.

use aws_sdk_dynamodb::types::{AttributeValue, Update};
use serde::{Deserialize, Serialize};

use super::keys;
use super::query::Query;
use super::row::{Entity, Key, number, string};
use super::table::Store;
use crate::domain::service::Service;
use crate::domain::text::Category;
use crate::error::{Error, Result};

/// A category and its number of active services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryCount {
    /// The category, spelled as in the service that was last stored in it.
    pub category: Category,
    /// The number of active services in it.
    pub count: u64,
}

impl Entity for CategoryCount {
    const ENTITY: &'static str = "category";
    // Stored beside `doc`, because `ADD` only works on top-level attributes.
    const UNPROJECTED_FIELDS: &'static [&'static str] = &["count"];

    fn key(&self) -> Key {
        keys::category(&self.category.key())
    }
}

/// A change to one category's counter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CounterChange {
    /// Counts one more service, and adopts this spelling of the category.
    Add(Category),
    /// Leaves the count as it is, but adopts this spelling of the category.
    Respell(Category),
    /// Counts one service fewer.
    Remove(Category),
}

impl CounterChange {
    /// Returns the counter changes for a change of a service: one for the category that it leaves
    /// and one for the category that it joins.
    pub(super) fn between(from: Option<&Service>, to: &Service) -> Vec<Self> {
        let from = from.filter(|service| service.is_active()).map(|service| &service.category);
        let to = Some(&to.category).filter(|_| to.is_active());
        match (from, to) {
            (Some(from), Some(to)) if from == to => Vec::new(),
            (Some(from), Some(to)) if from.key() == to.key() => vec![Self::Respell(to.clone())],
            (from, to) => from
                .cloned()
                .map(Self::Remove)
                .into_iter()
                .chain(to.cloned().map(Self::Add))
                .collect(),
        }
    }

    /// Creates the update of the counter's item. Its condition keeps the counter from falling below
    /// zero.
    pub(super) fn update(self, table: &str) -> Result<Update> {
        let (category, change) = match &self {
            Self::Add(category) => (category, 1),
            Self::Respell(category) => (category, 0),
            Self::Remove(category) => (category, -1),
        };
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(keys::category(&category.key()).into_item()))
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":change", number(change))
            .expression_attribute_values(":one", number(1));
        let update = match &self {
            Self::Remove(_) => update
                .update_expression("ADD #count :change, version :one")
                .condition_expression("#count >= :one"),
            Self::Add(_) | Self::Respell(_) => update
                .update_expression(
                    "SET entity = :entity, #schema = :one, doc = :doc \
                     ADD #count :change, version :one",
                )
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":entity", string(CategoryCount::ENTITY))
                .expression_attribute_values(
                    ":doc",
                    AttributeValue::M([("category".to_owned(), string(category.as_str()))].into()),
                ),
        };
        update.build().map_err(Error::internal)
    }
}

impl Store {
    /// Returns the categories that have active services, sorted by name. There is no pagination:
    /// categories are few, because only administrators create them.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn categories(&self) -> Result<Vec<CategoryCount>> {
        let mut query = Query { limit: 1000, ..Query::table(keys::categories()) };
        let mut found: Vec<CategoryCount> = Vec::new();
        loop {
            let page = self.query(&query).await?;
            found.extend(page.items);
            query.start = page.next;
            if query.start.is_none() {
                found.retain(|category| category.count > 0);
                return Ok(found);
            }
        }
    }
}
