//! The texts of the document that do not belong to one operation.

/// The areas, in reading order.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("auth", "Registering, signing in and out, and your own account."),
    ("users", "Accounts, for administrators."),
    ("services", "The catalogue of services that clients can order."),
    ("orders", "Orders, from placing to completion. `GET /orders/{id}` describes all transitions."),
    ("payments", "Paying for an order."),
    ("messages", "Messages between the client and the worker of an order."),
    ("live", "Live updates: feeds, and tickets for WebSockets."),
    ("webhooks", "Events from Stripe, and what was done about them."),
    ("site", "The index, the health check, and this description."),
];

/// Returns the tag of an operation, which is its area.
pub(super) fn tag(function: &str) -> &str {
    let area = function.split('-').next().unwrap_or(function);
    TAGS.iter().map(|(name, _)| *name).find(|name| *name == area).unwrap_or("site")
}

/// The first thing a reader sees: at most one screen.
pub(super) const INTRODUCTION: &str = "\
Clients order services and pay by card, workers claim orders and do the work, and administrators \
run the marketplace. To call the API as one of them, get an access token from `POST /auth/token` and send \
it as `Authorization: Bearer ...`.

- **Errors** are `application/problem+json` (RFC 9457). `code` is stable, `type` links to an \
explanation, and `errors` lists every invalid field. Unknown fields are refused.
- **Money** is an amount in minor units (cents) and a currency. **Times** are RFC 3339, in UTC. \
**Ids** are opaque.
- **Lists** are pages. `next_cursor` and the `Link` header lead to the next page.
- **Versions**: a single resource has an `ETag`. With `If-Match`, your change is refused if somebody \
else has changed the resource. With `If-None-Match`, you don't download a version that you already \
have.
- **Retries** are safe with an `Idempotency-Key`: a repeated request takes effect once.
- **Orders** list in `actions` what you may do with them now. `GET /orders/{id}` shows all \
transitions.
- Every response has an `X-Request-Id`. Give it when you ask for help.
";
