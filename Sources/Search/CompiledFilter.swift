/// A filter ready to be asked of many documents, one at a time or leaf by leaf.
package struct CompiledFilter: Sendable {
    /// The distinct conditions; an index answers each over its whole column and joins the answers with `fold`.
    package let leaves: [CompiledPredicate]
    private let root: Node?
    private let context: EvaluationContext

    private indirect enum Node: Sendable {
        case leaf(Int)
        case and([Node])
        case or([Node])
        case not(Node)
    }

    package init(_ filter: Filter, in context: EvaluationContext) throws(SearchError) {
        var leaves: [CompiledPredicate] = []
        var places: [Predicate: Int] = [:]
        // Cheap conditions first: the answer is the same, and a regular expression sees fewer texts.
        func byCost(_ parts: [Expression]) throws(SearchError) -> [Node] {
            var nodes: [(node: Node, cost: Int)] = []
            for part in parts { nodes.append(try compile(part)) }
            return nodes.enumerated().sorted { ($0.element.cost, $0.offset) < ($1.element.cost, $1.offset) }
                .map(\.element.node)
        }
        func compile(_ expression: Expression) throws(SearchError) -> (node: Node, cost: Int) {
            switch expression {
            case .predicate(let predicate):
                if let place = places[predicate] { return (.leaf(place), leaves[place].cost) }
                places[predicate] = leaves.count
                leaves.append(try CompiledPredicate(predicate, in: context))
                return (.leaf(leaves.count - 1), leaves[leaves.count - 1].cost)
            case .and(let parts): return (.and(try byCost(parts)), 4)
            case .or(let parts): return (.or(try byCost(parts)), 4)
            case .not(let part):
                let (node, cost) = try compile(part)
                return (.not(node), cost)
            }
        }
        if let expression = filter.root { root = try compile(expression).node } else { root = nil }
        self.leaves = leaves
        self.context = context
    }

    /// Whether the document is one of those looked for.
    package func matches(_ document: some SearchDocument) throws(SearchError) -> Bool {
        func test(_ node: Node) throws(SearchError) -> Bool {
            switch node {
            case .leaf(let index): return try leaves[index].test(document.value(of: leaves[index].predicate.field))
            case .and(let parts):
                for part in parts where try !test(part) { return false }
                return true
            case .or(let parts):
                for part in parts where try test(part) { return true }
                return false
            case .not(let part): return try !test(part)
            }
        }
        guard let root else { return true }
        return try test(root)
    }

    /// Joins what the caller knows of each leaf; nil when the filter finds everything.
    package func fold<Answer, Failure: Error>(
        leaf: (Int) throws(Failure) -> Answer, and: (Answer, Answer) throws(Failure) -> Answer,
        or: (Answer, Answer) throws(Failure) -> Answer, not: (Answer) throws(Failure) -> Answer
    ) throws(Failure) -> Answer? {
        func join(
            _ parts: [Node], _ with: (Answer, Answer) throws(Failure) -> Answer
        ) throws(Failure) -> Answer {
            var joined = try walk(parts[0])
            for part in parts.dropFirst() { joined = try with(joined, try walk(part)) }
            return joined
        }
        func walk(_ node: Node) throws(Failure) -> Answer {
            switch node {
            case .leaf(let index): try leaf(index)
            case .and(let parts): try join(parts, and)
            case .or(let parts): try join(parts, or)
            case .not(let part): try not(walk(part))
            }
        }
        guard let root else { return nil }
        return try walk(root)
    }
}

extension Filter {
    package func compiled(in context: EvaluationContext) throws(SearchError) -> CompiledFilter {
        try CompiledFilter(self, in: context)
    }

    /// One document, once; compile the filter to ask of many.
    package func matches(_ document: some SearchDocument, context: EvaluationContext) throws(SearchError) -> Bool {
        try compiled(in: context).matches(document)
    }
}
