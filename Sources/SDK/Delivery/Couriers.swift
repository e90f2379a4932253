import Glibc
import MartletArtifacts
import MartletClient
import MartletEngine
import Synchronization

/// The couriers of this process, one for each store, and what becomes of them when it ends.
enum Couriers {
    private static let all = Mutex<[StorePlace: Courier]>([:])
    private static let watchesExit: Void = {
        // What is called at exit is called in reverse: libcrypto must set itself up first, to be there for us last.
        _ = SHA256.digest(of: "")
        _ = on_exit({ status, _ in Couriers.leave(exitStatus: status) }, nil)
    }()

    /// The one for a store. A `uri` that names none leads to the store that the `martlet` command would take, and says so.
    static func courier(for uri: String?, _ settings: LoggingSettings) -> Courier {
        let place: StorePlace
        var problem: String?
        do throws(ClientFailure) { place = try Machine.place(uri) } catch {
            problem = error.message + (error.remedy.map { " \($0)" } ?? "")
            place = .folder(StorePlace.standard(environment: Machine.environment, workingFolder: Machine.workingFolder))
        }
        watchesExit
        let courier = all.withLock { all in
            if let known = all[place] { return known }
            let courier = Courier(Connection(place), settings)
            all[place] = courier
            return courier
        }
        if let problem { courier.tell("\(problem) Runs are kept in \(place.text) instead.") }
        return courier
    }

    /// Delivers what is left, within the deadline, and lets a store go.
    static func close(_ uri: String?, keepsRest: Bool = true) -> Delivery? {
        guard let place = try? Machine.place(uri), let courier = all.withLock({ $0.removeValue(forKey: place) }) else {
            return nil
        }
        let delivery = courier.wait(seconds: courier.settings.exitSeconds, isLastChance: true)
        if !delivery.isComplete, keepsRest { leaveRest(of: courier) }
        courier.close()
        return delivery
    }

    /// Runs when the program ends by `exit` or by coming to its end: one deadline for all stores together.
    private static func leave(exitStatus: Int32) {
        let couriers = all.withLock { Array($0.values) }
        for courier in couriers { courier.endOpenRuns(exitStatus: exitStatus) }
        let seconds = couriers.map(\.settings.exitSeconds).max() ?? 0
        let end = SystemClock().monotonic + Int64(seconds * 1e6)
        for courier in couriers {
            let left = Double(max(0, end - SystemClock().monotonic)) / 1e6
            if !courier.wait(seconds: left, isLastChance: true).isComplete {
                leaveRest(of: courier)
            } else if case .folder = courier.connection.place {
                // A server's thread may be waiting for an answer, which would hold the program beyond its deadline.
                courier.close()
            }
        }
    }

    /// Leaves what was not delivered where it is found again, and says in a line what to do about it.
    private static func leaveRest(of courier: Courier) {
        guard let rest = courier.leaveRest() else { return }
        let place = courier.connection.place.text
        for (upload, reason) in rest.lost.prefix(3) {
            let again: String
            switch upload.source {
            case .file(let path, _):
                again = "martlet log artifact \(upload.run) \(path) --as \(upload.name) --uri \(place)"
            case .bytes: again = "log it again, by way of a file"
            }
            Machine.say(
                "The artifact \(upload.name) was neither uploaded nor kept: \(reason) Do it by: \(again)", courier)
        }
        if rest.lost.count > 3 {
            Machine.say("\(rest.lost.count - 3) more artifacts were neither uploaded nor kept.", courier)
        }
        if let trouble = rest.trouble {
            return Machine.say("What was not delivered to \(place) is lost: \(trouble)", courier)
        }
        guard rest.lines > 0 else { return }
        let files = rest.files == 0 ? "" : " with \(rest.files == 1 ? "a file" : "\(rest.files) files") beside it"
        let left = "What was not delivered is in \(rest.path)\(files)"
        switch courier.connection.place {
        case .folder:
            Machine.say("\(left); the next martlet here takes it in.", courier)
        case .server(let address):
            Machine.say("\(left). Send it by: martlet sync \(courier.unsentStore) \(address)", courier)
        }
    }
}
