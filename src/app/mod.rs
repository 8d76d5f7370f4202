//! Floor 5: configuration, wiring, driver, telemetry, command line.

pub mod access;
pub mod audit;
pub mod bench;
pub mod calibrate;
pub mod calibrations;
pub mod catalogue;
pub mod command;
pub mod config;
pub mod crops;
pub mod decode;
pub mod decode_code;
pub mod driver;
pub mod enroll;
pub mod eyes;
pub mod probe;
pub mod replay;
pub mod run;
pub mod school;
pub mod secrets;
pub mod see;
pub mod serve;
pub mod telemetry;
pub mod token;
pub mod user;
pub mod weights;
pub mod wiring;
