//! Providers and models: what is configured, what can be chosen, and who answers.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::app::OpenOptions;
use super::{KeyStore, LocalModel, ModelEntry, ProviderView, Tidemark};
use crate::chat::queue::Models;
use crate::chat::send;
use crate::error::{Code, Failure, Result};
use crate::events::Change;
use crate::mirror::{self, Mirror, settings};
use crate::model::{ModelInfo, ModelRef, ProviderConfig, ProviderKind, setting};
use crate::providers::anthropic::Anthropic;
use crate::providers::base_url::BaseUrl;
use crate::providers::http::Http;
use crate::providers::local::{
    DownloadOptions, Downloads, LOCAL, LocalModels, LocalOptions, LocalProvider,
};
use crate::providers::openai::OpenAi;
use crate::providers::presets;
use crate::providers::secret::Secret;
use crate::providers::{Provider, ProviderError};
use crate::secrets::Keyring;

/// Settings that no person sees; `local.` ones never leave this device.
const PROVIDERS: &str = "providers";
const KEYS: &str = "local.provider_keys";
const ADDED_MODELS: &str = "local.added_models";

/// What the models' names mean in this process.
#[derive(Debug)]
pub(super) struct Registry {
    mirror: Mirror,
    kept: KeyStore,
    keyring: Arc<dyn Keyring>,
    http: Http,
    pub(super) local_models: Arc<LocalModels>,
    local: Arc<LocalProvider>,
    pub(super) downloads: Arc<Downloads>,
    configured: RwLock<Configured>,
    /// Keys that were read, so that the keyring is asked once.
    keys: RwLock<HashMap<String, Option<Secret>>>,
}

#[derive(Debug, Clone, Default)]
struct Configured {
    providers: Vec<ProviderConfig>,
    with_key: BTreeSet<String>,
}

impl Registry {
    pub(super) fn open(
        mirror: &Mirror,
        kept: KeyStore,
        options: &OpenOptions,
    ) -> Result<Arc<Self>> {
        let added = stored(mirror, ADDED_MODELS)?;
        let local_models =
            LocalModels::new(options.data_dir.join("models"), options.model_dirs.clone(), added);
        let registry = Self {
            mirror: mirror.clone(),
            kept,
            keyring: options.keyring.clone(),
            http: Http::new(options.provider_timeouts.clone()),
            local: LocalProvider::new(local_models.clone(), LocalOptions::default()),
            downloads: Downloads::new(local_models.clone(), DownloadOptions::default()),
            local_models,
            configured: RwLock::default(),
            keys: RwLock::default(),
        };
        registry.load(mirror)?;
        Ok(Arc::new(registry))
    }

