//! The global secondary indexes of the main table.

/// A global secondary index. `docs/data-model.md` shows the keys of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// All orders, services by status, users by role, and webhook events by state: each newest
    /// first.
    Gsi1,
    /// A client's orders, an order's messages, and the services of a category, newest first. All
    /// users by username.
    Gsi2,
    /// A worker's orders, an order's messages with one worker, and all users, newest first. All
    /// open orders, oldest first. Services by price.
    Gsi3,
    /// The open orders of a category, oldest first. Orders that wait for a payment step, which are
    /// never open. The services of a category by price. Users who may not sign in, newest first.
    Gsi4,
    /// What scheduled functions must handle: order timers, and webhook events that were not applied
    /// yet.
    Gsi5,
    /// Orders that an administrator should look at.
    Gsi6,
}

impl Index {
    /// The index's name in `template.yaml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gsi1 => "gsi1",
            Self::Gsi2 => "gsi2",
            Self::Gsi3 => "gsi3",
            Self::Gsi4 => "gsi4",
            Self::Gsi5 => "gsi5",
            Self::Gsi6 => "gsi6",
        }
    }

    /// The names of the attributes that are the index's partition key and sort key.
    pub const fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Gsi1 => ("gsi1pk", "gsi1sk"),
            Self::Gsi2 => ("gsi2pk", "gsi2sk"),
            Self::Gsi3 => ("gsi3pk", "gsi3sk"),
            Self::Gsi4 => ("gsi4pk", "gsi4sk"),
            Self::Gsi5 => ("gsi5pk", "gsi5sk"),
            Self::Gsi6 => ("gsi6pk", "gsi6sk"),
        }
    }
}
