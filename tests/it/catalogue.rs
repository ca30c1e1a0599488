//! The catalogue of services.

use serde_json::{Value, json};

use crate::support::{admin, client, cloud, price, service, unique};

#[tokio::test]
async fn only_administrators_add_services() {
    let cloud = cloud();
    let body = json!({"name": "S", "description": "", "category": "C", "price": price(1999)});
    cloud.client().post("/services", body.clone()).await.problem(401, "unauthenticated");
    client(cloud).await.api.post("/services", body).await.problem(403, "forbidden");
}

#[tokio::test]
async fn prices_are_whole_minor_units_within_what_stripe_charges() {
    let api = admin(cloud()).await.api;
    let wrong = async |price: Value| {
        let body = json!({"name": "S", "description": "", "category": "C", "price": price});
        api.post("/services", body).await.wrong_fields()
    };
    for bad in [
        json!(19.99),
        json!("19.99"),
        json!({"amount": 19.99, "currency": "usd"}),
        json!({"amount": 1999, "currency": "xxx"}),
    ] {
        assert_eq!(wrong(bad).await, [("price".to_owned(), "invalid".to_owned())]);
    }
    assert_eq!(wrong(price(49)).await, [("price.amount".to_owned(), "amount_too_small".to_owned())]);
    assert_eq!(wrong(price(-500)).await, [("price.amount".to_owned(), "amount_too_small".to_owned())]);
    assert_eq!(wrong(price(100_000_000)).await, [("price.amount".to_owned(), "amount_too_large".to_owned())]);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_and_its_cursor_fits_no_other_list() {
    let cloud = cloud();
    let category = unique("pages");
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(service(cloud, &category).await["id"].clone());
    }
    made.reverse();
    let api = cloud.client();
    let (mut seen, mut path) = (Vec::new(), format!("/services?category={category}&limit=2"));
    let cursor = loop {
        let answer = api.get(&path).await;
        let link = answer.header("link").map(str::to_owned);
        let page = answer.expect(200);
        seen.extend(page["items"].as_array().expect("items").iter().map(|s| s["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break path };
        path = format!("/services?category={category}&limit=2&cursor={cursor}");
        assert_eq!(link, Some(format!("<{path}>; rel=\"next\"")));
    };
    assert_eq!(seen, made, "newest first, each once");
    let foreign = cursor.replace(&category, "other");
    api.get(&foreign).await.problem(400, "invalid_cursor");
    api.get("/services?cursor=made-up").await.problem(400, "invalid_cursor");
    let wrong = api.get("/services?limit=0&offset=3").await.wrong_fields();
    assert_eq!(wrong, [("offset".to_owned(), "unknown".to_owned()), ("limit".to_owned(), "out_of_range".to_owned())]);
}

#[tokio::test]
async fn a_reader_who_has_the_version_gets_no_body() {
    let cloud = cloud();
    let id = service(cloud, "etag").await["id"].as_str().expect("an id").to_owned();
    let api = cloud.client();
    let answer = api.get(&format!("/services/{id}")).await;
    let etag = answer.header("etag").expect("an etag").to_owned();
    answer.expect(200);
    assert_eq!(api.with("if-none-match", &etag).get(&format!("/services/{id}")).await.expect(304), Value::Null);
    api.with("if-none-match", "\"9\"").get(&format!("/services/{id}")).await.expect(200);
}

#[tokio::test]
async fn ids_that_are_none_are_not_found() {
    let api = cloud().client();
    for id in ["x", "svc_", "SERVICE%23x", "svc_00000000000000000000000000", "%00", "..%2F..%2Fetc"] {
        api.get(&format!("/services/{id}")).await.problem(404, "not_found");
    }
}
