//! A shopper's app, as the daemon sees it: baskets, validations, long polls over HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The app gives up on one call after its own wait and so much more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a call to the station came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// No answer, or one that is not HTTP.
    #[error("the station does not answer {call}: {source}")]
    Unreachable {
        /// Method and path.
        call: String,
        /// What went wrong.
        source: Box<reqwest::Error>,
    },
    /// The station refused; the body is its problem document.
    #[error("the station answers {call} with {status}: {body}")]
    Refused {
        /// Method and path.
        call: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        body: String,
    },
    /// The answer is not what was agreed.
    #[error("the answer to {call} is not understood: {reason}: {body}")]
    NotUnderstood {
        /// Method and path.
        call: String,
        /// What is missing or wrong.
        reason: String,
        /// What the station said.
        body: String,
    },
}

/// One scanned line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// EAN-13 of the pack or of the scale's label.
    pub code: String,
    /// How many, 1 or more.
    pub quantity: u32,
}

/// A container as the app declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeclaredContainer {
    /// `trolley`, `basket` or `none`.
    pub kind: String,
    /// The one of the store's own that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The whole list, as it is sent each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// Counts up with every change, from 1.
    pub revision: u32,
    /// What the goods are in.
    pub containers: Vec<DeclaredContainer>,
    /// Shopper's own bags among the goods.
    pub bags: u32,
    /// What was scanned.
    pub lines: Vec<Line>,
}

/// Where a validation stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Status {
    /// `waiting_for_load`, `weighing`, `judging`, `plate_occupied`, `aside` or `closed`.
    pub state: String,
    /// The latest decided attempt's verdict.
    pub verdict: Option<Verdict>,
}

/// What the station says to one attempt; fields the app does not show are left out.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict {
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// `pass`, `correct`, `assist` or `unavailable`.
    pub outcome: String,
    /// True for `pass` alone.
    pub passed: bool,
    /// Ranked by probability.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// One thing that is probably wrong.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    /// `unscanned`, `absent`, `quantity`, `swapped`, `bag`, `foreign`, `stale_weight` or `sensor`.
    pub kind: String,
    /// Named only when it is probable enough.
    pub product: Option<Product>,
    /// What lies there instead of a swapped product.
    pub instead: Option<Product>,
    /// Grams too many (or too few) that it explains.
    pub grams: Option<f64>,
}

/// A product as the verdict names it.
#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    /// Name for people.
    pub name: String,
}

impl Finding {
    /// In words and grams: `unscanned: Butter 250 g, 252 g`, or `unscanned: about 252 g` where no product is named.
    pub fn in_words(&self) -> String {
        let grams = self.grams.filter(|grams| grams.abs() >= 0.5);
        let name = match (&self.product, &self.instead) {
            (Some(product), Some(instead)) => format!("{} for {}", instead.name, product.name),
            (Some(product), None) => product.name.clone(),
            (None, Some(instead)) => format!("{} there", instead.name),
            (None, None) => {
                return grams.map_or(self.kind.clone(), |grams| format!("{}: about {grams:.0} g", self.kind));
            }
        };
        grams.map_or_else(|| format!("{}: {name}", self.kind), |grams| format!("{}: {name}, {grams:.0} g", self.kind))
    }
}

/// The app on one shopper's phone.
#[derive(Debug, Clone)]
pub struct Phone {
    client: reqwest::Client,
    base: String,
    station_code: String,
}

impl Phone {
    /// An app that talks to the station at `base` (`http://127.0.0.1:8787`), whose code on the wall is `station_code`.
    pub fn new(base: &str, station_code: &str) -> Self {
        Self {
            client: reqwest::Client::new(),
            base: base.trim_end_matches('/').to_owned(),
            station_code: station_code.to_owned(),
        }
    }

