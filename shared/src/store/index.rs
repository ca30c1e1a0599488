//! The global secondary indexes of the main table.

/// A global secondary index; `docs/data-model.md` says what each holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// Everything of a kind, newest first; users of a role.
    Gsi1,
    /// Things of an owner or a category, newest first; all users by name.
    Gsi2,
    /// Orders and messages of a worker; all open orders, oldest first; services by price; all
    /// users, newest first.
    Gsi3,
    /// Open orders by category, oldest first; orders that wait for a payment step (none of which is
    /// open); services of a category by price; users who may not sign in, newest first.
    Gsi4,
    /// What is due: order timers, and webhook events that were not applied yet.
    Gsi5,
    /// What an administrator should look at.
    Gsi6,
}

impl Index {
    /// Its name in `template.yaml`.
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

    /// The attributes of its partition key and its sort key.
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
