//! The catalogue of services.

mod categories;
mod create;
mod delete;
mod get;
mod list;
mod search;
mod update;

use serde_json::{Value, json};

use crate::support::Client;

/// Creates a service and returns its id.
async fn add(api: &Client, name: &str, description: &str, category: &str, price: Value) -> String {
    let body =
        json!({"name": name, "description": description, "category": category, "price": price});
    api.post("/services", body).await.expect_status(201)["id"].as_str().expect("an id").to_owned()
}

/// Returns the ids on all pages of a list. Runs `between` after each page except the last.
async fn walk(api: &Client, path: &str, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), path.to_owned());
    loop {
        let answer = api.get(&next).await;
        let link = answer.header("link").map(str::to_owned);
        let page = answer.expect_status(200);
        ids.extend(
            page["items"]
                .as_array()
                .expect("items")
                .iter()
                .map(|s| s["id"].as_str().expect("an id").to_owned()),
        );
        assert_eq!(page["next_cursor"].is_null(), link.is_none());
        let Some(link) = link else { return ids };
        between().await;
        next = link
            .strip_prefix('<')
            .and_then(|l| l.strip_suffix(">; rel=\"next\""))
            .expect("a link")
            .to_owned();
    }
}

/// Returns the ids on all pages of a list.
async fn list(api: &Client, path: &str) -> Vec<String> {
    walk(api, path, async || ()).await
}

/// Returns the number of services that `GET /services/categories` gives for a category, or null.
async fn count(api: &Client, category: &str) -> Value {
    let categories = api.get("/services/categories").await.expect_status(200);
    let found = categories.as_array().expect("a list").iter().find(|c| c["category"] == category);
    found.map_or(Value::Null, |found| found["count"].clone())
}
