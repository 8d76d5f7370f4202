//! What is the same for all finished scales: one question at a time, answers matched to questions, time-outs, silence.

use super::script::{Ask, Meaning, Pace, Script};
use super::{BadIndicator, IndicatorConfig, IndicatorEvent};
use crate::units::Mono;
use crate::weighing::link::{LinkCounters, LinkState};
use crate::weighing::wire::{Decoder, Event, Reason, WeightKind};

/// A frame does not pause longer than this between two bytes.
const FRAME_PAUSE_MS: u64 = 50;
/// What arrives so soon after opening was in the kernel's buffer before.
const DEAF_MS: u64 = 100;
/// So many answers in a row may be missing.
const TIMEOUTS_MAX: u32 = 2;
/// So often a silent scale, or one that is not ours, is asked.
const SLOW_MS: u64 = 500;
/// Questions whose answer may still come. More than any scale keeps in its buffer.
const OWED_MAX: usize = 8;
/// So many bytes without a frame, a quarter of them of a kind that text never is, are bytes of another speed or parity.
const NOISE_BYTES: u32 = 32;

/// A question that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    ask: Ask,
    deadline: Mono,
    /// Whether the answer to an older question came while this one waited.
    late: bool,
}

/// Bytes since the last sound frame.
#[derive(Clone, Copy, Debug, Default)]
struct Noise {
    bytes: u32,
    odd: u32,
    told: bool,
}

/// One finished scale. Whoever holds it sends what [`Indicator::poll_send`] gives until it gives nothing, gives what arrives to
/// [`Indicator::push`], and calls [`Indicator::handle_timeout`] when [`Indicator::poll_timeout`] has passed.
#[derive(Clone, Debug)]
pub struct Indicator {
    config: IndicatorConfig,
    decoder: Decoder,
    script: Script,
    state: LinkState,
    counters: LinkCounters,
    deaf_until: Mono,
    last_bytes: Mono,
    /// When the first byte of the frame that is coming in was sent.
    frame_began: Option<Mono>,
    /// Whether bytes have come since the decoder was told of a pause.
    fed: bool,
    asked: Option<Asked>,
    /// Older questions whose answers did not come in time, oldest first.
    owed: Vec<Ask>,
    closing: bool,
    next_turn: Mono,
    /// When the first question of the present poll was asked; `None` between two polls.
    polled: Option<Mono>,
    timeouts: u32,
    last_news: Mono,
    silent: bool,
    noise: Noise,
}

impl Indicator {
    /// A scale whose port is not open yet.
    pub fn new(config: IndicatorConfig) -> Result<Self, BadIndicator> {
        let times = [config.poll_ms, config.response_ms, config.silence_ms];
        if !(config.bytes_per_s.is_finite() && config.bytes_per_s > 0.0) || times.contains(&0) {
            return Err(BadIndicator::Timing);
        }
        let script = Script::new(&config)?;
        Ok(Self {
            decoder: Decoder::new(config.protocol, &config.options),
            config,
            script,
            state: LinkState::Closed { why: "not opened yet".to_owned() },
            counters: LinkCounters::default(),
            deaf_until: Mono::default(),
            last_bytes: Mono::default(),
            frame_began: None,
            fed: false,
            asked: None,
            owed: Vec::new(),
            closing: false,
            next_turn: Mono::default(),
            polled: None,
            timeouts: 0,
            last_news: Mono::default(),
            silent: false,
            noise: Noise::default(),
        })
    }

    /// How it is configured.
    pub fn config(&self) -> &IndicatorConfig {
        &self.config
    }

    /// What is known of the link.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// What the link has seen. `missing` counts answers that did not come in time.
    pub fn counters(&self) -> LinkCounters {
        self.counters
    }

    /// The port is open: forgets everything that belonged to the one before. For a tenth of a second nothing is asked and nothing
    /// heard, so that bytes from before the opening answer no question.
    pub fn opened(&mut self, at: Mono) {
        self.decoder = Decoder::new(self.config.protocol, &self.config.options);
        self.script.begin();
        self.state = LinkState::Identifying;
        self.deaf_until = at.plus_ms(DEAF_MS);
        self.next_turn = self.deaf_until;
        self.polled = None;
        self.last_bytes = at;
        self.last_news = at;
        self.frame_began = None;
        self.fed = false;
        self.asked = None;
        self.owed.clear();
        self.closing = false;
        self.timeouts = 0;
        self.silent = false;
        self.noise = Noise::default();
    }

