// SPDX-License-Identifier: GPL-3.0-or-later
//
// M/M/1 at a load of 0.8 and the hold model on SimCore, the kernel of DSLab, in the way of its own
// examples: one component, events as types, callbacks. Prints nanoseconds an event as JSON.
// scripts/bench-simcore builds it and compares.
use std::cell::RefCell;
use std::rc::Rc;

use rand_distr::Exp;
use serde::Serialize;
use simcore::{cast, Event, EventHandler, Simulation, SimulationContext};

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {}

#[derive(Clone, Serialize)]
struct Held {}

struct Station {
    ctx: SimulationContext,
    between: Exp<f64>,
    service: Exp<f64>,
    arrived_s: Vec<f64>,
    served: usize,
    total: usize,
    inside_s: f64,
}

impl Station {
    fn serve_next(&mut self) {
        let service_s = self.ctx.sample_from_distribution(&self.service);
        self.ctx.emit_self(Departure {}, service_s);
    }

    fn arrive(&mut self) {
        self.arrived_s.push(self.ctx.time());
        if self.arrived_s.len() - self.served == 1 {
            self.serve_next();
        }
        if self.arrived_s.len() < self.total {
            let between_s = self.ctx.sample_from_distribution(&self.between);
            self.ctx.emit_self(Arrival {}, between_s);
        }
    }

    fn depart(&mut self) {
        self.inside_s += self.ctx.time() - self.arrived_s[self.served];
        self.served += 1;
        if self.served < self.arrived_s.len() {
            self.serve_next();
        }
    }
}

impl EventHandler for Station {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                self.arrive();
            }
            Departure {} => {
                self.depart();
            }
        })
    }
}

struct Holder {
    ctx: SimulationContext,
    between: Exp<f64>,
}

impl EventHandler for Holder {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Held {} => {
                let between_s = self.ctx.sample_from_distribution(&self.between);
                self.ctx.emit_self(Held {}, between_s);
            }
        })
    }
}

// Processor time, which other programs do not disturb as they do time on the wall.
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let status = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert!(status == 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

// Nanoseconds an event.
fn mm1(customers: usize) -> f64 {
    let mut simulation = Simulation::new(1);
    let ctx = simulation.create_context("station");
    ctx.emit_self(Arrival {}, 0.0);
    let station = Rc::new(RefCell::new(Station {
        ctx,
        between: Exp::new(0.8).unwrap(),
        service: Exp::new(1.0).unwrap(),
        arrived_s: Vec::with_capacity(customers),
        served: 0,
        total: customers,
        inside_s: 0.0,
    }));
    simulation.add_handler("station", station.clone());
    let start_ns = cpu_ns();
    simulation.step_until_no_events();
    let ns = (cpu_ns() - start_ns) / (2 * customers) as f64;
    let inside_s = station.borrow().inside_s / customers as f64;
    // A fast wrong simulation is worth nothing: 5 s in theory.
    assert!(station.borrow().served == customers && inside_s > 4.0 && inside_s < 6.0);
    ns
}

fn hold(pending: usize, events: u64) -> f64 {
    let mut simulation = Simulation::new(1);
    let ctx = simulation.create_context("holder");
    let between = Exp::new(1.0).unwrap();
    for _ in 0..pending {
        let between_s = ctx.sample_from_distribution(&between);
        ctx.emit_self(Held {}, between_s);
    }
    let holder = Rc::new(RefCell::new(Holder { ctx, between }));
    simulation.add_handler("holder", holder);
    simulation.steps(pending as u64 + events);
    let start_ns = cpu_ns();
    simulation.steps(events);
    (cpu_ns() - start_ns) / events as f64
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let customers = if quick { 20000 } else { 1000000 };
    let events = if quick { 20000 } else { 500000 };
    println!(
        "{{\"mm1\": {:.2}, \"hold 100\": {:.2}, \"hold 10000\": {:.2}, \"hold 1000000\": {:.2}}}",
        mm1(customers),
        hold(100, events),
        hold(10000, events),
        hold(1000000, events)
    );
}
