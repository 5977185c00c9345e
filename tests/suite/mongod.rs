//! A real mongod on a free port, with its data in a temporary folder; it ends with the last test that uses it.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Bson, Document, doc};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use tempfile::TempDir;

/// A running server.
pub(crate) struct Mongod {
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    /// Nothing after the server was killed.
    process: Option<Process>,
    runtime: tokio::runtime::Runtime,
}

/// The server's process, which dies with this one.
struct Process {
    /// Closing it ends the server, also when the test process is killed.
    leash: Option<ChildStdin>,
    keeper: Child,
}

static SHARED: Mutex<Weak<Mongod>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A tool that `tests/install.sh` installs.
///
/// # Panics
/// When it is missing: the tests do not skip.
pub(crate) fn tool(relative: &str) -> PathBuf {
    let tools = std::env::var_os("STOREGEN_TEST_TOOLS")
        .map_or_else(|| crate::store::repository().join("target/test-tools"), PathBuf::from);
    let path = tools.join(relative);
    assert!(path.is_file(), "{} is missing; run `tests/install.sh` first", path.display());
    path
}

/// The server that tests share; each takes databases of its own from [`Mongod::new_database`].
pub(crate) fn shared() -> Arc<Mongod> {
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(Mongod::start(&[]));
    *shared = Arc::downgrade(&started);
    started
}

