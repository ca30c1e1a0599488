//! The local cloud as the one who works with it sees it: its flags, its errors, and that it is as
//! hard to break as the cloud.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{
    Client, Cloud, Failed, User, client, cloud, eventually, pay, place, service, until, worker,
    workspace,
};

/// The processes of this function.
fn processes(cloud: &Cloud, function: &str) -> Vec<u32> {
    let of_function = cloud.processes().into_iter().filter(|(_, name)| name == function);
    let processes: Vec<_> = of_function.map(|(pid, _)| pid).collect();
    assert!(!processes.is_empty(), "{function} does not run");
    processes
}

/// What goes wrong between functions and their database, as `local/src/dynamodb/faults.rs` has it.
struct Faults(Client);

impl Faults {
    fn of(cloud: &Cloud) -> Self {
        Self(Client::new(&cloud.ready.dynamodb))
    }

    async fn add(&self, function: &str, action: &str, error: &str, times: u32) {
        let fault = json!({"function": function, "action": action, "error": error, "times": times});
        self.0.post("/_local/faults", fault).await.expect(201);
    }

    /// Waits until the fault that is to happen `times` times has happened.
    async fn met(&self, function: &str, times: u32) {
        eventually(&format!("{function} meets its fault"), async || {
            let faults = self.0.get("/_local/faults").await.expect(200);
            let left = faults
                .as_array()
                .unwrap()
                .iter()
                .find(|f| f["function"] == function && f["times"] == times);
            left.is_none().then_some(())
        })
        .await;
    }

    async fn clear(&self) {
        self.0
            .send(http::Method::DELETE, "/_local/faults", "", Default::default())
            .await
            .expect(200);
    }
}

/// How often the feed of the workers of a category says that the order is open, once it says so at
/// all.
async fn times_opened(worker: &User, category: &str, order: &str) -> usize {
    let opened = async || {
        let feed = worker.api.get(&format!("/live/feed?feed=workers:{category}")).await.expect(200);
        let entries = feed["items"].as_array().expect("items").clone();
        entries.iter().filter(|e| e["type"] == "order.opened" && e["data"]["id"] == order).count()
    };
    eventually("the feed says that the order is open", async || (opened().await > 0).then_some(()))
        .await;
    opened().await
}

#[tokio::test]
async fn the_ready_line_says_where_everything_is() {
    let ready = &cloud().ready;
    assert!(
        ready.http.starts_with("http://localhost:") && ready.ws.starts_with("ws://localhost:"),
        "{ready:?}"
    );
    assert!(
        ready.dynamodb.starts_with("http://") && ready.invoke.starts_with("http://"),
        "{ready:?}"
    );
    assert!(
        ready.webhook_secret.as_deref().is_some_and(|secret| secret.starts_with("whsec_")),
        "{ready:?}"
    );
    assert!(ready.functions.iter().any(|function| function == "orders-create"), "{ready:?}");
}

#[tokio::test]
async fn any_function_can_be_invoked_by_name() {
    let cloud = cloud();
    let event = std::fs::read_to_string(workspace().join("events/health.json")).unwrap();
    let reply = cloud.invoke("health", serde_json::from_str(&event).unwrap()).await;
    assert_eq!(reply["statusCode"], 200, "{reply:#}");
    assert_eq!(cloud.try_invoke("nobody", json!({})).await.status, 404);
}

#[tokio::test]
async fn functions_that_are_killed_in_mid_request_lose_nothing_and_the_next_request_is_served() {
    let cloud = Cloud::start("kill", &["--ephemeral"]);
    let (client, worker) = (client(&cloud).await, worker(&cloud, &["kill"]).await);
    let service = service(&cloud, "kill").await;
    let faults = Faults::of(&cloud);

    // Between the write and its answer: the answer is lost, and the second try hangs until the
    // process is killed.
    faults.add("orders-create", "PutItem", "lost_response", 1).await;
    faults.add("orders-create", "PutItem", "timeout", 10).await;
    let api = client.api.with("idempotency-key", "once");
    let body = json!({"service_id": service["id"]});
    let placing = tokio::spawn({
        let (api, body) = (api.clone(), body.clone());
        async move { api.post("/orders", body).await }
    });
    faults.met("orders-create", 1).await;
    faults.met("orders-create", 10).await;
    assert!(cloud.kill_function("orders-create", 100) > 0);
    assert_eq!(placing.await.unwrap().expect(500)["message"], "Internal Server Error");
    faults.clear().await;
    let again = api.post("/orders", body).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let order = again.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(client.api.get("/orders").await.expect(200)["items"].as_array().unwrap().len(), 1);

    // In the midst of a stream's batch: it is delivered again, and has its effect once.
    faults.add("payments-apply", "PutItem", "timeout", 10).await;
    faults.add("live-notify", "TransactWriteItems", "timeout", 10).await;
    assert_eq!(pay(&cloud, &client, &order, "pm_card_visa").await["status"], 200);
    faults.met("payments-apply", 10).await;
    assert!(cloud.kill_function("payments-apply", 100) > 0);
    faults.clear().await;
    faults.add("live-notify", "TransactWriteItems", "timeout", 10).await;
    faults.met("live-notify", 10).await;
    assert!(cloud.kill_function("live-notify", 100) > 0);
    faults.clear().await;
    until(&client, &order, "open").await;
    assert_eq!(times_opened(&worker, "kill", &order).await, 1);

    // A failure is logged once, by the function, with the end of the id that the caller was told.
    faults.add("services-get", "GetItem", "InternalServerError", 20).await;
    let path = format!("/services/{}", service["id"].as_str().unwrap());
    let answer = cloud.client().get(&path).await;
    let id = answer.header("x-request-id").expect("an id").to_owned();
    assert!(answer.status.is_server_error(), "{:#}", answer.body);
    let (log, end) = (cloud.logged(), &id[id.len() - 8..]);
    let lines: Vec<_> =
        log.lines().filter(|l| l.contains(" services-get ") && l.contains(end)).collect();
    assert!(lines.iter().any(|line| line.contains("ERROR")), "{id}: {lines:?}");

    assert!(cloud.end("INT").await.success());
}

