/// What differs between runs: their params side by side, their metrics with the distance to the first run.
package struct RunComparison: Sendable {
    package enum Goal: Hashable, Sendable { case minimize, maximize }

    package struct Param: Hashable, Sendable {
        package var name: String
        package var values: [String?]
        package init(_ name: String, _ values: [String?]) { (self.name, self.values) = (name, values) }
    }

    package struct Metric: Hashable, Sendable {
        package var name: String
        package var values: [Double?]
        /// Known, it lets the best value be marked.
        package var goal: Goal?
        package init(_ name: String, _ values: [Double?], goal: Goal? = nil) {
            (self.name, self.values, self.goal) = (name, values, goal)
        }
    }

    package var runs: [String]
    package var params: [Param]
    package var metrics: [Metric]
    package init(runs: [String], params: [Param], metrics: [Metric]) {
        (self.runs, self.params, self.metrics) = (runs, params, metrics)
    }

    /// Params that all runs share are counted and not shown, unless everything is asked for.
    package func rendered(width: Int? = nil, showsAll: Bool = false, paint: Paint = .plain) -> String {
        var text = ""
        let differing = params.filter { !isShared($0.values) }
        let shown = showsAll ? params : differing
        if !shown.isEmpty {
            text += paint(showsAll ? "Params" : "Params that differ", .bold) + "\n\n"
            var table = table(titled: "Param")
            for param in shown {
                table.add([.init(param.name)] + place(param.values) { Table.Cell($0) })
            }
            text += table.rendered(width: width, paint: paint)
        } else if params.isEmpty {
            text += "No params.\n"
        } else {
            text += "No param differs.\n"
        }
        let hidden = params.count - shown.count
        if hidden > 0 {
            text += "(+\(hidden) \(hidden == 1 ? "param" : "params") the same in all: --all)\n"
        }
        guard !metrics.isEmpty else { return text + "\nNo metrics.\n" }
        text += "\n" + paint("Metrics", .bold) + "\n\n"
        var table = table(titled: "Metric")
        for metric in metrics { table.add([.init(metric.name)] + cells(of: metric)) }
        text += table.rendered(width: width, paint: paint)
        if metrics.contains(where: { best(of: $0) != nil }) { text += paint("* best", .dim) + "\n" }
        return text
    }

    private func isShared(_ values: [String?]) -> Bool {
        values.count == runs.count && values.allSatisfy { $0 == values.first }
    }

    private func table(titled title: String) -> Table {
        // The name and the first run, to which the others are compared, leave last.
        let name = Table.Column.text(title, priority: 2, truncation: .middle)
        let columns = runs.enumerated().map { place, run in
            Table.Column.text(run, .right, widthMin: 6, priority: place == 0 ? 1 : 0, truncation: .middle)
        }
        return Table([name] + columns, indent: 2)
    }

    /// A cell for each run, though a row may hold too few values.
    private func place<Value>(_ values: [Value?], _ cell: (Value?) -> Table.Cell) -> [Table.Cell] {
        runs.indices.map { $0 < values.count ? cell(values[$0]) : .missing }
    }

    private func cells(of metric: Metric) -> [Table.Cell] {
        let best = best(of: metric)
        let base = metric.values.first ?? nil
        // The mark and the delta are as wide in every cell of a row, so that the numbers stand under one another.
        let deltas = metric.values.enumerated().map { place, value -> String in
            guard place > 0, let value, let base, value.isFinite, base.isFinite else { return "" }
            return "(\(NumberText.signed(value - base)))"
        }
        let deltaWidth = deltas.map(\.count).max() ?? 0
        let hasMark = best != nil
        return runs.indices.map { place in
            guard place < metric.values.count, let value = metric.values[place] else { return .missing }
            let isBest = best.map { $0 == value } ?? false
            var text = NumberText.compact(value) + (hasMark ? (isBest ? "*" : " ") : "")
            if place > 0, deltaWidth > 0 { text += " " + Fit.padded(deltas[place], to: deltaWidth, .right) }
            return isBest ? Table.Cell(text, .green) : Table.Cell(text)
        }
    }

    /// The best of a metric's values, when its goal is known and not all are equally good.
    private func best(of metric: Metric) -> Double? {
        let values = metric.values.compactMap { $0 }.filter { !$0.isNaN }
        guard let goal = metric.goal, let low = values.min(), let high = values.max(), low < high else { return nil }
        return goal == .minimize ? low : high
    }
}
