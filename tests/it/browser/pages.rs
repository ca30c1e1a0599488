//! A web server for pages, and a network between browser and cloud that can fail.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::workspace;

/// Serves `web/` and this folder's `page.html`, and returns the address.
pub async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let file = match path {
        "/page.html" => "tests/it/browser/page.html".to_owned(),
        path => format!("web{path}"),
    };
    let (status, body) = match std::fs::read(workspace().join(&file)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let kind = if file.ends_with(".js") { "text/javascript" } else { "text/html" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    if stream.write_all(head.as_bytes()).await.is_ok() {
        // An error means that the browser has closed the connection.
        drop(stream.write_all(&body).await);
    }
}

/// A proxy in front of a server that can cut connections or let them hang.
pub struct Network {
    pub address: String,
    /// How open connections are treated. A change applies to all of them.
    mode: Arc<watch::Sender<Mode>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Pass,
    /// Closes both ends.
    Cut,
    /// Keeps the connection open without passing anything on.
    Hang,
}

impl Network {
    /// Starts a proxy to this address.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let modes = mode.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server.clone(), modes.subscribe()));
            }
        });
        Self { address, mode }
    }

    /// Closes all open connections.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Lets all open connections hang.
    pub fn hang(&self) {
        self.mode.send_replace(Mode::Hang);
    }
}

async fn pass(mut client: TcpStream, server: String, mut mode: watch::Receiver<Mode>) {
    // The server may be down.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    mode.mark_unchanged();
    let mode = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = mode.changed() => *mode.borrow(),
    };
    if mode == Mode::Hang {
        // Keeps both connections open and silent until the test ends.
        std::future::pending::<()>().await;
    }
}
