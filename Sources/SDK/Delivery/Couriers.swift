import Glibc
import MartletCLI
import MartletEngine
import Synchronization

/// The couriers of this process, one for each store, and what becomes of them when it ends.
enum Couriers {
    private static let all = Mutex<[StorePlace: Courier]>([:])
    private static let watchesExit: Void = {
        _ = on_exit({ status, _ in Couriers.leave(exitStatus: status) }, nil)
    }()

    /// The one for a store. A `uri` that names none leads to the store that the `martlet` command would take, and says so.
    static func courier(for uri: String?, _ settings: LoggingSettings) -> Courier {
        let place: StorePlace
        var problem: String?
        do throws(CommandFailure) { place = try Machine.place(uri) } catch {
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

    /// Writes what was not delivered to where it is found again.
    private static func leaveRest(of courier: Courier) {
        let rest = courier.takeRest()
        for name in rest.uploads.prefix(3) { Machine.say("The artifact \(name) was not uploaded.", courier) }
        guard !rest.text.isEmpty else { return }
        let path = courier.spillPath(rest.writer)
        guard LocalFiles.write(rest.text, to: path) else {
            return Machine.say(
                "What was not delivered to \(courier.connection.place.text) is lost: \(path) cannot be written.",
                courier)
        }
        switch courier.connection.place {
        case .folder: Machine.say("What was not delivered is in \(path); the next martlet here takes it in.", courier)
        case .server(let address):
            Machine.say(
                "What was not delivered is in \(path). Send it by: martlet sync \(courier.unsentStore) \(address)",
                courier)
        }
    }
}
