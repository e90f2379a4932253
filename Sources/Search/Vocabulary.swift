/// What documents of some other kind than runs have, and how it may be spelled: models, versions, logged models.
///
/// Such attributes are `Field.Name.other`; tags, params and metrics are the same as of runs.
package struct Vocabulary: Sendable {
    /// What one of them is called in a sentence: `version`.
    package var noun: String
    private var fields: [String: Field] = [:]
    private var order: [String] = []
    private var spellings: [String: String]
    private var spaces: Set<KnownNames.Space>

    package init(
        _ noun: String, _ attributes: [(name: String, kind: FieldKind)], also spellings: [String: String] = [:],
        spaces: Set<KnownNames.Space> = [.tag]
    ) {
        (self.noun, self.spellings, self.spaces) = (noun, spellings, spaces)
        for (name, kind) in attributes {
            fields[name] = Field(.other(name, kind))
            order.append(name)
        }
    }

    /// The field of a canonical name.
    package func field(_ name: String) -> Field? { fields[name] }

    /// The canonical names.
    package var names: [String] { order }

    func field(spelled word: String) -> Field? {
        let word = word.lowercased()
        return fields[word] ?? spellings[word].flatMap { fields[$0] }
    }

    func has(_ space: KnownNames.Space) -> Bool { spaces.contains(space) }
}

extension NativeParser {
    /// A field by a vocabulary. A metric has no parts here: what stands behind `metrics.` is its name.
    func field(in vocabulary: Vocabulary, _ path: Scanner.Path) throws(SearchError) -> Field {
        let written = SearchError.quoted(scanner.string(path.place))
        guard let first = path.pieces.first else { throw expected("a field") }
        let rest = path.pieces.dropFirst()
        if rest.isEmpty, let field = vocabulary.field(spelled: first.text) { return field }
        let key = rest.map(\.text).joined(separator: ".")
        if !rest.isEmpty, !first.isQuoted {
            switch first.text.lowercased() {
            case "attributes", "attribute", "attr":
                if rest.count == 1, let field = vocabulary.field(spelled: key) { return field }
            case "tags" where vocabulary.has(.tag), "tag" where vocabulary.has(.tag): return .tag(key)
            case "params" where vocabulary.has(.param), "param" where vocabulary.has(.param): return .param(key)
            case "metrics" where vocabulary.has(.metric), "metric" where vocabulary.has(.metric): return .metric(key)
            default: break
            }
        }
        let near = NameSuggestion.nearest(
            to: path.pieces.map(\.text).joined(separator: "."), among: vocabulary.names)
        let spaces = KnownNames.Space.allCases.filter { vocabulary.has($0) }.map { $0.prefix + "name" }
        throw fail(
            .unknownField, "A \(vocabulary.noun) has no field \(written)", at: path.place, suggestion: near.first,
            remedy: "It has \((vocabulary.names + spaces).joined(separator: ", ")).")
    }
}
