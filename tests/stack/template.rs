//! Clusters that are prepared once and copied for each stack.
//!
//! Preparing takes seconds: `initdb`, the schemas of a Supabase project (`base/*.sql`, as the
//! superuser `supabase_admin`), our migrations (as `postgres`, which is none). The result is kept
//! in the temporary folder under a name that changes with every byte of what went into it.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

use super::keys::random_text;
use super::postgres::{Durability, Postgres, Programs, SUPERUSER, apply, sql_files};
use super::process::{Account, finish};

/// The schemas that a project has before our migrations, in the order of their names.
const BASE: [(&str, &str); 5] = [
    ("01_roles.sql", include_str!("base/01_roles.sql")),
    ("02_extensions.sql", include_str!("base/02_extensions.sql")),
    ("03_auth.sql", include_str!("base/03_auth.sql")),
    ("04_realtime.sql", include_str!("base/04_realtime.sql")),
    ("05_storage.sql", include_str!("base/05_storage.sql")),
];
/// How many prepared clusters are kept.
const KEPT: usize = 4;

/// A prepared cluster, and the stack that asks for it.
pub(super) struct Template<'a> {
    pub(super) programs: &'a Programs,
    pub(super) migrations: Option<&'a Path>,
    /// The stack's folder: what is left half prepared goes with it.
    pub(super) folder: &'a Path,
}

impl Template<'_> {
    /// Copies it to `pg` in the stack's folder, preparing it first where that has not been done.
    /// Returns the password.
    pub(super) fn copy(&self) -> anyhow::Result<String> {
        let home = self.home()?;
        let lock = File::options()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(home.join("lock"))
            .context("the templates' lock")?;
        lock.lock().context("the templates' lock")?;
        let template = home.join(self.name()?);
        if !template.join("password").exists() {
            self.prepare(&template)?;
            forget_the_oldest(&home)?;
        }
        // Copied under the lock: nobody removes it meanwhile.
        copy(&template.join("pg"), &self.folder.join("pg"), self.programs.account())?;
        fs::read_to_string(template.join("password")).context("the template's password")
    }

    /// The folder of all templates, which nobody else may have prepared for us.
    fn home(&self) -> anyhow::Result<PathBuf> {
        let account = self.programs.account();
        let home = std::env::temp_dir().join(format!("tidemark-stack-templates-{}", account.uid()));
        if fs::DirBuilder::new().mode(0o700).create(&home).is_ok() {
            account.own(&home)?;
        }
        let is = fs::symlink_metadata(&home).with_context(|| home.display().to_string())?;
        let ours = is.is_dir() && is.uid() == account.uid() && is.mode() & 0o077 == 0;
        ensure!(ours, "{} is not ours alone: remove it", home.display());
        Ok(home)
    }

    /// Changes with everything that goes into a cluster.
    fn name(&self) -> anyhow::Result<String> {
        let mut hash = Sha256::new();
        hash.update(self.programs.folder.as_os_str().as_encoded_bytes());
        hash.update(self.programs.extensions());
        hash.update(include_bytes!("template.rs"));
        for (name, sql) in BASE {
            hash.update(name);
            hash.update(sql);
        }
        for file in self.migrations()? {
            hash.update(file.as_os_str().as_encoded_bytes());
            hash.update(fs::read(&file).with_context(|| file.display().to_string())?);
        }
        Ok(hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect())
    }

    fn migrations(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.migrations.map_or(Ok(Vec::new()), sql_files)
    }

    fn prepare(&self, template: &Path) -> anyhow::Result<()> {
        let account = self.programs.account();
        let work = self.folder.join("prepared");
        fs::DirBuilder::new().mode(0o700).create(&work).context("a folder for the template")?;
        account.own(&work)?;
        let password = random_text(24);
        let file = work.join("password.new");
        fs::write(&file, &password).context("the template's password")?;
        account.own(&file)?;
        self.initdb(&work.join("pg"), &file)?;
        self.fill(&work, &password)?;
        fs::rename(&file, work.join("password")).context("the template's password")?;
        let _ = fs::remove_dir_all(template);
        fs::rename(&work, template).context("the template could not be put in its place")
    }

    fn initdb(&self, data: &Path, password: &Path) -> anyhow::Result<()> {
        let locale = if cfg!(target_os = "linux") { "--locale=C.UTF-8" } else { "--no-locale" };
        let mut initdb = self.programs.server("initdb");
        // Small segments of the log: there is less to copy.
        initdb.args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", locale]);
        initdb.args(["--wal-segsize=1", "--no-sync", "--no-instructions"]);
        initdb.arg("-D").arg(data).arg("--pwfile").arg(password);
        finish(initdb, "initdb")
    }

    /// Applies base and migrations on a server that runs only for that.
    fn fill(&self, work: &Path, password: &str) -> anyhow::Result<()> {
        let mut server =
            Postgres::serve(self.programs, &work.join("pg"), password, Durability::Memory)?;
        let base = work.join("base");
        fs::create_dir(&base)?;
        for (name, sql) in BASE {
            fs::write(base.join(name), sql)?;
        }
        fs::write(base.join("99_passwords.sql"), passwords(password))?;
        apply(self.programs, server.address(), SUPERUSER, &sql_files(&base)?)?;
        apply(self.programs, server.address(), "postgres", &self.migrations()?)?;
        fs::remove_dir_all(base)?;
        server.stop();
        Ok(())
    }
}

fn passwords(password: &str) -> String {
    ["postgres", "authenticator", "supabase_auth_admin", "supabase_storage_admin"]
        .map(|role| format!("ALTER ROLE {role} PASSWORD '{password}';\n"))
        .concat()
}

/// Removes all templates but the newest.
fn forget_the_oldest(home: &Path) -> anyhow::Result<()> {
    let mut templates: Vec<_> = fs::read_dir(home)?
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    templates.sort();
    templates.reverse();
    for (_, folder) in templates.into_iter().skip(KEPT) {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}

/// Copies a folder with all in it, for `account`, whose folders nobody else may enter.
fn copy(from: &Path, to: &Path, account: Account) -> anyhow::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(to).with_context(|| to.display().to_string())?;
    account.own(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let (entry, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if entry.is_dir() {
            copy(&entry, &to, account)?;
        } else {
            fs::copy(&entry, &to).with_context(|| entry.display().to_string())?;
            account.own(&to)?;
        }
    }
    Ok(())
}