    /// Sends the whole list.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn put_basket(&self, id: &str, basket: &Basket) -> Result<(), PhoneError> {
        let body = serde_json::json!({
            "revision": basket.revision,
            "source": "app",
            "containers": basket.containers,
            "bags": { "count": basket.bags },
            "lines": basket.lines,
        });
        let path = format!("/v1/baskets/{id}");
        self.call("PUT", &path, Duration::ZERO, |url| self.client.put(url).json(&body)).await.map(drop)
    }

    /// Asks this station to validate a basket; gives the validation's id.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn validate(&self, basket_id: &str) -> Result<String, PhoneError> {
        #[derive(Deserialize)]
        struct Opened {
            validation_id: String,
        }
        let body = serde_json::json!({ "basket_id": basket_id, "station_code": self.station_code });
        let answer =
            self.call("POST", "/v1/validations", Duration::ZERO, |url| self.client.post(url).json(&body)).await?;
        Ok(answer.read::<Opened>()?.validation_id)
    }

    /// Waits up to `wait` for an attempt beyond `after` to be decided.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn wait(&self, validation_id: &str, after: u32, wait: Duration) -> Result<Status, PhoneError> {
        let path = format!("/v1/validations/{validation_id}?wait={}&after={after}", wait.as_secs());
        self.call("GET", &path, wait, |url| self.client.get(url)).await?.read()
    }

    /// "I have put it right."
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn retry(&self, validation_id: &str) -> Result<(), PhoneError> {
        let path = format!("/v1/validations/{validation_id}/retry");
        self.call("POST", &path, Duration::ZERO, |url| self.client.post(url)).await.map(drop)
    }

    /// Whether the station says that it can judge; when not, why not.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn ready(&self) -> Result<(), PhoneError> {
        self.call("GET", "/ready", Duration::ZERO, |url| self.client.get(url)).await.map(drop)
    }

    /// The station's state: `idle` when the next shopper may come.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub async fn station_state(&self) -> Result<String, PhoneError> {
        #[derive(Deserialize)]
        struct Station {
            state: String,
        }
        let answer = self.call("GET", "/v1/station", Duration::ZERO, |url| self.client.get(url)).await?;
        Ok(answer.read::<Station>()?.state)
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        wait: Duration,
        request: impl FnOnce(String) -> reqwest::RequestBuilder,
    ) -> Result<Answer, PhoneError> {
        let call = format!("{method} {path}");
        let unreachable = |source| PhoneError::Unreachable { call: call.clone(), source: Box::new(source) };
        let response =
            request(format!("{}{path}", self.base)).timeout(wait + PATIENCE).send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.text().await.map_err(unreachable)?;
        if status.is_success() {
            Ok(Answer { call, body })
        } else {
            Err(PhoneError::Refused { call, status: status.as_u16(), body })
        }
    }
}

struct Answer {
    call: String,
    body: String,
}

impl Answer {
    fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, PhoneError> {
        serde_json::from_str(&self.body).map_err(|error| PhoneError::NotUnderstood {
            call: self.call.clone(),
            reason: error.to_string(),
            body: self.body.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_in_words() {
        let finding = |json: &str| serde_json::from_str::<Finding>(json).unwrap().in_words();
        assert_eq!(
            finding(
                r#"{"kind":"unscanned","product":{"id":"b","code":"4","name":"Butter 250 g"},"grams":252.3,"named":true}"#
            ),
            "unscanned: Butter 250 g, 252 g"
        );
        assert_eq!(finding(r#"{"kind":"unscanned","product":null,"grams":252.3}"#), "unscanned: about 252 g");
        assert_eq!(
            finding(r#"{"kind":"swapped","product":{"name":"Salt"},"instead":{"name":"Saffron"},"grams":-490.0}"#),
            "swapped: Saffron for Salt, -490 g"
        );
        assert_eq!(finding(r#"{"kind":"sensor","grams":0.0}"#), "sensor");
    }

    #[test]
    fn reads_a_status_with_and_without_a_verdict() {
        let status: Status =
            serde_json::from_str(r#"{"validation_id":"v","state":"weighing","attempt":0,"verdict":null}"#).unwrap();
        assert!(status.verdict.is_none());
        let status: Status = serde_json::from_str(
            r#"{"validation_id":"v","state":"aside","attempt":1,"verdict":{"validation_id":"v","attempt":1,"outcome":"pass","passed":true,"findings":[]}}"#,
        )
        .unwrap();
        assert!(status.verdict.unwrap().passed);
    }
}
