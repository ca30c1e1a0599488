//! Services. In every index, active and deactivated services are in separate partitions, so lists
//! need no filter by status.

use serde::{Deserialize, Serialize};

use super::auth_state::AuthState;
use super::category::CounterChange;
use super::cursor::{CursorKeys, Page, PageRequest};
use super::index::Index;
use super::keys;
use super::query::{Filter, Query, SortKeys};
use super::row::{Entity, Key};
use super::table::{Store, WriteOutcome};
use super::transaction::{CommitOutcome, Transaction};
use crate::domain::ids::{ServiceId, UserId};
use crate::domain::money::{Currency, Price};
use crate::domain::order::Idempotency;
use crate::domain::search::{Search, searchable};
use crate::domain::service::{Service, ServiceSort, ServiceStatus};
use crate::domain::text::CategoryKey;
use crate::error::{Error, Result};
use crate::secrets::CachedSecret;

/// A service as stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredService {
    /// The public service.
    #[serde(flatten)]
    pub service: Service,
    /// The service's name and description, normalized for search.
    #[serde(default)]
    words: String,
    /// The idempotency key of the request that created it, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Idempotency>,
}

impl StoredService {
    /// Creates the stored form of a service.
    pub fn new(service: Service, created_by: Option<Idempotency>) -> Self {
        let words = searchable(&[service.name.as_str(), service.description.as_str()]);
        Self { service, words, created_by }
    }
}

impl Entity for StoredService {
    const ENTITY: &'static str = "service";

    fn key(&self) -> Key {
        keys::service(&self.service.id)
    }

    fn indexes(&self) -> Vec<(Index, Key)> {
        let Service { id, status, price, created_at, .. } = &self.service;
        let category = self.service.category.key();
        vec![
            (Index::Gsi1, keys::index::service(*status, *created_at, id)),
            (Index::Gsi2, keys::index::service_in_category(*status, &category, *created_at, id)),
            (Index::Gsi3, keys::index::service_by_price(*status, *price, *created_at, id)),
            (
                Index::Gsi4,
                keys::index::service_in_category_by_price(
                    *status,
                    *price,
                    &category,
                    *created_at,
                    id,
                ),
            ),
        ]
    }

    fn version(&self) -> u64 {
        self.service.version
    }
}

/// Which services to list.
#[derive(Debug, Clone)]
pub struct ServiceFilter {
    /// Only services with this status.
    pub status: ServiceStatus,
    /// Only services in this category.
    pub category: Option<CategoryKey>,
    /// Only services that contain each of these words in their name or description.
    pub search: Search,
    /// Only services priced in this currency and between these amounts, both included. Required
    /// when sorting by price.
    pub price: Option<(Currency, i64, i64)>,
}

impl ServiceFilter {
    /// Returns the query for these services. The key of an index by time selects a category, that
    /// of an index by price also a currency and a range of amounts. Filters do the rest.
    fn query(&self, sort: ServiceSort) -> Result<Query> {
        let Self { status, category, search, price } = self;
        let mut filters: Vec<_> =
            search.terms().map(|needle| Filter::Contains("words", needle.to_owned())).collect();
        if sort == ServiceSort::Newest {
            if let Some((currency, min, max)) = *price {
                filters.push(Filter::Is("price.currency", currency.code().to_owned()));
                if (min, max) != (0, Price::MAX) {
                    filters.push(Filter::Within("price.amount", min, max));
                }
            }
            let (index, partition) = match category {
                None => (Index::Gsi1, keys::index::services(*status)),
                Some(category) => {
                    (Index::Gsi2, keys::index::services_in_category(*status, category))
                }
            };
            return Ok(Query { filters, ..Query::newest(index, partition) });
        }
        let (currency, min, max) = price
            .ok_or_else(|| Error::internal("services were sorted by price without a currency"))?;
        let (index, partition) = match category {
            None => (Index::Gsi3, keys::index::services_by_price(*status, currency)),
            Some(category) => {
                let partition =
                    keys::index::services_in_category_by_price(*status, currency, category);
                (Index::Gsi4, partition)
            }
        };
        let (low, high) = keys::index::price_range(min, max);
        let range = Some(SortKeys::Between(low, high));
        let forward = sort == ServiceSort::Cheapest;
        Ok(Query { range, filters, forward, ..Query::oldest(index, partition) })
    }
}

impl Store {
    /// Reads a service, active or not.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn service(&self, id: &ServiceId) -> Result<Option<StoredService>> {
        self.get(keys::service(id)).await
    }

    /// Reads a caller's authentication state and a service in one round trip.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn auth_state_and_service(
        &self,
        user: &UserId,
        session: &str,
        id: &ServiceId,
    ) -> Result<(AuthState, Option<StoredService>)> {
        self.auth_state_and(user, session, keys::service(id)).await
    }

    /// Stores a new service and counts it in its category. If the id is taken, returns a conflict
    /// with the service that has it.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn create_service(
        &self,
        service: &StoredService,
    ) -> Result<WriteOutcome<StoredService>> {
        let transaction = Transaction::default().create(self, service)?;
        self.write_service(transaction, service, CounterChange::between(None, &service.service))
            .await
    }

    /// Stores a service's next version and adjusts the counts of its categories. If another request
    /// was faster, returns a conflict with the current service.
    ///
    /// # Errors
    /// `database_unavailable` when DynamoDB is down or throttles, internal when it fails otherwise.
    pub async fn update_service(
        &self,
        next: &StoredService,
        from: &StoredService,
    ) -> Result<WriteOutcome<StoredService>> {
        let version = from.service.version;
        let changes = CounterChange::between(Some(&from.service), &next.service);
        if changes.is_empty() {
            return self.replace(next, version).await;
        }
        self.write_service(Transaction::default().replace(self, next, version)?, next, changes)
            .await
    }

    async fn write_service(
        &self,
        mut transaction: Transaction,
        service: &StoredService,
        changes: Vec<CounterChange>,
    ) -> Result<WriteOutcome<StoredService>> {
        for change in changes {
            transaction = transaction.update(change.update(&self.table)?);
        }
        match transaction.commit(&self.client).await? {
            CommitOutcome::Committed => Ok(WriteOutcome::Written),
            CommitOutcome::ConditionFailed(failed) if failed.contains(&0) => {
                Ok(WriteOutcome::Conflict(self.service(&service.service.id).await?))
            }
            CommitOutcome::ConditionFailed(_) => {
                Err(Error::internal("a category's counter is lower than its number of services"))
            }
        }
    }

    /// Returns a page of services. Sorting by price requires a currency in the filter.
    ///
    /// # Errors
    /// `invalid_cursor` if the cursor is not from this list; internal when sorting by price without
    /// a currency; `database_unavailable` when DynamoDB is down or throttles, internal when it
    /// fails otherwise.
    pub async fn services(
        &self,
        filter: &ServiceFilter,
        sort: ServiceSort,
        page: &PageRequest,
        cursors: &CachedSecret<CursorKeys>,
    ) -> Result<Page<StoredService>> {
        self.list(filter.query(sort)?, page, cursors).await
    }
}
