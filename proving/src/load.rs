//! What a station bears: clients that poll, streams that are dropped and taken up again, lists that are sent, all at once over HTTP.

use anyhow::{Context, Result, ensure};
use clap::Args;
use firmware_sim::shop::Shop;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Bounds that no option exceeds: this is a measurement, and no weapon.
const CLIENTS_MAX: u32 = 500;
const SECONDS_MAX: u64 = 300;

/// Options of `proving load`.
#[derive(Debug, Clone, Args)]
pub struct LoadOptions {
    /// The station, on this machine. Its scale is out, or something lies on its plate: attempts must come when they are asked for.
    #[arg(long, default_value = "http://127.0.0.1:8787")]
    station: String,
    /// Its code.
    #[arg(long, default_value = "B1")]
    code: String,
    /// A credential, where it wants one.
    #[arg(long)]
    token: Option<String>,
    /// Clients that poll; each sends its own list besides.
    #[arg(long, default_value_t = 200)]
    clients: u32,
    /// Streams of events.
    #[arg(long, default_value_t = 20)]
    streams: u32,
    /// For how long.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Borne {
    /// Times of `PUT /v1/baskets/{id}`, milliseconds, ascending.
    pub puts_ms: Vec<f64>,
    /// Answers to polls.
    pub polls: u64,
    /// Attempts that were decided.
    pub attempts: u32,
    /// Times that streams were dropped and taken up again.
    pub reconnects: u64,
    /// Verdicts that all streams together were told.
    pub events: u64,
    /// Verdicts that a stream was not told, was told twice, or out of order.
    pub lost: u64,
}

impl Borne {
    /// A quantile of the times of PUT, milliseconds.
    pub fn put_ms(&self, quantile: f64) -> f64 {
        let last = self.puts_ms.len().saturating_sub(1);
        self.puts_ms.get((last as f64 * quantile).ceil() as usize).copied().unwrap_or(f64::NAN)
    }
}

/// Shared by all clients.
struct Crowd {
    client: Client,
    options: LoadOptions,
    validation: String,
    line: String,
    over: AtomicBool,
    polls: AtomicU64,
    reconnects: AtomicU64,
}

impl Crowd {
    fn ask(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.options.station));
        match &self.options.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn list(&self, revision: u64) -> Value {
        json!({ "revision": revision, "source": "app", "containers": [{ "kind": "basket" }],
            "lines": vec![json!({ "code": self.line, "quantity": 1 + revision % 3 }); 20] })
    }
}

/// Plays it.
///
/// # Errors
/// A station that is not on this machine, does not answer, or refuses what it should not.
pub async fn play(options: LoadOptions, seed: u64) -> Result<Borne> {
    let url = reqwest::Url::parse(&options.station).context("--station is no address")?;
    let host = url.host_str().unwrap_or_default();
    let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    ensure!(here, "{host} is another machine: this measures stations on this one");
    ensure!(options.clients <= CLIENTS_MAX && options.seconds <= SECONDS_MAX, "{CLIENTS_MAX} clients, {SECONDS_MAX} s");
    let shop = Shop::demo()?;
    let line = shop.goods[shop.index_of("butter-250").context("the demo shop has butter")?].code.clone();
    let client = Client::builder().timeout(Duration::from_secs(60)).build()?;
    let seconds = options.seconds;
    let (streams, clients) = (options.streams, options.clients);
    let (over, polls, reconnects) = Default::default();
    let mut crowd = Crowd { client, options, validation: String::new(), line, over, polls, reconnects };
    let name = format!("load-{seed}-{}", std::process::id());
    let kept = crowd.ask(reqwest::Method::PUT, &format!("/v1/baskets/{name}")).json(&crowd.list(1)).send().await?;
    ensure!(kept.status().is_success(), "the list is refused: {}", kept.text().await?);
    let open = json!({ "basket_id": name, "station_code": crowd.options.code });
    let opened: Value = crowd.ask(reqwest::Method::POST, "/v1/validations").json(&open).send().await?.json().await?;
    crowd.validation = opened["validation_id"].as_str().with_context(|| format!("not opened: {opened}"))?.to_owned();
    let crowd = Arc::new(crowd);

    let mut shoppers = JoinSet::new();
    for number in 0..clients {
        shoppers.spawn(poll(crowd.clone()));
        shoppers.spawn(send_lists(crowd.clone(), format!("{name}-{number}"), seed ^ u64::from(number)));
    }
    let mut listeners = JoinSet::new();
    for number in 0..streams {
        listeners.spawn(listen(crowd.clone(), seed.wrapping_add(u64::from(number))));
    }
    let attempts = retry(&crowd, Duration::from_secs(seconds)).await?;
    crowd.over.store(true, Ordering::Relaxed);
    let (mut events, mut lost) = (0, 0);
    while let Some(heard) = listeners.join_next().await {
        let heard = heard??;
        events += heard.len() as u64;
        let expected: Vec<u32> = (1..=attempts).collect();
        lost += u64::from(attempts).abs_diff(heard.len() as u64);
        lost += heard.iter().zip(&expected).filter(|(heard, expected)| heard != expected).count() as u64;
    }
    let mut puts_ms = Vec::new();
    while let Some(done) = shoppers.join_next().await {
        puts_ms.extend(done??);
    }
    puts_ms.sort_by(f64::total_cmp);
    let (polls, reconnects) = (crowd.polls.load(Ordering::Relaxed), crowd.reconnects.load(Ordering::Relaxed));
    Ok(Borne { puts_ms, polls, attempts, reconnects, events, lost })
}

