//! `GET /auth/me`.

use crate::support::shared_cloud;

#[tokio::test]
async fn a_missing_or_invalid_token_is_rejected() {
    let api = shared_cloud().client();
    let answer = api.get("/auth/me").await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    answer.problem(401, "unauthenticated");
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        api.bearer(token).get("/auth/me").await.problem(401, "invalid_token");
    }
}
