import MartletClient
package import MartletDomain
import MartletObservability
package import MartletServer
package import MartletStorage

/// What the commands need of the machine around them, as values, so that a test can give them another one.
package struct World: Sendable {
    package typealias Serve = @Sendable (ServerSettings, any Terminal) throws -> ExitCode

    package var version: String
    /// Absolute.
    package var workingFolder: String
    package var now: @Sendable () -> Timestamp
    /// Seconds on a clock that never goes back, for progress bars.
    package var seconds: @Sendable () -> Double
    /// Opens the store in a folder, making it when it is not there.
    package var openStore: @Sendable (_ folder: String) throws(StorageError) -> any Store
    /// Runs the server until it is told to stop.
    package var startServer: Serve
    /// Asks for a line that is not shown while it is typed; nil at the end of the input.
    package var readSecret: @Sendable (_ prompt: String) -> String?

    package init(
        version: String, workingFolder: String, now: @escaping @Sendable () -> Timestamp,
        seconds: @escaping @Sendable () -> Double,
        openStore: @escaping @Sendable (_ folder: String) throws(StorageError) -> any Store,
        startServer: @escaping Serve, readSecret: @escaping @Sendable (_ prompt: String) -> String?
    ) {
        (self.version, self.workingFolder, self.now, self.seconds) = (version, workingFolder, now, seconds)
        (self.openStore, self.startServer, self.readSecret) = (openStore, startServer, readSecret)
    }
}

extension World {
    /// A command that asks the native API of whichever store is meant.
    func command(
        _ name: String, _ summary: String, discussion: String = "", arguments: [Argument] = [],
        options: [Option] = [], examples: [Example] = [], creates: Bool = false,
        run: @escaping @Sendable (Session) throws -> ExitCode
    ) -> Command {
        Command(
            name, summary: summary, discussion: discussion, arguments: arguments, options: options, examples: examples
        ) { parsed, terminal in
            let place = try place(parsed, terminal)
            let backend = try backend(for: place, parsed, terminal, creates: creates)
            defer { backend.close() }
            do {
                return try run(Session(parsed: parsed, terminal: terminal, world: self, api: API(backend)))
            } catch let error as Refusal {
                throw CommandFailure(error)
            }
        }
    }

    /// A command that asks no store.
    func plainCommand(
        _ name: String, _ summary: String, discussion: String = "", arguments: [Argument] = [],
        options: [Option] = [], examples: [Example] = [],
        run: @escaping @Sendable (Parsed, any Terminal) async throws -> ExitCode
    ) -> Command {
        Command(
            name, summary: summary, discussion: discussion, arguments: arguments, options: options, examples: examples
        ) { parsed, terminal in
            do { return try await run(parsed, terminal) } catch let error as Refusal { throw CommandFailure(error) }
        }
    }

    func place(_ parsed: Parsed, _ terminal: any Terminal) throws(CommandFailure) -> StorePlace {
        try StorePlace.find(
            given: parsed.text("uri"), config: UserFiles(environment: terminal.environment),
            environment: terminal.environment, workingFolder: workingFolder)
    }

    /// The folder that is meant, for commands that work on files and not through the API.
    func folder(_ parsed: Parsed, _ terminal: any Terminal) throws(CommandFailure) -> String {
        switch try place(parsed, terminal) {
        case .folder(let path): return path
        case .server(let address):
            throw CommandFailure(
                .usage,
                "“\(parsed.path.joined(separator: " "))” works on a store's folder, and \(address) is a server.",
                remedy: "Run it where the store lies, with --uri FOLDER.")
        }
    }

    /// The file of certificates to trust beside the system's, absolute. Looked at here, since curl would call it a fault
    /// of the connection.
    func authorities(_ parsed: Parsed) throws(CommandFailure) -> String? {
        guard let given = parsed.text("cacert") else { return nil }
        let path = Disk.absolute(given, from: workingFolder)
        guard Disk.text(path)?.contains("-----BEGIN CERTIFICATE-----") == true else {
            throw CommandFailure(
                .usage, "There are no PEM certificates in \(path).",
                remedy:
                    "Give --cacert or MARTLET_CACERT the certificate of the server, or of the authority that signed it."
            )
        }
        return path
    }

    func backend(
        for place: StorePlace, _ parsed: Parsed, _ terminal: any Terminal, creates: Bool
    ) throws(CommandFailure) -> any Backend {
        switch place {
        case .server(let address):
            let token = terminal.environment["MARTLET_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
            return RemoteBackend(
                address: address, token: token ?? UserFiles(environment: terminal.environment).token(for: address),
                version: version, authorities: try authorities(parsed))
        case .folder(let path):
            let isThere = Disk.isFolder(path)
            guard isThere || creates else { throw CommandFailure.noStore(path) }
            let store: any Store
            do throws(StorageError) { store = try openStore(path) } catch { throw CommandFailure(error) }
            if !isThere { terminal.line("New store: \(path)", to: .error) }
            return try LocalBackend(folder: path, store: store, version: version, log: .silent)
        }
    }
}
