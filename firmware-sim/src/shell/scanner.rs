//! A scanner on its port, in real time, and the HTTP by which somebody scans with it.
//!
//! `POST /scanner` with `{"text": ".."}` scans a code; `GET /scanner` tells what was noticed since the start, and the lamps.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::serial::{Host, Port, PortError};
use crate::scanner::{CODE_128, Scanner, ScannerProtocol, Sign};

/// So soon an answer of the host's is noticed.
const NAP: Duration = Duration::from_millis(5);
/// After so long without an answer a packet goes out again.
const REMIND_AFTER: Duration = Duration::from_millis(500);
/// Signs that are remembered.
const SIGNS_MAX: usize = 1000;

/// A scanner that can be held by its port and by who scans.
#[derive(Debug, Clone)]
pub struct HeldScanner {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug)]
struct Held {
    scanner: Scanner,
    outgoing: Vec<u8>,
    signs: Vec<Sign>,
    sent_at: Option<Instant>,
}

impl HeldScanner {
    /// A scanner that speaks this.
    pub fn new(protocol: ScannerProtocol) -> Self {
        let held = Held { scanner: Scanner::new(protocol), outgoing: Vec::new(), signs: Vec::new(), sent_at: None };
        Self { held: Arc::new(Mutex::new(held)) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Held) -> T) -> T {
        act(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a code.
    pub fn scan(&self, text: &str) {
        self.with(|held| {
            let bytes = held.scanner.scan(text, CODE_128);
            held.outgoing.extend(bytes);
        });
    }

    /// What was noticed since the start.
    pub fn signs(&self) -> Vec<Sign> {
        self.with(|held| held.signs.clone())
    }

    /// Lamps that are on.
    pub fn lamps(&self) -> u8 {
        self.with(|held| held.scanner.lamps())
    }

    /// Plays it on a port at `link` until the port cannot be offered any more.
    ///
    /// # Errors
    /// See [`PortError`].
    pub async fn play(self, link: PathBuf, baud: u32) -> Result<(), PortError> {
        let mut port = Port::publish(&link, baud)?;
        loop {
            let (incoming, host) = port.read();
            match host {
                Host::Listening => port.write(&self.exchange(&incoming)),
                Host::Gone => port.renew()?,
                Host::Absent => {}
            }
            sleep(NAP).await;
        }
    }

    fn exchange(&self, incoming: &[u8]) -> Vec<u8> {
        self.with(|held| {
            let (answer, signs) = held.scanner.receive(incoming);
            held.outgoing.extend(answer);
            held.signs.extend(signs);
            let surplus = held.signs.len().saturating_sub(SIGNS_MAX);
            held.signs.drain(..surplus);
            if !incoming.is_empty() || !held.outgoing.is_empty() {
                held.sent_at = Some(Instant::now());
            } else if held.sent_at.is_some_and(|at| at.elapsed() >= REMIND_AFTER) {
                let again = held.scanner.remind();
                held.sent_at = (!again.is_empty()).then(Instant::now);
                held.outgoing.extend(again);
            }
            std::mem::take(&mut held.outgoing)
        })
    }
}

#[derive(Deserialize)]
struct Scan {
    text: String,
}

/// Routes for the control interface.
pub fn router(scanner: HeldScanner) -> Router {
    Router::new().route("/scanner", get(told).post(scan)).with_state(scanner)
}

async fn told(State(scanner): State<HeldScanner>) -> Json<Value> {
    Json(json!({ "signs": scanner.signs(), "lamps": scanner.lamps() }))
}

async fn scan(State(scanner): State<HeldScanner>, Json(Scan { text }): Json<Scan>) -> StatusCode {
    scanner.scan(&text);
    StatusCode::NO_CONTENT
}