    /// The port is gone.
    pub fn closed(&mut self, why: String) {
        self.state = LinkState::Closed { why };
        self.asked = None;
    }

    /// How many older questions are remembered.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.owed.len()
    }

    fn is_open(&self) -> bool {
        match self.state {
            LinkState::Closed { .. } => false,
            LinkState::Identifying | LinkState::WrongInstrument { .. } | LinkState::Identified => true,
        }
    }

    /// Bytes to send now, if any. To be called again until there are none: what closes an answer goes out apart.
    pub fn poll_send(&mut self, now: Mono) -> Option<Vec<u8>> {
        if !self.is_open() || now < self.deaf_until {
            return None;
        }
        if std::mem::take(&mut self.closing) {
            return self.script.closing();
        }
        if self.asked.is_some() || now < self.next_turn {
            return None;
        }
        let (ask, bytes) = self.script.turn()?;
        self.polled.get_or_insert(now);
        self.asked = Some(Asked { ask, deadline: now.plus_ms(self.config.response_ms), late: false });
        Some(bytes)
    }

    /// When [`Indicator::poll_send`] or [`Indicator::handle_timeout`] has something to do even if nothing arrives.
    pub fn poll_timeout(&self) -> Option<Mono> {
        if !self.is_open() {
            return None;
        }
        let turn = match self.asked {
            _ if self.closing => Some(self.deaf_until),
            Some(asked) => Some(asked.deadline),
            None => (!self.listens()).then_some(self.next_turn),
        };
        let silence = self.may_fall_silent().then(|| self.last_news.plus_ms(self.config.silence_ms));
        let pause = self.fed.then(|| self.last_bytes.plus_ms(FRAME_PAUSE_MS + 1));
        [turn, silence, pause].into_iter().flatten().min()
    }

    fn listens(&self) -> bool {
        matches!(self.script, Script::Listen)
    }

    /// A scale that is not ours may be as silent as it likes.
    fn may_fall_silent(&self) -> bool {
        !self.silent && matches!(self.state, LinkState::Identifying | LinkState::Identified)
    }

    /// Gives up waiting for an answer whose time has passed, and for a scale of which there has been no news for too long.
    pub fn handle_timeout(&mut self, now: Mono, mut out: impl FnMut(IndicatorEvent)) {
        if !self.is_open() {
            return;
        }
        let deadline = self.asked.is_some_and(|asked| asked.deadline <= now);
        if deadline || now.ms_since(self.last_bytes) > FRAME_PAUSE_MS {
            self.pause(&mut out);
        }
        if let Some(asked) = self.asked.filter(|asked| asked.deadline <= now) {
            self.give_up(now, asked);
        }
        let quiet = now.ms_since(self.last_news) >= self.config.silence_ms;
        if self.may_fall_silent() && (quiet || self.timeouts >= TIMEOUTS_MAX) {
            self.silent = true;
            self.state = LinkState::Identifying;
            self.script.identify_again();
            out(IndicatorEvent::Silent { at: now });
        }
    }

    fn give_up(&mut self, now: Mono, asked: Asked) {
        self.asked = None;
        self.counters.missing += 1;
        self.timeouts += 1;
        if asked.late {
            // The answers since then were one too few: one question was lost and its answer will not come.
            self.owed.clear();
        } else {
            if self.owed.len() == OWED_MAX {
                self.owed.remove(0);
            }
            self.owed.push(asked.ask);
        }
        self.script.lost(asked.ask);
        self.closing = self.script.closing().is_some();
        self.next_turn = self.next_poll(now);
    }

    /// When the next poll begins, if the present one ends now.
    fn next_poll(&mut self, now: Mono) -> Mono {
        let known = self.state == LinkState::Identified && !self.silent;
        let pace_ms = if known { self.config.poll_ms } else { self.config.poll_ms.max(SLOW_MS) };
        self.polled.take().unwrap_or(now).plus_ms(pace_ms).max(now)
    }

    /// The line has been quiet: what came before is all there is of its frame, and will not be completed by what comes later.
    fn pause(&mut self, out: &mut dyn FnMut(IndicatorEvent)) {
        if !std::mem::take(&mut self.fed) {
            return;
        }
        let began = self.frame_began.take().unwrap_or(self.last_bytes);
        let mut events = Vec::new();
        self.decoder.pause(&mut |event| events.push(event));
        let mut newest = None;
        self.hear(self.last_bytes, began, events, &mut newest, out);
        if let Some(event) = newest {
            out(event);
        }
    }

    /// Takes bytes that arrived at `at`.
    pub fn push(&mut self, at: Mono, bytes: &[u8], mut out: impl FnMut(IndicatorEvent)) {
        if !self.is_open() || at < self.deaf_until {
            return;
        }
        if at.ms_since(self.last_bytes) > FRAME_PAUSE_MS {
            self.pause(&mut out);
        }
        self.last_bytes = at;
        self.fed |= !bytes.is_empty();
        let mut newest = None;
        for (i, byte) in bytes.iter().enumerate() {
            let began = *self.frame_began.get_or_insert_with(|| sent_at(at, bytes.len() - i, self.config.bytes_per_s));
            let mut events = Vec::new();
            self.decoder.push(&[*byte], &mut |event| events.push(event));
            self.noise.byte(*byte);
            if !events.is_empty() {
                self.frame_began = None;
                self.hear(at, began, events, &mut newest, &mut out);
            }
        }
        if let Some(event) = newest {
            out(event);
        }
        if self.noise.is_news() {
            out(IndicatorEvent::LineSettings { at });
        }
    }

    /// Takes what one frame came to.
    fn hear(
        &mut self,
        at: Mono,
        began: Mono,
        events: Vec<Event>,
        newest: &mut Option<IndicatorEvent>,
        out: &mut dyn FnMut(IndicatorEvent),
    ) {
        let errors = events.iter().filter(|event| is_error(event)).count();
        self.counters.damaged += errors as u64;
        if errors < events.len() {
            self.noise = Noise::default();
        }
        let Some(event) = choose(events, self.config.expects) else { return };
        if self.listens() {
            let (meaning, _) = self.script.take(Ask::Weight, event);
            // Frames that have queued up are as old as the queue: of those that come together only the last is told.
            self.tell(at, began, meaning, &mut |event| match event {
                IndicatorEvent::Weight { .. } | IndicatorEvent::Unavailable { .. } => *newest = Some(event),
                IndicatorEvent::Identified
                | IndicatorEvent::WrongInstrument { .. }
                | IndicatorEvent::Rebooted { .. }
                | IndicatorEvent::Silent { .. }
                | IndicatorEvent::LineSettings { .. }
                | IndicatorEvent::NetWeight { .. }
                | IndicatorEvent::UnitMismatch { .. }
                | IndicatorEvent::ChallengeFailed { .. } => out(event),
            });
        } else {
            self.match_answer(at, began, event, out);
        }
    }

    /// Answers come in the order of their questions: one that fits an older question is that one's, late, and worth nothing.
    fn match_answer(&mut self, at: Mono, began: Mono, event: Event, out: &mut dyn FnMut(IndicatorEvent)) {
        if let Some(older) = self.owed.iter().position(|ask| ask.is_answered_by(&event)) {
            self.owed.drain(..=older);
            if let Some(asked) = &mut self.asked {
                asked.late = true;
            }
            self.script.doubt();
            return;
        }
        match (self.asked, event) {
            (Some(asked), event) if asked.ask.is_answered_by(&event) => {
                self.asked = None;
                self.owed.clear();
                self.timeouts = 0;
                self.closing = self.script.closing().is_some();
                let (meaning, pace) = self.script.take(asked.ask, event);
                self.tell(at, began, meaning, out);
                self.next_turn = match pace {
                    Pace::Now => at,
                    Pace::NextPoll => self.next_poll(at),
                };
            }
            // Unasked for: it has just started, and what it was asked before it has forgotten.
            (_, Event::Identity { serial_number }) => {
                self.counters.reboots += 1;
                self.asked = None;
                self.owed.clear();
                out(IndicatorEvent::Rebooted { at });
                self.script.rebooted();
                self.tell(at, began, Meaning::Identity(serial_number), out);
                self.next_turn = self.next_poll(at);
            }
            (Some(_) | None, _) => self.script.doubt(),
        }
    }

    fn tell(&mut self, at: Mono, began: Mono, meaning: Meaning, out: &mut dyn FnMut(IndicatorEvent)) {
        match meaning {
            Meaning::Step => {}
            Meaning::Identity(found) => self.tell_identity(at, found, out),
            Meaning::Anonymous => {
                if self.config.serial_number.is_none() {
                    self.identified(at, out);
                } else {
                    self.script.identify_again();
                }
            }
            Meaning::Weight { .. } | Meaning::Unavailable(_) | Meaning::Mismatch | Meaning::ChallengeFailed => {
                if !self.script.tells_identity() {
                    self.identified(at, out);
                }
                if self.state == LinkState::Identified {
                    self.last_news = at;
                    out(self.weighing(began, meaning));
                }
            }
        }
    }

    fn tell_identity(&mut self, at: Mono, found: String, out: &mut dyn FnMut(IndicatorEvent)) {
        if self.config.serial_number.as_ref().is_none_or(|own| *own == found) {
            self.identified(at, out);
            return;
        }
        self.script.identify_again();
        let state = LinkState::WrongInstrument { found: found.clone() };
        if self.state != state {
            self.state = state;
            out(IndicatorEvent::WrongInstrument { found });
        }
    }

    fn identified(&mut self, at: Mono, out: &mut dyn FnMut(IndicatorEvent)) {
        if self.state != LinkState::Identified {
            self.state = LinkState::Identified;
            self.silent = false;
            self.last_news = at;
            out(IndicatorEvent::Identified);
        }
    }

    /// What is told of an answer to a question for the weight.
    fn weighing(&mut self, at: Mono, meaning: Meaning) -> IndicatorEvent {
        let unavailable = |reason| IndicatorEvent::Unavailable { at, reason };
        let over_g = self.config.max_g + 9.0 * self.config.division_g;
        match meaning {
            Meaning::Weight { kind: WeightKind::Net, .. } if self.config.expects == WeightKind::Gross => {
                IndicatorEvent::NetWeight { at }
            }
            Meaning::Weight { mass, .. } if mass.g() > over_g => unavailable(Reason::Overload),
            Meaning::Weight { mass, .. } if mass.g() < -over_g => unavailable(Reason::Underload),
            Meaning::Weight { mass, stable, kind: _ } => {
                self.counters.samples += 1;
                IndicatorEvent::Weight { at, mass, stable }
            }
            Meaning::Unavailable(reason) => unavailable(reason),
            Meaning::Mismatch => IndicatorEvent::UnitMismatch { at },
            Meaning::ChallengeFailed => IndicatorEvent::ChallengeFailed { at },
            Meaning::Identity(_) | Meaning::Anonymous | Meaning::Step => unavailable(Reason::NotFinished),
        }
    }
}

