//! Undo: nothing an agent does can cost anybody work.
