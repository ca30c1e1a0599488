//! `POST /services`.

use serde_json::{Value, json};

use super::count;
use crate::support::{admin, new_client, price, shared_cloud, unique};

#[tokio::test]
async fn only_administrators_create_services() {
    let cloud = shared_cloud();
    let body = json!({"name": "S", "description": "", "category": "C", "price": price(1999)});
    cloud.client().post("/services", body.clone()).await.problem(401, "unauthenticated");
    new_client(cloud).await.api.post("/services", body).await.problem(403, "forbidden");
}

#[tokio::test]
async fn prices_are_whole_minor_units_within_what_stripe_charges() {
    let api = admin(shared_cloud()).await.api;
    let wrong = async |price: Value| {
        let body = json!({"name": "S", "description": "", "category": "C", "price": price});
        api.post("/services", body).await.field_errors()
    };
    for bad in [json!(19.99), json!("19.99"), json!({"amount": 1999, "currency": "xxx"})] {
        assert_eq!(wrong(bad).await, [("price".to_owned(), "invalid".to_owned())]);
    }
    for float in [json!(19.99), json!(1999.0), json!(1e300)] {
        let amount = json!({"amount": float, "currency": "usd"});
        assert_eq!(wrong(amount).await, [("price.amount".to_owned(), "not_whole".to_owned())]);
    }
    assert_eq!(
        wrong(price(49)).await,
        [("price.amount".to_owned(), "amount_too_small".to_owned())]
    );
    assert_eq!(
        wrong(price(-500)).await,
        [("price.amount".to_owned(), "amount_too_small".to_owned())]
    );
    assert_eq!(
        wrong(price(100_000_000)).await,
        [("price.amount".to_owned(), "amount_too_large".to_owned())]
    );
}

#[tokio::test]
async fn texts_may_use_any_script_but_no_control_characters() {
    let admin = admin(shared_cloud()).await.api;
    let code = async |field: &str, text: String| {
        let mut body =
            json!({"name": "Name", "description": "", "category": "texts", "price": price(500)});
        body[field] = json!(text);
        admin.post("/services", body).await
    };
    for (field, text) in [
        ("name", "تصميم المواقع"),
        ("name", "👩\u{200d}🎨 Künstlerin"),
        ("category", "Веб-дизайн"),
        ("description", "Zeile\nZeile\tTab"),
    ] {
        assert_eq!(code(field, text.to_owned()).await.expect_status(201)[field], text);
    }
    for (field, longest) in [("name", 100), ("category", 40), ("description", 4000)] {
        code(field, "設".repeat(longest)).await.expect_status(201);
        let wrong = code(field, "設".repeat(longest + 1)).await.field_errors();
        assert_eq!(wrong, [(field.to_owned(), "too_long".to_owned())]);
        for bad in ["a\u{0}b", "a\u{202e}b", "a\u{1b}b", "\u{feff}a"] {
            let wrong = code(field, bad.to_owned()).await.field_errors();
            assert_eq!(wrong, [(field.to_owned(), "control_character".to_owned())], "{bad:?}");
        }
    }
}

#[tokio::test]
async fn a_repeated_idempotency_key_creates_and_counts_one_service() {
    let cloud = shared_cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("Once "));
    let api = admin.with_header("idempotency-key", &unique("key"));
    let body =
        json!({"name": "Once", "description": "", "category": category, "price": price(500)});
    let answers =
        futures::future::join_all((0..5).map(|_| api.post("/services", body.clone()))).await;
    let replayed = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 4);
    let mut bodies: Vec<_> = answers.into_iter().map(|answer| answer.expect_status(201)).collect();
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(count(&anyone, &category).await, 1);
    let mut other = body.clone();
    other["name"] = json!("Twice");
    api.post("/services", other).await.problem(422, "idempotency_key_reused");
    // A later change does not alter the first answer.
    admin
        .patch(
            &format!("/services/{}", bodies[0]["id"].as_str().unwrap()),
            json!({"name": "Changed"}),
        )
        .await
        .expect_status(200);
    assert_eq!(api.post("/services", body).await.expect_status(201), bodies[0]);
    for bad in ["", &"x".repeat(256), "two words", "a\ttab", "caf\u{e9}"] {
        let answer =
            admin.with_header("idempotency-key", bad).post("/services", json!({"name": "x"})).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
}
