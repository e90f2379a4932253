// SDK: `import Martlet`, tracking for training code that is written in Swift. A run's calls put values into memory and
// return; one thread for each store hands them on, to the engine in this process or to a server, as numbered lines that
// count exactly once. Rules about runs live in the engine; which store is meant is the command line's rule; this room is
// what is between a training loop and those.

/// Starts a run and comes back at once: nothing is opened, sent or waited for here.
///
///     let run = Martlet.startRun(experiment: "digits", params: ["lr": 0.1, "depth": 6])
///     for step in 0..<1000 { run.log(["loss": loss], step: step) }
///     run.finish()
///
/// The run is written where `uri` says, else `MARTLET_TRACKING_URI`, else where the `martlet` command would look: an
/// http(s) address is a server, anything else a folder. What goes wrong is told on standard error, at most one line a
/// minute, and by ``Run/finish(status:)``; it never stops the program.
///
/// - Parameters:
///   - parent: The id of the run that this one belongs to: a fold, a trial, a stage.
///   - group: Runs of one sweep share a group.
///   - id: 32 hex digits, where the run's id must be known beforehand.
public func startRun(
    experiment: String, name: String? = nil, params: Params = [:], tags: [String: String] = [:],
    project: String? = nil, parent: Run? = nil, group: String? = nil, jobType: String? = nil, id: String? = nil,
    uri: String? = nil, settings: LoggingSettings = LoggingSettings()
) -> Run {
    let start = RunStart(
        experiment: experiment, name: name, tags: tags, project: project, parent: parent?.id, group: group,
        jobType: jobType, id: id)
    return Run(start, params: params, on: Couriers.courier(for: uri, settings))
}

/// The same with params that are any `Encodable` value, such as the struct that configures the training.
@_disfavoredOverload
public func startRun(
    experiment: String, name: String? = nil, params: some Encodable, tags: [String: String] = [:],
    project: String? = nil, parent: Run? = nil, group: String? = nil, jobType: String? = nil, id: String? = nil,
    uri: String? = nil, settings: LoggingSettings = LoggingSettings()
) -> Run {
    startRun(
        experiment: experiment, name: name, params: Params(params), tags: tags, project: project, parent: parent,
        group: group, jobType: jobType, id: id, uri: uri, settings: settings)
}

/// Starts a run for as long as the closure works. It is finished after it; an error that the closure throws fails the
/// run, is recorded with it, and goes on to the caller.
public func withRun<Result>(
    experiment: String, name: String? = nil, params: Params = [:], tags: [String: String] = [:],
    project: String? = nil, parent: Run? = nil, group: String? = nil, jobType: String? = nil,
    uri: String? = nil, settings: LoggingSettings = LoggingSettings(), _ body: (Run) throws -> Result
) rethrows -> Result {
    let run = startRun(
        experiment: experiment, name: name, params: params, tags: tags, project: project, parent: parent, group: group,
        jobType: jobType, uri: uri, settings: settings)
    do {
        let result = try body(run)
        run.finish()
        return result
    } catch {
        run.finish(after: error)
        throw error
    }
}

/// The same for a closure that awaits. A task that was cancelled makes the run a cancelled one.
public func withRun<Result>(
    experiment: String, name: String? = nil, params: Params = [:], tags: [String: String] = [:],
    project: String? = nil, parent: Run? = nil, group: String? = nil, jobType: String? = nil,
    uri: String? = nil, settings: LoggingSettings = LoggingSettings(),
    isolation: isolated (any Actor)? = #isolation, _ body: (Run) async throws -> Result
) async rethrows -> Result {
    let run = startRun(
        experiment: experiment, name: name, params: params, tags: tags, project: project, parent: parent, group: group,
        jobType: jobType, uri: uri, settings: settings)
    do {
        let result = try await body(run)
        run.end(status: "finished", error: nil)
        _ = await run.delivered()
        return result
    } catch {
        run.end(after: error)
        _ = await run.delivered()
        throw error
    }
}

/// Delivers what waits for a store, at most as long as `exitSeconds` says, and lets the store go: before its folder is
/// moved, or where a program works on many stores in turn. Nil when this program has not used it. A program that ends
/// does this by itself.
@discardableResult
public func closeStore(_ uri: String? = nil) -> Delivery? { Couriers.close(uri) }

/// What is said of a run when it begins.
struct RunStart: Sendable {
    var experiment: String
    var name: String?
    var tags: [String: String]
    var project: String?
    var parent: String?
    var group: String?
    var jobType: String?
    var id: String?
}
