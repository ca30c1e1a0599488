//! The catalogue of services.

use serde_json::{Value, json};

use crate::support::{Client, admin, client, cloud, price, service, unique};

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
    assert_eq!(
        wrong,
        [
            ("offset".to_owned(), "unknown".to_owned()),
            ("limit".to_owned(), "out_of_range".to_owned())
        ]
    );
}

#[tokio::test]
async fn a_reader_who_has_the_version_gets_no_body() {
    let cloud = cloud();
    let id = service(cloud, "etag").await["id"].as_str().expect("an id").to_owned();
    let api = cloud.client();
    let answer = api.get(&format!("/services/{id}")).await;
    let etag = answer.header("etag").expect("an etag").to_owned();
    answer.expect(200);
    assert_eq!(
        api.with("if-none-match", &etag).get(&format!("/services/{id}")).await.expect(304),
        Value::Null
    );
    api.with("if-none-match", "\"9\"").get(&format!("/services/{id}")).await.expect(200);
}

#[tokio::test]
async fn ids_that_are_none_are_not_found() {
    let api = cloud().client();
    for id in ["x", "svc_", "SERVICE%23x", "svc_00000000000000000000000000", "%00", "..%2F..%2Fetc"]
    {
        api.get(&format!("/services/{id}")).await.problem(404, "not_found");
    }
}

/// Adds a service; its id.
async fn add(api: &Client, name: &str, description: &str, category: &str, price: Value) -> String {
    let body =
        json!({"name": name, "description": description, "category": category, "price": price});
    api.post("/services", body).await.expect(201)["id"].as_str().expect("an id").to_owned()
}

fn money(amount: i64, currency: &str) -> Value {
    json!({"amount": amount, "currency": currency})
}

