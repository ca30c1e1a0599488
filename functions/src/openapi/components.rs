//! What operations refer to: shared parameters, headers and ways to sign in.

use serde_json::{Value, json};

pub(super) fn parameters() -> Value {
    json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A unique key for this request, such as a UUID. Repeat the request \
                with the same key to retry safely: it takes effect once, and the repeat returns the \
                first response with `Idempotent-Replayed: true`. Using the key for a different request \
                is a 422. Without a key, each request takes effect, repeats included.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        },
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the version that you want to change, such as `\"3\"`. If the \
                resource has changed since, the request is refused (412). Without it, the change \
                applies to the current version.",
            "schema": {"type": "string"},
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of the version that you already have, such as `\"3\"`. If it is \
                still current, the response is a 304 without a body.",
            "schema": {"type": "string"},
        },
    })
}

pub(super) fn headers() -> Value {
    let text =
        |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let required = |description: &str| json!({"description": description, "required": true, "schema": {"type": "string"}});
    json!({
        "X-Request-Id": required("The id of the request. Give it when you ask for help."),
        "ETag": required("The version of the resource, for `If-Match` and `If-None-Match`."),
        "Location": required("The path of the new resource."),
        "Link": text("The next page: `<...>; rel=\"next\"` (RFC 8288). Missing on the last page."),
        "Idempotent-Replayed": {
            "description": "`true` when the response is a repeat of the first response to the same \
                request.",
            "schema": {"type": "string", "const": "true"},
        },
        "WWW-Authenticate": required("`Bearer` (RFC 6750)."),
        "Retry-After": {"description": "Seconds to wait before trying again.", "schema": {"type": "integer", "minimum": 1}},
        "Cache-Control": required("How long caches may keep the response."),
        "Content-Security-Policy": required("What the page may load: only files from this origin."),
    })
}

pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token from `POST /auth/token`.",
        },
        "password": {
            "type": "oauth2",
            "description": "Sign in with your username or e-mail address and your password. Leave \
                the client id and the client secret empty.",
            "flows": {"password": {"tokenUrl": "/auth/token", "refreshUrl": "/auth/token", "scopes": {}}},
        },
    })
}
