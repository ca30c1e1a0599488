//! Access tokens: forged ones are rejected, and only the `Authorization` header is read.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::{ForgedToken, local_env, new_client, shared_cloud};

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    i64::try_from(now.as_secs()).expect("a time")
}

/// Each token differs from a valid one in one respect. `auth/keys.rs` shows that unaltered copies
/// are accepted.
#[tokio::test]
async fn a_forged_token_is_rejected() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let good = ForgedToken::copy_of(&user);
    let mut forged: Vec<(String, String)> = Vec::new();
    let mut add = |what: String, token: String| forged.push((what, token));

    let public: Value = serde_json::from_str(&local_env("JWT_PUBLIC_KEYS")).unwrap();
    let x = public["keys"][0]["x"].as_str().unwrap();
    for alg in ["none", "None", "NONE", "", "ES256", "RS256", "HS256", "Ed25519"] {
        let forge = good.header("alg", json!(alg));
        add(format!("alg {alg}, signed"), forge.signed());
        add(format!("alg {alg}, unsigned"), forge.with_signature(&[]));
    }
    let hmac = good.header("alg", json!("HS256"));
    add("HS256 with the key's text".into(), hmac.hmac(x.as_bytes()));
    add(
        "HS256 with the key's bytes".into(),
        hmac.hmac(&BASE64URL_NOPAD.decode(x.as_bytes()).unwrap()),
    );
    add("HS256 with the key set".into(), hmac.hmac(local_env("JWT_PUBLIC_KEYS").as_bytes()));
    add("no alg".into(), good.header("alg", Value::Null).signed());
    for typ in [Value::Null, json!("JWT"), json!("refresh+jwt"), json!(7)] {
        add(format!("typ {typ}"), good.header("typ", typ).signed());
    }
    let kids = [
        "",
        "local-3",
        "local-1#",
        "../local-1",
        "local-1\0",
        "LOCAL-1",
        "local-2",
        "' OR 1=1",
        &"k".repeat(4096),
    ];
    for kid in
        kids.map(|kid| json!(kid)).into_iter().chain([Value::Null, json!(1), json!(["local-1"])])
    {
        let name: String = kid.to_string().chars().take(20).collect();
        add(format!("kid {name}"), good.header("kid", kid).signed());
    }
    let (by_unknown_key, unknown_key) = good.signed_with_unknown_key();
    add("signed with an unknown key".into(), by_unknown_key);
    let injected = [
        ("jwk", unknown_key),
        ("jku", json!(format!("{}/.well-known/jwks.json", cloud.ready.http))),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("extra", json!(1)),
    ];
    for (name, value) in injected {
        let forge = good.header(name, value);
        add(format!("header {name}, signed with our key"), forge.signed());
        add(
            format!("header {name}, signed with an unknown key"),
            forge.signed_with_unknown_key().0,
        );
    }
    for claim in ["iss", "aud", "exp", "iat", "sub", "jti", "role", "sid"] {
        add(format!("no {claim}"), good.claim(claim, Value::Null).signed());
        add(format!("{claim} is a list"), good.claim(claim, json!([good.claims[claim]])).signed());
        add(format!("{claim} is true"), good.claim(claim, json!(true)).signed());
    }
    let altered = [
        ("iss", json!("another")),
        ("aud", json!("another")),
        ("exp", json!(now() - 60)),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("iat", json!(now() + 3600)),
        ("nbf", json!(now() + 3600)),
        ("jti", json!("")),
        ("sub", json!("usr_1#SESSION")),
        ("sub", json!("svc_00000000000000000000000000")),
        ("role", json!("root")),
    ];
    for (claim, value) in altered {
        add(format!("{claim} is {value}"), good.claim(claim, value).signed());
    }
    // The signed message with another signature, and the signature over another message.
    let token = good.signed();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut flipped = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    flipped[0] ^= 1;
    add("one bit of the signature flipped".into(), good.with_signature(&flipped));
    add("half a signature".into(), format!("{message}.{}", &signature[..40]));
    add("no signature".into(), format!("{message}."));
    add("two parts".into(), message.to_owned());
    add("four parts".into(), format!("{token}.{signature}"));
    let admin = good
        .claim("role", json!("admin"))
        .with_signature(&BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap());
    add("another role under the same signature".into(), admin);
    add("padded".into(), format!("{token}="));
    add("the refresh token".into(), user.refresh_token.clone());

    let api = cloud.client();
    let refused = futures::future::join_all(forged.iter().map(|(_, token)| {
        let api = api.bearer(token);
        async move { api.get("/auth/me").await }
    }));
    for ((what, _), answer) in forged.iter().zip(refused.await) {
        assert_eq!(answer.status, 401, "{what}: {:#}", answer.body);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{what}");
        let detail = answer.problem(401, "invalid_token")["detail"].clone();
        assert!(
            detail.as_str().unwrap().starts_with("The access token is not valid"),
            "{what}: every forged token gets the same response: {detail}"
        );
    }
}

/// These tokens have valid signatures but were never issued. No write relies on the signature
/// alone.
#[tokio::test]
async fn a_write_checks_session_and_role_of_a_validly_signed_token() {
    let cloud = shared_cloud();
    let good = ForgedToken::copy_of(&new_client(cloud).await);
    let write = async |forge: ForgedToken| {
        cloud.client().bearer(&forge.signed()).patch("/auth/me", json!({})).await
    };
    write(good.clone()).await.expect_status(200);
    for sid in ["another", "", "x#USER", "../USER", &"s".repeat(900)] {
        write(good.claim("sid", json!(sid))).await.problem(401, "invalid_token");
    }
    write(good.claim("role", json!("admin"))).await.problem(401, "invalid_token");
    write(good.claim("sub", json!("usr_00000000000000000000000000")))
        .await
        .problem(401, "invalid_token");
    let admin = cloud.client().bearer(&good.claim("role", json!("admin")).signed());
    let body = json!({
        "email": "x@example.com", "username": "xyz", "password": "correct horse", "role": "admin",
    });
    admin.post("/users", body).await.problem(401, "invalid_token");
    admin.get("/users").await.problem(401, "invalid_token");
}

#[tokio::test]
async fn only_a_bearer_authorization_header_is_accepted() {
    let cloud = shared_cloud();
    let user = new_client(cloud).await;
    let api = cloud.client();
    api.with_header("authorization", &format!("bearer {}", user.access_token))
        .get("/auth/me")
        .await
        .expect_status(200);
    for header in [
        user.access_token.clone(),
        format!("Basic {}", user.access_token),
        format!("Bearer{}", user.access_token),
        format!("Bearer {0} {0}", user.access_token),
        format!("Bearer {0},{0}", user.access_token),
        "Bearer".to_owned(),
    ] {
        let answer = api.with_header("authorization", &header).get("/auth/me").await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        answer.problem(401, "invalid_token");
    }
    api.with_header("authorization", "").get("/auth/me").await.expect_status(401);
    let path = format!("/auth/me?access_token={}", user.access_token);
    api.get(&path).await.problem(401, "unauthenticated");
}