/// The ids of a whole list, page by page; `between` runs after each page.
async fn walk(api: &Client, path: &str, mut between: impl AsyncFnMut()) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), path.to_owned());
    loop {
        let answer = api.get(&next).await;
        let link = answer.header("link").map(str::to_owned);
        let page = answer.expect(200);
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

async fn list(api: &Client, path: &str) -> Vec<String> {
    walk(api, path, async || ()).await
}

async fn count(api: &Client, category: &str) -> Value {
    let categories = api.get("/services/categories").await.expect(200);
    let found = categories.as_array().expect("a list").iter().find(|c| c["category"] == category);
    found.map_or(Value::Null, |found| found["count"].clone())
}

#[tokio::test]
async fn prices_order_and_bound_a_list_in_one_currency() {
    let cloud = cloud();
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
    // Over all categories, too.
    let all = list(&anyone, "/services?sort=price&limit=100&min_price=10000&max_price=10000").await;
    assert!(all.iter().any(|id| ids.get(id) == Some(&"d")));
    assert!(!all.iter().any(|id| ids.get(id) == Some(&"c")));
}

#[tokio::test]
async fn words_are_found_in_names_and_descriptions_of_any_script_whatever_the_page() {
    let cloud = cloud();
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
        let query = query.map(|(name, value)| format!("{name}={}", Client::percent(value)));
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
        .expect(200);
    assert_eq!(found("garden").await, [both]);
    assert_eq!(found("cafe").await, [cafe]);
}

#[tokio::test]
async fn a_list_stays_right_while_services_are_renamed_repriced_moved_and_deactivated() {
    let cloud = cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("moving"));
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(add(&admin, &format!("Service {n}"), "", &category, price(1000 + n)).await);
    }
    // Each walk changes the others while it is on its way: what nobody touched is seen once, in
    // order.
    let [stay, rename, reprice, gone] =
        [0, 1, 2, 3].map(|kind| ids.iter().skip(kind).step_by(4).cloned().collect::<Vec<_>>());
    for (query, forward) in
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
                .expect(200);
            admin
                .patch(
                    &path(&reprice),
                    json!({"price": price([500, 1003, 1007, 1011, 3000][round % 5])}),
                )
                .await
                .expect(200);
            // The one that was seen last may be gone when its page's cursor comes back.
            admin.delete(&path(&gone)).await.expect(204);
            admin
                .patch(&path(&gone), json!({"status": "active", "category": unique("elsewhere")}))
                .await
                .expect(200);
        })
        .await;
        let untouched: Vec<_> =
            seen.iter().filter(|id| stay.contains(id) || rename.contains(id)).collect();
        let mut expected: Vec<_> =
            ids.iter().filter(|id| stay.contains(id) || rename.contains(id)).collect();
        if !forward {
            expected.reverse();
        }
        assert_eq!(untouched, expected, "{query}");
        for id in &gone {
            admin
                .patch(&format!("/services/{id}"), json!({"category": category}))
                .await
                .expect(200);
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_the_very_same_parameters_only() {
    let cloud = cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("sealed"));
    for n in 0..3 {
        add(&admin, "Same words", "", &category, price(1000 + n)).await;
    }
    let own = format!("category={category}&q=same&sort=price&min_price=900&max_price=2000&limit=1");
    let cursor = anyone.get(&format!("/services?{own}")).await.expect(200)["next_cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let with = async |query: &str| anyone.get(&format!("/services?{query}&cursor={cursor}")).await;
    with(&own).await.expect(200);
    with(&own.replace("limit=1", "limit=2")).await.expect(200);
    for (was, is) in [
        ("q=same", "q=words"),
        ("sort=price", "sort=-price"),
        ("min_price=900", "min_price=901"),
        ("max_price=2000", "max_price=2001"),
        ("sort=price", "sort=price&currency=eur"),
        ("q=same&", ""),
        (category.as_str(), "other"),
    ] {
        with(&own.replace(was, is)).await.problem(400, "invalid_cursor");
    }
    admin
        .get(&format!("/services?{own}&status=deactivated&cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
}

#[tokio::test]
async fn wrong_parameters_of_a_list_are_all_named() {
    let api = cloud().client();
    let wrong = async |query: &str| {
        let mut wrong = api.get(&format!("/services?{query}")).await.wrong_fields();
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

#[tokio::test]
async fn a_deactivated_service_is_there_for_administrators_alone_until_it_is_active_again() {
    let cloud = cloud();
    let (admin, category) = (admin(cloud).await.api, unique("gone"));
    let (buyer, anyone) = (client(cloud).await.api, cloud.client());
    let id = add(&admin, "Short-lived", "", &category, price(700)).await;
    let (path, listed) = (format!("/services/{id}"), format!("/services?category={category}"));
    buyer.delete(&path).await.problem(403, "forbidden");
    anyone.patch(&path, json!({"name": "x"})).await.problem(401, "unauthenticated");

    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.expect(204);
    for api in [&anyone, &buyer] {
        api.get(&path).await.problem(404, "not_found");
        assert_eq!(list(api, &listed).await, [""; 0]);
    }
    buyer.post("/orders", json!({"service_id": id})).await.problem(404, "not_found");
    let seen = admin.get(&path).await;
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.expect(200)["status"], "deactivated");
    let deactivated = format!("{listed}&status=deactivated");
    assert_eq!(list(&admin, &deactivated).await, std::slice::from_ref(&id));
    assert_eq!(
        list(&admin, &format!("{deactivated}&sort=price&q=short")).await,
        std::slice::from_ref(&id)
    );
    buyer.get(&deactivated).await.problem(403, "forbidden");
    anyone.get(&deactivated).await.problem(401, "unauthenticated");

    assert_eq!(
        admin.patch(&path, json!({"status": "active"})).await.expect(200)["status"],
        "active"
    );
    assert_eq!(list(&anyone, &listed).await, [id]);
    assert_eq!(list(&admin, &deactivated).await, [""; 0]);
    admin.delete("/services/svc_0190163d8694739bae4fbe0e0bd4c5c1").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_is_refused_for_another_version() {
    let cloud = cloud();
    let admin = admin(cloud).await.api;
    let id = add(&admin, "Before", "Words", "change", price(700)).await;
    let path = format!("/services/{id}");
    let first = admin.get(&path).await;
    let etag = first.header("etag").expect("an etag").to_owned();
    let first = first.expect(200);

    let changed =
        admin.with("if-match", &etag).patch(&path, json!({"name": "  Cafe\u{301} "})).await;
    let second = changed.header("etag").expect("an etag").to_owned();
    let changed = changed.expect(200);
    assert_ne!(second, etag);
    assert_eq!(changed["name"], "Café");
    for same in ["id", "description", "category", "price", "status", "created_at"] {
        assert_eq!(changed[same], first[same], "{same}");
    }
    for stale in [etag.as_str(), "W/\"2\"", "\"x\"", "2", "", "\"2"] {
        admin
            .with("if-match", stale)
            .patch(&path, json!({"name": "Lost"}))
            .await
            .problem(412, "precondition_failed");
        admin.with("if-match", stale).delete(&path).await.problem(412, "precondition_failed");
    }
    // What changes nothing makes no new version.
    let same = admin
        .with("if-match", &format!("\"9\", {second}"))
        .patch(&path, json!({"name": "Café"}))
        .await;
    assert_eq!(same.header("etag"), Some(second.as_str()));
    assert_eq!(same.expect(200), changed);
    assert_eq!(admin.with("if-match", "*").patch(&path, json!({})).await.expect(200), changed);

    let wrong = admin
        .patch(&path, json!({"name": "", "price": {"amount": 1}, "status": "on", "id": "x", "description": 7}))
        .await;
    let mut wrong = wrong.wrong_fields();
    wrong.sort();
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["description", "id", "name", "price", "status"]);
}

#[tokio::test]
async fn texts_are_of_any_script_and_of_no_hidden_kind() {
    let admin = admin(cloud()).await.api;
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
        assert_eq!(code(field, text.to_owned()).await.expect(201)[field], text);
    }
    for (field, longest) in [("name", 100), ("category", 40), ("description", 4000)] {
        code(field, "設".repeat(longest)).await.expect(201);
        let wrong = code(field, "設".repeat(longest + 1)).await.wrong_fields();
        assert_eq!(wrong, [(field.to_owned(), "too_long".to_owned())]);
        for bad in ["a\u{0}b", "a\u{202e}b", "a\u{1b}b", "\u{feff}a"] {
            let wrong = code(field, bad.to_owned()).await.wrong_fields();
            assert_eq!(wrong, [(field.to_owned(), "control_character".to_owned())], "{bad:?}");
        }
    }
}

#[tokio::test]
async fn categories_count_their_active_services_exactly_however_many_change_them_at_once() {
    let cloud = cloud();
    let (admin, anyone) = (admin(cloud).await.api, cloud.client());
    let (first, second) = (unique("Count A "), unique("Count B "));
    assert_eq!(count(&anyone, &first).await, Value::Null);
    let adding = (0..8).map(|n| {
        let (admin, first) = (admin.clone(), first.clone());
        async move { add(&admin, &format!("S{n}"), "", &first, price(500)).await }
    });
    let ids = futures::future::join_all(adding).await;
    assert_eq!(count(&anyone, &first).await, 8);

    // All at once: half move to another category, and each of the others is deactivated three times
    // over.
    let changes = ids.iter().enumerate().flat_map(|(n, id)| {
        let (admin, path, second) = (admin.clone(), format!("/services/{id}"), second.clone());
        (0..3).map(move |_| {
            let (admin, path, second) = (admin.clone(), path.clone(), second.clone());
            async move {
                let answer = match n % 2 {
                    0 => admin.patch(&path, json!({"category": second})).await,
                    _ => admin.delete(&path).await,
                };
                assert!([200, 204, 409, 503].contains(&answer.status.as_u16()), "{answer:?}");
            }
        })
    });
    futures::future::join_all(changes).await;
    // What was too busy is asked for again.
    for (n, id) in ids.iter().enumerate() {
        match n % 2 {
            0 => drop(
                admin
                    .patch(&format!("/services/{id}"), json!({"category": second}))
                    .await
                    .expect(200),
            ),
            _ => drop(admin.delete(&format!("/services/{id}")).await.expect(204)),
        }
    }
    assert_eq!(count(&anyone, &first).await, Value::Null, "a category without services is none");
    assert_eq!(count(&anyone, &second).await, 4);
    assert_eq!(
        list(&anyone, &format!("/services?category={}", Client::percent(&second))).await.len(),
        4
    );

    // The same category, written otherwise, is shown as it was last written.
    let shouted = second.to_uppercase();
    admin.patch(&format!("/services/{}", ids[0]), json!({"category": shouted})).await.expect(200);
    assert_eq!(count(&anyone, &shouted).await, 4);
    admin
        .patch(&format!("/services/{}", ids[1]), json!({"status": "active", "category": second}))
        .await
        .expect(200);
    assert_eq!(count(&anyone, &second).await, 5);
}

#[tokio::test]
async fn a_service_that_is_added_twice_with_one_key_is_there_once_and_counted_once() {
    let cloud = cloud();
    let (admin, anyone, category) = (admin(cloud).await.api, cloud.client(), unique("Once "));
    let api = admin.with("idempotency-key", &unique("key"));
    let body =
        json!({"name": "Once", "description": "", "category": category, "price": price(500)});
    let answers =
        futures::future::join_all((0..5).map(|_| api.post("/services", body.clone()))).await;
    let replayed = answers
        .iter()
        .filter(|answer| answer.header("idempotent-replayed") == Some("true"))
        .count();
    assert_eq!(replayed, 4);
    let mut bodies: Vec<_> = answers.into_iter().map(|answer| answer.expect(201)).collect();
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert_eq!(count(&anyone, &category).await, 1);
    let mut other = body.clone();
    other["name"] = json!("Twice");
    api.post("/services", other).await.problem(422, "idempotency_key_reused");
    // The first answer, even after the service was changed.
    admin
        .patch(
            &format!("/services/{}", bodies[0]["id"].as_str().unwrap()),
            json!({"name": "Changed"}),
        )
        .await
        .expect(200);
    assert_eq!(api.post("/services", body).await.expect(201), bodies[0]);
    for bad in ["", &"x".repeat(256), "a b\u{e9}"] {
        let answer =
            admin.with("idempotency-key", bad).post("/services", json!({"name": "x"})).await;
        assert_eq!(answer.status, 422, "{bad}");
    }
}
