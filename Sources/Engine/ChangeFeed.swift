package import MartletDomain
import MartletJSON
package import MartletObservability
import MartletSeries
package import MartletStorage
import MartletThreads
import Synchronization

/// What a follower wants to hear of.
package enum FeedScope: Sendable, Hashable {
    case run(RunKey)
    case experiment(ExperimentID)
    case project(ProjectID)
    case store
}

/// One thing to tell, encoded once and shared by all who hear it.
package struct FeedFrame: Sendable {
    package enum Kind: String, Sendable {
        case metrics, run, experiment, project, model, loggedModel = "logged_model", reset
    }
    package var kind: Kind
    package var project: ProjectID?
    package var experiment: ExperimentID?
    package var run: RunKey?
    package var json: [UInt8]
    package var cursor: ChangeCursor
}

/// Tells followers what was committed, by this process or by another one on the same store.
///
/// One thread asks the store for what came after its cursor: at once after a commit of ours, and every 50 ms while
/// anyone follows, since another process rings no bell. Delivery is at least once: every frame of a round but the last
/// carries the cursor from before the round, so whoever resumes from it misses nothing.
package final class ChangeFeed: Sendable {
    package final class Subscription: Sendable {
        fileprivate let id: Int
        private let feed: ChangeFeed
        fileprivate init(id: Int, feed: ChangeFeed) { (self.id, self.feed) = (id, feed) }
        package func cancel() { feed.drop(id) }
    }

    private struct Follower {
        var scope: FeedScope
        var since: ChangeCursor?
        var isCaughtUp = false
        /// False ends the subscription. Given what is wanted of a round, and the cursor after it; without frames at the
        /// feed's end.
        var deliver: @Sendable ([FeedFrame], ChangeCursor?) -> Bool
        /// By the machine's own monotonic clock, whatever the engine's is: a thread waits for it.
        var deadline: Int64?
        var expired: @Sendable () -> Void = {}
    }

    private struct Shared {
        var followers: [Int: Follower] = [:]
        var nextID = 1
        var isRunning = false
    }

    private let store: any Store
    private let log: Log
    private let shared = Mutex(Shared())
    private let thread = BackgroundThread()
    private let place = Mutex(Position())

    package init(store: any Store, log: Log) {
        (self.store, self.log) = (store, log)
        store.onCommit { [weak self] in
            guard let self, followerCount > 0 else { return }
            thread.wake()
        }
    }

    /// Follows from a cursor on, or from when the feed's thread comes to it. `deliver` is called on that thread and must
    /// not wait; an empty delivery means that the feed ends.
    package func subscribe(
        _ scope: FeedScope, since: ChangeCursor?, deliver: @escaping @Sendable ([FeedFrame]) -> Bool
    ) -> Subscription {
        follow(Follower(scope: scope, since: since) { frames, _ in deliver(frames) })
    }

    /// The same until a number of seconds has passed; then `expired` is called, on the feed's thread too. `deliver` is
    /// also given the cursor after what it is told.
    package func subscribe(
        _ scope: FeedScope, since: ChangeCursor?, atMost seconds: Int,
        deliver: @escaping @Sendable ([FeedFrame], ChangeCursor?) -> Bool, expired: @escaping @Sendable () -> Void
    ) -> Subscription {
        let deadline = SystemClock().monotonic + Int64(seconds) * 1_000_000
        return follow(
            Follower(scope: scope, since: since, deliver: deliver, deadline: deadline, expired: expired))
    }

    /// What a scope has missed since a cursor, read on the caller's thread: frames until there are enough of them, and
    /// the cursor after them.
    package func missed(
        _ scope: FeedScope, since: ChangeCursor, enough: Int
    ) throws(Refusal) -> (frames: [FeedFrame], cursor: ChangeCursor) {
        var reader = FeedReader()
        var missed: [FeedFrame] = []
        var place = since
        while true {
            let (frames, next, hasMore) = try frames(since: place, &reader)
            missed += wanted(frames, by: scope, upTo: next)
            place = next
            if !hasMore || missed.count >= enough { return (missed, place) }
        }
    }

    private func follow(_ follower: Follower) -> Subscription {
        let (id, mustStart) = shared.withLock { shared in
            let id = shared.nextID
            shared.nextID += 1
            shared.followers[id] = follower
            let mustStart = !shared.isRunning
            shared.isRunning = true
            return (id, mustStart)
        }
        if mustStart { thread.start { [self] _ in place.withLock { look(&$0) } } }
        thread.wake()
        return Subscription(id: id, feed: self)
    }

    package var followerCount: Int { shared.withLock { $0.followers.count } }

    /// Ends every subscription; each is told by an empty delivery, so that whoever waits can be answered.
    package func stop() {
        let followers = shared.withLock { shared in
            defer { shared.followers = [:] }
            return shared.followers
        }
        for follower in followers.values { _ = follower.deliver([], nil) }
        thread.stop()
    }

    private func drop(_ id: Int) { shared.withLock { $0.followers[id] = nil } }

    // MARK: - The thread

    /// Where the thread stands; only it looks here.
    private struct Position {
        var reader = FeedReader()
        var generation: Int64?
        var cursor: ChangeCursor?
    }

    /// One look at the store; gives the milliseconds until the next.
    private func look(_ position: inout Position) -> Int {
        guard shared.withLock({ !$0.followers.isEmpty }) else {
            // Nobody listens: what happens meanwhile is asked for by cursor when somebody does.
            position = Position()
            return 60_000
        }
        do throws(Refusal) {
            let now = try store.generation()
            let waiting = shared.withLock { $0.followers.contains { !$0.value.isCaughtUp } }
            if waiting || position.generation != now {
                position.cursor = try round(from: position.cursor, &position.reader)
                position.generation = now
            }
            dropExpired()
            return 50
        } catch {
            log.warning("The change feed could not read the store: \(error)")
            dropExpired()
            return 1000
        }
    }

    /// Brings newcomers up to date, then tells everyone what is new; gives back the new cursor.
    private func round(from old: ChangeCursor?, _ reader: inout FeedReader) throws(Refusal) -> ChangeCursor {
        var current: ChangeCursor
        if let old { current = old } else { current = try store.read { reader throws(Refusal) in try reader.cursor() } }
        while true {
            let (frames, next, hasMore) = try frames(since: current, &reader)
            let followers = shared.withLock { $0.followers.filter(\.value.isCaughtUp) }
            for (id, follower) in followers { deliver(frames, upTo: next, to: id, follower) }
            current = next
            if !hasMore { break }
        }
        for (id, follower) in shared.withLock({ $0.followers.filter { !$0.value.isCaughtUp } }) {
            var place = follower.since ?? current
            while place != current {
                let (frames, next, hasMore) = try frames(since: place, &reader)
                deliver(frames, upTo: next, to: id, follower)
                if !hasMore { break }
                place = next
            }
            shared.withLock { $0.followers[id]?.isCaughtUp = true }
        }
        return current
    }

    private func dropExpired() {
        let now = SystemClock().monotonic
        let late = shared.withLock { shared in
            let late = shared.followers.filter { ($0.value.deadline ?? .max) <= now }
            for id in late.keys { shared.followers[id] = nil }
            return late.values
        }
        for follower in late { follower.expired() }
    }

    private func deliver(_ frames: [FeedFrame], upTo cursor: ChangeCursor, to id: Int, _ follower: Follower) {
        let wanted = wanted(frames, by: follower.scope, upTo: cursor)
        if !wanted.isEmpty, !follower.deliver(wanted, cursor) { drop(id) }
    }

    /// The frames of a round that a scope wants to hear of. The last of them carries the cursor after the round: what
    /// else happened in it need not be read again by whoever resumes there.
    private func wanted(_ frames: [FeedFrame], by scope: FeedScope, upTo cursor: ChangeCursor) -> [FeedFrame] {
        var wanted = frames.filter { frame in
            switch scope {
            case .store: true
            case .project(let project): frame.project == project || frame.kind == .reset
            case .experiment(let experiment): frame.experiment == experiment || frame.kind == .reset
            case .run(let run): frame.run == run || frame.kind == .reset
            }
        }
        if let last = wanted.last, last.cursor != cursor {
            wanted[wanted.count - 1] = FeedReader.moved(last, to: cursor)
        }
        return wanted
    }

    private func frames(
        since cursor: ChangeCursor, _ reader: inout FeedReader
    ) throws(Refusal) -> (frames: [FeedFrame], cursor: ChangeCursor, hasMore: Bool) {
        var local = reader
        let result = try store.read { store throws(Refusal) in
            let changes = try store.changes(since: cursor, limit: 1000)
            return (try local.frames(of: changes, since: cursor, from: store), changes.cursor, changes.hasMore)
        }
        reader = local
        return result
    }
}

