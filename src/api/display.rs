//! What the shopper sees at the station: idle, weighing, result.

use super::hub::Hub;
use augenmass_core::station::{PlateState, StationView, ValidationState, ValidationView};
use augenmass_core::verdict::{Action, Outcome, Verdict};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The display's picture of the station: words and shapes, no internals.
#[derive(Debug, PartialEq, Serialize)]
pub struct Screen {
    /// `idle`, `weighing`, `pass`, `correct`, `help` or `wait`.
    view: &'static str,
    /// In large letters.
    headline: String,
    /// Below it.
    text: String,
    /// Articles to look at, by name.
    look_at: Vec<String>,
    /// The station's name.
    station: String,
    /// By which a handheld or a tablet is paired, while nobody is served.
    pairing_code: Option<String>,
}

/// `GET /v1/display`.
pub async fn screen(State(hub): State<Hub>) -> Json<Screen> {
    let view = hub.station.borrow().clone();
    let mut screen = draw(&view, &hub.info.station_name);
    if matches!(screen.view, "idle" | "wait") {
        screen.pairing_code = Some(hub.access.pairing.code(hub.clock.now().wall));
    }
    Json(screen)
}

fn draw(view: &StationView, station: &str) -> Screen {
    let plain = |view, headline: &str, text: &str| Screen {
        view,
        headline: headline.to_owned(),
        text: text.to_owned(),
        look_at: Vec::new(),
        station: station.to_owned(),
        pairing_code: None,
    };
    let verdict = view.active.as_ref().filter(|a| !a.cancelled).and_then(|a| a.verdict.as_ref().map(|v| (a.state, v)));
    let called = |a: &&ValidationView| a.staff_called && a.state != ValidationState::Closed;
    if view.active.as_ref().filter(called).is_some() {
        return plain(
            "help",
            "We’ll be right with you",
            "Somebody of the store is on the way. Your basket can stay where it is.",
        );
    }
    let decided = view.active.as_ref().and_then(|active| active.resolution.as_ref());
    if let Some(resolution) = decided.filter(|_| view.state != PlateState::Idle) {
        return match resolution.action {
            Action::Approve => plain("pass", "Thank you!", "You can take your basket."),
            Action::Correct | Action::Refuse => {
                plain("help", "Thank you for waiting", "Somebody of the store is here for you.")
            }
        };
    }
    let served = view.active.as_ref().is_some_and(|active| active.state != ValidationState::Closed);
    if view.out_of_service.is_some() && !served {
        return plain("wait", "Closed for the moment", "Please use another station, or ask somebody of the store.");
    }
    match (view.state, verdict) {
        (state, Some((ValidationState::Decided | ValidationState::Closed, verdict)))
            if is_told(view, state, verdict) =>
        {
            result(verdict, station)
        }
        (PlateState::Out, _) => {
            plain("wait", "One moment, please", "This station is not ready. Your list stays as it is.")
        }
        (PlateState::Idle, _) => plain("idle", "Welcome", "Put your basket on the plate."),
        (PlateState::Weighing, _) => plain("weighing", "One moment", "Please let go of the basket."),
        (PlateState::Unsteady, _) => {
            plain("weighing", "Almost there", "Please step back: something still moves the plate.")
        }
        (PlateState::Occupied, _) if view.active.as_ref().is_some_and(|a| a.state == ValidationState::Judging) => {
            plain("weighing", "One moment", "Comparing with your list.")
        }
        (PlateState::Occupied, _)
            if view.active.as_ref().is_some_and(|a| a.state == ValidationState::PlateOccupied) =>
        {
            plain(
                "wait",
                "Something is still here",
                "The plate is not empty from before. Please take everything off, then put your basket on.",
            )
        }
        (PlateState::Occupied, _) => {
            plain("idle", "Almost there", "Tap “Check out” in your app, or scan the code on this station.")
        }
    }
}

/// Whether the latest verdict is what the person at the station should read: it is about what lies here, or it says that the
/// station cannot judge. A pass of the last shopper must not greet the next one while the scale is out.
fn is_told(view: &StationView, state: PlateState, verdict: &Verdict) -> bool {
    verdict.outcome == Outcome::Unavailable || (view.verdict_on_plate && state != PlateState::Out)
}

fn result(verdict: &Verdict, station: &str) -> Screen {
    let (view, headline) = match verdict.outcome {
        Outcome::Pass => ("pass", "Thank you!"),
        Outcome::Correct => ("correct", "Please have a look"),
        Outcome::Assist => ("help", "We’ll be right with you"),
        Outcome::Unavailable => ("wait", "One moment, please"),
    };
    Screen {
        view,
        headline: headline.to_owned(),
        text: match verdict.outcome {
            Outcome::Pass => "Everything fits. You can take your basket.".to_owned(),
            Outcome::Correct | Outcome::Assist | Outcome::Unavailable => verdict.message.english(),
        },
        look_at: match verdict.outcome {
            Outcome::Correct => verdict.check.iter().map(|p| p.name.clone()).collect(),
            Outcome::Pass | Outcome::Assist | Outcome::Unavailable => Vec::new(),
        },
        station: station.to_owned(),
        pairing_code: None,
    }
}

const PAGE: &str = include_str!("pages/display.html");
const SCRIPT: &str = include_str!("pages/display.js");
const STYLE: &str = include_str!("pages/display.css");

pub(super) fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response()
}

/// `GET /`.
pub async fn page() -> Response {
    asset("text/html; charset=utf-8", PAGE)
}

/// `GET /display.js`.
pub async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// `GET /display.css`.
pub async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use augenmass_core::station::SenseView;

    #[test]
    fn what_is_left_behind_is_the_next_shoppers_first_step() {
        let active = ValidationView {
            validation_id: "v-b".parse().unwrap(),
            basket_id: "b".parse().unwrap(),
            state: ValidationState::PlateOccupied,
            attempt: 0,
            void: false,
            staff_called: false,
            corrections: 0,
            resolution: None,
            cancelled: false,
            verdict: None,
        };
        let mut view = StationView {
            state: PlateState::Occupied,
            live_g: Some(700.0),
            senses: vec![SenseView { name: "scale", ok: true, why: None }],
            active: Some(active),
            open: 1,
            verdict_on_plate: false,
            out_of_service: None,
        };
        let screen = draw(&view, "Station 1");
        assert!(screen.view == "wait" && screen.text.contains("take everything off"), "{screen:?}");
        view.state = PlateState::Idle;
        assert_eq!(draw(&view, "Station 1").view, "idle");
    }
}