/// Makes attempts, one after the other; how many.
async fn retry(crowd: &Crowd, during: Duration) -> Result<u32> {
    let began = Instant::now();
    let mut attempt = 0;
    loop {
        let path = format!("/v1/validations/{}?wait=10&after={attempt}", crowd.validation);
        let view: Value = crowd.ask(reqwest::Method::GET, &path).send().await?.json().await?;
        let now = view["attempt"].as_u64().with_context(|| format!("no validation: {view}"))? as u32;
        ensure!(now > attempt, "no attempt within ten seconds: is the scale out, or something on the plate? {view}");
        ensure!(
            view["verdict"]["passed"] == false,
            "it has passed: put something on the plate that does not fit the list"
        );
        attempt = now;
        if began.elapsed() >= during {
            return Ok(attempt);
        }
        crowd.ask(reqwest::Method::POST, &format!("/v1/validations/{}/retry", crowd.validation)).send().await?;
    }
}

/// Polls for the next attempt until the end.
async fn poll(crowd: Arc<Crowd>) -> Result<Vec<f64>> {
    let mut attempt = 0;
    while !crowd.is_over() {
        let path = format!("/v1/validations/{}?wait=2&after={attempt}", crowd.validation);
        let answer = crowd.ask(reqwest::Method::GET, &path).send().await?;
        ensure!(answer.status() == StatusCode::OK, "a poll is refused: {}", answer.text().await?);
        let view: Value = answer.json().await?;
        attempt = view["attempt"].as_u64().unwrap_or(0);
        crowd.polls.fetch_add(1, Ordering::Relaxed);
    }
    Ok(Vec::new())
}

/// Sends a list about every two seconds; how long each took, milliseconds.
async fn send_lists(crowd: Arc<Crowd>, basket: String, seed: u64) -> Result<Vec<f64>> {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut times_ms = Vec::new();
    for revision in 1.. {
        tokio::time::sleep(Duration::from_millis(draw.random_range(1000..3000))).await;
        if crowd.is_over() {
            break;
        }
        let request = crowd.ask(reqwest::Method::PUT, &format!("/v1/baskets/{basket}")).json(&crowd.list(revision));
        let began = Instant::now();
        let answer = request.send().await?;
        times_ms.push(began.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status().is_success(), "a list is refused: {}", answer.text().await?);
    }
    Ok(times_ms)
}

/// Listens until all attempts are known, hanging up now and then in the middle; the attempts in the order in which they came.
async fn listen(crowd: Arc<Crowd>, seed: u64) -> Result<Vec<u32>> {
    let mut draw = ChaCha8Rng::seed_from_u64(seed);
    let mut heard: Vec<u32> = Vec::new();
    let mut quiet = 0;
    // At the end it goes on until a whole connection brings nothing more.
    while !crowd.is_over() || quiet < 2 {
        let path = format!("/v1/validations/{}/events", crowd.validation);
        let last = heard.last().copied().unwrap_or(0);
        let request = crowd.ask(reqwest::Method::GET, &path).header("last-event-id", last.to_string());
        let mut answer = request.send().await?;
        ensure!(answer.status() == StatusCode::OK, "a stream is refused: {}", answer.text().await?);
        let (hang_up, mut text) = (Instant::now() + Duration::from_millis(draw.random_range(200..3000)), String::new());
        let before = heard.len();
        loop {
            let left = hang_up.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => text.push_str(&String::from_utf8_lossy(&chunk)),
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => return Err(error.into()),
            }
            while let Some((event, rest)) = text.split_once("\n\n") {
                let id = event.lines().find_map(|line| line.strip_prefix("id: ")).map(str::parse::<u32>);
                if let Some(id) = id {
                    heard.push(id.context("an event's id is no number")?);
                }
                text = rest.to_owned();
            }
        }
        if crowd.is_over() && heard.len() == before {
            quiet += 1;
        }
        crowd.reconnects.fetch_add(1, Ordering::Relaxed);
    }
    Ok(heard)
}
