//! The rules against naive models of them: the same random histories are given to both, and they
//! have to agree at every step. The models look at everything each time and know no index.

mod hold;
mod lock;
mod pattern;
mod task;
mod touch;
mod world;
