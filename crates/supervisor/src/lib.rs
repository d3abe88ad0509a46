//! One process for each agent: it starts it, keeps its output, sees its end, and leaves nothing alive.
//!
//! **Architecture Invariant:** depends on nothing of ours, and knows neither tasks nor sessions nor
//! any agent's format. A run is a directory: what is to run goes in, how it ended comes out.
