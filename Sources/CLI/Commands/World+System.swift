import Glibc
import MartletClient
import MartletDomain
import MartletEngine
import MartletObservability
package import MartletServer
import MartletStorage
import MartletStorageSQLite

extension World {
    /// The machine as it is.
    package static func system(_ terminal: any Terminal) -> World {
        let cache = StorePlace.cacheFolder(terminal.environment)
        return World(
            version: BuildInfo.version, workingFolder: currentFolder(), now: { SystemClock().now },
            seconds: { Double(SystemClock().monotonic) / 1e6 },
            openStore: { folder throws(StorageError) in
                var options = SQLiteStore.Options()
                options.cacheFolder = cache
                return try SQLiteStore.open(folder: folder, options: options)
            },
            startServer: { options, terminal in
                // Before the first answer: whoever got one may say stop.
                StopSignal.expect()
                return try serve(options, in: terminal, until: StopSignal.wait)
            },
            readSecret: Secrets.read)
    }

    /// Serves until the closure comes back.
    package static func serve(
        _ options: ServerSettings, in terminal: any Terminal, until stop: () -> Void
    ) throws -> ExitCode {
        try Serving.run(options, terminal, until: stop)
    }

    private static func currentFolder() -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard let path = getcwd(&buffer, buffer.count) else { return "/" }
        return String(cString: path)
    }
}

/// `martlet serve`, from its options to its last breath.
private enum Serving {
    static func run(
        _ options: ServerSettings, _ terminal: any Terminal, until stop: () -> Void
    ) throws -> ExitCode {
        let server: MartletServer
        do throws(Refusal) { server = try MartletServer.start(options) } catch {
            throw CommandFailure(error)
        }
        if let onStart = options.onStart {
            onStart(server.addresses)
            stop()
            server.stop()
            return .good
        }
        terminal.line("Store: \(options.folder)", to: .error)
        if !options.syncsEachCommit {
            terminal.line(
                "--synchronous normal: what was acknowledged in the last seconds before a power cut may be lost. A crash of the server alone loses nothing.",
                to: .error)
        }
        for address in server.addresses { terminal.line("Martlet answers at \(address)\(options.basePath)") }
        if let invitation = server.invitation, let address = server.addresses.first {
            terminal.line("First admin (works once): \(address)\(options.basePath)/login#\(invitation)")
        }
        stop()
        server.stop()
        return .good
    }
}

/// What is typed and not shown.
private enum Secrets {
    static func read(_ prompt: String) -> String? {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var before = termios()
        if isTerminal {
            _ = prompt.withCString { Glibc.write(STDERR_FILENO, $0, strlen($0)) }
            tcgetattr(STDIN_FILENO, &before)
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
                _ = Glibc.write(STDERR_FILENO, "\n", 1)
            }
        }
        return readLine(strippingNewline: true)
    }
}