    /// Reads the configuration again, after another process may have written it.
    pub(super) fn reload(&self, mirror: &Mirror) {
        if let Err(failure) = self.load(mirror) {
            tracing::warn!(%failure, "the providers could not be read again");
        }
        self.keys.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn load(&self, mirror: &Mirror) -> Result<()> {
        let configured =
            Configured { providers: stored(mirror, PROVIDERS)?, with_key: stored(mirror, KEYS)? };
        self.local_models.set_added(stored(mirror, ADDED_MODELS)?);
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
        Ok(())
    }

    /// Pauses downloads and lets the local model go.
    pub(super) fn close(&self) {
        self.downloads.pause_all();
        self.local.shutdown();
    }

    fn configured(&self) -> Configured {
        self.configured.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn config(&self, provider: &str) -> Option<ProviderConfig> {
        self.configured().providers.into_iter().find(|config| config.id == provider)
    }

    fn key(&self, provider: &str) -> Result<Option<Secret>> {
        if let Some(key) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(provider) {
            return Ok(key.clone());
        }
        let key = self.read_key(provider)?;
        self.keys
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(provider.to_owned(), key.clone());
        Ok(key)
    }

    fn read_key(&self, provider: &str) -> Result<Option<Secret>> {
        if !self.configured().with_key.contains(provider) {
            return Ok(None);
        }
        let text = match self.kept {
            KeyStore::Keyring => self
                .keyring
                .get(&self.entry(provider))
                .map_err(|error| keyring_failure(&error))?
                .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
                .map(Zeroizing::new),
            KeyStore::File | KeyStore::Passphrase => self
                .mirror
                .read(|connection| mirror::secrets::get(connection, &self.entry(provider)))?,
        };
        Ok(text.map(|text| Secret::new(text.as_str())))
    }

    fn set_key(&self, provider: &str, key: Option<&str>) -> Result<()> {
        if self.kept == KeyStore::Keyring {
            let entry = self.entry(provider);
            let set = match key {
                Some(key) => self.keyring.set(&entry, key.as_bytes()),
                None => self.keyring.delete(&entry),
            };
            set.map_err(|error| keyring_failure(&error))?;
        }
        let mut with_key = self.configured().with_key;
        if key.is_some() {
            with_key.insert(provider.to_owned())
        } else {
            with_key.remove(provider)
        };
        self.mirror.write(|write| {
            if self.kept != KeyStore::Keyring {
                mirror::secrets::set(write, &self.entry(provider), key)?;
            }
            settings::set(write, KEYS, &to_value(&with_key))?;
            write.tell(Change::Models);
            Ok(())
        })?;
        self.reload(&self.mirror);
        Ok(())
    }

    fn entry(&self, provider: &str) -> String {
        format!("{}/provider/{provider}", self.mirror.id())
    }

    fn remote(&self, config: &ProviderConfig) -> Result<Arc<dyn Provider>> {
        let key = self.key(&config.id)?;
        Ok(match config.kind {
            ProviderKind::Local => self.local.clone(),
            ProviderKind::Openai => Arc::new(OpenAi::new(config, key, self.http.clone())),
            ProviderKind::Anthropic => Arc::new(Anthropic::new(config, key, self.http.clone())),
        })
    }

    /// The default model: the one that was chosen, else a local one that is ready, else the first of
    /// a configured provider.
    pub(super) fn default_model(&self, mirror: &Mirror) -> Result<Option<ModelRef>> {
        let known = setting::known("default_model")?;
        let chosen =
            known.or_default(mirror.read(|connection| settings::get(connection, known.key))?);
        if let Some(model) = chosen.as_str() {
            return Ok(Some(ModelRef(model.to_owned())));
        }
        if let Some(model) = self.local_models.ready().first() {
            return Ok(Some(ModelRef::new(LOCAL, &model.id)));
        }
        let providers = self.configured().providers;
        Ok(providers
            .iter()
            .find_map(|config| Some(ModelRef::new(&config.id, &config.models.first()?.id))))
    }

    fn entries(&self, default: Option<&ModelRef>) -> Vec<ModelEntry> {
        let Configured { providers, with_key } = self.configured();
        let local = self.local_models.ready().into_iter().map(|info| local_entry(info, default));
        let remote = providers.iter().flat_map(|config| {
            let has_key = with_key.contains(&config.id);
            config.models.iter().map(move |info| remote_entry(config, info, has_key, default))
        });
        local.chain(remote).collect()
    }
}

fn local_entry(info: ModelInfo, default: Option<&ModelRef>) -> ModelEntry {
    let model = ModelRef::new(LOCAL, &info.id);
    ModelEntry {
        name: shown_name(&info),
        provider_name: "This computer".into(),
        provider_kind: ProviderKind::Local,
        available: true,
        reason: None,
        is_default: Some(&model) == default,
        model,
        info,
    }
}

fn remote_entry(
    config: &ProviderConfig,
    info: &ModelInfo,
    has_key: bool,
    default: Option<&ModelRef>,
) -> ModelEntry {
    let model = ModelRef::new(&config.id, &info.id);
    let available = has_key || !needs_key(config);
    ModelEntry {
        name: shown_name(info),
        provider_name: config.name.clone(),
        provider_kind: config.kind,
        available,
        reason: (!available).then(|| format!("{} needs a key.", config.name)),
        is_default: Some(&model) == default,
        model,
        info: info.clone(),
    }
}

fn shown_name(info: &ModelInfo) -> String {
    if info.name.is_empty() { info.id.clone() } else { info.name.clone() }
}

/// Servers on this computer or network are used without a key; a preset knows better.
fn needs_key(config: &ProviderConfig) -> bool {
    let preset =
        presets::presets().into_iter().find(|preset| preset.config.base_url == config.base_url);
    preset.map_or(config.kind == ProviderKind::Anthropic, |preset| preset.needs_key)
}

impl Models for Registry {
    fn provider(&self, model: &ModelRef) -> Result<Arc<dyn Provider>> {
        if model.provider() == LOCAL {
            return Ok(self.local.clone());
        }
        let Some(config) = self.config(model.provider()) else {
            return Err(Failure::new(
                Code::ModelMissing,
                format!(
                    "There is no provider “{}” any more. Your message is saved.",
                    model.provider()
                ),
            )
            .hint("Use another model, or add the provider under Settings → Models."));
        };
        if needs_key(&config) && self.key(&config.id)?.is_none() {
            return Err(Failure::new(
                Code::KeyRejected,
                format!("{} needs a key. Your message is saved.", config.name),
            )
            .hint("Enter the key under Settings → Models, or use another model."));
        }
        self.remote(&config)
    }

    fn info(&self, model: &ModelRef) -> ModelInfo {
        let config = self.config(model.provider());
        let info = config
            .and_then(|config| config.models.into_iter().find(|info| info.id == model.model()));
        info.unwrap_or_default()
    }

    fn costs(&self, model: &ModelRef) -> bool {
        model.provider() != LOCAL
            && self.config(model.provider()).is_some_and(|config| needs_key(&config))
    }
}

impl Tidemark {
    /// Every model that can be chosen, those that cannot work now with the reason.
    pub fn models(&self) -> Result<Vec<ModelEntry>> {
        let default = self.inner.models.default_model(&self.inner.mirror)?;
        Ok(self.inner.models.entries(default.as_ref()))
    }

    /// Chooses the model of new chats.
    pub fn set_default_model(&self, model: &ModelRef) -> Result<()> {
        self.set_setting("default_model", &Value::from(model.0.clone())).map(|_| ())
    }

    /// The providers that are configured.
    pub fn providers(&self) -> Result<Vec<ProviderView>> {
        let Configured { providers, with_key } = self.inner.models.configured();
        Ok(providers
            .into_iter()
            .map(|config| ProviderView { has_key: with_key.contains(&config.id), config })
            .collect())
    }

    /// The providers that can be added with little more than a key.
    pub fn provider_presets(&self) -> Vec<ProviderConfig> {
        presets::presets().into_iter().map(|preset| preset.config).collect()
    }

    /// Adds a provider, or changes the one with its id.
    pub fn save_provider(&self, config: ProviderConfig) -> Result<ProviderView> {
        check_provider(&config)?;
        let mut providers = self.inner.models.configured().providers;
        match providers.iter_mut().find(|known| known.id == config.id) {
            Some(known) => {
                // A key belongs to the place it was typed for: a new address must ask for it again.
                let moved = origin(&known.base_url) != origin(&config.base_url);
                *known = config.clone();
                if moved {
                    self.inner.models.set_key(&config.id, None)?;
                }
            }
            None => providers.push(config.clone()),
        }
        self.store(PROVIDERS, &to_value(&providers))?;
        self.ask_again(&config.id)?;
        let has_key = self.inner.models.configured().with_key.contains(&config.id);
        Ok(ProviderView { config, has_key })
    }

    /// Removes a provider and its key. Answers that it gave stay.
    pub fn remove_provider(&self, id: &str) -> Result<()> {
        let mut providers = self.inner.models.configured().providers;
        providers.retain(|config| config.id != id);
        self.inner.models.set_key(id, None)?;
        self.store(PROVIDERS, &to_value(&providers))
    }

    /// Sets or removes a provider's key: into the keyring, or the encrypted mirror where a key file
    /// or a passphrase stands in for one. What waited for it is asked again.
    pub fn set_key(&self, provider: &str, key: Option<&str>) -> Result<()> {
        if self.inner.models.config(provider).is_none() {
            return Err(mirror::Error::NotFound("provider").into());
        }
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        if key.is_some_and(|key| key.len() > 8192 || key.chars().any(char::is_control)) {
            return Err(Failure::new(
                Code::InvalidInput,
                "That does not look like a key; nothing was changed.",
            )
            .hint("Copy the key again; it is one line."));
        }
        self.inner.models.set_key(provider, key)?;
        self.ask_again(provider)
    }

    fn ask_again(&self, provider: &str) -> Result<()> {
        self.write(|write| send::ask_again(write, provider))?;
        self.inner.queue.wake();
        Ok(())
    }

    /// Asks a provider which models it has; also the way to test a key.
    pub async fn provider_models(&self, id: &str) -> Result<Vec<ModelInfo>> {
        let config = self.inner.models.config(id).ok_or(mirror::Error::NotFound("provider"))?;
        let registry = self.inner.models.clone();
        let provider = tokio::task::spawn_blocking(move || registry.remote(&config))
            .await
            .map_err(|_| Failure::new(Code::Internal, "The provider could not be asked."))??;
        provider.models().await.map_err(|error| match error {
            ProviderError::Unreachable(failure) | ProviderError::NeedsYou(failure) => failure,
            ProviderError::Retry { failure, .. } => failure,
        })
    }

    /// The models of the catalogue and those that the person added.
    pub fn local_models(&self) -> Vec<LocalModel> {
        self.inner.models.local_models.list()
    }

    /// Adds a GGUF file that stays where it is.
    pub fn add_local_model(&self, path: &std::path::Path) -> Result<LocalModel> {
        let model = self.inner.models.local_models.add(path)?;
        self.store_added()?;
        Ok(model)
    }

    /// Removes a model: a downloaded file is deleted, one that the person pointed at only forgotten.
    pub fn remove_model(&self, id: &str) -> Result<()> {
        self.inner.models.local_models.remove(id)?;
        self.store_added()
    }

    /// Begins to download a model of the catalogue, or goes on where it was paused. The state is in
    /// [`Tidemark::local_models`].
    pub fn download_model(&self, id: &str) -> Result<()> {
        if !self
            .inner
            .models
            .local_models
            .list()
            .iter()
            .any(|model| model.id == id && model.url.is_some())
        {
            return Err(mirror::Error::NotFound("model").into());
        }
        let (core, id) = (self.clone(), id.to_owned());
        self.inner.tasks.spawn("download", async move {
            // A failure stands in the model's state, with what to do.
            let _ = core.inner.models.downloads.download(&id).await;
            core.inner.mirror.events().publish([Change::Models]);
            core.inner.queue.wake();
        });
        Ok(())
    }

    /// Pauses a download; what is here is kept.
    pub fn pause_download(&self, id: &str) {
        self.inner.models.downloads.pause(id);
        self.inner.mirror.events().publish([Change::Models]);
    }

    fn store_added(&self) -> Result<()> {
        let added = self.inner.models.local_models.added();
        self.store(ADDED_MODELS, &to_value(&added))
    }

    fn store(&self, key: &str, value: &Value) -> Result<()> {
        self.write(|write| {
            settings::set(write, key, value)?;
            write.tell(Change::Models);
            Ok(())
        })?;
        self.inner.models.reload(&self.inner.mirror);
        self.inner.queue.wake();
        Ok(())
    }
}

fn check_provider(config: &ProviderConfig) -> Result<()> {
    let refused = |why: &str| {
        Err(Failure::new(Code::InvalidInput, format!("The provider was not saved: {why}.")))
    };
    let id = &config.id;
    if id.is_empty()
        || id.len() > 40
        || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return refused("its short name takes small letters, digits and hyphens");
    }
    if id == LOCAL || config.kind == ProviderKind::Local {
        return refused("“local” is the model on this computer");
    }
    if config.models.len() > 2000 || config.name.len() > 200 {
        return refused("it is too large");
    }
    match url::Url::parse(&config.base_url) {
        Ok(url)
            if matches!(url.scheme(), "https" | "http")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none() => {}
        _ => {
            return refused(
                "its address must begin with https:// (or http:// on this computer or network), without a name or password in it",
            );
        }
    }
    // What would be refused when it is asked is refused here, where the person looks.
    BaseUrl::parse(&config.base_url, config.kind)?;
    match &config.ca_file {
        Some(path) if !PathBuf::from(path).is_file() => {
            refused("the file with the certificates is not there")
        }
        _ => Ok(()),
    }
}

fn origin(url: &str) -> Option<url::Origin> {
    url::Url::parse(url).ok().map(|url| url.origin())
}

fn keyring_failure(error: &crate::secrets::KeyringError) -> Failure {
    Failure::new(
        Code::Locked,
        format!("The key is kept in the system's keyring, and {error}. Nothing was changed."),
    )
    .hint("Unlock the keyring and try again.")
}

fn stored<T: DeserializeOwned + Default>(mirror: &Mirror, key: &str) -> Result<T> {
    let value = mirror.read(|connection| settings::get(connection, key))?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default())
}

fn to_value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("plain data serialises")
}
