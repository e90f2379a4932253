package import MartletDomain
package import MartletJSON

// Shapes that more than one door accepts, read in one place.

/// Tags as an object of texts or as a list of keys without values (conflict C5 of the product's documents).
package enum TagList {
    package static func read(_ value: JSONValue?) throws(Refusal) -> [(key: String, value: TagValue)] {
        switch value {
        case nil, .null: return []
        case .object(let object):
            return object.members.map { member in
                (member.key, member.value.isNull ? nil : ParamValue(json: member.value).text)
            }
        case .array(let elements):
            var tags: [(key: String, value: TagValue)] = []
            for element in elements {
                guard let key = element.string else {
                    throw Refusal(
                        .invalid, "A list of tags holds something that is not a text.",
                        remedy: "Send [\"baseline\"] or {\"team\":\"vision\"}.", field: "tags")
                }
                tags.append((key, nil))
            }
            return tags
        default:
            throw Refusal(
                .invalid, "Tags are an object or a list.", remedy: "Send {\"team\":\"vision\"} or [\"baseline\"].",
                field: "tags")
        }
    }
}

extension ParamValue {
    /// A param from JSON: the exact text of a number, a word, or JSON for what is nested.
    package init(json value: JSONValue) {
        switch value {
        case .string(let text): self.init(text: text)
        case .bool(let flag): self.init(text: flag ? "true" : "false", kind: .bool)
        case .null: self.init(text: "null", kind: .null)
        case .int, .double: self.init(text: ParamValue.text(of: value), kind: .number)
        case .array, .object: self.init(text: ParamValue.text(of: value), kind: .json)
        }
    }

    private static func text(of value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return writer.text
    }

    /// An object of params, each under its own key.
    package static func list(from value: JSONValue?) throws(Refusal) -> [(key: String, value: ParamValue)] {
        guard let value, !value.isNull else { return [] }
        guard let object = value.object else {
            throw Refusal(
                .invalid, "Params are an object.", remedy: "Send {\"learning_rate\":0.1}.", field: "params")
        }
        return object.members.map { ($0.key, ParamValue(json: $0.value)) }
    }

    /// As an answer shows it: a number where the text is exactly a JSON number, a truth value or null where it was one.
    package var json: JSONValue {
        switch kind {
        case .bool: return .bool(text == "true")
        case .null: return .null
        case .json: return (try? JSONValue(parsing: text)) ?? .string(text)
        case .text, .number:
            guard let first = text.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first),
                let value = try? JSONValue(parsing: text), value.double != nil
            else { return .string(text) }
            return value
        }
    }
}

/// Metrics as a map of numbers, nested groups becoming `group/name`.
package enum FlatMetrics {
    package static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .int(let number): return Double(number)
        case .double(let number): return number
        case .bool(let flag): return flag ? 1 : 0
        case .string(let text):
            switch text {
            case "NaN", "nan": return .nan
            case "Infinity", "inf": return .infinity
            case "-Infinity", "-inf": return -.infinity
            default: return nil
            }
        default: return nil
        }
    }

    package static func flatten(
        _ object: JSONObject, prefix: String = "", depth: Int = 0,
        into add: (String, Double) throws(Refusal) -> Void
    ) throws(Refusal) {
        for member in object.members {
            let name = prefix.isEmpty ? member.key : prefix + "/" + member.key
            if let nested = member.value.object, depth < 8 {
                try flatten(nested, prefix: name, depth: depth + 1, into: add)
            } else if let number = number(member.value) {
                try add(name, number)
            } else {
                throw Refusal(
                    .invalid, "The metric “\(name.prefix(80))” is not a number.",
                    remedy: "Send a number, or \"NaN\", \"Infinity\" or \"-Infinity\".", field: name)
            }
        }
    }
}