impl Noise {
    fn byte(&mut self, byte: u8) {
        self.bytes = self.bytes.saturating_add(1);
        self.odd = self.odd.saturating_add(u32::from(byte >= 0x80 || byte == 0));
    }

    fn is_news(&mut self) -> bool {
        let noise = self.bytes >= NOISE_BYTES && self.odd >= self.bytes / 4;
        noise && !std::mem::replace(&mut self.told, true)
    }
}

/// When the first of the last `bytes` of a chunk was begun to be sent, if the last of them arrived at `at`: no later than that.
fn sent_at(at: Mono, bytes: usize, bytes_per_s: f64) -> Mono {
    Mono::from_us(at.us().saturating_sub((bytes as f64 / bytes_per_s * 1.0e6).ceil() as u64))
}

fn is_error(event: &Event) -> bool {
    matches!(event, Event::Error { .. })
}

/// Of what one frame tells the part that counts: why there is no weight, else the weight of the kind that is wanted, else what
/// comes first, and an error only if there is nothing else.
fn choose(events: Vec<Event>, expects: WeightKind) -> Option<Event> {
    let wanted =
        |event: &Event| matches!(event, Event::Weight { kind, .. } | Event::Number { kind, .. } if *kind == expects);
    let rank = |event: &Event| {
        if matches!(event, Event::Unavailable { .. }) {
            0
        } else if wanted(event) {
            1
        } else {
            2 + u8::from(is_error(event))
        }
    };
    events.into_iter().min_by_key(rank)
}
