//! Enrolling a product at the station: the routes' side of it. Who looks at it is `app::enrolment`.

use super::hub::Hub;
use super::problem::{Body, Problem};
use crate::access::who::{Caller, Who};
use augenmass_core::units::ProductId;
use augenmass_core::verdict::Staff;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Whoever enrols answers in this time, or is busy with something else.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Who may say how goods look: what they enrol is believed by the judge.
pub const MAY_ENROL: &[Who] = &[Who::Supervisor, Who::Technician];

/// What whoever holds the product should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hint {
    /// Nothing is seen: hold it under the camera, or put it on the plate.
    ShowIt,
    /// Several things are seen: take away all but one.
    OneAlone,
    /// It reaches over the edge of what is looked at.
    Centre,
    /// The picture is dark, glaring or blurred, or the plate has moved just now: hold it still.
    HoldStill,
    /// This side is known already: turn it.
    TurnIt,
    /// As many views as are of use.
    Enough,
}

/// How far an enrolment has come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Progress {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// Who enrols it.
    pub by: String,
    /// Clear views so far.
    pub views: usize,
    /// With so many it can be finished.
    pub needed: usize,
    /// What to do next.
    pub hint: Hint,
    /// What rests on the plate while one thing alone is seen, grams; it may be offered as a weighing of the product.
    pub weight_g: Option<f64>,
    /// When it is given up if nothing new is seen, milliseconds since 1970.
    pub until_ms: i64,
    /// Each view that was taken, as JPEG; told by routes of their own.
    #[serde(skip)]
    pub pictures: Vec<Bytes>,
}

/// What is asked of whoever enrols.
#[derive(Debug)]
pub enum Wish {
    /// Begin with a product.
    Begin {
        /// Which.
        product: ProductId,
        /// Its name.
        name: String,
        /// Who wants it.
        by: Staff,
    },
    /// Keep what was seen; the looks the product had are replaced.
    Finish {
        /// Who says so.
        by: Staff,
    },
    /// Take one view out again.
    Drop {
        /// Which, counted from 1.
        view: usize,
    },
    /// Forget what was seen.
    Cancel,
}

/// Why it is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// A product is being enrolled already.
    Enrolling,
    /// None is.
    NotEnrolling,
    /// A basket is being validated.
    PlateBusy,
    /// Too few sides were seen.
    TooFewViews,
    /// No such view was taken.
    UnknownView,
    /// The store does not take it.
    NotKept,
}

impl From<NotDone> for Problem {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Enrolling => {
                Self::new(StatusCode::CONFLICT, "enrolling", "a product is being enrolled: finish or cancel that first")
            }
            NotDone::NotEnrolling => Self::new(StatusCode::CONFLICT, "not_enrolling", "no product is being enrolled"),
            NotDone::PlateBusy => {
                Self::new(StatusCode::CONFLICT, "plate_busy", "a basket is being validated: wait until it has left")
            }
            NotDone::TooFewViews => Self::new(StatusCode::CONFLICT, "too_few_views", "show more of its sides first"),
            NotDone::UnknownView => Self::new(StatusCode::NOT_FOUND, "unknown_view", "no such view has been taken"),
            NotDone::NotKept => Self::no_answer(),
        }
    }
}

/// A wish on its way, with where the answer goes: how many views were kept.
pub type Wished = (Wish, oneshot::Sender<Result<usize, NotDone>>);

/// The routes' side of whoever enrols.
#[derive(Clone, Debug)]
pub struct EnrolmentDoor {
    /// To whoever enrols.
    pub wishes: mpsc::Sender<Wished>,
    /// How far it has come; `None` while nothing is enrolled.
    pub progress: watch::Receiver<Option<Progress>>,
}

/// Body of `POST /v1/staff/enrolment`: the product by its identifier, or by its code as the catalogue has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    product_id: Option<ProductId>,
    code: Option<String>,
}

