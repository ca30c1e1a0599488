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
    /// What would about halve the item, and at which price: the end of "It could be halved by".
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
        halved_by: "reading less, since a client with a socket learns from its feed what changed",
    },
    Price {
        item: Item::SocketMessages,
        name: "WebSocket messages, in either direction",
        stated: "$1.00 per million of 32 KB",
        dollars: 1.0 / MILLION,
        halved_by: "pinging every eight minutes instead of every four (web/live.js), but clients \
                    would notice dead connections later",
    },
    Price {
        item: Item::ConnectionMinutes,
        name: "WebSocket connection minutes",
        stated: "$0.25 per million",
        dollars: 0.25 / MILLION,
        halved_by: "closing the sockets of hidden tabs, which get missed entries when they return",
    },
    Price {
        item: Item::Invocations,
        name: "invocations of functions",
        stated: "$0.20 per million",
        dollars: 0.20 / MILLION,
        halved_by: "larger batches, but a batching window on the streams delays pushes",
    },
    Price {
        item: Item::GbSeconds,
        name: "GB-seconds of functions, arm64",
        stated: "$0.0000133334",
        dollars: 0.000_013_333_4,
        halved_by: "giving functions 128 MB instead of 256 MB, but cold starts would get half the CPU",
    },
    Price {
        item: Item::ReadUnits,
        name: "DynamoDB read request units",
        stated: "$0.125 per million",
        dollars: 0.125 / MILLION,
        halved_by: "provisioned capacity, once the load is steady",
    },
    Price {
        item: Item::WriteUnits,
        name: "DynamoDB write request units",
        stated: "$0.625 per million",
        dollars: 0.625 / MILLION,
        halved_by: "provisioned capacity, once the load is steady, or by fewer indexes, since each \
                    index that an item is in costs another write",
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
        halved_by: "`LogLevel=WARN`, and `SystemLogLevel: WARN`, which turns off Lambda's own lines",
    },
    Price {
        item: Item::Traces,
        name: "traces in X-Ray",
        stated: "$5.00 per million",
        dollars: 5.0 / MILLION,
        halved_by: "`Tracing: PassThrough`, while nobody needs traces",
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
        name: "alarm metrics, for a month",
        stated: "$0.10",
        dollars: 0.10,
        halved_by: "fewer alarms, on a stage where nobody has to be woken",
    },
    Price {
        item: Item::CustomMetrics,
        name: "custom metrics, for a month",
        stated: "$0.30, for each name with its dimensions, in the hours in which it has values",
        dollars: 0.30,
        halved_by: "fewer dimensions",
    },
    Price {
        item: Item::Dashboards,
        name: "dashboards, for a month",
        stated: "$3.00",
        dollars: 3.0,
        halved_by: "nothing, but each account has three dashboards for free",
    },
    Price {
        item: Item::Secrets,
        name: "secrets, for a month",
        stated: "$0.40",
        dollars: 0.40,
        halved_by: "keeping all keys in one secret, but then every function could read all of them",
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
