import MartletDomain
import MartletEngine
import MartletJSON

// The shapes that bodies of several routes have in common.
extension Fields {
    func number(_ name: String) throws(Refusal) -> Double? {
        guard let value = self[name] else { return nil }
        guard let number = value.double else { throw wrong(name, "a number", value) }
        return number
    }

    func flag(_ name: String) throws(Refusal) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.bool else { throw wrong(name, "true or false", value) }
        return flag
    }

    /// A text, a number (for ids), or a list of these.
    func texts(_ name: String) throws(Refusal) -> [String] {
        guard let value = self[name] else { return [] }
        var texts: [String] = []
        for element in value.array ?? [value] {
            guard let text = element.string else {
                throw wrong(name, "a text or a list of texts", value)
            }
            texts.append(text)
        }
        return texts
    }

    /// A list of texts and nothing else.
    func textList(_ name: String) throws(Refusal) -> [String] {
        guard let value = self[name] else { return [] }
        guard let list = value.array, list.allSatisfy({ $0.string != nil }) else {
            throw wrong(name, "a list of texts", value)
        }
        return list.compactMap(\.string)
    }

    /// The only place of a text that must be there.
    func required(_ name: String, or other: String? = nil, for what: String) throws(Refusal) -> String {
        let found = if let other { try text(name, or: other) } else { try text(name) }
        guard let found else {
            let spelling = other.map { "“\(name)” (or “\($0)”)" } ?? "“\(name)”"
            throw Refusal(.invalid, "The \(what) is missing.", remedy: "Send \(spelling).", field: name)
        }
        return found
    }

    func tags() throws(Refusal) -> [(key: String, value: TagValue)] { try TagList.read(self["tags"]) }

    /// A status word. Any word is one; it is echoed as given.
    func status() throws(Refusal) -> Status? {
        guard let word = try text("status", or: "state") else { return nil }
        guard word.contains(where: { !$0.isWhitespace }), word.utf8.count <= 100,
            !word.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw Refusal(
                .invalid, "A status is a word of at most 100 bytes.",
                remedy: "Send FINISHED, failed, cancelled or a word of your own.", field: "status")
        }
        return Status(word: word)
    }

    /// Refuses a change that names nothing that can be changed, which is most likely a misspelling.
    func requireAny(of names: [String]) throws(Refusal) {
        guard !names.contains(where: has) else { return }
        let sent =
            object.members.isEmpty ? "nothing" : object.members.map { "“\($0.key.prefix(40))”" }.joined(separator: ", ")
        throw Refusal(
            .invalid, "The body changes nothing that is known here; it holds \(sent).",
            remedy: "Send one or more of \(names.joined(separator: ", ")).", field: object.members.first?.key)
    }
}

/// Params with the exact text of every number: `0.10` stays `0.10`, and no digit of a large seed is lost.
enum ExactParams {
    /// The objects under the given names of a body, joined; the body is known to be a JSON object.
    static func read(_ bytes: [UInt8], under names: [String]) throws(Refusal) -> [(key: String, value: ParamValue)] {
        var wrongKind: (name: String, kind: JSONKind)?
        var groups: [[(key: String, value: ParamValue)]] = []
        if bytes.isEmpty { return [] }
        do {
            groups = try JSONScanner.read(bytes, allowsNonFinite: true) { scanner throws(JSONError) in
                var groups: [[(key: String, value: ParamValue)]] = []
                try scanner.beginObject()
                while let key = try scanner.nextKey() {
                    let name = key.string
                    let kind = try scanner.peek()
                    guard names.contains(name), kind == .object else {
                        if names.contains(name), kind != .null { wrongKind = (name, kind) }
                        try scanner.skip()
                        continue
                    }
                    groups.append(try params(&scanner))
                }
                return groups
            }
        } catch { throw Refusal(malformed: error) }
        if let wrongKind {
            throw Refusal(
                .invalid, "“\(wrongKind.name)” must be an object, not \(wrongKind.kind.rawValue).",
                remedy: "Send {\"\(wrongKind.name)\":{\"learning_rate\":0.1}}.", field: wrongKind.name)
        }
        var joined = Pairs<ParamValue>()
        for (key, value) in groups.joined() {
            if let known = joined[key], !known.agrees(with: value) {
                throw Refusal(
                    .invalid, "The param “\(key)” is both “\(known.text)” and “\(value.text)” in this body.",
                    remedy: "Send it once.", field: key)
            }
            joined[key] = value
        }
        return joined.entries
    }

    private static func params(_ scanner: inout JSONScanner) throws(JSONError) -> [(key: String, value: ParamValue)] {
        var found: [(key: String, value: ParamValue)] = []
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let name = key.string
            if try scanner.peek() == .number {
                let text = String(decoding: try scanner.rawValue(), as: UTF8.self)
                found.append((name, ParamValue(text: text, kind: .number)))
            } else {
                found.append((name, ParamValue(json: try scanner.value())))
            }
        }
        return found
    }
}

extension JSONWriter {
    /// A param as it was given: a number's own digits where its text is exactly a JSON number.
    mutating func param(_ value: ParamValue) {
        switch value.json {
        case .int, .double: raw(value.text.utf8)
        case let other: self.value(other)
        }
    }

    mutating func params(_ name: StaticString, _ params: Pairs<ParamValue>) {
        object(name) { writer in
            for (key, value) in params.entries {
                writer.key(dynamic: key)
                writer.param(value)
            }
        }
    }
}