impl Mongod {
    /// Starts a server with further arguments and waits until it takes connections.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), arguments)
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        std::fs::create_dir(folder.path().join("data")).expect("a data folder");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let arguments = arguments.iter().map(ToString::to_string).collect();
        let mut server = Self { port: free_port(), folder, arguments, process: None, runtime };
        server.start_again();
        server
    }

    /// Ends the server with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// Starts a server that was killed, with its data and on its port.
    pub(crate) fn start_again(&mut self) {
        self.process = Some(Process::launch(self.port, &self.folder.path().join("data"), &self.arguments));
    }

    /// The port it listens on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A server that lets in only `shop` with the password `correct horse/battery`.
    pub(crate) fn with_auth() -> Self {
        let server = Self::start(&["--auth"]);
        server.command(
            &server.uri(),
            "admin",
            doc! { "createUser": "shop", "pwd": "correct horse/battery", "roles": [{ "role": "root", "db": "admin" }] },
        );
        server
    }

    /// A replica set of one.
    pub(crate) fn replica_set() -> Self {
        let server = Self::start(&["--replSet", "shop"]);
        let direct = format!("{}/?directConnection=true", server.uri());
        let host = format!("127.0.0.1:{}", server.port);
        server.command(
            &direct,
            "admin",
            doc! { "replSetInitiate": { "_id": "shop", "members": [{ "_id": 0, "host": host }] } },
        );
        // Server selection of a replica-set client waits for the primary.
        server.command(&server.replica_set_uri(), "admin", doc! { "ping": 1 });
        server
    }

    /// A server that speaks nothing but TLS, with a certificate for `localhost` from an authority of its own.
    pub(crate) fn with_tls() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let script = r#"
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj "/CN=Test authority"
            openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=localhost"
            printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > extensions
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 30 -extfile extensions
            cat server.key server.crt > server.pem
        "#;
        let made = Command::new("sh").args(["-ec", script]).current_dir(folder.path()).output().expect("a shell");
        assert!(
            made.status.success(),
            "openssl failed; run `tests/install.sh`: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let certificate = folder.path().join("server.pem");
        let certificate = certificate.to_str().expect("a plain path").to_string();
        Self::start_in(folder, &["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", &certificate])
    }

    /// Connection string without credentials.
    pub(crate) fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// Connection string that names the replica set.
    pub(crate) fn replica_set_uri(&self) -> String {
        format!("{}/?replicaSet=shop", self.uri())
    }

    /// Connection string with the right password.
    pub(crate) fn auth_uri(&self) -> String {
        format!("mongodb://shop:correct%20horse%2Fbattery@127.0.0.1:{}/?authSource=admin", self.port)
    }

    /// Connection string for the TLS server.
    pub(crate) fn tls_uri(&self) -> String {
        let authority = self.folder.path().join("ca.pem");
        format!("mongodb://localhost:{}/?tls=true&tlsCAFile={}", self.port, authority.display())
    }

    /// A database name that no other test uses.
    pub(crate) fn new_database(&self) -> String {
        format!("shop_{}", DATABASES.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs one command.
    pub(crate) fn command(&self, uri: &str, database: &str, command: Document) {
        self.runtime.block_on(async {
            let client = mongodb::Client::with_uri_str(uri).await.expect("a client");
            client.database(database).run_command(command).await.expect("the command succeeds");
        });
    }

    /// The documents of a collection that a query finds.
    pub(crate) fn find(&self, uri: &str, database: &str, collection: &str, query: Document) -> Vec<Document> {
        self.runtime.block_on(async {
            let client = mongodb::Client::with_uri_str(uri).await.expect("a client");
            let found = client.database(database).collection(collection).find(query).await.expect("an answer");
            found.try_collect().await.expect("documents")
        })
    }

    /// Inserts documents as they are.
    pub(crate) fn insert<T: serde::Serialize + Send + Sync>(
        &self,
        uri: &str,
        database: &str,
        collection: &str,
        documents: &[T],
    ) {
        if documents.is_empty() {
            return;
        }
        self.runtime.block_on(async {
            let client = mongodb::Client::with_uri_str(uri).await.expect("a client");
            client
                .database(database)
                .collection::<T>(collection)
                .insert_many(documents)
                .await
                .expect("documents go in");
        });
    }
}

impl Process {
    fn launch(port: u16, data: &Path, arguments: &[String]) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", r#""$@" & server=$!; cat >/dev/null; kill -KILL "$server"; wait "$server" 2>/dev/null"#, "sh"])
            .arg(tool("mongodb/fiftyone/db/bin/mongod"))
            .args([
                "--bind_ip",
                "127.0.0.1",
                "--nounixsocket",
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
            ])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--port", &port.to_string(), "--dbpath"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let leash = keeper.stdin.take();
        let mut log = BufReader::new(keeper.stdout.take().expect("a pipe")).lines();
        let mut said = String::new();
        loop {
            match log.next() {
                Some(Ok(line)) if line.contains("Waiting for connections") => break,
                Some(Ok(line)) => said = format!("{said}{line}\n"),
                _ => panic!("mongod did not start:\n{said}"),
            }
        }
        std::thread::spawn(move || log.for_each(drop));
        Self { leash, keeper }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A catalogue as documents, collection by collection.
pub(crate) struct Catalog {
    pub(crate) collections: Vec<(String, Vec<Document>)>,
}

impl Catalog {
    /// Reads a folder of JSON Lines in extended JSON.
    pub(crate) fn read(folder: &Path) -> Self {
        let collections = ["products", "brands", "categories", "face_shape_compatibility", "user_analytics"]
            .into_iter()
            .map(|name| {
                let text = std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("a collection");
                let documents = text
                    .lines()
                    .map(|line| {
                        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
                        match Bson::try_from(value).unwrap_or_else(|error| panic!("{name}: {error} in {line}")) {
                            Bson::Document(document) => document,
                            other => panic!("not a document: {other}"),
                        }
                    })
                    .collect();
                (name.to_string(), documents)
            })
            .collect();
        Self { collections }
    }

    /// Loads it into a database.
    pub(crate) fn load(&self, server: &Mongod, uri: &str, database: &str) {
        for (name, documents) in &self.collections {
            server.insert(uri, database, name, documents);
        }
    }

    /// Writes `<collection>.<extension>` files, each made by `encode`.
    pub(crate) fn write(&self, folder: &Path, extension: &str, encode: impl Fn(&[Document]) -> Vec<u8>) {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, documents) in &self.collections {
            std::fs::write(folder.join(format!("{name}.{extension}")), encode(documents)).expect("a file");
        }
    }
}
