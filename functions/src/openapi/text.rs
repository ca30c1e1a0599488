//! What the document says beside its operations.

use shared::domain::order::diagram;

/// Areas, in reading order.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("auth", "Registering, signing in and out, and one's own account."),
    ("users", "Accounts, for administrators."),
    ("services", "The catalogue."),
    ("orders", "Placing orders and moving them; the table of moves is in the introduction."),
    ("payments", "Paying for an order, and where its money is."),
    ("messages", "What an order's client and worker write to each other."),
    ("live", "Feeds and sockets."),
    ("webhooks", "What Stripe sends, and what was done about it."),
    ("site", "The index, the health check, and this description."),
];

/// The tag of an operation: its area.
pub(super) fn tag(function: &str) -> &str {
    let area = function.split('-').next().unwrap_or(function);
    TAGS.iter().map(|(name, _)| *name).find(|name| *name == area).unwrap_or("site")
}

pub(super) fn introduction() -> String {
    format!(
        "Clients order services and pay by card, workers claim and do the work, administrators run the place.

Sign in at `POST /auth/token` and send the access token as `Authorization: Bearer ...`.

- **Errors** are `application/problem+json` (RFC 9457). `code` is stable; `type` leads to what it means and what to do. `errors` names every wrong
  field at once. Fields that are not described here are refused.
- **Money** is an amount in minor units with a currency. **Times** are RFC 3339 in UTC. **Ids** are opaque.
- **Lists** are pages: `next_cursor` and the `Link` header lead to the next.
- **Versions**: single resources carry `ETag`; `If-Match` guards a change, `If-None-Match` saves a read.
- **Repeating a request** is safe with an `Idempotency-Key`.
- Every answer carries `X-Request-Id`.

## How an order moves

`actions` in every order says what its reader may do now. All moves there are:

{}",
        diagram::table()
    )
}
