//! The project's own tools and their runs.
