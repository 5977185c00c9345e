//! The theme of a store, and where what is wrong with it is told.
//!
//! In: the configuration. Out: the theme, or an error of a line in the store file or in a file of the theme.

use super::RunError;
use crate::config::{ConfigErrors, StoreConfiguration, ThemeSource};
use crate::pages::theme::SettingFault;
use crate::pages::{Theme, ThemeError};

/// Loads the theme with the store's settings.
pub(super) fn load(config: &StoreConfiguration) -> Result<Theme, RunError> {
    Theme::of(config).map_err(|error| match error {
        ThemeError::Settings(faults) => {
            let places = &config.theme_places;
            let error = |fault: &SettingFault| places.error(&fault.key, &fault.message, Some(&fault.hint));
            RunError::Config(ConfigErrors::new(faults.iter().map(error).collect()))
        }
        error => RunError::Usage(anyhow::Error::new(error).context(name(config))),
    })
}

/// Which theme it is, for messages.
fn name(config: &StoreConfiguration) -> String {
    match &config.theme {
        ThemeSource::Embedded(name) => format!("in the theme `{name}`"),
        ThemeSource::Folder(folder) => format!("in the theme `{}`", folder.display()),
    }
}
