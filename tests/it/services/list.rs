//! `GET /services`.

use serde_json::{Value, json};

use super::{add, list, walk};
use crate::support::{admin, new_service, price, shared_cloud, unique};

#[tokio::test]
async fn pages_are_newest_first_and_a_cursor_of_another_list_is_rejected() {
    let cloud = shared_cloud();
    let category = unique("pages");
    let mut created = Vec::new();
    for _ in 0..5 {
        created.push(new_service(cloud, &category).await["id"].clone());
    }
    created.reverse();
    let api = cloud.client();
    let (mut seen, mut path) = (Vec::new(), format!("/services?category={category}&limit=2"));
    let last_path = loop {
        let answer = api.get(&path).await;
        let link = answer.header("link").map(str::to_owned);
        let page = answer.expect_status(200);
        seen.extend(page["items"].as_array().expect("items").iter().map(|s| s["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break path };
        path = format!("/services?category={category}&limit=2&cursor={cursor}");
        assert_eq!(link, Some(format!("<{path}>; rel=\"next\"")));
    };
    assert_eq!(seen, created, "newest first, each once");
    let other_list = last_path.replace(&category, "other");
    api.get(&other_list).await.problem(400, "invalid_cursor");
    api.get("/services?cursor=made-up").await.problem(400, "invalid_cursor");
    let wrong = api.get("/services?limit=0&offset=3").await.field_errors();
    assert_eq!(
        wrong,
        [
            ("offset".to_owned(), "unknown".to_owned()),
            ("limit".to_owned(), "out_of_range".to_owned())
        ]
    );
}

fn money(amount: i64, currency: &str) -> Value {
    json!({"amount": amount, "currency": currency})
}

#[tokio::test]
async fn prices_sort_and_filter_within_one_currency() {
    let cloud = shared_cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("prices"));
    let mut ids = std::collections::BTreeMap::new();
    for (name, price) in [
        ("b", price(900)),
        ("d", price(10_000)),
        ("a", price(80)),
        ("c", price(1000)),
        ("max", price(99_999_999)),
        ("yen", money(500, "jpy")),
        ("euro", money(950, "eur")),
    ] {
        ids.insert(add(&admin, name, "", &category, price).await, name);
    }
    let names = async |query: &str| {
        let listed = list(&anyone, &format!("/services?category={category}&{query}")).await;
        listed.iter().map(|id| ids[id]).collect::<Vec<_>>()
    };
    assert_eq!(names("sort=price&limit=2").await, ["a", "b", "c", "d", "max"]);
    assert_eq!(names("sort=-price&limit=1").await, ["max", "d", "c", "b", "a"]);
    assert_eq!(names("sort=price&min_price=900&max_price=1000").await, ["b", "c"]);
    assert_eq!(names("sort=-price&min_price=901").await, ["max", "d", "c"]);
    assert_eq!(names("sort=price&max_price=899").await, ["a"]);
    assert_eq!(
        names("min_price=900&max_price=10000&limit=1").await,
        ["c", "d", "b"],
        "newest first"
    );
    assert_eq!(names("sort=price&currency=jpy").await, ["yen"]);
    assert_eq!(names("currency=eur").await, ["euro"]);
    assert_eq!(names("max_price=1000&currency=eur").await, ["euro"]);
    assert_eq!(
        names("limit=3").await,
        ["euro", "yen", "max", "c", "a", "d", "b"],
        "all currencies"
    );
    // Sorting by price also works across categories.
    let all = list(&anyone, "/services?sort=price&limit=100&min_price=10000&max_price=10000").await;
    assert!(all.iter().any(|id| ids.get(id) == Some(&"d")));
    assert!(!all.iter().any(|id| ids.get(id) == Some(&"c")));
}

#[tokio::test]
async fn a_list_stays_correct_while_services_change_between_pages() {
    let cloud = shared_cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("moving"));
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(add(&admin, &format!("Service {n}"), "", &category, price(1000 + n)).await);
    }
    // Services change between the pages. Unchanged and renamed services keep their position in the
    // list, so they are seen once, in order.
    let [stay, rename, reprice, gone] =
        [0, 1, 2, 3].map(|kind| ids.iter().skip(kind).step_by(4).cloned().collect::<Vec<_>>());
    for (query, oldest_first) in
        [("sort=price&limit=2", true), ("sort=-price&limit=1", false), ("limit=1", false)]
    {
        let mut round: usize = 0;
        let seen = walk(&anyone, &format!("/services?category={category}&{query}"), async || {
            let at = round % 3;
            round += 1;
            let path = |list: &[String]| format!("/services/{}", list[at]);
            admin
                .patch(&path(&rename), json!({"name": format!("Renamed {round}")}))
                .await
                .expect_status(200);
            admin
                .patch(
                    &path(&reprice),
                    json!({"price": price([500, 1003, 1007, 1011, 3000][round % 5])}),
                )
                .await
                .expect_status(200);
            // The last service of a page may be gone when its cursor is used.
            admin.delete(&path(&gone)).await.expect_status(204);
            admin
                .patch(&path(&gone), json!({"status": "active", "category": unique("elsewhere")}))
                .await
                .expect_status(200);
        })
        .await;
        let kept_in_place: Vec<_> =
            seen.iter().filter(|id| stay.contains(id) || rename.contains(id)).collect();
        let mut expected: Vec<_> =
            ids.iter().filter(|id| stay.contains(id) || rename.contains(id)).collect();
        if !oldest_first {
            expected.reverse();
        }
        assert_eq!(kept_in_place, expected, "{query}");
        for id in &gone {
            admin
                .patch(&format!("/services/{id}"), json!({"category": category}))
                .await
                .expect_status(200);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_valid_only_with_the_filters_and_the_sorting_it_was_issued_for() {
    let cloud = shared_cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("sealed"));
    for n in 0..3 {
        add(&admin, "Same words", "", &category, price(1000 + n)).await;
    }
    let issued_for =
        format!("category={category}&q=same&sort=price&min_price=900&max_price=2000&limit=1");
    let cursor =
        anyone.get(&format!("/services?{issued_for}")).await.expect_status(200)["next_cursor"]
            .as_str()
            .expect("a cursor")
            .to_owned();
    let use_cursor =
        async |query: &str| anyone.get(&format!("/services?{query}&cursor={cursor}")).await;
    use_cursor(&issued_for).await.expect_status(200);
    use_cursor(&issued_for.replace("limit=1", "limit=2")).await.expect_status(200);
    for (was, is) in [
        ("q=same", "q=words"),
        ("sort=price", "sort=-price"),
        ("min_price=900", "min_price=901"),
        ("max_price=2000", "max_price=2001"),
        ("sort=price", "sort=price&currency=eur"),
        ("q=same&", ""),
        (category.as_str(), "other"),
    ] {
        use_cursor(&issued_for.replace(was, is)).await.problem(400, "invalid_cursor");
    }
    admin
        .get(&format!("/services?{issued_for}&status=deactivated&cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
}

#[tokio::test]
async fn all_wrong_parameters_are_reported_together() {
    let api = shared_cloud().client();
    let wrong = async |query: &str| {
        let mut wrong = api.get(&format!("/services?{query}")).await.field_errors();
        wrong.sort();
        wrong.into_iter().map(|(field, code)| format!("{field} {code}")).collect::<Vec<_>>()
    };
    let all =
        "sort=cheap&min_price=-1&max_price=1.5&currency=USD&status=x&limit=101&category=&page=2";
    assert_eq!(
        wrong(all).await,
        [
            "category too_short",
            "currency unknown_currency",
            "limit out_of_range",
            "max_price out_of_range",
            "min_price out_of_range",
            "page unknown",
            "sort invalid",
            "status invalid",
        ]
    );
    assert_eq!(wrong("min_price=2&max_price=1").await, ["max_price out_of_range"]);
    assert_eq!(wrong("sort=price&sort=price").await, ["sort repeated"]);
    assert_eq!(wrong(&format!("q={}", "x".repeat(101))).await, ["q too_long"]);
    assert_eq!(wrong("min_price=99999999999999999999999").await, ["min_price out_of_range"]);
}
