//! What holds for every token that somebody shows: the replay of the corpus (`tests/api/laws.rs`) and the fuzz target (`fuzz/`) hold both
//! kinds, those of apps and those for the exit, to these same laws. Whoever includes this has `app_token` and `exit_token` beside it.

use super::{app_token, exit_token};
use app_token::AppKeys;
use augenmass_core::units::Wall;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use exit_token::ExitKey;
use jsonwebtoken::jwk::JwkSet;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// 2026-11-21T18:00:00Z.
const NOW_S: i64 = 1_795_284_000;

/// The retailer's key and the station's, made anew: no law is about a certain key.
struct Keys {
    pair: Ed25519KeyPair,
    app: AppKeys,
    exit: ExitKey,
    jwks: JwkSet,
}

static KEYS: LazyLock<Option<Keys>> = LazyLock::new(|| {
    let pkcs8 = ExitKey::generate().ok()?;
    let pair = Ed25519KeyPair::from_pkcs8(&pkcs8).ok()?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": x });
    let set: JwkSet = serde_json::from_value(json!({ "keys": [key] })).ok()?;
    let exit = ExitKey::new(&pkcs8, "basket-1", 10).ok()?;
    Some(Keys { pair, app: AppKeys::new(set.clone(), "basket-1"), exit, jwks: set })
});

impl Keys {
    /// A token of any header and claims, with a signature that is right.
    fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        let said = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(said.as_bytes()).as_ref());
        format!("{said}.{signature}")
    }
}

fn now() -> Wall {
    Wall::from_ms(NOW_S * 1000)
}

/// Fails unless a token keeps all laws: one byte that says what the rest is.
///
/// 0: a token as it was shown. 1, 2: claims that the right key has signed, of an app and for the exit. 3, 4: a header, up to the first line
/// break, and claims, all signed by the right key. 5, 6: a good token of either kind, a byte of it replaced: its place in two bytes, and the byte.
pub fn hold(input: &[u8]) {
    let (Some(keys), Some((choice, rest))) = (&*KEYS, input.split_first()) else { return };
    let app_header = br#"{"alg":"EdDSA","kid":"k"}"#;
    let exit_header = br#"{"alg":"EdDSA","typ":"exit+jwt","kid":"k"}"#;
    match choice % 7 {
        0 => shown(keys, rest),
        1 => signed_app(keys, app_header, rest),
        2 => signed_exit(keys, exit_header, rest),
        kind @ (3 | 4) => {
            let at = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let (header, claims) = (&rest[..at], rest.get(at + 1..).unwrap_or_default());
            if kind == 3 { signed_app(keys, header, claims) } else { signed_exit(keys, header, claims) }
        }
        kind => {
            let app = json!({ "aud": "basket-1", "basket_id": "b-1", "iat": NOW_S, "exp": NOW_S + 60 });
            let exit = json!({ "iss": "basket-1", "aud": "exit", "sub": "b-1", "validation_id": "v-1", "attempt": 1,
                "basket_hash": "00", "iat": NOW_S, "exp": NOW_S + 60, "jti": "n" });
            let good = match kind {
                5 => keys.signed(app_header, app.to_string().as_bytes()),
                _ => keys.signed(exit_header, exit.to_string().as_bytes()),
            };
            forged(keys, &good, rest);
        }
    }
}

fn opens(keys: &Keys, token: &str) -> bool {
    keys.app.verify(token, now()).is_ok() || exit_token::verify(token, &keys.jwks, now(), 0).is_ok()
}

/// Nobody who has not the key makes one.
fn shown(keys: &Keys, text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    assert!(!opens(keys, text) && keys.exit.verify(text, now()).is_err(), "{text}");
}

fn forged(keys: &Keys, good: &str, rest: &[u8]) {
    assert!(opens(keys, good), "{good}");
    let [high, low, byte, ..] = rest else { return };
    let mut bytes = good.as_bytes().to_vec();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len();
    bytes[at] = *byte;
    let Ok(text) = String::from_utf8(bytes) else { return };
    assert!(text == good || !opens(keys, &text), "{text} for {good}");
}

/// Whatever the retailer's servers sign, a token lives for an hour at most, is for this station, and is good only in its time.
fn signed_app(keys: &Keys, header: &[u8], claims: &[u8]) {
    let Ok(basket) = keys.app.verify(&keys.signed(header, claims), now()) else { return };
    let claims = told(header, claims);
    assert_eq!(claims["basket_id"], basket.as_str());
    let audience =
        claims["aud"] == "basket-1" || claims["aud"].as_array().is_some_and(|all| all.contains(&"basket-1".into()));
    let (from, until) = (claims["iat"].as_i64().unwrap_or(i64::MIN), claims["exp"].as_i64().unwrap_or(i64::MAX));
    let life = i128::from(until) - i128::from(from);
    assert!(audience && (0..=3600).contains(&life) && from - 120 <= NOW_S && NOW_S <= until + 120, "{claims}");
}

/// The same of an exit token, whose time is told by the station's own clock.
fn signed_exit(keys: &Keys, header: &[u8], claims: &[u8]) {
    let Ok(read) = exit_token::verify(&keys.signed(header, claims), &keys.jwks, now(), 60) else { return };
    let claims = told(header, claims);
    let audience = claims["aud"] == "exit" || claims["aud"].as_array().is_some_and(|all| all.contains(&"exit".into()));
    assert!(audience && read.exp.saturating_add(60) >= NOW_S && read.iat <= NOW_S + 60, "{claims}");
    assert_eq!(claims["validation_id"], read.validation_id.as_str());
}

fn told(header: &[u8], claims: &[u8]) -> Value {
    let header: Value = serde_json::from_slice(header).unwrap_or_default();
    assert_eq!((&header["alg"], &header["kid"]), (&"EdDSA".into(), &"k".into()), "no other way of signing is let in");
    serde_json::from_slice(claims).unwrap_or_default()
}
