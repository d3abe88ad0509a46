//! Agents that Kite runs.
