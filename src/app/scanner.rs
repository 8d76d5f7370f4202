//! The scanner of a station that serves older handhelds: the shopper's handheld shows its list as a code, the scanner reads it, and says
//! by its beeper and lamps how it ended. Scanned again it is "I have put it right".

use super::config;
use crate::api::Hub;
use crate::io::serial::{Parity, PortEvent, SerialEvent, SerialLink, SerialOptions};
use augenmass_core::basket::scanner::{Heard, ScannerDecoder, ScannerProtocol, basket_of, ssi};
use augenmass_core::station::{Answer, Request, ValidationState, ValidationView};
use augenmass_core::units::{BasketId, ValidationId};
use augenmass_core::verdict::Outcome;
use std::time::Duration;
use tokio::sync::mpsc;

/// A packet does not pause for so long.
const PAUSE: Duration = Duration::from_millis(100);
/// Lamps go out after so long.
const LAMPS_FOR: Duration = Duration::from_secs(8);
/// The lamp of a pass, green on scanners and cradles that have two; and the other one.
const LAMP_PASS: u8 = 0x01;
const LAMP_OTHER: u8 = 0x02;
/// Tunes: two short high beeps; two, three and four short low ones.
const TUNE_PASS: u8 = 0x01;
const TUNE_CORRECT: u8 = 0x06;
const TUNE_HELP: u8 = 0x07;
const TUNE_NOT_NOW: u8 = 0x08;
/// One long low beep, for a code that means nothing here.
const TUNE_UNKNOWN: u8 = 0x0F;

/// Serves the scanner until the runtime ends.
pub async fn serve(file: config::Scanner, hub: Hub) {
    let (events, heard) = mpsc::channel(64);
    let options = SerialOptions {
        path: file.path.clone(),
        baud: file.baud,
        data_bits: 8,
        parity: Parity::None,
        stop_bits: 1,
        exclusive: true,
    };
    let link = SerialLink::start(0, options, events);
    let decoder = ScannerDecoder::new(file.protocol);
    Desk { file, hub, link, decoder, served: None, half: false, lamps: false }.run(heard).await;
}

/// Whose list was scanned last, and what has been told of it.
struct Served {
    id: ValidationId,
    /// The last attempt that was told, or that there was before the scan.
    told: u32,
}

struct Desk {
    file: config::Scanner,
    hub: Hub,
    link: SerialLink,
    decoder: ScannerDecoder,
    served: Option<Served>,
    /// Whether something is half there.
    half: bool,
    lamps: bool,
}

impl Desk {
    async fn run(mut self, mut events: mpsc::Receiver<PortEvent>) {
        let mut views = self.hub.views.clone();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(PortEvent { event, .. }) => self.port(event).await,
                    None => return,
                },
                changed = views.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.tell();
                }
                () = tokio::time::sleep(PAUSE), if self.half => {
                    self.half = false;
                    let mut damaged = false;
                    self.decoder.pause(&mut |_| damaged = true);
                    if damaged {
                        self.say(ssi::nak());
                    }
                }
                () = tokio::time::sleep(LAMPS_FOR), if self.lamps && !self.half => self.lamps_out(),
            }
        }
    }

    async fn port(&mut self, event: SerialEvent) {
        match event {
            SerialEvent::Opened { .. } => {
                tracing::info!("the scanner's port is open");
                self.decoder = ScannerDecoder::new(self.file.protocol);
                self.say(ssi::scan_enable());
            }
            SerialEvent::Lost { why, .. } => tracing::warn!(%why, "the scanner's port is out"),
            SerialEvent::Bytes { bytes, .. } => {
                let mut heard = Vec::new();
                self.decoder.push(&bytes, &mut |one| heard.push(one));
                self.half = true;
                for one in heard {
                    self.heard(one).await;
                }
            }
        }
    }

    async fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Scan { text, .. } => {
                // At once: a scanner that waits sends it again.
                self.say(ssi::ack());
                self.lamps_out();
                match basket_of(&text, &self.file.prefix) {
                    Some(basket) => self.validate(basket).await,
                    None => {
                        tracing::info!("a code was scanned that is no list's");
                        self.say(ssi::beep(TUNE_UNKNOWN));
                    }
                }
            }
            Heard::Again => self.say(ssi::ack()),
            Heard::Damaged => self.say(ssi::nak()),
            Heard::Refused { cause } => tracing::debug!(cause, "the scanner does not do it"),
            Heard::Acknowledged | Heard::Other { .. } => {}
        }
    }

    /// Opens the basket's validation, or asks for the next attempt of the one that is open.
    async fn validate(&mut self, basket_id: BasketId) {
        let Ok(id) = format!("v-{}", uuid::Uuid::now_v7().simple()).parse() else { return };
        let station_code = self.hub.info.station_code.clone();
        match self.hub.ask(Request::Validate { id, basket_id, station_code }).await {
            Ok(Answer::Validation { id, created }) => {
                let view = self.hub.views.borrow().get(&id).cloned();
                let told = view.as_ref().map_or(0, |view| view.attempt);
                self.served = Some(Served { id: id.clone(), told: if created { 0 } else { told } });
                if !created && view.is_some_and(|view| view.state == ValidationState::Decided) {
                    // It may have ended in between: then there is nothing to ask for.
                    let _ = self.hub.ask(Request::Retry { id }).await;
                }
                self.tell();
            }
            Ok(_) => {}
            Err(problem) => {
                tracing::info!(code = problem.code, "a scanned list is not served");
                let unknown = problem.code == "unknown_basket";
                self.say(ssi::beep(if unknown { TUNE_UNKNOWN } else { TUNE_NOT_NOW }));
            }
        }
    }

    /// Tells the scanner of a verdict that it does not know.
    fn tell(&mut self) {
        let Some(served) = &mut self.served else { return };
        let view = self.hub.views.borrow().get(&served.id).cloned();
        let Some(ValidationView { attempt, verdict: Some(verdict), .. }) = view else { return };
        if attempt <= served.told {
            return;
        }
        served.told = attempt;
        let (tune, lamp) = match verdict.outcome {
            Outcome::Pass => (TUNE_PASS, LAMP_PASS),
            Outcome::Correct => (TUNE_CORRECT, LAMP_OTHER),
            Outcome::Assist => (TUNE_HELP, LAMP_OTHER),
            Outcome::Unavailable => (TUNE_NOT_NOW, LAMP_OTHER),
        };
        self.lamps_out();
        self.say(ssi::beep(tune));
        self.say(ssi::led_on(lamp));
        self.lamps = true;
    }

    fn lamps_out(&mut self) {
        if std::mem::take(&mut self.lamps) {
            self.say(ssi::led_off(LAMP_PASS | LAMP_OTHER));
        }
    }

    fn say(&self, bytes: Vec<u8>) {
        match self.file.protocol {
            ScannerProtocol::Lines => {}
            ScannerProtocol::Ssi => {
                self.link.send(bytes.into());
            }
        }
    }
}
