//! `GET /users`: lists users for an administrator, newest first. `?q=` lists the users whose
//! username starts with it, sorted by username.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde_json::Value;
use shared::domain::user::{Role, UserStatus, Username};
use shared::error::Result;
use shared::store::UserFilter;

use crate::auth::UserView;
use crate::http::page::{Cursor, Limit};
use crate::http::{
    Endpoint, FieldErrors, FieldValue, Reply, Request, Who, body, current_caller, page, text,
};
use crate::openapi::{Answer, Operation};
use crate::runtime::context::Listing;

const ENDPOINT: Endpoint = Endpoint::get("/users", Who::Admin);

body! {
    /// Filters of the list.
    struct Query {
        /// Only users with this role. Default: all.
        role: Option<Role>,
        /// Only users with this status. Default: all.
        status: Option<UserStatus>,
        /// Only users whose username starts with this, in any case, sorted by username. Default:
        /// all, newest first.
        q: Option<UsernamePrefix>,
        limit: Option<Limit>,
        cursor: Option<Cursor>,
    }
}

/// The start of a username.
#[derive(JsonSchema)]
#[schemars(inline, extend("type" = "string", "minLength" = 1, "maxLength" = Username::MAX, "pattern" = "^[A-Za-z0-9._-]+$"))]
struct UsernamePrefix(String);

impl FieldValue for UsernamePrefix {
    fn read(name: &str, value: Value) -> std::result::Result<Self, FieldErrors> {
        text(Username::parse_prefix)(name, value).map(Self)
    }
}

/// Returns one page of users.
///
/// # Errors
/// 403 unless the caller is an administrator; 422 for wrong or unknown parameters; 400 for a cursor
/// of another list.
pub async fn handle(context: &Listing, request: Request) -> Result<Reply> {
    let claims = request.caller(ENDPOINT.who, &context.verifier)?;
    let Query { role, status, q, limit, cursor } = request.query_as()?;
    let filter = UserFilter { role, status, username_prefix: q.map(|prefix| prefix.0) };
    let page = page::page_request(limit, cursor);
    // Both at once. The caller's account is checked as it is now, not as the token says, because
    // this is other people's data.
    let (state, listed) = futures::join!(
        context.store.auth_state(&claims.sub, &claims.sid),
        context.store.users(&filter, &page, &context.cursors)
    );
    current_caller(&claims, &state?, Timestamp::now())?;
    let listed = listed?;
    page::reply(&request, listed.items.iter().map(UserView::from).collect(), listed.next_cursor)
}

/// This endpoint in the API description.
pub fn describe() -> Operation {
    Operation::new(&ENDPOINT, "List users")
        .query::<Query>()
        .answer(Answer::page::<UserView<'_>>("One page of users."))
}
