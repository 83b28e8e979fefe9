//! The stack as a program.
//!
//! Prints `SUPABASE_URL=…`, `SUPABASE_ANON_KEY=…`, `SUPABASE_SERVICE_ROLE_KEY=…` and
//! `DATABASE_URL=…`, one a line, once all of it answers, and runs until SIGTERM, SIGINT or SIGHUP.
//! Then everything is stopped and its folder removed. SIGUSR1 writes the dump that `--dump` names.

#[cfg(unix)]
mod program {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::{Path, PathBuf};

    use anyhow::Context;
    use clap::Parser;
    use tidemark_tests::stack::{Confirm, Durability, Options, Plan, Stack};
    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::sync::oneshot;

    /// A Supabase on this machine.
    #[derive(Parser)]
    #[command(name = "devstack")]
    struct Arguments {
        /// The port; 0 chooses a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// A plan of network faults: JSON, a file with JSON, or seed=N[,one_in=M]
        #[arg(long, value_name = "PLAN")]
        faults: Option<String>,
        /// Writes a dump of all data here at SIGUSR1; where none came, at the end
        #[arg(long, value_name = "FILE")]
        dump: Option<PathBuf>,
        /// Starts from a dump, with its keys, and on its port unless --port names another
        #[arg(long, value_name = "FILE")]
        restore: Option<PathBuf>,
        /// Another folder of migrations
        #[arg(long, value_name = "FOLDER")]
        migrations: Option<PathBuf>,
        /// Applies no migrations
        #[arg(long)]
        bare: bool,
        /// Compresses no answers, for measurements of something else
        #[arg(long)]
        plain: bool,
        /// Hashes passwords cheaply, and refuses without the pauses of the real servers
        #[arg(long)]
        quick: bool,
        /// Commits wait for the disk, as on a server
        #[arg(long)]
        fsync: bool,
        /// New addresses have to be confirmed: see POST /auth/v1/verify
        #[arg(long)]
        confirm_by_mail: bool,
        /// Ends also when standard input closes
        #[arg(long)]
        while_stdin_is_open: bool,
    }

    impl Arguments {
        fn options(&self) -> anyhow::Result<Options> {
            let mut options = if self.quick { Options::quick() } else { Options::default() };
            options.port = self.port;
            options.restore.clone_from(&self.restore);
            if let Some(plan) = &self.faults {
                options.faults = Plan::read(plan)?;
            }
            if self.bare {
                options.migrations = None;
            } else if let Some(folder) = &self.migrations {
                anyhow::ensure!(folder.is_dir(), "{} is no folder", folder.display());
                options.migrations = Some(folder.clone());
            }
            options.compress = !self.plain;
            if self.confirm_by_mail {
                options.auth.confirm = Confirm::ByMail;
            }
            // What goes with the process need not survive a power cut.
            options.durability = if self.fsync { Durability::Disk } else { Durability::Memory };
            Ok(options)
        }
    }

    pub(crate) fn run() -> anyhow::Result<()> {
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
        let arguments = Arguments::parse();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(serve(&arguments))
    }

    async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
        // Before anything is started: a signal at any moment puts away what there is by then.
        let mut ends = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()]
            .map(signal)
            .into_iter()
            .collect::<Result<Vec<Signal>, _>>()?;
        let mut dumps = signal(SignalKind::user_defined1())?;
        let stack = Stack::launch(arguments.options()?).await?;
        announce(&stack)?;
        let mut closed = stdin_closes();
        let mut dumped = false;
        loop {
            let ended =
                futures::future::select_all(ends.iter_mut().map(|end| Box::pin(end.recv())));
            tokio::select! {
                _ = ended => break,
                _ = &mut closed, if arguments.while_stdin_is_open => break,
                _ = dumps.recv() => {
                    let Some(file) = &arguments.dump else { continue };
                    write_dump(&stack, file)?;
                    dumped = true;
                }
            }
        }
        if let Some(file) = arguments.dump.as_deref().filter(|_| !dumped) {
            write_dump(&stack, file)?;
        }
        Ok(())
    }

    fn announce(stack: &Stack) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "SUPABASE_URL={}", stack.url())?;
        writeln!(out, "SUPABASE_ANON_KEY={}", stack.anon_key())?;
        writeln!(out, "SUPABASE_SERVICE_ROLE_KEY={}", stack.service_role_key())?;
        writeln!(out, "DATABASE_URL={}", stack.database_url())?;
        out.flush()?;
        Ok(())
    }

    /// Whoever sees the file sees all of it; and nobody else does, for it holds keys and hashes.
    fn write_dump(stack: &Stack, file: &Path) -> anyhow::Result<()> {
        let dump = stack.dump()?;
        let new = file.with_extension("new");
        let _ = std::fs::remove_file(&new);
        std::fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&new)
            .and_then(|mut file| file.write_all(&dump))
            .with_context(|| new.display().to_string())?;
        std::fs::rename(&new, file).with_context(|| file.display().to_string())
    }

    /// Resolves when nobody can write to standard input any more.
    fn stdin_closes() -> oneshot::Receiver<()> {
        let (tell, closed) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = tell.send(());
        });
        closed
    }
}

#[cfg(unix)]
fn main() -> anyhow::Result<()> {
    program::run()
}

#[cfg(not(unix))]
fn main() -> anyhow::Result<()> {
    anyhow::bail!("the stack needs a Unix: on Windows, run it in WSL")
}
