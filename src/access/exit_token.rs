//! Exit tokens: what a gate needs to know of a pass, signed by the station (JWS, RFC 7515; Ed25519, RFC 8037).
//!
//! A token is made of the stored pass whenever it is told, and is the same bytes each time: nothing of it need be kept.

use augenmass_core::units::{BasketId, ValidationId, Wall};
use augenmass_core::verdict::{Resolution, Verdict};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Says that it is an exit token and nothing else that the same key may sign one day.
const TYPE: &str = "exit+jwt";
/// Who the token is for.
const AUDIENCE: &str = "exit";

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The station.
    pub iss: String,
    /// `exit`.
    pub aud: String,
    /// The basket.
    pub sub: String,
    /// The validation.
    pub validation_id: ValidationId,
    /// The attempt that passed; of an approval the last one before it.
    pub attempt: u32,
    /// The resolution by which staff has approved it, where it is that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<u32>,
    /// SHA-256 of the list that passed, as `GET /v1/baskets/{id}` gave it.
    pub basket_hash: String,
    /// When it passed, seconds since 1970.
    pub iat: i64,
    /// When it ends to be good.
    pub exp: i64,
    /// Cannot be guessed by who has not seen it.
    pub jti: String,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It is no token, or nobody known here has signed it.
    #[error("no exit token of this station")]
    NotOurs,
    /// It was good once.
    #[error("the exit token has expired")]
    Expired,
}

/// Why there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the station's key for exit tokens is none: remove the secret `exit-key`, another is made; old tokens are void then"
)]
pub struct NoKey;

/// The station's key.
pub struct ExitKey {
    pair: Ed25519KeyPair,
    signing: EncodingKey,
    nonces: hmac::Key,
    kid: String,
    station: String,
    life_s: i64,
}

impl std::fmt::Debug for ExitKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExitKey({})", self.kid)
    }
}

impl ExitKey {
    /// A new key as PKCS #8, to be kept secret.
    ///
    /// # Errors
    /// A system without random numbers.
    pub fn generate() -> Result<Vec<u8>, NoKey> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| NoKey)?;
        Ok(document.as_ref().to_vec())
    }

    /// The key of a station whose tokens live so many minutes.
    ///
    /// # Errors
    /// Something else than a key.
    pub fn new(pkcs8: &[u8], station: &str, life_minutes: u32) -> Result<Self, NoKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoKey)?;
        let kid = thumbprint(&x_of(&pair));
        Ok(Self {
            signing: EncodingKey::from_ed_der(pkcs8),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, pkcs8),
            pair,
            kid,
            station: station.to_owned(),
            life_s: i64::from(life_minutes) * 60,
        })
    }

    /// The token of a pass; `None` if it cannot be signed.
    pub fn token(&self, verdict: &Verdict, basket_hash: &str) -> Option<String> {
        self.sign(&verdict.validation_id, &verdict.basket_id, (verdict.attempt, None), verdict.decided_at, basket_hash)
    }

    /// The token of staff's approval; `None` if it cannot be signed.
    pub fn token_of_approval(&self, approval: &Resolution, basket_hash: &str) -> Option<String> {
        let which = (approval.attempt, Some(approval.number));
        self.sign(&approval.validation_id, &approval.basket_id, which, approval.at, basket_hash)
    }

    fn sign(
        &self,
        validation_id: &ValidationId,
        basket_id: &BasketId,
        (attempt, resolution): (u32, Option<u32>),
        at: Wall,
        basket_hash: &str,
    ) -> Option<String> {
        let nonce = match resolution {
            None => format!("{validation_id}/{attempt}"),
            Some(number) => format!("{validation_id}/resolution/{number}"),
        };
        let iat = at.ms().div_euclid(1000);
        let claims = Claims {
            iss: self.station.clone(),
            aud: AUDIENCE.to_owned(),
            sub: basket_id.to_string(),
            validation_id: validation_id.clone(),
            attempt,
            resolution,
            basket_hash: basket_hash.to_owned(),
            iat,
            exp: iat + self.life_s,
            jti: URL_SAFE_NO_PAD.encode(&hmac::sign(&self.nonces, nonce.as_bytes()).as_ref()[..16]),
        };
        let header =
            Header { typ: Some(TYPE.to_owned()), kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.signing).ok()
    }

    /// The public half, as a JWK set (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid,
            "x": x_of(&self.pair) }] })
    }

    /// What a token of this station says.
    ///
    /// # Errors
    /// A token of somebody else's, or one that has expired.
    pub fn verify(&self, token: &str, now: Wall) -> Result<Claims, TokenFault> {
        let set: JwkSet = serde_json::from_value(self.jwks()).map_err(|_| TokenFault::NotOurs)?;
        let claims = verify(token, &set, now, 0)?;
        if claims.iss == self.station { Ok(claims) } else { Err(TokenFault::NotOurs) }
    }
}

