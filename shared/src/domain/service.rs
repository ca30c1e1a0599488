//! Services: what can be ordered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::ServiceId;
use super::money::Price;
use super::text::{Category, Description, Name};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// Whether a service can be ordered.
    ServiceStatus {
        /// Listed and ordered.
        Active = "active",
        /// Deleted: known to admins only. Orders of it go on.
        Deactivated = "deactivated",
    }
}

string_enum! {
    /// In which order services are listed.
    ServiceSort {
        /// By when they were added, the last first.
        Newest = "newest",
        /// By price, the lowest first; of equal prices the oldest.
        Cheapest = "price",
        /// By price, the highest first; of equal prices the newest.
        MostExpensive = "-price",
    }
}

/// A service of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Which.
    pub id: ServiceId,
    /// Shown, and searched by word.
    pub name: Name,
    /// Shown, and searched by word.
    pub description: Description,
    /// Which workers it goes to.
    pub category: Category,
    /// What an order of it costs from now on; existing orders keep theirs.
    pub price: Price,
    /// Whether it can be ordered.
    pub status: ServiceStatus,
    /// When created.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Starts at 1, one more with every change; the condition of every write.
    pub version: u64,
}

/// A service to be.
#[derive(Debug, Clone)]
pub struct NewService {
    /// See [`Service::name`].
    pub name: Name,
    /// See [`Service::description`].
    pub description: Description,
    /// See [`Service::category`].
    pub category: Category,
    /// See [`Service::price`].
    pub price: Price,
}

/// What is to change of a service; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ServiceChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new description.
    pub description: Option<Description>,
    /// A new category, for orders to come.
    pub category: Option<Category>,
    /// A new price, for orders to come.
    pub price: Option<Price>,
    /// Deactivated, or active again.
    pub status: Option<ServiceStatus>,
}

impl Service {
    /// An active service, version 1.
    pub fn new(id: ServiceId, new: NewService, at: Timestamp) -> Self {
        let NewService { name, description, category, price } = new;
        let status = ServiceStatus::Active;
        Self {
            id,
            name,
            description,
            category,
            price,
            status,
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    /// The service after a change; `None` when it changes nothing.
    pub fn changed(&self, change: ServiceChange, at: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        next.name = change.name.unwrap_or(next.name);
        next.description = change.description.unwrap_or(next.description);
        next.category = change.category.unwrap_or(next.category);
        next.price = change.price.unwrap_or(next.price);
        next.status = change.status.unwrap_or(next.status);
        if next == *self {
            return None;
        }
        next.version += 1;
        next.updated_at = at.max(self.updated_at);
        Some(next)
    }

    /// Whether it can be ordered.
    pub fn is_active(&self) -> bool {
        self.status == ServiceStatus::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::fixture::service;

    #[test]
    fn a_change_touches_what_it_names_and_counts_one_version() {
        let before = service();
        let at = before.updated_at + jiff::SignedDuration::from_secs(1);
        let name = Name::parse("Icon").unwrap();
        let after = before
            .changed(ServiceChange { name: Some(name.clone()), ..ServiceChange::default() }, at)
            .unwrap();
        assert_eq!(after, Service { name, version: 2, updated_at: at, ..before });
    }

    #[test]
    fn a_change_that_changes_nothing_is_none() {
        let same = ServiceChange { price: Some(service().price), ..ServiceChange::default() };
        assert_eq!(service().changed(same, Timestamp::MAX), None);
        assert_eq!(service().changed(ServiceChange::default(), Timestamp::MAX), None);
    }
}
