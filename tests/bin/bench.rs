//! Measures the functions: size, cold start, first request, CPU time of a warm request, memory.
//! Builds them as they are deployed, runs each as Lambda does, with a Runtime API and a database
//! that responds at once, and prints a table.
//!
//! `cargo run -p tests --bin bench` measures the smallest possible function (tests/hello) as the
//! baseline, and a few functions of the product. `cargo run -p tests --bin bench -- orders-get
//! health` measures the baseline and these two. Linux only, because it reads /proc.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Error, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many times each function is started. The table shows the median.
const STARTS: usize = 15;
/// How many warm requests each function gets.
const REQUESTS: u32 = 1000;
/// The functions that are measured if no function is named.
const DEFAULT: [&str; 4] = ["health", "services-get", "orders-create", "auth-token"];
/// The unit of CPU times in /proc: `USER_HZ`, which is 100 on every Linux architecture that Rust
/// supports.
const TICKS_PER_SECOND: u64 = 100;

fn main() -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named: Vec<String> = std::env::args().skip(1).collect();
    let functions = if named.is_empty() { DEFAULT.map(str::to_owned).to_vec() } else { named };
    // Builds only binaries, because an example or a test would add the features of the test
    // dependencies. `hello` is built alone, so that it gets only the features it needs.
    build(&workspace, &["-p", "hello"])?;
    let binaries = functions.iter().flat_map(|name| ["--bin", name]);
    build(&workspace, &["-p", "lambdas"].into_iter().chain(binaries).collect::<Vec<_>>())?;
    let target =
        std::env::current_exe()?.ancestors().nth(2).unwrap_or(Path::new("target")).join("release");
    println!(
        "| function | size, MB | start, ms | first request, ms | warm request, ms | \
         warm request CPU, ms | memory, MB | status |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let hello = measure(&workspace, "hello", &target.join("hello"))?;
    println!("{hello}");
    for name in functions {
        println!("{}", measure(&workspace, &name, &target.join(&name))?);
    }
    Ok(())
}

/// Builds targets as they are deployed.
fn build(workspace: &Path, what: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .current_dir(workspace)
        .args(["build", "--release"])
        .args(what)
        .status()?;
    if status.success() { Ok(()) } else { Err(Error::other("the functions do not build")) }
}