async fn ask(hub: &Hub, wish: Wish) -> Result<usize, Problem> {
    let door = door(hub)?;
    let (reply, answer) = oneshot::channel();
    door.wishes.try_send((wish, reply)).map_err(|_| Problem::busy())?;
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(Ok(done)) => done.map_err(Problem::from),
        Ok(Err(_)) | Err(_) => Err(Problem::no_answer()),
    }
}

fn door(hub: &Hub) -> Result<&EnrolmentDoor, Problem> {
    let none = || Problem::new(StatusCode::CONFLICT, "no_camera", "this station has no camera");
    hub.enrolment.as_deref().ok_or_else(none)
}

fn present(hub: &Hub) -> Result<Progress, Problem> {
    door(hub)?.progress.borrow().clone().ok_or_else(|| NotDone::NotEnrolling.into())
}

fn staff(caller: Caller) -> Result<Staff, Problem> {
    let Caller::Staff(person) = caller else {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "logged_out", "log in first"));
    };
    Ok(person.staff.clone())
}

/// `POST /v1/staff/enrolment`: begins to enrol a product under the camera.
pub async fn begin(
    State(hub): State<Hub>,
    Extension(caller): Extension<Caller>,
    Body(wanted): Body<Wanted>,
) -> Result<(StatusCode, Json<Progress>), Problem> {
    let by = staff(caller)?;
    if wanted.product_id.is_some() == wanted.code.is_some() {
        let detail = "say which product by `product_id` or by `code`, one of the two";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_body", detail));
    }
    door(&hub)?;
    let products = hub.read(|store| store.products(None)).await?.unwrap_or_default();
    let is_it = |known: &augenmass_core::goods::Product| match (&wanted.product_id, &wanted.code) {
        (Some(id), _) => known.id == *id,
        (None, Some(code)) => known.code == format!("{code:0>14}") || known.code == *code,
        (None, None) => false,
    };
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "unknown_product", "no such product");
    let product = products.into_iter().find(is_it).ok_or_else(unknown)?;
    ask(&hub, Wish::Begin { product: product.id, name: product.name, by }).await?;
    Ok((StatusCode::CREATED, Json(present(&hub)?)))
}

/// `GET /v1/staff/enrolment`: how far it has come, and what to do next.
pub async fn progress(State(hub): State<Hub>) -> Result<Json<Progress>, Problem> {
    present(&hub).map(Json)
}

/// `GET /v1/staff/enrolment/views/{number}`: a view that was taken, counted from 1, as JPEG. Gone once the enrolment has ended.
pub async fn view(State(hub): State<Hub>, Path(number): Path<String>) -> Result<Response, Problem> {
    let present = present(&hub)?;
    let taken = number.parse::<usize>().ok().and_then(|number| present.pictures.get(number.checked_sub(1)?));
    let jpeg = taken.ok_or(NotDone::UnknownView)?.clone();
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}

/// `DELETE /v1/staff/enrolment/views/{number}`: takes a view out again, on which a hand is seen or another article. Those behind it move up.
pub async fn drop_view(State(hub): State<Hub>, Path(number): Path<String>) -> Result<Json<Progress>, Problem> {
    let view = number.parse().map_err(|_| NotDone::UnknownView)?;
    ask(&hub, Wish::Drop { view }).await?;
    present(&hub).map(Json)
}

/// What was kept.
#[derive(Debug, Serialize)]
pub struct Enrolled {
    product_id: ProductId,
    views: usize,
}

/// `POST /v1/staff/enrolment/finish`: keeps what was seen. The judge knows it within seconds.
pub async fn finish(State(hub): State<Hub>, Extension(caller): Extension<Caller>) -> Result<Json<Enrolled>, Problem> {
    let product_id = present(&hub)?.product_id;
    let views = ask(&hub, Wish::Finish { by: staff(caller)? }).await?;
    Ok(Json(Enrolled { product_id, views }))
}

/// `DELETE /v1/staff/enrolment`: forgets what was seen.
pub async fn cancel(State(hub): State<Hub>) -> Result<StatusCode, Problem> {
    ask(&hub, Wish::Cancel).await.map(|_| StatusCode::NO_CONTENT)
}
