package import MartletDomain
package import MartletStorage

/// Something that data passed through on the way from a dataset to a registered model.
package enum LineageNode: Hashable, Sendable {
    case dataset(ExperimentID, name: String, digest: String)
    case run(RunKey)
    case artifact(ProjectID, name: String, version: Int)
    case loggedModel(String)
    case version(ProjectID, model: String, number: Int)
}

/// Where something came from and what was made of it: its ancestors and its descendants, not what stands beside it.
package struct LineageGraph: Sendable {
    package struct Node: Sendable {
        package var node: LineageNode
        package var name: String
        /// What it is, in a word or two: an experiment, a state, a type.
        package var about: String
        package var project: Project
        /// Set for runs.
        package var run: RunID?
        /// How many steps from where one looks; negative before it.
        package var distance: Int
    }

    package struct Edge: Hashable, Sendable {
        package var from: Int
        package var to: Int
    }

    /// The first is where one looks.
    package var nodes: [Node] = []
    package var edges: [Edge] = []
    /// There is more than was followed: deeper, more than are shown, or in projects that the caller may not read.
    package var isCut = false

    package static let depthRange = 1...10
    package static let nodesMax = 200
    /// Runs of an experiment that are asked whether they used something, the newest; there is no list of that.
    package static let runsAsked = 5_000
}

extension Engine {
    package func lineage(
        of root: LineageNode, depth: Int, by caller: Caller, _ reader: any StoreReader
    ) throws(Refusal) -> LineageGraph {
        var walk = LineageWalk(engine: self, reader: reader, caller: caller)
        guard try walk.place(of: root, at: 0) != nil else {
            throw Refusal(
                .notFound, "There is no lineage of what is not there.", remedy: "Check the name in the address.")
        }
        for direction in [-1, 1] {
            var front = [root]
            for distance in 1...depth where !front.isEmpty {
                var next: [LineageNode] = []
                for node in front {
                    for other in try walk.neighbours(of: node, direction) {
                        let isNew = walk.places[other] == nil
                        guard let place = try walk.place(of: other, at: distance * direction),
                            let own = walk.places[node]
                        else { continue }
                        walk.connect(direction < 0 ? (place, own) : (own, place))
                        if isNew { next.append(other) }
                    }
                }
                front = next
            }
            for node in front where !walk.graph.isCut {
                walk.graph.isCut = try walk.neighbours(of: node, direction).contains { walk.places[$0] == nil }
            }
        }
        return walk.graph
    }
}

private struct LineageWalk {
    let engine: Engine
    let reader: any StoreReader
    let caller: Caller
    var graph = LineageGraph()
    var places: [LineageNode: Int] = [:]
    private var edges: Set<LineageGraph.Edge> = []

    init(engine: Engine, reader: any StoreReader, caller: Caller) {
        (self.engine, self.reader, self.caller) = (engine, reader, caller)
    }

    mutating func connect(_ ends: (from: Int, to: Int)) {
        let edge = LineageGraph.Edge(from: ends.from, to: ends.to)
        if edges.insert(edge).inserted { graph.edges.append(edge) }
    }

    /// Where a node stands in the graph, put there if it is not yet; nil where it is gone or not the caller's.
    mutating func place(of node: LineageNode, at distance: Int) throws(Refusal) -> Int? {
        if let known = places[node] { return known }
        guard var found = try describe(node) else { return nil }
        guard graph.nodes.count < LineageGraph.nodesMax, caller.may(.read, on: found.project.id) else {
            graph.isCut = true
            return nil
        }
        found.distance = distance
        places[node] = graph.nodes.count
        graph.nodes.append(found)
        return graph.nodes.count - 1
    }

    private func describe(_ node: LineageNode) throws(Refusal) -> LineageGraph.Node? {
        func made(_ name: String, _ about: String, in project: ProjectID, run: RunID? = nil) throws(Refusal)
            -> LineageGraph.Node?
        {
            try reader.project(project).map {
                LineageGraph.Node(node: node, name: name, about: about, project: $0, run: run, distance: 0)
            }
        }
        switch node {
        case .dataset(let id, let name, let digest):
            guard let experiment = try reader.experiment(id) else { return nil }
            return try made(name, String(digest.prefix(12)), in: experiment.project)
        case .run(let key):
            guard let run = try reader.run(key), let home = try reader.experiment(run.experiment) else { return nil }
            return try made(run.name, "\(home.name), \(run.status.state.word)", in: run.project, run: run.id)
        case .artifact(let project, let name, let number):
            let version = try reader.namedVersions(of: name, in: project).first { $0.version == number }
            return try version.flatMap { version throws(Refusal) in
                try made("\(name):\(number)", version.type, in: project)
            }
        case .loggedModel(let id):
            guard let model = try reader.loggedModel(id), model.life == .active else { return nil }
            return try made(model.name.isEmpty ? id : model.name, model.type, in: model.project)
        case .version(let project, let name, let number):
            guard let model = try reader.model(named: name, in: project),
                let version = try reader.modelVersion(number, of: model)
            else { return nil }
            let words =
                [version.stage == .none ? "" : version.stage.rawValue]
                + model.aliases.entries.filter { $0.value == number }.map { "@\($0.key)" }
            return try made(
                "\(name) v\(number)", words.filter { !$0.isEmpty }.joined(separator: " "), in: project)
        }
    }

