//! Lists and expansion.

use super::Sandbox;

#[tokio::test]
async fn lists_are_newest_first_and_paged_by_cursor() {
    let sandbox = Sandbox::start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.insert(0, sandbox.intent().await.id());
    }
    let page = async |query: &str| {
        let list = sandbox.get(&format!("/v1/payment_intents?{query}")).await.json;
        let data = list["data"].as_array().unwrap_or_else(|| panic!("{list}"));
        let found: Vec<_> =
            data.iter().map(|intent| intent["id"].as_str().unwrap().to_owned()).collect();
        (found, list["has_more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, (ids.clone(), false));
    assert_eq!(page("limit=2").await, (ids[..2].to_vec(), true));
    assert_eq!(
        page(&format!("limit=2&starting_after={}", ids[1])).await,
        (ids[2..4].to_vec(), true)
    );
    assert_eq!(
        page(&format!("limit=3&starting_after={}", ids[1])).await,
        (ids[2..].to_vec(), false)
    );
    assert_eq!(
        page(&format!("limit=2&ending_before={}", ids[3])).await,
        (ids[1..3].to_vec(), true)
    );
    assert_eq!(page("created[gt]=1&created[lte]=99999999999").await.0, ids);
    assert_eq!(page("created[lt]=1000").await.0, Vec::<String>::new());
    assert_eq!(
        sandbox.get("/v1/payment_intents?limit=101").await.error(),
        (400, "parameter_invalid_integer")
    );
}

#[tokio::test]
async fn only_ids_can_be_expanded() {
    let sandbox = Sandbox::start().await;
    let id = sandbox.pay("pm_card_visa").await.id();
    let path = format!("/v1/payment_intents/{id}");
    let expanded = sandbox
        .get(&format!("{path}?expand[]=latest_charge.payment_intent&expand[]=payment_method"))
        .await
        .json;
    assert_eq!(expanded["latest_charge"]["payment_intent"]["id"], id.as_str());
    assert_eq!(expanded["payment_method"]["card"]["last4"], "4242");
    for odd in ["status", "colour", "latest_charge.amount.x"] {
        let reply = sandbox.get(&format!("{path}?expand[]={odd}")).await;
        assert_eq!(reply.status, 400, "{odd}: {}", reply.text);
    }
}
