//! Which git commands does a piece of shell text run?
