import MartletClient
import MartletEngine
import MartletObservability
import MartletServer
import MartletStorage

extension World {
    var serve: Command {
        plainCommand(
            "serve", "Serve a store over HTTP",
            discussion: """
                The store is --data, else the one that every command means here. On any other address than this \
                machine's own the server asks for tokens; the first start prints a link for the first admin.
                """,
            options: World.serveOptions,
            examples: [
                Example("martlet serve"),
                Example("martlet serve --host 0.0.0.0 --port 8003 --data /srv/martlet --allowed-hosts lab.example.org"),
            ]
        ) { parsed, terminal in
            try startServer(try serveOptions(parsed, terminal), terminal)
        }
    }

    /// What may be limited. A refusal names its setting by the name that it has here.
    private static let limits: [(name: String, help: String, path: any WritableKeyPath<Limits, Int> & Sendable)] = [
        ("metrics", "Metrics of a run", \.metricNames), ("params", "Params of a run", \.params),
        ("tags", "Tags of a run", \.tags), ("key-bytes", "Bytes of a key", \.keyBytes),
        ("name-bytes", "Bytes of a name", \.nameBytes), ("param-bytes", "Bytes of a param", \.paramBytes),
        ("tag-bytes", "Bytes of a tag", \.tagBytes), ("note-bytes", "Bytes of a note", \.noteBytes),
        ("console-bytes", "Bytes of a run's console", \.consoleBytes),
    ]

    private static var serveOptions: [Option] {
        [
            Option("host", value: "HOST", "The address to listen on", standard: "127.0.0.1", environment: "HOST"),
            Option(
                "port", short: "p", value: "PORT", "The port; 0 for a free one", shape: .integer(0...65535),
                standard: "8003", environment: "PORT"),
            Option("data", short: "d", value: "FOLDER", "The store's folder", candidates: .folders),
            Option("base-path", value: "PATH", "Where a proxy in front shows the server: /martlet"),
            Option("allowed-hosts", value: "LIST", "Names by which it may be called, with commas", repeats: true),
            Option("cors-origin", value: "ORIGIN", "A web page's origin that may call it", repeats: true),
            Option("trusted-proxy", value: "ADDRESS", "A proxy whose word counts", repeats: true),
            Option("tls-cert", value: "FILE", "The certificate, PEM", candidates: .files),
            Option("tls-key", value: "FILE", "Its key, PEM", candidates: .files),
            Option(
                "auth-mode", value: "MODE", "none, tokens, or proxy:HEADER; else by the address",
                environment: "AUTH_MODE"),
            Option(
                "log-level", value: "LEVEL", "debug, info, warning or error", standard: "info", environment: "LOG_LEVEL"
            ),
            Option("log-format", value: "FORMAT", "How", standard: "text", choices: ["text", "json"]),
            .flag("debug", "The same as --log-level debug", environment: "DEBUG"),
            Option(
                "compat-ports", value: "LIST", "Further ports that answer the same, with commas",
                environment: "COMPAT_PORTS"),
            Option("workers", value: "N", "Accepted and ignored: threads are counted by themselves", shape: .count),
            Option(
                "default-artifact-root", value: "URI",
                "Where MLflow clients put artifacts of new experiments; else this server"),
            Option(
                "artifacts-destination", value: "FOLDER",
                "Folder for what MLflow clients upload here; else the store", candidates: .folders),
            Option(
                "egress-allow", value: "HOST[:PORT]|CIDR",
                "What webhooks may call beside public addresses", environment: "MARTLET_EGRESS_ALLOW",
                repeats: true),
            Option(
                "synchronous", value: "MODE",
                "full: acknowledged means on disk; normal: faster, and a power cut may take the last seconds",
                standard: "full", choices: ["full", "normal"]),
            Option(
                "keep-logbooks", value: "DAYS",
                "Keep adopted logbooks so long, and until a backup or clean fsck came after; 0: only until that",
                shape: .integer(0...36_500), standard: "\(LogbookKeeper.daysStandard)"),
            Option(
                "index-memory", value: "MIB", "Memory for searches", shape: .integer(1...1_000_000), standard: "256"),
        ]
            + limits.map { limit in
                Option("limit-\(limit.name)", value: "N", limit.help + ", at most", shape: .integer(1...Int.max))
            }
    }

    func serveOptions(_ parsed: Parsed, _ terminal: any Terminal) throws(CommandFailure) -> ServerSettings {
        let data: String
        if let given = parsed.text("data") {
            guard case .folder(let path) = try StorePlace(given, from: workingFolder) else {
                throw CommandFailure(.usage, "--data takes a folder, and “\(given)” is a server.")
            }
            data = path
        } else {
            data = try folder(parsed, terminal)
        }
        var options = ServerSettings(folder: data)
        options.cacheFolder = StorePlace.cacheFolder(terminal.environment)
        options.host = parsed.text("host") ?? options.host
        options.port = parsed.integer("port") ?? options.port
        for text in list(parsed.text("compat-ports")) {
            guard let port = Int(text), (1...65535).contains(port) else {
                throw CommandFailure(.usage, "“\(text)” in --compat-ports is not a port.")
            }
            options.compatPorts.append(port)
        }
        options.basePath = parsed.text("base-path") ?? ""
        options.allowedHosts = parsed.all("allowed-hosts").flatMap { list($0) }
        options.corsOrigins = parsed.all("cors-origin").flatMap { list($0) }
        options.trustedProxies = parsed.all("trusted-proxy").flatMap { list($0) }
        switch (parsed.text("tls-cert"), parsed.text("tls-key")) {
        case (nil, nil): break
        case (let certificate?, let key?):
            options.tls = (
                Disk.absolute(certificate, from: workingFolder), Disk.absolute(key, from: workingFolder)
            )
        default: throw CommandFailure(.usage, "--tls-cert and --tls-key belong together.", remedy: "Give both.")
        }
        let level = (parsed.text("log-level") ?? "info").lowercased()
        guard let known = Log.Level(level) else {
            throw CommandFailure(
                .usage, "“\(level)” is no level of the log.", remedy: "Use debug, info, warning or error.")
        }
        options.logLevel = parsed.isOn("debug") ? .debug : known
        options.logFormat = parsed.text("log-format") == "json" ? .json : .text
        options.authMode = parsed.text("auth-mode")
        for limit in World.limits {
            if let value = parsed.integer("limit-\(limit.name)") { options.limits[keyPath: limit.path] = value }
        }
        options.defaultArtifactRoot = parsed.text("default-artifact-root")
        options.artifactsDestination = parsed.text("artifacts-destination").map {
            Disk.absolute($0, from: workingFolder)
        }
        options.egressAllowed = parsed.all("egress-allow").flatMap { list($0) }
        options.syncsEachCommit = parsed.text("synchronous") != "normal"
        if let days = parsed.integer("keep-logbooks") { options.logbookDays = days }
        if let mebibytes = parsed.integer("index-memory") { options.indexMemoryBytes = mebibytes << 20 }
        return options
    }

    private func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { String($0.trimmed) }.filter { !$0.isEmpty }
    }
}
