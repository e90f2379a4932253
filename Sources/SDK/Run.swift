import Glibc
import MartletDomain
import MartletEngine
import MartletJSON
import Synchronization

/// A run that this program writes. Any thread may call it; no call but ``finish(status:)`` waits for anything.
public final class Run: Sendable {
    /// 32 hex digits, made here, so that they are known before any store has heard of the run.
    public let id: String
    public let experiment: String
    let courier: Courier
    private let state = Mutex(State())

    private struct State {
        var nextStep = 0
        var hasEnded = false
    }

    init(_ start: RunStart, params: Params, on courier: Courier) {
        let given = start.id.flatMap { RunID($0) }
        id = (given ?? .make()).text
        experiment = start.experiment
        self.courier = courier
        let now = SystemClock().now.millis
        var begin = JSONObject()
        begin["experiment"] = .string(start.experiment)
        begin["start"] = .int(now)
        let texts = [
            ("name", start.name), ("project", start.project), ("parent", start.parent), ("group", start.group),
            ("job_type", start.jobType), ("user", Machine.user), ("source", Machine.program),
        ]
        for (key, text) in texts { if let text { begin[key] = .string(text) } }
        if !start.tags.isEmpty {
            begin["tags"] = .object(
                JSONObject(start.tags.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, .string($0.value)) }))
        }
        courier.begin(id, begin, in: start.experiment, at: now)
        if let wrong = start.id, given == nil {
            courier.tell("The run's id “\(wrong.prefix(64))” is not 32 hex digits; it is \(id) instead.")
        }
        if let problem = params.problem { courier.tell(problem) }
        logParams(params)
    }

    // MARK: Metrics

    /// Values of metrics at a step. Without one the run counts by itself: from 0, one more with each call.
    ///
    /// NaN and infinities are values like any other. Steps may come late, or twice; nothing is overwritten.
    public func log(_ values: [String: Double], step: Int? = nil) {
        let at = state.withLock { state in
            let at = step ?? state.nextStep
            // The greatest step has no successor, and a caller's mistake must not stop the program.
            state.nextStep = max(state.nextStep, at == .max ? at : at + 1)
            return at
        }
        courier.log(id, values, step: at)
    }

    /// One value. Without a step it is a value of the whole run; from the second one under that name on, a series in
    /// order of arrival.
    public func logMetric(_ name: String, _ value: Double, step: Int? = nil) {
        courier.log(id, [name: value], step: step)
    }

    public func logMetrics(_ values: [String: Double], step: Int? = nil) {
        courier.log(id, values, step: step)
    }

    /// The step that ``log(_:step:)`` used last; nil before the first.
    public var lastStep: Int? { state.withLock { $0.nextStep == 0 ? nil : $0.nextStep - 1 } }

    /// How metrics are to be read whose name fits the pattern: `*` is any text, `?` one character.
    public func defineMetric(
        _ glob: String, goal: Goal? = nil, summary: String? = nil, stepMetric: String? = nil, unit: String? = nil
    ) {
        var fields: JSONObject = ["metric": .string(glob)]
        for (key, text) in [
            ("goal", goal?.rawValue), ("summary", summary), ("step_metric", stepMetric), ("unit", unit),
        ] {
            if let text { fields[key] = .string(text) }
        }
        courier.write(id, "define", fields)
    }

    // MARK: What else is to be known of a run

    /// Settings. They do not change in a run: a second value under one name is refused, and said.
    public func logParams(_ params: Params) {
        guard !params.isEmpty else { return }
        courier.write(id, "params", ["p": .object(params.flat)])
    }

    /// Settings as any `Encodable` value; what is nested becomes `a.b.c`.
    @_disfavoredOverload
    public func logParams(_ value: some Encodable) {
        let params = Params(value)
        if let problem = params.problem { courier.tell(problem) }
        logParams(params)
    }

    public func logParam(_ name: String, _ value: ParamValue) { logParams(Params([(name, value)])) }

    @_disfavoredOverload
    public func logParam(_ name: String, _ value: some Encodable) { logParams([name: value]) }

    /// A tag with a value, or without one.
    public func setTag(_ name: String, _ value: String? = nil) {
        courier.write(id, "tags", ["tags": .object([name: value.map { .string($0) } ?? .null])])
    }

    public func setTags(_ tags: [String: String]) {
        let members = tags.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, .string($0.value)) }
        if !members.isEmpty { courier.write(id, "tags", ["tags": .object(JSONObject(members))]) }
    }

    /// A note in Markdown.
    public func note(_ text: String) { courier.write(id, "note", ["text": .string(text)]) }

    // MARK: Artifacts

    /// A file, or every file beneath a folder. It is read when its turn comes, so it must stay as it is until
    /// ``finish(status:)``.
    public func logArtifact(_ path: String, as name: String? = nil, type: String? = nil) {
        for file in LocalFiles.found(at: path, as: name) {
            courier.upload(id, .file(file.path, size: file.size), as: file.name, type: type)
        }
        if LocalFiles.kind(of: path) == nil {
            courier.lose(1, because: "The artifact \(path) was not logged: there is no such file.")
        }
    }

    /// Bytes that are in memory, under a path of their own.
    public func logArtifact(_ bytes: [UInt8], as name: String, type: String? = nil) {
        courier.upload(id, .bytes(bytes), as: name, type: type)
    }

    public func logArtifact(text: String, as name: String, type: String? = nil) {
        logArtifact(Array(text.utf8), as: name, type: type)
    }

    // MARK: The end

    /// Ends the run and waits until it is on disk, at most as long as the settings say, and not for a store that is away:
    /// then it is delivered later, while the program goes on or when it ends.
    ///
    /// `status` is any word, such as `done`, `failed` or `overfit`. A second call changes nothing.
    @discardableResult
    public func finish(status: String = "finished") -> Delivery {
        end(status: status, error: nil)
        return courier.wait(seconds: courier.settings.finishSeconds)
    }

    /// The same without holding a thread of the caller's.
    @discardableResult
    public func finish(status: String = "finished") async -> Delivery {
        end(status: status, error: nil)
        return await delivered()
    }

    /// Waits until all that was logged so far is on disk, as ``finish(status:)`` does, and goes on.
    @discardableResult
    public func flush() -> Delivery { courier.wait(seconds: courier.settings.finishSeconds) }

    /// What went wrong last; nil while all is well.
    public var problem: String? { courier.problem }

    func finish(after error: any Error) {
        end(after: error)
        _ = courier.wait(seconds: courier.settings.finishSeconds)
    }

    func end(after error: any Error) {
        end(status: error is CancellationError ? "cancelled" : "failed", error: "\(error)")
    }

    func end(status: String, error: String?) {
        let isFirst = state.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
        guard isFirst else { return }
        var fields: JSONObject = ["status": .string(status), "end": .int(SystemClock().now.millis)]
        if let error { fields["error"] = .string(String(error.prefix(10_000))) }
        courier.end(id, fields)
    }

    func delivered() async -> Delivery {
        let courier = courier
        return await Aside.run { courier.wait(seconds: courier.settings.finishSeconds) }
    }
}

/// Which way a metric is better.
public enum Goal: String, Sendable { case max, min }
