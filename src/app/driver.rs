//! Drives the root machine: everything that happens goes in one at a time, everything it wants done is done.

use super::eyes::StationEyes;
use super::look_school::SeenVisit;
use super::telemetry;
use crate::api::{Call, Views};
use crate::io::clock::Clock;
use crate::io::journal::Journal;
use crate::io::serial::{PortEvent, SerialEvent, SerialLink};
use crate::io::store::{StoreEvent, Writer};
use augenmass_core::goods::Gallery;
use augenmass_core::station::{
    Answer, Input, Machine, Now, Output, Record, Refusal, StationView, ValidationState, ValidationView,
};
use augenmass_core::verdict::Verdict;
use augenmass_core::vision::Scene;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Validations whose views are held for readers; older ones are read from the store.
const VIEWS_MAX: usize = 512;
/// The station's own view is copied at most so often: people do not read faster.
const VIEW_EVERY: Duration = Duration::from_millis(100);
/// Bytes, looks and requests must not wait for ever for a machine that has no timeout of its own.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// Where everything comes from.
pub struct Sources {
    /// The instruments' ports.
    pub serial: mpsc::Receiver<PortEvent>,
    /// Looks, eyes that open and close, new goods.
    pub inputs: mpsc::Receiver<Input>,
    /// Requests of the API.
    pub calls: mpsc::Receiver<Call>,
    /// What became of records.
    pub store: mpsc::UnboundedReceiver<StoreEvent>,
}

/// Where everything goes.
pub struct Sinks {
    /// To the instruments, in the order of their ports.
    pub serial: Vec<SerialLink>,
    /// To the disk.
    pub writer: Writer,
    /// What comes over the ports, kept for replay.
    pub journal: Option<Journal>,
    /// To the camera and models; `None` if there are none.
    pub eyes: Option<StationEyes>,
    /// To what learns how goods look.
    pub seen: Option<mpsc::Sender<SeenVisit>>,
    /// To those who wait for verdicts.
    pub views: watch::Sender<Views>,
    /// To those who watch the station.
    pub station: watch::Sender<StationView>,
}

/// The machine with all its doors.
pub struct Driver {
    machine: Machine,
    clock: Clock,
    sinks: Sinks,
    waiting: BTreeMap<u64, oneshot::Sender<Result<Answer, Refusal>>>,
    next_ticket: u64,
    viewed: Instant,
    /// The last look.
    scene: Option<Scene>,
    /// The looks that the machine judges by.
    gallery: Option<Arc<Gallery>>,
}

impl Driver {
    /// Ready to run. What was restored is published before anybody can ask: a reader must not take an open validation for one that
    /// nobody works on.
    pub fn new(machine: Machine, clock: Clock, sinks: Sinks) -> Self {
        let waiting = BTreeMap::new();
        let mut driver =
            Self { machine, clock, sinks, waiting, next_ticket: 1, viewed: Instant::now(), scene: None, gallery: None };
        driver.machine.handle_timeout(driver.clock.now());
        driver.drain();
        driver
    }

    /// Runs until the API is gone.
    pub async fn run(mut self, mut sources: Sources) {
        loop {
            let wake = self.wake_at();
            tokio::select! {
                // The order is that of importance under load: what is durable is told first, then what is weighed.
                biased;
                Some(event) = sources.store.recv() => self.handle(match event {
                    StoreEvent::Saved(save) => Input::Saved(save),
                    StoreEvent::Failed(save) => Input::SaveFailed(save),
                }),
                Some(event) = sources.serial.recv() => self.serial(event),
                Some(input) = sources.inputs.recv() => self.handle(input),
                call = sources.calls.recv() => match call {
                    Some(call) => self.call(call),
                    None => return,
                },
                () = tokio::time::sleep_until(wake) => {
                    let now = self.clock.now();
                    self.machine.handle_timeout(now);
                    self.drain();
                }
            }
        }
    }

    fn wake_at(&self) -> Instant {
        let latest = Instant::now() + AT_LEAST_EVERY;
        let due = self.machine.poll_timeout().map(|(at, _)| Instant::from_std(self.clock.instant(at)));
        // A timeout that is due already and brings nothing must not spin.
        due.map_or(latest, |due| due.max(Instant::now() + Duration::from_millis(5)).min(latest))
    }

    fn serial(&mut self, PortEvent { port, event }: PortEvent) {
        self.keep(port, &event);
        match event {
            SerialEvent::Opened { .. } => {
                tracing::info!(port = self.name(port), "the port is open");
                self.handle(Input::PortOpened { port });
            }
            SerialEvent::Bytes { at, bytes } => {
                let at = self.clock.mono(at);
                self.handle(Input::Bytes { port, at, bytes: bytes.to_vec() });
            }
            SerialEvent::Lost { why, .. } => {
                tracing::warn!(port = self.name(port), %why, "the port is out");
                self.handle(Input::PortClosed { port, why: why.to_string() });
            }
        }
    }