#[tokio::test]
async fn an_outage_of_the_database_delays_what_people_are_told_and_loses_none_of_it() {
    let cloud = Cloud::start("outage", &["--ephemeral"]);
    let (client, worker) = (client(&cloud).await, worker(&cloud, &["outage"]).await);
    let order = place(&client, &service(&cloud, "outage").await).await;
    let faults = Faults::of(&cloud);
    // The event is for three feeds, the SDK tries each three times, and the stream a record eleven
    // times: this is longer.
    let times = 3 * 3 * 12;
    faults.add("live-notify", "TransactWriteItems", "InternalServerError", times).await;
    assert_eq!(pay(&cloud, &client, &order, "pm_card_visa").await["status"], 200);
    until(&client, &order, "open").await;
    assert_eq!(times_opened(&worker, "outage", &order).await, 1);
    faults.met("live-notify", times).await;
    let log = cloud.logged();
    assert!(
        log.contains("feed workers:outage can't be appended to") && !log.contains("given up"),
        "it was waited for"
    );
}

#[tokio::test]
async fn a_cloud_that_is_killed_goes_on_where_it_was_on_its_data_directory() {
    let directory = workspace().join("target/tests/data");
    drop(std::fs::remove_dir_all(&directory));
    let flags = ["--data-dir", directory.to_str().unwrap()];
    let cloud = Cloud::start("data-1", &flags);
    let (before, worker_before) = (client(&cloud).await, worker(&cloud, &["data"]).await);
    let order = place(&before, &service(&cloud, "data").await).await;
    // Nobody hears of the order while this cloud lasts.
    Faults::of(&cloud)
        .add("live-notify", "TransactWriteItems", "InternalServerError", 1_000_000)
        .await;
    assert_eq!(pay(&cloud, &before, &order, "pm_card_visa").await["status"], 200);
    until(&before, &order, "open").await;

    let second = Cloud::run(
        "data-taken",
        &[&flags[..], &["--http-port", "0", "--ws-port", "0", "--no-build"]].concat(),
    );
    let Failed { log, .. } = second.err().expect("the directory is taken");
    assert!(
        log.starts_with("error: another local cloud is running on the data directory"),
        "{log}"
    );

    assert!(!cloud.end("KILL").await.success());
    let cloud = Cloud::start("data-2", &flags);
    let client = User::sign_in(&cloud, &before.username, &before.password).await;
    let worker = User::sign_in(&cloud, &worker_before.username, &worker_before.password).await;
    assert_eq!(times_opened(&worker, "data", &order).await, 1);
    // Stripe's stand-in knows the payment, too.
    let confirmed =
        client.api.post(&format!("/orders/{order}/payment/confirm"), json!({})).await.expect(200);
    assert_eq!(confirmed["payment_status"], "paid");
    worker.api.post(&format!("/orders/{order}/accept"), json!({})).await.expect(200);
    assert!(cloud.end("TERM").await.success());
}

#[tokio::test]
async fn values_of_ones_own_reach_the_functions_and_a_stripe_key_makes_them_talk_to_stripe() {
    let own = scratch("own-values");
    std::fs::write(
        own.join("env"),
        "STRIPE_SECRET_KEY=sk_test_mine\nSTRIPE_WEBHOOK_SECRETS=whsec_mine\nJWT_ISSUER=from-the-file\n",
    )
    .unwrap();
    let file = own.join("env");
    let flags = [
        "--ephemeral",
        "--no-seed",
        "--env-file",
        file.to_str().unwrap(),
        "--env",
        "JWT_ISSUER=someone-else",
    ];
    let cloud = Cloud::start("own-values", &flags);
    assert_eq!((&cloud.ready.stripe, &cloud.ready.webhook_secret), (&None, &None));
    let environment =
        std::fs::read(format!("/proc/{}/environ", processes(&cloud, "payments-create")[0]))
            .unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let given: Vec<_> = environment
        .split('\0')
        .filter(|v| v.starts_with("STRIPE_") || v.starts_with("JWT_I"))
        .collect();
    for expected in [
        "STRIPE_API_URL=https://api.stripe.com/",
        "STRIPE_SECRET_KEY=sk_test_mine",
        "JWT_ISSUER=someone-else",
    ] {
        assert!(given.contains(&expected), "{given:?}");
    }
    let grant = [("grant_type", "password"), ("username", "admin"), ("password", "admin123")];
    cloud.client().form("/auth/token", &grant).await.problem(401, "invalid_grant");
}

