//! `GET /services?q=`.

use serde_json::json;

use super::{add, list};
use crate::support::{Client, admin, price, shared_cloud, unique};

#[tokio::test]
async fn words_are_found_in_names_and_descriptions_of_any_script() {
    let cloud = shared_cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("Wörter "));
    let other = category.to_uppercase();
    let cafe = add(&admin, "Café Möbel", "Straße und Tisch", &category, price(500)).await;
    let site = add(&admin, "網站設計", "レスポンシブ", &category, price(500)).await;
    let both = add(&admin, "Web design", "For your café", &other, price(500)).await;
    for n in 0..6 {
        add(&admin, &format!("Filler {n}"), "nothing", &category, price(500)).await;
    }
    let found = async |words: &str| {
        let query = [("category", category.as_str()), ("q", words), ("limit", "1")];
        let query = query.map(|(name, value)| format!("{name}={}", Client::percent_encode(value)));
        list(&anyone, &format!("/services?{}", query.join("&"))).await
    };
    assert_eq!(found("cafe").await, [both.clone(), cafe.clone()]);
    assert_eq!(found("CAFÉ strasse").await, std::slice::from_ref(&cafe));
    assert_eq!(found("设計").await, [""; 0]);
    assert_eq!(found("設計").await, [site]);
    assert_eq!(found("desi").await, std::slice::from_ref(&both));
    assert_eq!(found("esign").await, [""; 0]);
    assert_eq!(found(" ?! \0").await.len(), 9, "no words: everything");
    // A renamed service is found by its new words only.
    admin
        .patch(&format!("/services/{both}"), json!({"name": "Garden", "description": ""}))
        .await
        .expect_status(200);
    assert_eq!(found("garden").await, [both]);
    assert_eq!(found("cafe").await, [cafe]);
}