/// Turns changes into frames, remembering which run belongs where.
struct FeedReader {
    private struct Home {
        var id: RunID
        var experiment: ExperimentID
        var project: ProjectID
    }
    private var homes: [RunKey: Home] = [:]

    /// The frames of a round. All but the last carry the cursor from before it.
    mutating func frames(
        of changes: ChangeSet, since cursor: ChangeCursor, from store: any StoreReader
    ) throws(Refusal) -> [FeedFrame] {
        if homes.count > 100_000 { homes.removeAll(keepingCapacity: true) }
        var frames: [FeedFrame] = []
        if changes.isReset {
            var ids: [String] = []
            for key in changes.runs.prefix(1000) { if let home = try home(of: key, store) { ids.append(home.id.text) } }
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("reset", true)
                writer.member("cursor", changes.cursor.text)
                writer.member("seq", changes.cursor.text)
                writer.array("runs") { writer in for id in ids { writer.string(id) } }
            }
            frames.append(
                FeedFrame(
                    kind: .reset, project: nil, experiment: nil, run: nil, json: writer.bytes, cursor: changes.cursor))
        }
        for id in changes.projects {
            frames.append(named(.project, "project_id", "\(id)", project: id, experiment: nil, at: cursor))
        }
        for id in changes.experiments {
            let project = try store.experiment(id)?.project
            frames.append(named(.experiment, "experiment_id", "\(id)", project: project, experiment: id, at: cursor))
        }
        for id in changes.cards {
            if let card = try store.card(id), let frame = frame(of: card, at: cursor) { frames.append(frame) }
        }
        for run in try store.runs(changes.runs) {
            homes[run.key] = Home(id: run.id, experiment: run.experiment, project: run.project)
            frames.append(frame(of: run, at: cursor))
        }
        for arrival in changes.arrivals {
            guard let home = try home(of: arrival.run, store) else { continue }
            frames += self.frames(of: arrival, home, at: cursor)
        }
        // The last frame carries the new cursor. It is encoded again: its place is part of it.
        if let last = frames.popLast() {
            frames.append(FeedReader.moved(last, to: changes.cursor))
        }
        return frames
    }

    private mutating func home(of key: RunKey, _ store: any StoreReader) throws(Refusal) -> Home? {
        if let known = homes[key] { return known }
        guard let run = try store.run(key) else { return nil }
        let home = Home(id: run.id, experiment: run.experiment, project: run.project)
        homes[key] = home
        return home
    }

    private func named(
        _ kind: FeedFrame.Kind, _ key: String, _ id: String, project: ProjectID?, experiment: ExperimentID?,
        at cursor: ChangeCursor
    ) -> FeedFrame {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", kind.rawValue)
            writer.member(dynamic: key, id)
            writer.member("seq", cursor.text)
        }
        return FeedFrame(
            kind: kind, project: project, experiment: experiment, run: nil, json: writer.bytes, cursor: cursor)
    }

    /// A version changes its model too, so that one frame tells of both.
    private func frame(of card: Card, at cursor: ChangeCursor) -> FeedFrame? {
        let kind: FeedFrame.Kind
        var experiment: ExperimentID?
        switch card.kind {
        case RegisteredModel.kind: kind = .model
        case LoggedModel.kind:
            kind = .loggedModel
            experiment = (try? LoggedModel(card))?.experiment
        default: return nil
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", kind.rawValue)
            writer.member(dynamic: kind == .model ? "model" : "model_id", card.key)
            writer.member("project_id", "\(card.project)")
            if let experiment { writer.member("experiment_id", "\(experiment)") }
            writer.member("life", "\(card.life)")
            writer.member("seq", cursor.text)
        }
        return FeedFrame(
            kind: kind, project: card.project, experiment: experiment, run: nil, json: writer.bytes, cursor: cursor)
    }

    private func frame(of run: Run, at cursor: ChangeCursor) -> FeedFrame {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("event", "run")
            writer.member("run_id", run.id.text)
            writer.member("experiment_id", "\(run.experiment)")
            writer.member("state", run.status.state.word)
            writer.member("status", run.status.word)
            writer.member("life", "\(run.life)")
            writer.member("seq", cursor.text)
        }
        return FeedFrame(
            kind: .run, project: run.project, experiment: run.experiment, run: run.key, json: writer.bytes,
            cursor: cursor)
    }

    /// One frame a step, with every metric that arrived at it; the step stands inside `metrics` and beside it.
    private func frames(of arrival: ChangeSet.Arrival, _ home: Home, at cursor: ChangeCursor) -> [FeedFrame] {
        struct Place: Hashable {
            var step: Int64
            var time: Int64
            var hasStep: Bool
        }
        var order: [Place] = []
        var values: [Place: [(name: String, value: Double)]] = [:]
        for entry in arrival.batch.entries {
            for index in 0..<entry.points.count {
                let place = Place(
                    step: entry.points.steps[index], time: entry.points.times[index],
                    hasStep: entry.lane != .unstepped)
                if values[place] == nil { order.append(place) }
                values[place, default: []].append((entry.name, entry.points.values[index]))
            }
        }
        return order.map { place in
            var writer = JSONWriter()
            writer.object { writer in
                writer.member("run_id", home.id.text)
                writer.object("metrics") { writer in
                    if place.hasStep { writer.member("step", place.step) }
                    for (name, value) in values[place] ?? [] where name != "step" {
                        writer.member(dynamic: name, value)
                    }
                }
                if place.hasStep { writer.member("step", place.step) }
                writer.member("timestamp", Timestamp(micros: place.time).iso)
                writer.member("experiment_id", "\(home.experiment)")
                writer.member("n", Int64(values[place]?.count ?? 0))
                writer.member("seq", cursor.text)
            }
            return FeedFrame(
                kind: .metrics, project: home.project, experiment: home.experiment, run: arrival.run,
                json: writer.bytes, cursor: cursor)
        }
    }

    /// `seq` is always the last member, so a new place only changes the tail.
    static func moved(_ frame: FeedFrame, to cursor: ChangeCursor) -> FeedFrame {
        guard frame.kind != .reset else { return frame }
        var moved = frame
        moved.cursor = cursor
        let old = Array("\"seq\":\"\(frame.cursor.text)\"}".utf8)
        if frame.json.suffix(old.count).elementsEqual(old) {
            moved.json.removeLast(old.count)
            moved.json += Array("\"seq\":\"\(cursor.text)\"}".utf8)
        }
        return moved
    }
}