/// An empty directory of this name.
fn scratch(name: &str) -> PathBuf {
    let directory = workspace().join("target/tests").join(name);
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// Runs a cloud that does not come up; what it says beside cargo's progress.
fn refusal(name: &str, flags: &[&str]) -> String {
    let failed = Cloud::run(name, flags).err().expect("it does not come up");
    assert_eq!(failed.status.code(), Some(1), "{}", failed.log);
    let last = failed.log.lines().last().and_then(|line| line.strip_prefix("error: "));
    last.expect("an error at the end").to_owned()
}

#[tokio::test]
async fn what_is_wrong_with_a_start_is_said_in_one_sentence() {
    let taken = cloud().ready.http.rsplit_once(':').unwrap().1.to_owned();
    let said = refusal("port", &["--ephemeral", "--http-port", &taken]);
    let expected = "end what uses it, or choose another with --http-port (0 is any free one)";
    assert_eq!(said, format!("port {taken} is taken: {expected}"));
    let said = refusal("env-unknown", &["--ephemeral", "--env", "JWT_ISSUES=x"]);
    assert_eq!(said, "--env gives JWT_ISSUES, which the template gives to no function");
    let said = refusal("live-key", &["--ephemeral", "--env", "STRIPE_SECRET_KEY=sk_live_x"]);
    assert_eq!(
        said,
        "STRIPE_SECRET_KEY is a live key: on a laptop, only Stripe's test mode is used"
    );
    let said = refusal(
        "no-database",
        &["--http-port", "0", "--ws-port", "0", "--no-build", "--dynamodb", "http://127.0.0.1:1"],
    );
    assert!(said.contains("no answer from DynamoDB at http://127.0.0.1:1"), "{said}");

    let template = std::fs::read_to_string(workspace().join("template.yaml")).unwrap();
    let directory = scratch("broken-template");
    let file = directory.join("template.yaml");
    for (was, is, expected) in [
        (
            "AWS::SQS::Queue",
            "AWS::S3::Bucket",
            "Resources.UndeliveredQueue: the local cloud does not do AWS::S3::Bucket",
        ),
        ("    Timeout: 10\n", "    Timeout: 10\n    Tenancy: x\n", "Tenancy"),
        ("\nResources:", "\nResources: [", "not valid YAML"),
    ] {
        assert!(template.contains(was));
        std::fs::write(&file, template.replacen(was, is, 1)).unwrap();
        let said =
            refusal("broken-template", &["--ephemeral", "--template", file.to_str().unwrap()]);
        assert!(
            said.contains("broken-template/template.yaml is not usable") && said.contains(expected),
            "{said}"
        );
    }
}

/// Another project than this one, with one function and no settings for `local`.
#[tokio::test]
async fn a_function_that_does_not_build_or_crashes_at_init_is_named() {
    let directory = scratch("another-project");
    let write = |file: &str, text: &str| std::fs::write(directory.join(file), text).unwrap();
    std::fs::create_dir(directory.join("src")).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"shop\"\nedition = \"2024\"\n[[bin]]\nname = \"greet\"\npath = \"src/main.rs\"\n[workspace]\n",
    );
    write(
        "template.yaml",
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  Greet:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         CodeUri: target/lambda/greet/\n      Handler: bootstrap\n      Runtime: provided.al2023\n",
    );
    let template = directory.join("template.yaml");
    let flags = [
        "--ephemeral",
        "--http-port",
        "0",
        "--ws-port",
        "0",
        "--template",
        template.to_str().unwrap(),
    ];
    write("src/main.rs", "fn main() { greet() }\n");
    let failed = Cloud::run("no-build", &flags).err().expect("it does not build");
    assert!(
        !failed.status.success() && failed.log.contains("Compiling shop"),
        "no progress: {}",
        failed.log
    );
    assert!(failed.log.contains("cannot find function `greet`"), "{}", failed.log);
    assert!(
        failed.log.ends_with("error: the functions do not build: cargo says why above\n"),
        "{}",
        failed.log
    );

    write(
        "src/main.rs",
        "fn main() { eprintln!(\"GREETING is not set\"); std::process::exit(3) }\n",
    );
    assert_eq!(
        refusal("no-init", &flags),
        "greet crashed at init (exit status 3): GREETING is not set"
    );
}
