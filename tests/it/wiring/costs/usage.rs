//! What AWS bills, and what it costs.

use std::collections::BTreeMap;
use std::ops::{Add, Mul};

/// Something that AWS bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    HttpRequests,
    SocketMessages,
    ConnectionMinutes,
    Invocations,
    GbSeconds,
    ReadUnits,
    WriteUnits,
    StoredGb,
    LogGb,
    Traces,
    SentGb,
    AlarmMetrics,
    CustomMetrics,
    Dashboards,
    Secrets,
}

/// The price of an item.
pub struct Price {
    pub item: Item,
    /// What is billed: "requests to the HTTP API".
    pub name: &'static str,
    /// How AWS states the price: "$1.00 per million".
    pub stated: &'static str,
    /// Dollars for one unit.
    pub dollars: f64,
    /// What would halve the item.
    pub halved_by: &'static str,
}

const MILLION: f64 = 1e6;

/// When the prices were looked up.
pub const PRICES_OF: &str = "June 2026";

/// AWS's list prices in us-east-1, without free tiers and volume discounts.
pub const PRICES: [Price; 15] = [
    Price {
        item: Item::HttpRequests,
        name: "requests to the HTTP API",
        stated: "$1.00 per million",
        dollars: 1.0 / MILLION,
        halved_by: "reading less: a client with a socket learns from its feed what changed, and \
                    need not ask again",
    },
    Price {
        item: Item::SocketMessages,
        name: "messages of sockets, in either direction",
        stated: "$1.00 per million of 32 KB",
        dollars: 1.0 / MILLION,
        halved_by: "a ping every eight minutes instead of every four, in web/live.js: a client \
                    then notices a dead connection later",
    },
    Price {
        item: Item::ConnectionMinutes,
        name: "minutes of open sockets",
        stated: "$0.25 per million",
        dollars: 0.25 / MILLION,
        halved_by: "closing the sockets of hidden tabs: a client that comes back misses nothing",
    },
    Price {
        item: Item::Invocations,
        name: "invocations of functions",
        stated: "$0.20 per million",
        dollars: 0.20 / MILLION,
        halved_by: "larger batches: a batching window on the streams delays pushes",
    },
    Price {
        item: Item::GbSeconds,
        name: "GB-seconds of functions, arm64",
        stated: "$0.0000133334",
        dollars: 0.000_013_333_4,
        halved_by: "128 MB instead of 256 MB, which doubles what a cold start's CPU work takes",
    },
    Price {
        item: Item::ReadUnits,
        name: "read request units of DynamoDB",
        stated: "$0.125 per million",
        dollars: 0.125 / MILLION,
        halved_by: "provisioned capacity, once the load is steady",
    },
    Price {
        item: Item::WriteUnits,
        name: "write request units of DynamoDB",
        stated: "$0.625 per million",
        dollars: 0.625 / MILLION,
        halved_by: "provisioned capacity, once the load is steady; or fewer indexes, since each \
                    index that an item is in costs a write of its own",
    },
    Price {
        item: Item::StoredGb,
        name: "GB in DynamoDB for a month, with point-in-time recovery",
        stated: "$0.25 and $0.20",
        dollars: 0.45,
        halved_by: "the table class Standard-IA for a table of mostly old orders",
    },
    Price {
        item: Item::LogGb,
        name: "GB of logs",
        stated: "$0.50, and $0.03 for each month that it is kept",
        dollars: 0.53,
        halved_by: "`LOG_LEVEL=warn`, and Lambda's own lines off (`SystemLogLevel: WARN`)",
    },
    Price {
        item: Item::Traces,
        name: "traces in X-Ray",
        stated: "$5.00 per million",
        dollars: 5.0 / MILLION,
        halved_by: "`Tracing: PassThrough`, while nobody looks at traces",
    },
    Price {
        item: Item::SentGb,
        name: "GB sent to the internet",
        stated: "$0.09",
        dollars: 0.09,
        halved_by: "compressed responses",
    },
    Price {
        item: Item::AlarmMetrics,
        name: "metrics that alarms watch, for a month",
        stated: "$0.10",
        dollars: 0.10,
        halved_by: "fewer alarms on a stage that wakes nobody",
    },
    Price {
        item: Item::CustomMetrics,
        name: "metrics of our own, for a month",
        stated: "$0.30, for each name with its dimensions, in the hours in which it has values",
        dollars: 0.30,
        halved_by: "fewer dimensions",
    },
    Price {
        item: Item::Dashboards,
        name: "dashboards, for a month",
        stated: "$3.00",
        dollars: 3.0,
        halved_by: "nothing: there is one",
    },
    Price {
        item: Item::Secrets,
        name: "secrets, for a month",
        stated: "$0.40",
        dollars: 0.40,
        halved_by: "one secret for all functions, which would give each of them all keys",
    },
];

/// The amount of each item.
#[derive(Debug, Clone, Default)]
pub struct Usage(BTreeMap<Item, f64>);

impl Usage {
    pub fn of(items: impl IntoIterator<Item = (Item, f64)>) -> Self {
        Self(items.into_iter().collect())
    }

    pub fn amount(&self, item: Item) -> f64 {
        self.0.get(&item).copied().unwrap_or_default()
    }

    /// What one item of it costs, in dollars.
    pub fn dollars(&self, price: &Price) -> f64 {
        self.amount(price.item) * price.dollars
    }

    /// What it costs together, in dollars.
    pub fn total(&self) -> f64 {
        PRICES.iter().map(|price| self.dollars(price)).sum()
    }
}

impl Add for Usage {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (item, amount) in other.0 {
            *self.0.entry(item).or_default() += amount;
        }
        self
    }
}

impl Mul<f64> for Usage {
    type Output = Self;

    fn mul(mut self, times: f64) -> Self {
        self.0.values_mut().for_each(|amount| *amount *= times);
        self
    }
}
