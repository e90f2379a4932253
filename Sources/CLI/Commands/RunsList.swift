import MartletClient
import MartletHTTPMessages
import MartletJSON

extension World {
    static let listing: [Option] =
        [
            Option(
                "columns", short: "c", value: "LIST",
                "Show these: run_id,status,params.lr,metrics.loss; a title in front as in LR=params.lr", repeats: true),
            Option("sort", short: "s", value: "FIELD", "Order by these, as in “metrics.acc DESC, lr”", repeats: true),
            Option("decimals", value: "N", "Decimals of metrics, at most", shape: .integer(0...15), standard: "4"),
            Shared.limit,
        ] + Shared.tables

    var runsList: Command {
        command(
            "list", "List the runs of an experiment, or of all",
            discussion: """
                The newest runs stand at the end, nearest to the prompt, unless --sort says otherwise. A filter is \
                written as in the search box: metrics.test_acc > 0.83 AND params.algorithm = 'Ridge'.
                """,
            arguments: [Shared.experimentArgument(.optional)],
            options: [
                Option("filter", short: "f", value: "EXPR", "Only runs for which this holds"), Shared.project,
                .flag("deleted", "Those that were deleted and can be restored"),
            ] + World.listing,
            examples: [
                Example("martlet runs list digits --filter 'metrics.acc > 0.9' --sort 'metrics.acc DESC'"),
                Example("martlet runs list digits -c 'run_id,LR=params.lr,metrics.loss,status'"),
            ]
        ) { session in
            try session.listRuns(
                of: session.parsed.text("experiment"), filter: session.parsed.text("filter"))
        }
    }

    var search: Command {
        command(
            "search", "Find runs with a filter",
            discussion: """
                Fields are params.NAME, metrics.NAME, tags.NAME and what every run has: status, state, name, \
                started, duration, user, git_commit, git_branch. Operators: = != < <= > >= LIKE ILIKE IN BETWEEN \
                MATCHES IS NULL, with AND, OR, NOT and parentheses.
                """,
            arguments: [Argument("filter", "The filter; quote it for your shell")],
            options: [
                Shared.experiment, Shared.project,
                Option("order-by", value: "FIELD", "The same as --sort", repeats: true),
            ] + World.listing,
            examples: [
                Example("martlet search \"params.algorithm = 'Ridge' AND metrics.test_r2 > 0.9\""),
                Example("martlet search 'metrics.test_acc > 0.83' -e ridge --order-by 'metrics.test_acc DESC'"),
            ]
        ) { session in
            try session.listRuns(
                of: session.parsed.text("experiment"), filter: session.parsed.text("filter"),
                order: session.parsed.all("order-by"))
        }
    }
}

extension Session {
    /// Runs in the order asked for, or with the newest at the end; and how many there are in all.
    func runs(
        of experiment: String?, filter: String?, order: [String] = [], limit: Int?
    ) throws(CommandFailure) -> (runs: [RunRecord], values: [JSONValue], total: Int?) {
        var query: API.Query = [("filter", filter)]
        // A project narrows a search over all; an experiment is in one anyway.
        if experiment == nil, parsed.knows("project") { query.append(("project", parsed.text("project"))) }
        if parsed.knows("deleted"), parsed.isOn("deleted") { query.append(("life", "deleted")) }
        query += order.isEmpty ? [("order_by", "start_time DESC, created DESC")] : order.map { ("order_by", $0) }
        let path = experiment.map { ["experiments", $0, "runs"] } ?? ["runs", "search"]
        let found = try api.all(path, query, under: "runs", limit: limit)
        for advice in found.advice { note(Escape.text(advice)) }
        let values = order.isEmpty ? found.items.reversed() : found.items
        return (values.map(RunRecord.init), values, found.total)
    }

    func listRuns(of experiment: String?, filter: String?, order: [String] = []) throws(CommandFailure) -> ExitCode {
        let order = try orderTerms(parsed.all("sort") + order, of: experiment)
        let found = try runs(of: experiment, filter: filter, order: order, limit: limit)
        let table = runTable(found.runs, experiment: experiment)
        let chosen = !parsed.all("columns").isEmpty
        let rows: JSONValue = chosen ? table.json() : .array(found.values)
        let total = found.total.map { JSONValue.int(Int64($0)) } ?? .null
        show(table.table(), json: ["runs": rows, "total": total], empty: "No run was found.")
        guard !parsed.isOn("json"), !parsed.isOn("csv") else { return .good }
        if table.hidden > 0, !found.runs.isEmpty {
            line("(+\(table.hidden) \(table.hidden == 1 ? "column" : "columns"): --wide or --columns)")
        }
        if let total = found.total, total > found.runs.count {
            let earlier = order.isEmpty ? "earlier " : ""
            line("(+\(NumberText.grouped(total - found.runs.count)) \(earlier)runs: --limit 0)")
        }
        return .good
    }

    func runTable(_ runs: [RunRecord], experiment: String?) -> RunTable {
        let decimals = parsed.integer("decimals") ?? 4
        let columns = RunColumn.list(parsed.all("columns"))
        if columns.isEmpty {
            let experiments = Set(runs.map(\.experiment))
            return RunTable(
                runs, showsExperiment: experiment == nil && (experiments.count > 1 || runs.isEmpty),
                isWide: parsed.isOn("wide") || parsed.isOn("csv"), decimals: decimals)
        }
        warnOfUnknown(columns, in: runs)
        return RunTable(runs, columns: columns, decimals: decimals)
    }

    /// A column that no run fills is most often a typing mistake.
    private func warnOfUnknown(_ columns: [RunColumn], in runs: [RunRecord]) {
        guard !runs.isEmpty else { return }
        let params = RunTable.union(runs.map(\.paramNames))
        let metrics = RunTable.union(runs.map(\.metricNames))
        for column in columns where runs.allSatisfy({ $0.value(column.field) == nil }) {
            let near: String
            switch column.field {
            case .param(let name): near = Nearest.question(name, among: params)
            case .metric(let name): near = Nearest.question(name, among: metrics)
            case .any(let name): near = Nearest.question(name, among: params + metrics)
            case .tag, .attribute: continue
            }
            note("No run has \(Escape.text(column.field.searchName)).\(near)")
        }
    }

    /// Columns as people write them, in the search language's order: a bare name is a param, else a metric, and a minus
    /// in front is DESC.
    func orderTerms(_ texts: [String], of experiment: String?) throws(CommandFailure) -> [String] {
        var terms: [String] = []
        var sample: [RunRecord]?
        for text in texts.flatMap({ $0.split(separator: ",") }) {
            let words = text.split(separator: " ")
            guard let first = words.first else { continue }
            let isFalling = first.hasPrefix("-") && words.count == 1
            var field = RunField(String(first.hasPrefix("-") ? first.dropFirst() : first))
            if case .any(let name) = field {
                if sample == nil { sample = try runs(of: experiment, filter: nil, limit: 200).runs }
                let known = sample ?? []
                if known.contains(where: { $0.param(name) != nil }) {
                    field = .param(name)
                } else if known.contains(where: { $0.metric(name) != nil }) {
                    field = .metric(name)
                }
            }
            terms.append(
                ([field.searchName] + words.dropFirst().map(String.init) + (isFalling ? ["DESC"] : [])).joined(
                    separator: " "))
        }
        return terms
    }
}
