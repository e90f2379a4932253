package import MartletDomain
package import MartletJSON

/// What a metric means in an experiment, for names that fit a pattern.
package struct MetricDefinition: Equatable, Sendable {
    package var glob: String
    package var goal: Goal?
    /// Which value stands in tables: `last`, `min`, `max`, `mean`, `first`, `best`.
    package var summary: String?
    package var stepMetric: String?
    package var unit: String?
    package var isHidden: Bool

    package static let summaries = ["last", "min", "max", "mean", "first", "best"]

    package init(
        glob: String, goal: Goal? = nil, summary: String? = nil, stepMetric: String? = nil, unit: String? = nil,
        isHidden: Bool = false
    ) {
        (self.glob, self.goal, self.summary) = (glob, goal, summary)
        (self.stepMetric, self.unit, self.isHidden) = (stepMetric, unit, isHidden)
    }

    /// As a client sends it, each field checked.
    package init(glob: String, _ body: JSONValue) throws(Refusal) {
        self.init(glob: glob)
        guard let object = body.object else {
            throw Refusal(
                .invalid, "A metric definition is an object.", remedy: "Send {\"goal\":\"max\"} or the like.")
        }
        for member in object.members where !member.value.isNull {
            let text = member.value.string
            switch member.key {
            case "goal", "mode":
                guard let goal = text.flatMap(Goal.init(word:)) else {
                    throw Refusal(.invalid, "A goal is “max” or “min”.", remedy: "Send one of them.", field: "goal")
                }
                self.goal = goal
            case "summary":
                guard let text, MetricDefinition.summaries.contains(text) else {
                    throw Refusal(
                        .invalid, "The summary rule \(text.map { "“\($0)”" } ?? "given") is not known.",
                        remedy: "Use one of \(MetricDefinition.summaries.joined(separator: ", ")).", field: "summary")
                }
                summary = text
            case "step_metric", "unit":
                guard let text else {
                    throw Refusal(
                        .invalid, "“\(member.key)” is a text.", remedy: "Correct the field.", field: member.key)
                }
                if member.key == "unit" { unit = text } else { stepMetric = text }
            case "hidden":
                guard let flag = member.value.bool else {
                    throw Refusal(
                        .invalid, "“hidden” is true or false.", remedy: "Send one of them.", field: "hidden")
                }
                isHidden = flag
            default: break
            }
        }
    }

    /// As it was stored; what is not understood is left out.
    package init(glob: String, json: String) {
        self.init(glob: glob)
        guard let value = try? JSONValue(parsing: json), let kept = try? MetricDefinition(glob: glob, value) else {
            return
        }
        self = kept
    }

    package var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        if let goal { writer.member("goal", goal.rawValue) }
        if let summary { writer.member("summary", summary) }
        if let stepMetric { writer.member("step_metric", stepMetric) }
        if let unit { writer.member("unit", unit) }
        if isHidden { writer.member("hidden", true) }
        writer.endObject()
        return writer.text
    }
}
