//! What the fuzz targets do with their bytes.

pub mod conversation;
mod memory;
pub mod processes;
pub mod records;
pub mod settings;
