//! What operations refer to: shared parameters, headers, and how one signs in.

use serde_json::{Value, json};

pub(super) fn parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Your own name for this request, such as a UUID. A repeated request with the same \
                key has no further effect: it gets the first answer again, with `Idempotent-Replayed: true`. \
                The same key with a different request is a 422.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the version to change, such as `\"3\"`. If the version is another one by now, \
                nothing changes and the answer is 412.",
            "schema": {"type": "string"},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of the version you have, such as `\"3\"`. If it is still the current one, the answer \
                is 304 without a body.",
            "schema": {"type": "string"},
        },
    })
}

pub(super) fn headers() -> Value {
    let text =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let required = |description: &str| json!({"description": description, "required": true, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": required("What to name when asking for help."),
        "ETag": required("The version: for `If-Match` and `If-None-Match`."),
        "Location": required("Where the new resource is."),
        "Link": text("`<...>; rel=\"next\"` (RFC 8288), unless it is the last page."),
        "Idempotent-Replayed": {
            "description": "`true` when this is the first answer to the same request, given again.",
            "schema": {"type": "string", "const": "true"},
        },
        "WWW-Authenticate": required("`Bearer` (RFC 6750)."),
        "Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer", "minimum": 1}},
        "Cache-Control": required("How long it may be kept."),
        "Content-Security-Policy": required("What the page may load: only what is served here."),
    })
}

pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token, as `POST /auth/token` gives it.",
        },
        "password": {
            "type": "oauth2",
            "description": "Sign in with username (or e-mail) and password. Client id and secret stay empty.",
            "flows": {"password": {"tokenUrl": "/auth/token", "refreshUrl": "/auth/token", "scopes": {}}},
        },
    })
}
