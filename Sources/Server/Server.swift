// The server's composition root: it knows everything, reads the settings, picks the implementations, starts them in
// order and stops them in the reverse. No rule of the product lives here.
import MartletAPIMLflow
import MartletAPINative
import MartletArtifacts
package import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletHTTPServer
import MartletObservability
import MartletStorage
import MartletStorageSQLite
import MartletThreads
import MartletWebApp

/// A running `martlet serve`.
package final class MartletServer: Sendable {
    package let settings: ServerSettings
    /// Where it answers, without a trailing slash.
    package let addresses: [String]
    /// Shown once: opens the first admin's session in a browser.
    package let invitation: String?
    private let parts: Parts

    private struct Parts: Sendable {
        let store: SQLiteStore
        let engine: Engine
        let servers: [HTTPServer]
        let adoption: BackgroundThread
        let housekeeping: Housekeeping
        let freedMemory: FreedMemory
        let log: Log
    }

    /// Opens the store, binds the ports and answers; throws with a sentence when it cannot.
    package static func start(_ settings: ServerSettings) throws(Refusal) -> MartletServer {
        FreedMemory.setRules()
        let log = Log(level: settings.logLevel, format: settings.logFormat, delivery: .queued)
        let store = try SQLiteStore.open(folder: settings.folder, options: settings.storeOptions(log: log))
        do throws(Refusal) {
            return try MartletServer(settings, store: store, log: log)
        } catch {
            store.close()
            throw error
        }
    }

    private init(_ settings: ServerSettings, store: SQLiteStore, log: Log) throws(Refusal) {
        self.settings = settings
        var engineSettings = EngineSettings()
        engineSettings.limits = settings.limits
        engineSettings.indexMemoryBytes = settings.indexMemoryBytes
        let engine = Engine(
            store: store, settings: engineSettings, log: log, outbound: try WayOut(settings.egressAllowed))
        let blobs = try FolderBlobStore(folder: settings.folder + "/artifacts", now: engine.clock.now)
        let authority = Authority(try settings.accessMode(engine), engine: engine)
        let metrics = Metrics()
        let api = NativeAPI(
            engine: engine, blobs: blobs, authority: authority,
            about: ServerAbout(version: BuildInfo.version, commit: BuildInfo.commit))
        let artifacts = try settings.artifacts(log: log)
        let staging = try PartStaging(folder: settings.folder + "/artifacts/parts", now: engine.clock.now)
        let mlflow = MLflowAPI(
            engine: engine, blobs: blobs, authority: authority, artifacts: artifacts,
            staging: staging, publicPlace: settings.publicPlace)
        let service = ServiceMetrics(engine: engine, blobs: blobs, registry: metrics)
        let gate = Gate(
            settings.gateRules,
            routes: [
                { mlflow.planForClient($0) }, { api.plan($0) }, { mlflow.plan($0) }, { service.plan($0) },
                { WebApp.builtIn.plan($0) }, { Welcome.plan($0) },
            ])
        invitation = try Invitation.make(settings, engine)

        var servers: [HTTPServer] = []
        var addresses: [String] = []
        for port in [settings.port] + settings.compatPorts {
            var options = ServerOptions(host: settings.host, port: port)
            options.tls = settings.tls
            options.limits.bytesPerSecondMin = 1024
            let server = HTTPServer(options, handler: gate, log: log, metrics: metrics)
            do {
                let bound = try server.start()
                servers.append(server)
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                addresses.append("\(settings.tls == nil ? "http" : "https")://\(host):\(bound)")
            } catch {
                for server in servers { server.stop(deadlineSeconds: 1) }
                throw Refusal(.io, error.message, remedy: error.remedy)
            }
        }
        self.addresses = addresses
        let adopter = LogbookAdopter(folder: settings.folder + "/logbooks", engine: engine)
        let adoption = BackgroundThread()
        let housekeeping = Housekeeping(
            engine: engine, blobs: blobs, staging: staging, artifacts: artifacts,
            logbooks: settings.folder + "/logbooks", logbookDays: settings.logbookDays)
        parts = Parts(
            store: store, engine: engine, servers: servers, adoption: adoption, housekeeping: housekeeping,
            freedMemory: FreedMemory(), log: log)
        // A look lists one folder; while something grows there it is worth five of them a second.
        adoption.start { _ in adopter.look() ? 200 : 1000 }
        housekeeping.start()
        parts.freedMemory.start(rest: { [store = parts.store] in store.rest() })
    }

    /// Lets requests in progress finish, then closes the store: what was acknowledged is on disk either way.
    package func stop(deadlineSeconds: Double = 10) {
        parts.log.info("Stopping: requests in progress may finish.")
        // First the feed: a long poll would hold the server's stop until its deadline.
        parts.engine.feed.stop()
        for server in parts.servers { server.stop(deadlineSeconds: deadlineSeconds) }
        parts.adoption.stop()
        parts.engine.stopTelling()
        parts.housekeeping.stop()
        parts.freedMemory.stop()
        parts.store.close()
        parts.log.info("Stopped.")
        parts.log.flush()
    }
}
