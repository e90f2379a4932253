import MartletClient
import MartletDomain
import MartletHTTPClient
import MartletHTTPMessages
import MartletObservability
import MartletServer

extension World {
    /// The pages of a folder, for the one who sits here: nothing to set up, and nothing that others reach.
    var look: Command {
        plainCommand(
            "ui", "Look at a store in the browser",
            discussion: """
                Serves on a free port of this machine alone and prints the address. If a server for the folder is \
                running already, prints that one's. Over SSH it says how to reach the port from where you sit.
                """,
            arguments: [
                Argument(
                    "folder", "The store's folder; the one that every command means here if left out", count: .optional,
                    candidates: .folders)
            ],
            options: [
                .flag("open", "Open the browser"),
                Option(
                    "port", short: "p", value: "PORT", "The port; 0 for a free one", shape: .integer(0...65535),
                    standard: "0"),
            ],
            examples: [Example("martlet ui"), Example("martlet ui results/.martlet --open")]
        ) { parsed, terminal in
            let path = try storeFolder(parsed, terminal)
            guard Disk.isFolder(path) else { throw CommandFailure.noStore(path) }
            let place = path + "/ui.address"
            if let address = Disk.text(place).map({ String($0.trimmed) }), answers(address) {
                terminal.line(address)
                if parsed.isOn("open") { openBrowser(address) }
                return .good
            }
            var settings = ServerSettings(folder: path)
            settings.cacheFolder = StorePlace.cacheFolder(terminal.environment)
            settings.port = parsed.integer("port") ?? 0
            settings.logLevel = .warning
            let wantsBrowser = parsed.isOn("open")
            settings.onStart = { addresses in
                guard let address = addresses.first else { return }
                try? Disk.replace(place, with: Array(address.utf8), mode: 0o600)
                terminal.line(address)
                if let hint = World.tunnel(to: address, terminal.environment) { terminal.line(hint, to: .error) }
                terminal.line("Ctrl-C ends it.", to: .error)
                if wantsBrowser { openBrowser(address) }
            }
            defer { Disk.remove(place) }
            return try startServer(settings, terminal)
        }
    }

    private func storeFolder(_ parsed: Parsed, _ terminal: any Terminal) throws(CommandFailure) -> String {
        guard let named = parsed.text("folder") else { return try folder(parsed, terminal) }
        let path = Disk.absolute(named, from: workingFolder)
        // People name the folder in which they work as often as the store in it.
        let inside = path + "/.martlet"
        return Disk.isFolder(inside) ? inside : path
    }

    private func answers(_ address: String) -> Bool {
        guard address.hasPrefix("http://127.0.0.1:") else { return false }
        let backend = RemoteBackend(address: address, token: nil, version: version)
        defer { backend.close() }
        return (try? backend.send(ClientRequest(.get, "/version")))?.status.isSuccess == true
    }

    /// What to type where one sits, when this machine is reached by SSH.
    static func tunnel(to address: String, _ environment: [String: String]) -> String? {
        guard let connection = environment["SSH_CONNECTION"], let port = address.split(separator: ":").last else {
            return nil
        }
        let parts = connection.split(separator: " ")
        guard parts.count == 4 else { return nil }
        let user = environment["USER"].map { $0 + "@" } ?? ""
        return "From where you sit: ssh -N -L \(port):127.0.0.1:\(port) \(user)\(parts[2])"
    }
}
