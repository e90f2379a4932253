import MartletAPIMLflow
import MartletDomain
import MartletEngine
package import MartletObservability
package import MartletStorage
import MartletStorageSQLite

/// Everything that can be said to a server, as values; the command line and the environment are read into it.
package struct ServerSettings: Sendable {
    package var host = "127.0.0.1"
    package var port = 8003
    /// Further ports that answer the same (conflict C4: one of the product's documents says 8000).
    package var compatPorts: [Int] = []
    /// The store's folder, absolute.
    package var folder: String
    /// Where a database lies whose folder is on a network file system.
    package var cacheFolder: String?
    package var basePath = ""
    package var allowedHosts: [String] = []
    package var corsOrigins: [String] = []
    package var trustedProxies: [String] = []
    package var tls: (certificate: String, key: String)?
    package var logLevel = Log.Level.info
    package var logFormat = Log.Format.text
    /// `none`, `proxy:<header>`, or nothing: open on loopback while there are no users, tokens otherwise.
    package var authMode: String?
    package var limits = Limits.standard
    /// Whether acknowledged means on disk.
    package var syncsEachCommit = true
    /// For how many days an adopted logbook is kept as a second copy; 0 is until the store was next proved whole.
    package var logbookDays = LogbookKeeper.daysStandard
    /// What searches may keep in memory.
    package var indexMemoryBytes = 256 << 20

    /// Where MLflow's clients are told to put artifacts of new experiments; nil means this server.
    package var defaultArtifactRoot: String?
    /// The folder, absolute, for what such clients upload here; nil means the store.
    package var artifactsDestination: String?

    /// Addresses beside the public ones that may be called when a user asks for it: hosts with or without a port, ranges.
    package var egressAllowed: [String] = []
    /// Told the addresses once it answers; in place of the lines that are printed otherwise.
    package var onStart: (@Sendable (_ addresses: [String]) -> Void)?

    package init(folder: String) { self.folder = folder }

    package var isLoopback: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }

    func storeOptions(log: Log) -> SQLiteStore.Options {
        var options = SQLiteStore.Options()
        options.compactsByItself = true
        options.cacheFolder = cacheFolder
        options.syncsEachCommit = syncsEachCommit
        options.onProblem = { log.warning("Compaction met a problem: \($0)") }
        return options
    }

    func artifacts(log: Log) throws(Refusal) -> ArtifactSettings {
        try ArtifactSettings(defaultRoot: defaultArtifactRoot, destination: artifactsDestination).opened(log)
    }

    var publicPlace: PublicPlace {
        var place = PublicPlace()
        (place.basePath, place.trustedProxies) = (basePath, trustedProxies)
        return place
    }

    var gateRules: GateRules {
        GateRules(allowedHosts: allowedHosts, corsOrigins: corsOrigins, basePath: basePath)
    }

    /// Loopback without users is open; any other address needs tokens, unless `AUTH_MODE=none` says otherwise aloud.
    func accessMode(_ engine: Engine) throws(Refusal) -> AccessMode {
        switch authMode?.lowercased() {
        case nil, "", "auto", "tokens", "token": break
        case "none": return .open
        case let mode? where mode.hasPrefix("proxy"):
            let header =
                mode.split(separator: ":", maxSplits: 1).dropFirst().first.map(String.init) ?? "x-forwarded-user"
            return .proxy(header: header, addresses: trustedProxies.isEmpty ? ["127.0.0.1", "::1"] : trustedProxies)
        case let mode?:
            throw Refusal(
                .invalid, "AUTH_MODE is “\(mode)”, which is not known.",
                remedy: "Use none, tokens, or proxy:<header>.", field: "AUTH_MODE")
        }
        let hasUsers = try engine.read { (reader: any StoreReader) throws(Refusal) in try !reader.users().isEmpty }
        let wantsTokens = authMode?.lowercased().hasPrefix("token") ?? false
        return hasUsers || wantsTokens || !isLoopback ? .tokens : .open
    }
}

/// The link for the first admin, made when a server off loopback starts without users.
enum Invitation {
    static func make(_ settings: ServerSettings, _ engine: Engine) throws(Refusal) -> String? {
        guard case .tokens = try settings.accessMode(engine) else { return nil }
        let users = try engine.read { (reader: any StoreReader) throws(Refusal) in try reader.users() }
        if users.isEmpty { _ = try engine.putUser(.system, name: "admin", role: .admin) }
        let isUnused = try engine.read { (reader: any StoreReader) throws(Refusal) in
            try reader.tokens(of: nil).allSatisfy { $0.kind == .invitation }
        }
        guard users.isEmpty || isUnused else { return nil }
        let name = users.first { $0.role == .admin && !$0.isDisabled }?.name ?? "admin"
        return try engine.createToken(
            .system, for: name, label: "first start", kind: .invitation, lifetime: 7 * 86_400
        ).secret
    }
}
