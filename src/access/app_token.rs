//! What a shopper's app shows: a short-lived JWS of the retailer's own servers, verified without asking anybody.

use augenmass_core::units::{BasketId, Wall};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Longest life of an app's token, seconds: long enough for a phone that loses its line in the store.
const LIFE_MAX_S: i64 = 3600;
/// So far the station's clock may be wrong, seconds.
const LEEWAY_S: i64 = 120;

/// The retailer's public keys.
#[derive(Clone, Debug)]
pub struct AppKeys {
    keys: JwkSet,
    station: String,
}

/// Why an app is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppTokenFault {
    /// It is no token, nobody known here has signed it, or it is not for this station.
    #[error("no token of the retailer's for this station")]
    NotTheirs,
    /// It was good once, or will be.
    #[error("the token is not good now; get another, and see that the station's clock is right")]
    NotNow,
}

#[derive(Deserialize)]
struct Claims {
    basket_id: BasketId,
    iat: i64,
    exp: i64,
}

impl AppKeys {
    /// Keys for tokens whose audience is this station, by its identifier.
    pub fn new(keys: JwkSet, station: &str) -> Self {
        Self { keys, station: station.to_owned() }
    }

    /// The basket that the bearer may touch.
    ///
    /// # Errors
    /// A token of somebody else's, one that is not good now, or one that is meant to live for longer than an hour.
    pub fn verify(&self, token: &str, now: Wall) -> Result<BasketId, AppTokenFault> {
        let not_theirs = |_| AppTokenFault::NotTheirs;
        let header = decode_header(token).map_err(not_theirs)?;
        // Named here, so that no token chooses how it is verified.
        if !matches!(header.alg, Algorithm::EdDSA | Algorithm::ES256) {
            return Err(AppTokenFault::NotTheirs);
        }
        let key = header.kid.and_then(|kid| self.keys.find(&kid)).ok_or(AppTokenFault::NotTheirs)?;
        let key = DecodingKey::from_jwk(key).map_err(not_theirs)?;
        let mut rules = Validation::new(header.alg);
        rules.set_audience(&[&self.station]);
        rules.set_required_spec_claims(&["exp", "aud"]);
        rules.validate_exp = false;
        let claims = decode::<Claims>(token, &key, &rules).map_err(not_theirs)?.claims;
        let now_s = now.ms().div_euclid(1000);
        let life = claims.exp.saturating_sub(claims.iat);
        if !(0..=LIFE_MAX_S).contains(&life) {
            return Err(AppTokenFault::NotTheirs);
        }
        if now_s > claims.exp.saturating_add(LEEWAY_S) || now_s < claims.iat.saturating_sub(LEEWAY_S) {
            return Err(AppTokenFault::NotNow);
        }
        Ok(claims.basket_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header, encode};
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    const NOW_S: i64 = 1_795_284_000;

    fn now() -> Wall {
        Wall::from_ms(NOW_S * 1000)
    }

    fn claims() -> Value {
        json!({ "aud": "basket-1", "sub": "shopper", "basket_id": "b-1", "iat": NOW_S - 10, "exp": NOW_S + 290 })
    }

    fn ed25519() -> (Value, EncodingKey) {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x });
        (key, EncodingKey::from_ed_der(pkcs8.as_ref()))
    }

    fn p256() -> (Value, EncodingKey) {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let half = |from: usize| URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k", "x": half(1), "y": half(33) });
        (key, EncodingKey::from_ec_der(pkcs8.as_ref()))
    }

    fn keys(key: Value) -> AppKeys {
        AppKeys::new(serde_json::from_value(json!({ "keys": [key] })).unwrap(), "basket-1")
    }

    fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
        encode(&Header { kid: Some("k".to_owned()), ..Header::new(algorithm) }, claims, key).unwrap()
    }

    #[test]
    fn both_kinds_of_signature_are_taken() {
        for (algorithm, (public, private)) in [(Algorithm::EdDSA, ed25519()), (Algorithm::ES256, p256())] {
            let token = signed(algorithm, &private, &claims());
            assert_eq!(keys(public).verify(&token, now()), Ok("b-1".parse().unwrap()), "{algorithm:?}");
        }
    }

    #[test]
    fn a_token_that_is_not_quite_right_is_refused() {
        let (public, private) = ed25519();
        let keys = keys(public.clone());
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            keys.verify(&signed(Algorithm::EdDSA, &private, &claims), now())
        };
        for (name, value, fault) in [
            ("aud", json!("basket-2"), AppTokenFault::NotTheirs),
            ("basket_id", json!("b 1"), AppTokenFault::NotTheirs),
            ("basket_id", Value::Null, AppTokenFault::NotTheirs),
            ("exp", json!(NOW_S + 36_000), AppTokenFault::NotTheirs),
            ("exp", json!(NOW_S - 100_000), AppTokenFault::NotTheirs),
            ("exp", Value::Null, AppTokenFault::NotTheirs),
            ("iat", json!(NOW_S + 200), AppTokenFault::NotNow),
        ] {
            assert_eq!(with(name, value.clone()), Err(fault), "{name} {value}");
        }
        let token = signed(Algorithm::EdDSA, &private, &claims());
        assert_eq!(keys.verify(&token, Wall::from_ms((NOW_S + 290 + 121) * 1000)), Err(AppTokenFault::NotNow));
        assert!(keys.verify(&token, Wall::from_ms((NOW_S + 290 + 119) * 1000)).is_ok(), "clocks are not exact");
        let (_, foreign) = ed25519();
        assert_eq!(keys.verify(&signed(Algorithm::EdDSA, &foreign, &claims()), now()), Err(AppTokenFault::NotTheirs));
        // The public key as a secret: the oldest trick.
        let secret = EncodingKey::from_secret(public["x"].as_str().unwrap().as_bytes());
        assert_eq!(keys.verify(&signed(Algorithm::HS256, &secret, &claims()), now()), Err(AppTokenFault::NotTheirs));
        let none = AppKeys::new(JwkSet { keys: Vec::new() }, "basket-1");
        assert_eq!(none.verify(&token, now()), Err(AppTokenFault::NotTheirs));
    }
}