/// Measures a function, and returns its line of the table.
fn measure(workspace: &Path, name: &str, program: &Path) -> Result<String> {
    let event = workspace.join("events").join(format!("{name}.json"));
    let event = if event.is_file() { std::fs::read(event)? } else { b"{}".to_vec() };
    let environment = environment(workspace)?;
    let (mut starts, mut firsts) = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..STARTS {
        drop(last.take());
        let mut sandbox = Sandbox::start(program, &environment)?;
        starts.push(sandbox.wait_until_ready()?);
        let (took, reply) = sandbox.invoke(&event)?;
        firsts.push(took);
        last = Some((sandbox, reply));
    }
    let (mut sandbox, reply) = last.ok_or_else(|| Error::other("nothing was started"))?;
    let (before, began) = (sandbox.cpu()?, Instant::now());
    for _ in 0..REQUESTS {
        sandbox.invoke(&event)?;
    }
    let (wall, cpu) = (began.elapsed() / REQUESTS, (sandbox.cpu()? - before) / REQUESTS);
    let reply = String::from_utf8_lossy(&reply);
    let status: String =
        reply.split("\"statusCode\":").nth(1).unwrap_or("-").chars().take(3).collect();
    let milliseconds = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let cells = [
        format!("`{name}`"),
        format!("{:.2}", std::fs::metadata(program)?.len() as f64 / 1e6),
        milliseconds(median(starts)),
        milliseconds(median(firsts)),
        milliseconds(wall),
        milliseconds(cpu),
        format!("{:.1}", sandbox.peak_memory()? as f64 / 1e3),
        status,
    ];
    Ok(format!("| {} |", cells.join(" | ")))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Returns the environment of functions: the values in local.env, and what the template and Lambda
/// set.
fn environment(workspace: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(workspace.join("local.env"))?;
    let pairs =
        text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let mut environment: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in [
        ("TABLE_NAME", "marketplace"),
        ("STACK_NAME", "marketplace"),
        ("JWT_ISSUER", "marketplace"),
        ("JWT_SECRET", "jwt"),
        ("STRIPE_SECRET", "stripe"),
        ("WEBHOOK_SECRET", "stripe-webhook"),
        ("CURSOR_SECRET", "cursor"),
        ("LOG_LEVEL", "info"),
        ("AWS_LAMBDA_FUNCTION_NAME", "benchmark"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIABENCHMARK"),
        ("AWS_SECRET_ACCESS_KEY", "none"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    Ok(environment)
}

/// A function's process and its Runtime API.
struct Sandbox {
    child: std::process::Child,
    began: Instant,
    runtime: TcpListener,
    connection: Option<BufReader<TcpStream>>,
}

impl Sandbox {
    fn start(program: &Path, environment: &BTreeMap<String, String>) -> Result<Self> {
        let runtime = TcpListener::bind("127.0.0.1:0")?;
        let database = format!("http://{}", database()?);
        let secrets = format!("http://{}", secrets(environment)?);
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime.local_addr()?.to_string())
            .env("AWS_ENDPOINT_URL_DYNAMODB", database)
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", secrets)
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        let began = Instant::now();
        Ok(Self { child: command.spawn()?, began, runtime, connection: None })
    }

    /// Waits for the first `next` request, and returns the time since the start.
    fn wait_until_ready(&mut self) -> Result<Duration> {
        self.next()?;
        Ok(self.began.elapsed())
    }

    /// Answers the pending `next` request with an event, and returns the time to the reply and the
    /// reply.
    fn invoke(&mut self, event: &[u8]) -> Result<(Duration, Vec<u8>)> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
             lambda-runtime-aws-request-id: 01a21452-3210-730f-a516-cf3986344b1e\r\n\
             lambda-runtime-deadline-ms: 4102444800000\r\n\
             lambda-runtime-invoked-function-arn: \
             arn:aws:lambda:us-east-1:000000000000:function:f\r\n\
             content-length: {}\r\n\r\n",
            event.len()
        );
        let began = Instant::now();
        self.write(&[head.as_bytes(), event].concat())?;
        let (line, reply) = self.request()?;
        let took = began.elapsed();
        if !line.contains("/response") {
            return Err(Error::other(format!("{line}: {}", String::from_utf8_lossy(&reply))));
        }
        self.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")?;
        self.next()?;
        Ok((took, reply))
    }

    fn next(&mut self) -> Result<()> {
        let (line, body) = self.request()?;
        match line.contains("/invocation/next") {
            true => Ok(()),
            false => Err(Error::other(format!("{line}: {}", String::from_utf8_lossy(&body)))),
        }
    }

    /// Waits for the next request, on this connection or, if it is closed, on a new one.
    fn request(&mut self) -> Result<(String, Vec<u8>)> {
        loop {
            if let Some(connection) = &mut self.connection
                && let Some(request) = read(connection)?
            {
                return Ok(request);
            }
            let (connection, _) = self.runtime.accept()?;
            connection.set_nodelay(true)?;
            self.connection = Some(BufReader::new(connection));
        }
    }

    fn write(&mut self, answer: &[u8]) -> Result<()> {
        self.connection
            .as_mut()
            .ok_or_else(|| Error::other("the function has not sent a request"))?
            .get_mut()
            .write_all(answer)
    }

    /// Returns the CPU time of the process so far.
    fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Returns the peak memory of the process, in kB.
    fn peak_memory(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak.ok_or_else(|| Error::other("/proc has no VmHWM"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The process may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts a database that answers every request with an empty object, and returns its address.
fn database() -> Result<std::net::SocketAddr> {
    server(|_| "{}".to_owned())
}

/// Starts a Secrets Manager with the values of local.env, and returns its address.
fn secrets(environment: &BTreeMap<String, String>) -> Result<std::net::SocketAddr> {
    let value = |name: &str| environment.get(name).cloned().unwrap_or_default();
    let (key, stripe, cursor) =
        (value("JWT_SIGNING_KEY"), value("STRIPE_SECRET_KEY"), value("CURSOR_KEY"));
    let kid = value("JWT_SIGNING_KEY_ID");
    server(move |request| {
        let secret = match () {
            () if request.contains("\"jwt\"") => {
                format!("{{\\\"signing_key\\\":\\\"{key}\\\",\\\"kid\\\":\\\"{kid}\\\"}}")
            }
            () if request.contains("\"stripe\"") => {
                format!("{{\\\"secret_key\\\":\\\"{stripe}\\\"}}")
            }
            () if request.contains("\"stripe-webhook\"") => {
                "{\\\"webhook_secrets\\\":\\\"whsec_x\\\"}".to_owned()
            }
            () => cursor.clone(),
        };
        format!("{{\"SecretString\":\"{secret}\"}}")
    })
}

/// Starts a server that answers each request's body with JSON, and returns its address.
fn server(
    answer: impl Fn(&str) -> String + Clone + Send + 'static,
) -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                drop(connection.set_nodelay(true));
                let mut connection = BufReader::new(connection);
                while let Ok(Some((_, body))) = read(&mut connection) {
                    let answer = answer(&String::from_utf8_lossy(&body));
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
                         content-length: {}\r\n\r\n{answer}",
                        answer.len()
                    );
                    if connection.get_mut().write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(address)
}

/// Reads an HTTP request, and returns its first line and its body, or `None` at the end of the
/// connection.
fn read(connection: &mut BufReader<TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if connection.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(Error::other)?;
        }
        chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    while chunked {
        let mut size = String::new();
        connection.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16).map_err(Error::other)?;
        let mut chunk = vec![0; size + 2];
        connection.read_exact(&mut chunk)?;
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    Ok(Some((first.trim_end().to_owned(), body)))
}
