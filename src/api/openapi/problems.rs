//! Every code that a problem may have.

use super::operation::{Operation, Place};
use crate::access::who::Who;
use axum::http::Method;
use std::collections::BTreeMap;

/// Code, status, and what it means to who gets it.
pub const PROBLEMS: &[(&str, u16, &str)] = &[
    ("age_unchecked", 409, "the basket holds goods for adults: check the age, and say so"),
    ("bad_basket", 422, "the list has faults, all of them in `faults`"),
    ("bad_body", 422, "the body is JSON, but not what belongs here"),
    ("bad_catalogue", 422, "the catalogue has faults with line numbers in `faults`; nothing was changed"),
    ("bad_credential", 401, "the token is not good, or not good now: get another, and look at both clocks"),
    ("bad_csrf_token", 403, "send `x-csrf-token` as the session was told it"),
    ("bad_event_id", 400, "`Last-Event-ID` is no number of an attempt"),
    ("bad_id", 422, "an identifier is 1 to 64 characters out of `A-Z a-z 0-9 . _ : -`"),
    ("bad_lines", 422, "`lines` go with `correct`, and with nothing else"),
    ("bad_login", 403, "the name, the PIN or the badge is not right"),
    ("bad_name", 422, "a handheld's name is 1 to 64 characters"),
    ("bad_pairing_code", 403, "this is not the code on the display, or not any more"),
    ("bad_product", 422, "the product would not be one; nothing was changed"),
    ("bad_query", 400, "a parameter of the query is not what it should be"),
    ("bad_reason", 422, "the reason is one for something else"),
    ("bad_text", 422, "a text is too long, or holds what is no text"),
    ("bad_token", 422, "no exit token of this station, or of no pass that it knows"),
    ("busy", 503, "too much at one time: try again in a second"),
    ("certificate_known", 409, "a certificate with this name is registered already: revoke that first"),
    ("claimed", 409, "somebody else looks after this basket"),
    ("cross_site", 403, "the request comes from another site's page"),
    ("deciding", 409, "it is being decided just now: look again"),
    ("enrolling", 409, "a product is being enrolled: finish or cancel that first"),
    ("forbidden", 403, "the credential is good, but not for this"),
    ("foreign_host", 421, "`Host` names another station: ask it by a name in `[api].hosts`"),
    ("locked_out", 429, "too many failures: wait as long as `Retry-After` says"),
    ("logged_out", 401, "log in on this tablet"),
    ("malformed_json", 400, "the body is no JSON"),
    ("malformed_text", 400, "the body is no UTF-8, or it broke off"),
    ("method_not_allowed", 405, "the path is right, the method is not"),
    ("news_since", 409, "another attempt has been decided since: look again"),
    ("no_camera", 409, "this station has no camera"),
    ("no_certificate", 422, "the connection shows no client certificate with a name, or this station asks for none"),
    ("no_answer", 503, "the station could not do it now; it may still be done: ask again"),
    ("not_a_catalogue", 415, "send `application/x-ndjson` or `text/csv`"),
    ("not_claimed", 409, "claim the basket first"),
    ("not_enrolling", 409, "no product is being enrolled"),
    ("not_found", 404, "nothing is here"),
    ("not_json", 415, "send `application/json`"),
    ("not_queued", 409, "the basket does not need staff, or not any more"),
    ("not_yours", 403, "only who decided it, or a supervisor, takes it back"),
    ("nothing_proposed", 409, "nothing waits to be confirmed"),
    ("older_revision", 409, "a later revision is here already: send the list with a greater number"),
    ("other_station", 422, "the code is that of another station"),
    ("out_of_service", 503, "staff has taken the station out of service: use another"),
    ("plate_busy", 409, "a basket is being validated: wait until it has left"),
    ("revision_conflict", 409, "this revision was sent before with other content: send it with a greater number"),
    ("second_person", 403, "a second person, a supervisor, has to confirm it"),
    ("token_expired", 410, "the exit token was good once"),
    ("token_used", 409, "somebody has left with this exit token"),
    ("token_void", 409, "goods were added after the pass: it holds no more"),
    ("too_few_views", 409, "show more of its sides first"),
    ("too_large", 413, "the body is larger than anything meaningful"),
    ("too_late", 409, "it can be taken back no more"),
    ("too_often", 429, "too many failures: wait for a minute"),
    ("too_many_requests", 429, "more requests than anybody needs: wait as long as `Retry-After` says"),
    ("too_slow", 408, "the body did not come within ten seconds"),
    ("unauthorised", 401, "send `Authorization: Bearer` and a token"),
    ("unknown_attempt", 404, "the validation has no such attempt"),
    ("unknown_basket", 404, "no such basket, or not yours"),
    ("unknown_crop", 404, "no such picture, or it is kept no longer"),
    ("unknown_cursor", 409, "nothing so late was ever told here: the station's data is new, begin at 0"),
    ("unknown_product", 404, "no such product"),
    ("unknown_resolution", 409, "no such decision holds"),
    ("unknown_tablet", 401, "pair this tablet first"),
    ("unknown_validation", 404, "no such validation, or not of your basket"),
    ("unknown_view", 404, "no such view has been taken"),
    ("validation_closed", 409, "the validation has ended: open another"),
    ("validation_open", 409, "the basket is under validation: cancel that first"),
];

/// Codes that come before any handler.
const ALWAYS: [&str; 4] = ["foreign_host", "bad_credential", "too_many_requests", "no_answer"];
/// Where a credential is needed.
const GUARDED: [&str; 2] = ["unauthorised", "forbidden"];
/// Where staff comes.
const STAFF: [&str; 2] = ["unknown_tablet", "logged_out"];
/// Where staff changes something.
const OWN_PAGE: [&str; 2] = ["cross_site", "bad_csrf_token"];
/// Where JSON is taken.
const WITH_JSON: [&str; 5] = ["malformed_json", "bad_body", "not_json", "too_large", "too_slow"];

/// The status of a code; 500 for one that is none.
pub fn status_of(code: &str) -> u16 {
    PROBLEMS.iter().find(|(known, _, _)| *known == code).map_or(500, |(_, status, _)| *status)
}

/// What an operation may answer besides its answers: status and codes, from its own list, from who gets in, and from what it takes.
pub fn problems_of(operation: &Operation, who: &[Who]) -> BTreeMap<u16, Vec<&'static str>> {
    let mut codes: Vec<&'static str> = operation.problems.to_vec();
    codes.extend(ALWAYS);
    if !who.contains(&Who::Anyone) {
        codes.extend(GUARDED);
    }
    if who.iter().any(|who| who.is_staff()) {
        codes.extend(STAFF);
        if operation.method != Method::GET {
            codes.extend(OWN_PAGE);
        }
    }
    if operation.request.iter().any(|content| content.media_type == "application/json") {
        codes.extend(WITH_JSON);
    }
    if operation.parameters.iter().any(|p| p.place == Place::Path && p.name == "id") {
        codes.push("bad_id");
        if who.contains(&Who::App) {
            codes.push(if operation.path.starts_with("/v1/baskets/") {
                "unknown_basket"
            } else {
                "unknown_validation"
            });
        }
    }
    // The station is asked to do something: it may have too much to do.
    if operation.method != Method::GET {
        codes.extend(["busy", "no_answer"]);
    }
    codes.sort_unstable();
    codes.dedup();
    let mut by_status: BTreeMap<u16, Vec<&'static str>> = BTreeMap::new();
    for code in codes {
        by_status.entry(status_of(code)).or_default().push(code);
    }
    by_status
}
