//! Who asks too often waits; who is too slow is cut off.

use crate::station::{basket, station, station_with};
use augenmass::app::config;
use augenmass::app::serve::{self, Patience};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tower::ServiceExt;

/// Answers to so many requests from an address: how many were let through, and the first that was not.
async fn ask(router: &Router, from: &str, bearer: Option<&str>, times: usize) -> (usize, Option<(String, String)>) {
    let from: SocketAddr = from.parse().unwrap();
    let mut through = 0;
    for _ in 0..times {
        let mut request = Request::get("/live").header(header::HOST, "localhost").extension(ConnectInfo(from));
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let after = response.headers()[header::RETRY_AFTER].to_str().unwrap().to_owned();
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
            let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
            return (through, Some((problem["code"].as_str().unwrap().to_owned(), after)));
        }
        through += 1;
    }
    (through, None)
}

#[tokio::test]
async fn a_stranger_asks_a_hundred_times_and_then_waits_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let router = station_with(folder.path(), &[("access = \"open\"", "access = \"required\"")]);
    let refused = Some(("too_many_requests".to_owned(), "1".to_owned()));
    let (through, told) = ask(&router, "192.0.2.7:5000", None, 300).await;
    assert!((100..200).contains(&through), "{through}");
    assert_eq!(told, refused);
    // Made-up credentials do not help, from a port of his or another.
    assert_eq!(ask(&router, "192.0.2.7:5001", Some("aug_made-up"), 20).await.1, refused);
    assert_eq!(ask(&router, "192.0.2.8:5000", None, 50).await, (50, None));
    // The station's own display is no stranger.
    assert_eq!(ask(&router, "127.0.0.1:5000", None, 300).await, (300, None));
}

#[tokio::test]
async fn no_address_asks_without_end_even_where_everybody_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let mut through = 0;
    let told = loop {
        let (more, told) = ask(&router, "127.0.0.1:5000", None, 1000).await;
        through += more;
        if told.is_some() || through > 200_000 {
            break told;
        }
    };
    assert_eq!(told.unwrap().0, "too_many_requests");
    assert!(through >= 2_000);
}

/// Serves with this patience until the sender is dropped.
async fn served(folder: &Path, patience: Patience) -> (SocketAddr, oneshot::Sender<()>) {
    let file = config::parse(include_str!("../../hw-configs/basket-plate.toml"), "basket-plate.toml").unwrap();
    let door = serve::open(&file).await.unwrap().with_patience(patience);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(door.serve(listener, station(folder), async {
        let _ = stopped.await;
    }));
    (address, stop)
}

/// Whether the other end hangs up, and after how long.
async fn hung_up(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "still open; got {}", String::from_utf8_lossy(&rest));
    began.elapsed()
}

/// Never what a test waits for.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _stop) = served(folder.path(), Patience { head: LONG, body: SHORT, write: LONG }).await;
    for (path, kind) in [("/v1/baskets/b-1", "application/json"), ("/v1/catalogue", "text/csv")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: 500\r\n\r\n{{\"rev"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read =
                tokio::time::timeout(Duration::from_secs(10), stream.read_buf(&mut answer)).await.unwrap().unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"too_slow\""), "{answer}");
    }
    // Nothing was kept of it.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /v1/baskets/b-1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _stop) = served(folder.path(), Patience { head: SHORT, body: LONG, write: LONG }).await;
    // One that drips: each byte must not buy more time.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    stream.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await.unwrap();
    while stream.write_all(b"a").await.is_ok() && began.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    // One that is served and then keeps silent.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(hung_up(&mut stream).await < Duration::from_secs(5));
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_loses_his_place() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _stop) = served(folder.path(), Patience { head: LONG, body: LONG, write: SHORT }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Asks for more than all buffers between hold, and reads none of it.
    let asked = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        match tokio::time::timeout(Duration::from_millis(500), stream.write_all(asked)).await {
            Ok(Ok(())) => {}
            // Nothing more is taken; after a while the connection is gone.
            Err(_) => {}
            Ok(Err(_)) => return,
        }
    }
    panic!("the connection is still there");
}

#[tokio::test]
async fn a_long_poll_is_no_slow_client() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _stop) = served(folder.path(), Patience { head: SHORT, body: SHORT, write: SHORT }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let list = basket(1, 1).to_string();
    let put = format!(
        "PUT /v1/baskets/b-1 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{list}",
        list.len()
    );
    stream.write_all(put.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 201"));
    let open = json!({ "basket_id": "b-1", "station_code": "B1" }).to_string();
    let post = format!(
        "POST /v1/validations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{open}",
        open.len()
    );
    stream.write_all(post.as_bytes()).await.unwrap();
    let read = stream.read(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    let id = text.split("\"validation_id\":\"").nth(1).unwrap().split('"').next().unwrap();
    // Three times as long as anybody is waited for.
    let poll = format!("GET /v1/validations/{id}?wait=1&after=99 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(poll.as_bytes()).await.unwrap();
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
}
