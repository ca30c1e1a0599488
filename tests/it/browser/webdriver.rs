//! Drives a browser over the `WebDriver` protocol (<https://www.w3.org/TR/webdriver2/>), which is
//! JSON over HTTP and needs no library.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use http::Method;
use serde_json::{Value, json};

use crate::support::{Client, unique, workspace};

/// Headless Chromium with a profile of its own. Dropping this value ends chromedriver and
/// deletes the profile; [`Browser::end`] closes the browser first.
pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    profile: PathBuf,
}

/// Starts chromedriver and returns it with its port. Returns `None` if it exits before it has one.
fn start_driver() -> Option<(Child, String)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver starts: .ci/browser installs it");
    let mut lines = BufReader::new(driver.stdout.take().expect("stdout is piped"))
        .lines()
        .map_while(Result::ok);
    let port = lines.find_map(|line| {
        line.trim_end_matches('.')
            .split_once("successfully on port ")
            .map(|(_, port)| port.to_owned())
    });
    let Some(port) = port else {
        driver.wait().expect("chromedriver has closed its output and exits");
        return None;
    };
    // Reads the rest of its output, which would otherwise fill the pipe and block it.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port))
}

impl Browser {
    /// Starts a browser. For each pair of `addresses`, it connects to the second
    /// (`127.0.0.1:43210`) in place of the first (`localhost:3000`).
    pub async fn start(addresses: &[(&str, String)]) -> Self {
        // chromedriver listens on one port of IPv4 and IPv6, and exits if either is taken.
        let (driver, port) =
            (0..5).find_map(|_| start_driver()).expect("chromedriver prints its port");
        let client = Client::new(&format!("http://127.0.0.1:{port}"));

        // chromedriver does not find a profile whose path contains `..`.
        let folder = workspace()
            .join("target/tests")
            .canonicalize()
            .expect("the cloud has written its log there");
        let profile = folder.join(unique("chromium-"));
        let rules: Vec<_> = addresses.iter().map(|(from, to)| format!("MAP {from} {to}")).collect();
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", profile.display()),
            format!("--host-resolver-rules={}", rules.join(", ")),
        ];
        let capabilities = json!({
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let session = client
            .post("/session", json!({"capabilities": {"alwaysMatch": capabilities}}))
            .await
            .expect_status(200);
        let session =
            format!("/session/{}", session["value"]["sessionId"].as_str().expect("a session"));
        Self { driver, client, session, profile }
    }

    /// Opens a page in the current tab.
    pub async fn open(&self, url: &str) {
        self.command("/url", json!({"url": url})).await;
    }

    /// Opens a tab, makes it the current one, and returns its handle.
    pub async fn open_tab(&self) -> String {
        let tab = self.command("/window/new", json!({"type": "tab"})).await["handle"]
            .as_str()
            .expect("a tab")
            .to_owned();
        self.switch_to(&tab).await;
        tab
    }

    /// Makes a tab the current one.
    pub async fn switch_to(&self, tab: &str) {
        self.command("/window", json!({"handle": tab})).await;
    }

    /// Runs a script in the current tab, and returns its result.
    pub async fn run_script(&self, script: &str) -> Value {
        self.command("/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Returns the console messages of the current tab.
    pub async fn console(&self) -> Value {
        self.command("/se/log", json!({"type": "browser"})).await
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        self.client.post(&format!("{}{path}", self.session), body).await.expect_status(200)["value"]
            .take()
    }

    /// Closes the browser and deletes its profile.
    pub async fn end(self) {
        self.client.send(Method::DELETE, &self.session, "", Default::default()).await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.driver.kill());
        drop(self.driver.wait());
        drop(std::fs::remove_dir_all(&self.profile));
    }
}
