import MartletClient
import MartletDomain
import MartletJSON

/// A column that was asked for: `lr`, `params.lr`, or `Title=params.lr`.
struct RunColumn: Hashable, Sendable {
    var title: String
    var field: RunField

    init(_ title: String, _ field: RunField) { (self.title, self.field) = (title, field) }

    init(_ text: String) {
        if let pair = ValueShape.pair(in: text), !pair.value.isEmpty {
            self.init(pair.key, RunField(pair.value))
        } else {
            let field = RunField(text)
            switch field {
            case .param(let name), .metric(let name), .tag(let name), .any(let name): self.init(name, field)
            case .attribute: self.init(text, field)
            }
        }
    }

    /// Columns in a list with commas, each option's in its turn.
    static func list(_ texts: [String]) -> [RunColumn] {
        texts.flatMap { $0.split(separator: ",") }.map { RunColumn(String($0.trimmed)) }
    }
}

/// Runs as rows, in the columns that were asked for or in those that say most.
struct RunTable {
    /// As many params, and as many metrics, are shown unless more are asked for.
    static let eachMax = 8

    let runs: [RunRecord]
    let columns: [RunColumn]
    /// How many columns were left out although there is something in them.
    private(set) var hidden = 0
    private let decimals: Int

    init(_ runs: [RunRecord], columns: [RunColumn], decimals: Int = 4) {
        (self.runs, self.columns, self.decimals) = (runs, columns, decimals)
    }

    /// The run, its name if it has one of its own, its params, metrics and status.
    init(_ runs: [RunRecord], showsExperiment: Bool, isWide: Bool, decimals: Int = 4) {
        let params = RunTable.union(runs.map(\.paramNames))
        let metrics = RunTable.union(runs.map(\.metricNames))
        var shownParams = params
        if !isWide, params.count > RunTable.eachMax {
            let varying = params.filter { name in
                let first = runs.first?.param(name)
                return runs.contains { $0.param(name) != first }
            }
            shownParams = Array((varying.isEmpty ? params : varying).prefix(RunTable.eachMax))
        }
        let shownMetrics = isWide ? metrics : Array(metrics.prefix(RunTable.eachMax))
        var columns = [RunColumn("Run ID", .attribute("run_id"))]
        if showsExperiment { columns.append(RunColumn("Experiment", .attribute("experiment_name"))) }
        if runs.contains(where: { $0.ownName != nil }) { columns.append(RunColumn("Name", .attribute("name"))) }
        columns += shownParams.map { RunColumn($0, .param($0)) }
        columns += shownMetrics.map { RunColumn($0, .metric($0)) }
        columns.append(RunColumn("Status", .attribute("status")))
        self.init(runs, columns: columns, decimals: decimals)
        hidden = params.count - shownParams.count + metrics.count - shownMetrics.count
    }

    /// Names in the order in which they are first met.
    static func union(_ lists: [[String]]) -> [String] {
        var seen: Set<String> = []
        return lists.flatMap { $0 }.filter { seen.insert($0).inserted }
    }

    func table() -> Table {
        var table = Table([])
        var cells: [[Table.Cell]] = []
        for (place, column) in columns.enumerated() {
            let values = runs.map { $0.value(column.field) }
            let numbers = values.map { $0.flatMap(Numbers.double) }
            let isNumeric = !numbers.isEmpty && zip(values, numbers).allSatisfy { $0 == nil || $1 != nil }
            table.columns.append(
                isNumeric && values.contains { $0 != nil }
                    ? .number(column.title, priority: priority(place))
                    : .text(column.title, widthMax: 32, priority: priority(place), truncation: .middle))
            cells.append(self.cells(column, values, numbers))
        }
        for row in runs.indices { table.add(cells.map { $0[row] }) }
        return table
    }

    /// The run and its status stay longest, then a few params and a few metrics: what was tried, and what came of it.
    private func priority(_ place: Int) -> Int {
        func rank(_ isAlike: (RunField) -> Bool) -> Int {
            columns[..<place].count { isAlike($0.field) } < 3 ? 1 : 0
        }
        switch columns[place].field {
        case .attribute("run_id"): return 4
        case .attribute("status"), .attribute("name"), .attribute("experiment_name"): return 2
        case .param: return rank { if case .param = $0 { true } else { false } }
        case .metric: return rank { if case .metric = $0 { true } else { false } }
        default: return 0
        }
    }

    private func cells(_ column: RunColumn, _ values: [JSONValue?], _ numbers: [Double?]) -> [Table.Cell] {
        let isMetric =
            switch column.field {
            case .metric, .attribute("duration"): true
            case .any(let name): runs.contains { $0.param(name) == nil && $0.metric(name) != nil }
            default: false
            }
        guard isMetric else { return zip(runs, values).map { cell(column, $0, $1) } }
        let decimals = Numbers.decimals(of: numbers.compactMap { $0 }, most: decimals)
        return numbers.map { number in
            number.map { Table.Cell(Numbers.metric($0, decimals: decimals), exact: NumberText.exact($0)) } ?? .missing
        }
    }

    private func cell(_ column: RunColumn, _ run: RunRecord, _ value: JSONValue?) -> Table.Cell {
        guard let value else { return .missing }
        let text = Numbers.text(value)
        switch column.field {
        case .attribute("status"), .attribute("state"):
            switch run.verdict {
            case .ok: return Table.Cell(text, .green)
            case .bad: return Table.Cell(text, .red)
            case .active: return Table.Cell(text, .yellow)
            }
        case .attribute("run_id"): return Table.Cell(text, .bold)
        default: return Table.Cell(Numbers.short(value), exact: text)
        }
    }

    /// Only the columns that were asked for, under their titles.
    func json() -> JSONValue {
        .array(
            runs.map { run in
                .object(JSONObject(columns.map { JSONObject.Member($0.title, run.value($0.field) ?? .null) }))
            })
    }
}
