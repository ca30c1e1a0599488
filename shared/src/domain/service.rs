//! Services: what clients can order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::ServiceId;
use super::money::Price;
use super::text::{Category, Description, Name};
use crate::domain::string_enum::string_enum;

string_enum! {
    /// Whether a service can be ordered.
    ServiceStatus {
        /// The service is listed and can be ordered.
        Active = "active",
        /// The service was deleted. Only administrators see it, and existing orders of it continue.
        Deactivated = "deactivated",
    }
}

string_enum! {
    /// How services are sorted.
    ServiceSort {
        /// Newest first.
        Newest = "newest",
        /// Lowest price first; among equal prices, oldest first.
        Cheapest = "price",
        /// Highest price first; among equal prices, newest first.
        MostExpensive = "-price",
    }
}

/// A service of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The service's id.
    pub id: ServiceId,
    /// The name. Searches look at it.
    pub name: Name,
    /// The description. Searches look at it.
    pub description: Description,
    /// The category. Workers who serve it see the service's orders in their pool.
    pub category: Category,
    /// The price of new orders. Existing orders keep their price.
    pub price: Price,
    /// Whether the service can be ordered.
    pub status: ServiceStatus,
    /// When the service was created.
    pub created_at: Timestamp,
    /// When the service last changed.
    pub updated_at: Timestamp,
    /// The version. It starts at 1 and grows by 1 with each change. Every write is conditional on
    /// it.
    pub version: u64,
}

/// The fields of a new service.
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

/// A change to a service. Fields that are `None` stay as they are.
#[derive(Debug, Clone, Default)]
pub struct ServiceChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new description.
    pub description: Option<Description>,
    /// A new category, which applies to new orders.
    pub category: Option<Category>,
    /// A new price, which applies to new orders.
    pub price: Option<Price>,
    /// A new status.
    pub status: Option<ServiceStatus>,
}

impl Service {
    /// Creates an active service with version 1.
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

    /// Returns the service after a change, or `None` if the change has no effect.
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

    /// Returns whether the service can be ordered.
    pub fn is_active(&self) -> bool {
        self.status == ServiceStatus::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::fixture::service;

    #[test]
    fn a_change_affects_only_the_named_fields_and_increments_the_version() {
        let before = service();
        let at = before.updated_at + jiff::SignedDuration::from_secs(1);
        let name = Name::parse("Icon").unwrap();
        let after = before
            .changed(ServiceChange { name: Some(name.clone()), ..ServiceChange::default() }, at)
            .unwrap();
        assert_eq!(after, Service { name, version: 2, updated_at: at, ..before });
    }

    #[test]
    fn a_change_without_effect_returns_none() {
        let same = ServiceChange { price: Some(service().price), ..ServiceChange::default() };
        assert_eq!(service().changed(same, Timestamp::MAX), None);
        assert_eq!(service().changed(ServiceChange::default(), Timestamp::MAX), None);
    }
}