    /// What a node was made of (-1) or what was made of it (1).
    mutating func neighbours(of node: LineageNode, _ direction: Int) throws(Refusal) -> [LineageNode] {
        switch node {
        case .dataset(let experiment, let name, let digest):
            guard direction > 0 else { return [] }
            let dataset = Dataset(name: name, digest: digest, sourceType: "", source: "")
            return try runs(in: experiment) { reader, key throws(Refusal) in try reader.uses(dataset, by: key) }
        case .run(let key):
            guard let run = try reader.run(key) else { return [] }
            return direction < 0 ? try taken(by: run) : try made(by: run)
        case .artifact(let project, let name, let version):
            let role: Lineage.Role = direction < 0 ? .output : .input
            return try reader.users(of: name, version: version, in: project).filter { $0.link.role == role }
                .map { .run($0.run.key) }
        case .loggedModel(let id):
            guard let model = try reader.loggedModel(id) else { return [] }
            if direction < 0 {
                let source = try RunID(model.sourceRun).flatMap { id throws(Refusal) in try reader.run(id)?.key }
                if let source { return [.run(source)] }
                return try runs(in: model.experiment) { reader, key throws(Refusal) in
                    try reader.makes(model: id, by: key)
                }
            }
            return try versions { $0.loggedModel == id }
                + runs(in: model.experiment) { reader, key throws(Refusal) in try reader.uses(model: id, by: key) }
        case .version(let project, let name, let number):
            guard direction < 0, let model = try reader.model(named: name, in: project),
                let version = try reader.modelVersion(number, of: model)
            else { return [] }
            if !version.loggedModel.isEmpty { return [.loggedModel(version.loggedModel)] }
            return try RunID(version.run).flatMap { id throws(Refusal) in try reader.run(id) }.map { [.run($0.key)] }
                ?? []
        }
    }

    private func taken(by run: Run) throws(Refusal) -> [LineageNode] {
        let flow = try reader.flow(of: run)
        var nodes: [LineageNode] = flow.datasets.map {
            .dataset(run.experiment, name: $0.dataset.name, digest: $0.dataset.digest)
        }
        nodes += try reader.lineage(of: run.key, .input).map {
            .artifact($0.link.project, name: $0.link.name, version: $0.link.version)
        }
        nodes += flow.models.map { .loggedModel($0) }
        if let fork = run.fork { nodes.append(.run(fork.run)) }
        return nodes
    }

    private func made(by run: Run) throws(Refusal) -> [LineageNode] {
        var nodes: [LineageNode] = try reader.lineage(of: run.key, .output).map {
            .artifact($0.link.project, name: $0.link.name, version: $0.link.version)
        }
        var models = try reader.flow(of: run).outputs.map(\.model)
        for model in try engine.loggedModels.all(owner: Card.owner(run.experiment), reader)
        where model.sourceRun == run.id.text && model.life == .active && !models.contains(model.id) {
            models.append(model.id)
        }
        nodes += models.map { .loggedModel($0) }
        let id = run.id.text
        // One that was registered from a logged model hangs on that.
        return try nodes + versions { $0.run == id && ($0.loggedModel.isEmpty || !models.contains($0.loggedModel)) }
    }

    private func versions(_ fits: (ModelVersion) -> Bool) throws(Refusal) -> [LineageNode] {
        var nodes: [LineageNode] = []
        for version in try engine.modelVersions.all(reader) where fits(version) {
            guard let model = try reader.model(version.model) else { continue }
            nodes.append(.version(model.project, model: model.name, number: version.number))
        }
        return nodes
    }

    /// The runs of an experiment of which something is true, as far as they are asked.
    private mutating func runs(
        in experiment: ExperimentID, _ fits: (any StoreReader, RunKey) throws(Refusal) -> Bool
    ) throws(Refusal) -> [LineageNode] {
        var keys: [RunKey] = []
        var after: RunKey?
        while true {
            let page = try reader.runs(in: experiment, after: after, limit: 5000)
            keys += page.filter { $0.life == .active }.map(\.key)
            guard page.count == 5000, let last = page.last else { break }
            after = last.key
        }
        if keys.count > LineageGraph.runsAsked { graph.isCut = true }
        var nodes: [LineageNode] = []
        for key in keys.suffix(LineageGraph.runsAsked) where try fits(reader, key) { nodes.append(.run(key)) }
        return nodes
    }
}
