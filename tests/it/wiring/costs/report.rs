//! Writes docs/costs.md.

use super::HOURS_PER_MONTH;
use super::meter::{
    DATABASE_CALL_MS, HASH_MS, INVOCATION_MS, LOG_BYTES, RESPONSE_BYTES, STRIPE_CALL_MS,
};
use super::usage::{Item, PRICES, PRICES_OF, Price, Usage};
use crate::support::workspace;
use crate::wiring::{paragraph, updates};

/// The sample month: orders, and sockets that are always connected.
const SAMPLE_ORDERS: f64 = 10_000.0;
const SAMPLE_SOCKETS: f64 = 100.0;
/// How many more metrics of our own it sends in every hour than an idle month: orders by five
/// statuses, paid payments, stored webhooks, the inbox's age, pushes by two outcomes.
const SAMPLE_METRICS: f64 = 10.0;

/// The text of docs/costs.md, for the usage of an idle month, an order, and a connected hour.
pub fn document(idle: &Usage, order: &Usage, hour: &Usage) -> String {
    let (orders, hours) = (order.clone() * 1000.0, hour.clone() * 1000.0);
    let sample = idle.clone()
        + order.clone() * SAMPLE_ORDERS
        + hour.clone() * (SAMPLE_SOCKETS * HOURS_PER_MONTH)
        + Usage::of([(Item::CustomMetrics, SAMPLE_METRICS)]);
    let mut text = format!("# Costs\n\n{}\n", paragraph(INTRODUCTION));
    text.push_str(&format!(
        "| | a month without traffic | 1,000 orders | 1,000 connected hours |\n\
         |---|---|---|---|\n\
         | **AWS bills** | **${:.2}** | **${:.2}** | **${:.2}** |\n\n",
        idle.total(),
        orders.total(),
        hours.total(),
    ));
    text.push_str(&paragraph(&format!(
        "A month with {} orders, and {SAMPLE_SOCKETS} sockets that are always connected, costs \
         ${:.2}. These are its three largest items:",
        rounded(SAMPLE_ORDERS),
        sample.total()
    )));
    text.push('\n');
    for price in largest(&sample) {
        text.push_str(&paragraph(&format!(
            "- **{}**, ${:.2}. It could be halved by {}.",
            price.name,
            sample.dollars(price),
            price.halved_by
        )));
    }
    text.push_str(&table(idle, &orders, &hours));
    text.push_str(&assumptions());
    text
}

/// The three items that cost most.
fn largest(usage: &Usage) -> Vec<&'static Price> {
    let mut prices: Vec<_> = PRICES.iter().collect();
    prices.sort_by(|a, b| usage.dollars(b).total_cmp(&usage.dollars(a)));
    prices.truncate(3);
    prices
}

/// All items, with amounts and dollars.
fn table(idle: &Usage, orders: &Usage, hours: &Usage) -> String {
    let mut text = String::from(
        "\n## The items\n\n\
         | item | price | idle month | | 1,000 orders | | 1,000 connected hours | |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let cells = |usage: &Usage, price: &Price| match usage.amount(price.item) {
        0.0 => " | ".to_owned(),
        amount => format!("{} | ${:.3}", rounded(amount), usage.dollars(price)),
    };
    for price in &PRICES {
        if [idle, orders, hours].iter().all(|usage| usage.amount(price.item) == 0.0) {
            continue;
        }
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            price.name,
            price.stated,
            cells(idle, price),
            cells(orders, price),
            cells(hours, price),
        ));
    }
    text
}

fn assumptions() -> String {
    let items = [
        format!(
            "The prices are AWS's list prices in us-east-1 of {PRICES_OF}, without free tiers."
        ),
        "*An order* means: both parties sign in; the client lists services and reads one, places \
         the order, pays and confirms; the worker lists the open orders and accepts; each sends a \
         message, and reads the messages and the order; the worker delivers, and the client \
         completes the order. Every further worker of the category who is online costs one more \
         WebSocket message."
            .to_owned(),
        "*A connected hour* means: 15 pings with their pongs (web/live.js pings every four minutes), \
         and half of a reconnect, which takes a ticket, a handshake and a hello (API Gateway closes \
         a socket after two hours)."
            .to_owned(),
        format!(
            "Requests, units and frames are counted, and so are invocations that call DynamoDB (all \
             except those of `/`, `/health`, the key set and the documentation). Durations are \
             estimates, because they can't be measured on a laptop: {INVOCATION_MS} ms for an \
             invocation, {DATABASE_CALL_MS} ms more for each call to DynamoDB, {STRIPE_CALL_MS} \
             ms for a call to Stripe, {HASH_MS} ms for hashing a password. Sizes are estimates, \
             too: {LOG_BYTES} bytes of log for an invocation, {RESPONSE_BYTES} bytes for a \
             response or a frame."
        ),
        "If tracing is on, each invocation counts as a trace. In fact Lambda traces only the first \
         request of each second and 5 percent of the others, so a busy stack pays for fewer."
            .to_owned(),
        format!(
            "A metric of our own is billed for the hours in which it is sent, once for each value \
             of its dimensions. The sample month sends {SAMPLE_METRICS} more than the idle one. \
             Rare ones, such as refused refunds, cost nothing until they happen."
        ),
        "Stripe's fees are not included. They are much higher: about 3 percent of each payment."
            .to_owned(),
    ];
    let items = items.map(|item| paragraph(&format!("- {item}")));
    format!("\n## How it is computed\n\n{}", items.concat())
}

/// A number with three significant digits: `1234.5` becomes `1,230`.
fn rounded(number: f64) -> String {
    if number < 1.0 {
        return format!("{number:.4}");
    }
    let scale = 10f64.powf((number.log10().floor() - 2.0).max(0.0));
    let digits = ((number / scale).round() * scale).to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut text = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    match fraction.get(..1) {
        Some(tenth) if whole.len() < 3 => format!("{text}.{tenth}"),
        _ => text,
    }
}

/// Asserts that docs/costs.md is up to date, or writes it when `UPDATE_WIRING` is set.
pub fn check_or_update(document: &str) {
    let path = workspace().join("docs/costs.md");
    if updates() {
        std::fs::write(&path, document).expect("docs can be written");
    }
    // DynamoDB Local counts units differently.
    if std::env::var("LOCAL_FLAGS").is_ok_and(|flags| flags.contains("--dynamodb")) {
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let ((text, dollars), (new_text, new_dollars)) = (split(&committed), split(document));
    let stale = "docs/costs.md is outdated: run UPDATE_WIRING=1 cargo test -p tests wiring";
    assert_eq!(text, new_text, "{stale}");
    // A stream's records may arrive in one batch or in several, which are more invocations.
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 0.02 + 0.2 * a.max(*b);
    assert!(
        dollars.iter().zip(&new_dollars).all(near),
        "{stale}; it says {dollars:?}, and costs are {new_dollars:?}"
    );
}

/// The document without numbers, and its amounts of dollars.
fn split(document: &str) -> (String, Vec<f64>) {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let dollars = document.split('$').skip(1).filter_map(|rest| {
        let number = rest.split(|c| !is_digit(c)).next()?.trim_end_matches(['.', ',']);
        number.replace(',', "").parse().ok()
    });
    (document.replace(is_digit, "").split_whitespace().collect(), dollars.collect())
}

const INTRODUCTION: &str = "\
What AWS bills for a stack, computed from counted requests, database units and pushes. \
`UPDATE_WIRING=1 cargo test -p tests wiring` generates this page: it runs an order and its sockets \
on a local cloud, and multiplies what they use by AWS's prices.";