    fn keep(&mut self, port: usize, event: &SerialEvent) {
        let Some(journal) = &mut self.sinks.journal else { return };
        match event {
            SerialEvent::Opened { at } => journal.opened(port, self.clock.mono(*at)),
            SerialEvent::Bytes { at, bytes } => journal.bytes(port, self.clock.mono(*at), bytes.clone()),
            SerialEvent::Lost { at, why } => journal.closed(port, self.clock.mono(*at), &why.to_string()),
        }
    }

    fn name(&self, port: usize) -> &str {
        self.machine.scale().names().nth(port).unwrap_or("?")
    }

    fn call(&mut self, call: Call) {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.waiting.insert(ticket, call.reply);
        self.handle(Input::Request { ticket, request: call.request });
    }

    fn handle(&mut self, input: Input) {
        match &input {
            Input::Scene(scene) => self.scene = Some(scene.clone()),
            Input::Goods { gallery, .. } => self.gallery.clone_from(gallery),
            Input::PortOpened { .. }
            | Input::PortClosed { .. }
            | Input::Bytes { .. }
            | Input::EyesOpened
            | Input::EyesImpaired { .. }
            | Input::EyesClosed { .. }
            | Input::Looks { .. }
            | Input::Containers(_)
            | Input::Request { .. }
            | Input::Saved(_)
            | Input::SaveFailed(_) => {}
        }
        let looked = matches!(input, Input::Scene(_));
        let now: Now = self.clock.now();
        self.machine.handle(now, input);
        if looked {
            tracing::debug!(came = ?self.machine.came(), "what was first seen with each put");
        }
        self.drain();
    }

    fn drain(&mut self) {
        let mut news = false;
        while let Some(output) = self.machine.poll_output() {
            news = true;
            self.carry_out(output);
        }
        if news || self.viewed.elapsed() >= VIEW_EVERY {
            self.viewed = Instant::now();
            let view = self.machine.view();
            telemetry::station(&view, self.machine.scale());
            self.sinks.station.send_if_modified(|old| {
                let changed = *old != view;
                *old = view;
                changed
            });
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send { port, bytes } => {
                if !self.sinks.serial.get(port).is_some_and(|link| link.send(bytes.into())) {
                    tracing::debug!(port = self.name(port), "the instrument takes no commands now");
                }
            }
            Output::Look { since } => {
                if let Some(eyes) = &mut self.sinks.eyes {
                    eyes.look(since);
                }
            }
            Output::Save { save, record } => {
                if let Record::Attempt(verdict) = &record {
                    self.seen(verdict);
                }
                self.sinks.writer.save(save, record);
            }
            Output::Answer { ticket, answer } => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    // Whoever asked may have hung up.
                    let _ = reply.send(answer);
                }
            }
            Output::Publish(view) => self.publish(view),
        }
    }

    /// What was seen goes to where it is shown, and to where it is learned from.
    fn seen(&self, verdict: &Arc<Verdict>) {
        let judged = self.scene.as_ref().map(|scene| scene.captured);
        // The pictures are written first: who is told of the verdict finds them there.
        if let Some(eyes) = &self.sinks.eyes
            && let Some(make) = eyes.evidence(verdict, judged, self.gallery.clone())
        {
            self.sinks.writer.keep_crops(make);
        }
        let scene = self.scene.as_ref().filter(|scene| verdict.seen == Some(scene.crops.len()));
        if let (Some(learns), Some(scene)) = (&self.sinks.seen, scene) {
            let (validation_id, attempt) = (verdict.validation_id.clone(), verdict.attempt);
            // Who learns may be busy; a visit more or less teaches nothing that another one would not.
            let _ = learns.try_send(SeenVisit { validation_id, attempt, scene: scene.clone() });
        }
    }

    fn publish(&self, view: ValidationView) {
        if let Some(verdict) = &view.verdict {
            let known = self.sinks.views.borrow().get(&view.validation_id).map_or(0, |v| v.attempt);
            if view.attempt > known {
                telemetry::told(verdict);
                tracing::info!(
                    validation = %verdict.validation_id,
                    attempt = verdict.attempt,
                    outcome = verdict.outcome.as_str(),
                    elapsed_ms = verdict.elapsed_ms,
                    "verdict"
                );
            }
        }
        self.sinks.views.send_modify(|views| {
            views.insert(view.validation_id.clone(), view);
            while views.len() > VIEWS_MAX {
                // Names are in the order of time: the first is the oldest, those that ended before those that did not.
                let ended = views.iter().find(|(_, v)| v.state == ValidationState::Closed).map(|(id, _)| id.clone());
                let Some(oldest) = ended.or_else(|| views.keys().next().cloned()) else { break };
                views.remove(&oldest);
            }
        });
    }
}
