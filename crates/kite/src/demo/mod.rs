use crate::{error::Error, render::Terminal};
pub(crate) fn play(_: &mut Terminal) -> Result<(), Error> { Ok(()) }
