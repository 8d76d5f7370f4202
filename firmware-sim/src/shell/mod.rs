//! The simulator's doors: serial ports as ptys, cameras and control over HTTP, real time.

pub mod camera;
pub mod control;
pub mod live;
pub mod port;
pub mod rtsp;
pub mod run;
pub mod scanner;
pub mod serial;