/// What a token says that one of these keys has signed. `leeway_s` is how far the clock may be behind or before the station's.
///
/// # Errors
/// A token of somebody else's, or one that has expired.
pub fn verify(token: &str, keys: &JwkSet, now: Wall, leeway_s: i64) -> Result<Claims, TokenFault> {
    let header = decode_header(token).map_err(|_| TokenFault::NotOurs)?;
    if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) {
        return Err(TokenFault::NotOurs);
    }
    let key = header.kid.and_then(|kid| keys.find(&kid)).ok_or(TokenFault::NotOurs)?;
    let key = DecodingKey::from_jwk(key).map_err(|_| TokenFault::NotOurs)?;
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_audience(&[AUDIENCE]);
    // Looked at below, by the clock that was given.
    rules.validate_exp = false;
    rules.set_required_spec_claims(&["exp", "aud"]);
    let claims = decode::<Claims>(token, &key, &rules).map_err(|_| TokenFault::NotOurs)?.claims;
    let now_s = now.ms().div_euclid(1000);
    if now_s > claims.exp.saturating_add(leeway_s) {
        return Err(TokenFault::Expired);
    }
    if claims.iat > now_s.saturating_add(leeway_s.max(60)) {
        return Err(TokenFault::NotOurs);
    }
    Ok(claims)
}

fn x_of(pair: &Ed25519KeyPair) -> String {
    URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
}

/// RFC 7638, with the members in the order that it wants.
fn thumbprint(x: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::verdict::{Message, Outcome, Versions};

    /// 2026-11-21T18:00:00Z.
    const AT: i64 = 1_795_284_000_000;

    fn verdict() -> Verdict {
        let read: Result<Verdict, _> = serde_json::from_value(serde_json::json!({
            "validation_id": "v-1", "attempt": 2, "basket_id": "b-1", "revision": 3, "station_id": "basket-1",
            "outcome": "pass", "passed": true, "decided_at": "2026-11-21T18:00:00Z", "elapsed_ms": 800, "weight": null,
            "findings": [], "check": [], "message": Message::AllRight {}, "degraded": [], "exit_token": null
        }));
        let verdict = read.unwrap();
        assert_eq!((verdict.outcome, &verdict.versions), (Outcome::Pass, &Versions::default()));
        verdict
    }

    fn key() -> ExitKey {
        ExitKey::new(&ExitKey::generate().unwrap(), "basket-1", 10).unwrap()
    }

    #[test]
    fn a_token_says_what_passed_and_is_the_same_each_time() {
        let key = key();
        let token = key.token(&verdict(), "abc").unwrap();
        assert_eq!(key.token(&verdict(), "abc").unwrap(), token);
        let claims = key.verify(&token, Wall::from_ms(AT)).unwrap();
        assert_eq!((claims.sub.as_str(), claims.attempt, claims.basket_hash.as_str()), ("b-1", 2, "abc"));
        assert_eq!(claims.exp - claims.iat, 600);
        assert!(claims.jti.len() >= 20);
    }

    #[test]
    fn a_gate_needs_the_public_half_alone() {
        let key = key();
        let set: JwkSet = serde_json::from_value(key.jwks()).unwrap();
        let token = key.token(&verdict(), "abc").unwrap();
        assert!(verify(&token, &set, Wall::from_ms(AT), 60).is_ok());
        assert_eq!(verify(&token, &set, Wall::from_ms(AT + 661_000), 60), Err(TokenFault::Expired));
        assert_eq!(key.verify(&token, Wall::from_ms(AT + 601_000)), Err(TokenFault::Expired));
        assert!(!key.jwks().to_string().contains("\"d\""));
    }

    #[test]
    fn nothing_else_opens_the_gate() {
        let (key, other) = (key(), key());
        let token = key.token(&verdict(), "abc").unwrap();
        let now = Wall::from_ms(AT);
        assert_eq!(other.verify(&token, now), Err(TokenFault::NotOurs));
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"exit+jwt"}"#);
        let told = URL_SAFE_NO_PAD.decode(payload).unwrap();
        let longer = String::from_utf8(told).unwrap().replace("\"attempt\":2", "\"attempt\":3");
        for forged in [
            String::new(),
            "a.b.c".to_owned(),
            format!("{none}.{payload}."),
            format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(longer)),
            format!("{header}.{payload}.{}", &signature[..80]),
        ] {
            assert_eq!(key.verify(&forged, now), Err(TokenFault::NotOurs), "{forged}");
        }
        // From the future: somebody has turned the station's clock, or the token is forged by another station's key holder.
        assert_eq!(key.verify(&token, Wall::from_ms(AT - 120_000)), Err(TokenFault::NotOurs));
        assert!(ExitKey::new(b"no key", "basket-1", 10).is_err());
    }
}
