//! A bench with its own clock, on which scripted scales are talked to.

mod conversations;
mod dialogs;

use super::*;
use crate::weighing::wire::MassUnit;

/// What a scale does with the bytes of one request: replies, each so many milliseconds later.
type Scale = Box<dyn FnMut(&[u8]) -> Vec<(u64, Vec<u8>)>>;

/// A scale at the other end of a line, in virtual time.
struct Bench {
    indicator: Indicator,
    scale: Scale,
    now: Mono,
    /// What is on its way.
    line: Vec<(Mono, Vec<u8>)>,
    sent: Vec<(Mono, Vec<u8>)>,
    events: Vec<(Mono, IndicatorEvent)>,
}

fn config(protocol: Protocol) -> IndicatorConfig {
    IndicatorConfig {
        name: "scale".to_owned(),
        protocol,
        options: WireOptions { unit: Some(MassUnit::Kg), ..WireOptions::default() },
        serial_number: None,
        poll_ms: 200,
        response_ms: 500,
        silence_ms: 3_000,
        bytes_per_s: 1_000.0,
        unit_price_minor: 299,
        polynomial: None,
        expects: WeightKind::Gross,
        x_mm: 0.0,
        y_mm: 0.0,
        division_g: 5.0,
        max_g: 15_000.0,
        noise_g: 2.0,
        grams_per_digit: None,
    }
}

/// A scale that answers each request by a table, so many milliseconds later; what is not in it stays unanswered.
fn table(delay_ms: u64, rows: &'static [(&'static [u8], &'static [u8])]) -> Scale {
    Box::new(move |request| {
        let row = rows.iter().find(|(ask, _)| *ask == request);
        row.map(|(_, reply)| (delay_ms, reply.to_vec())).into_iter().collect()
    })
}

impl Bench {
    fn new(config: IndicatorConfig, scale: Scale) -> Self {
        let mut indicator = Indicator::new(config).unwrap();
        let now = Mono::from_us(1_000_000);
        indicator.opened(now);
        Self { indicator, scale, now, line: Vec::new(), sent: Vec::new(), events: Vec::new() }
    }

    fn run(&mut self, ms: u64) -> &mut Self {
        let end = self.now.plus_ms(ms);
        loop {
            while let Some(bytes) = self.indicator.poll_send(self.now) {
                for (later_ms, reply) in (self.scale)(&bytes) {
                    // A scale does one thing after the other, and a line keeps the order.
                    let before = self.line.last().map_or(self.now, |(at, _)| at.plus_ms(5));
                    self.line.push((self.now.plus_ms(later_ms).max(before), reply));
                }
                self.sent.push((self.now, bytes));
            }
            let arrival = self.line.first().map(|(at, _)| *at);
            let next = [arrival, self.indicator.poll_timeout()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if arrival == Some(next) {
                let (_, bytes) = self.line.remove(0);
                self.arrives(&bytes);
            }
            let (now, events) = (self.now, &mut self.events);
            self.indicator.handle_timeout(now, |event| events.push((now, event)));
        }
        self.now = end;
        self
    }

    fn arrives(&mut self, bytes: &[u8]) -> &mut Self {
        let (now, events) = (self.now, &mut self.events);
        self.indicator.push(now, bytes, |event| events.push((now, event)));
        self
    }

    /// Events since the last call.
    fn events(&mut self) -> Vec<IndicatorEvent> {
        std::mem::take(&mut self.events).into_iter().map(|(_, event)| event).collect()
    }

    fn grams(&mut self) -> Vec<f64> {
        let weight = |event| if let IndicatorEvent::Weight { mass, .. } = event { Some(mass.g()) } else { None };
        self.events().into_iter().filter_map(weight).collect()
    }

    fn reasons(&mut self) -> Vec<Reason> {
        let reason = |event| if let IndicatorEvent::Unavailable { reason, .. } = event { Some(reason) } else { None };
        self.events().into_iter().filter_map(reason).collect()
    }

    fn requests(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.sent).into_iter().map(|(_, bytes)| bytes).collect()
    }
}
