//! What the fuzz targets do with their bytes.

pub mod conversation;
pub mod processes;
pub mod settings;
