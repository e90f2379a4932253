import MartletSearch
import Testing

@Suite("A printed tree parses to the same tree") struct RoundTripTests {
    @Test("random trees", arguments: [UInt64(1), 2, 3])
    func randomTrees(seed: UInt64) throws {
        var random = Seeded(state: seed)
        for round in 0..<700 {
            let filter = try Filter(tree(&random, depth: 4))
            var query = Query(filter: filter)
            query.order = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                OrderTerm(field(&random), descending: random.chance(50))
            }
            query.limit = random.chance(30) ? Int.random(in: 1...10_000, using: &random) : nil
            let text = query.description
            do {
                let again = try Query.parse(text)
                #expect(again.filter == filter, "seed \(seed), round \(round): \(text)")
                #expect(again.order == query.order, "seed \(seed), round \(round): \(text)")
                #expect(again.limit == query.limit, "seed \(seed), round \(round): \(text)")
            } catch {
                Issue.record("seed \(seed), round \(round): \(text): \(error)")
            }
        }
    }

    @Test(
        "canonical spellings",
        arguments: [
            ("Metrics.LOSS.min>1", "metrics.LOSS.min > 1"), ("metrics.min = 1", "metrics.min = 1"),
            ("metrics.a.min.max = 1", "metrics.a.min.max = 1"), ("metrics.`a.min` = 1", "metrics.`a.min` = 1"),
            ("metrics.a.`min` = 1", "metrics.`a.min` = 1"), ("metrics.a.last = 1", "metrics.a = 1"),
            ("metrics.`a b`.at(-3) = 1", "metrics.`a b`.at(-3) = 1"), ("metrics.a.at = 1", "metrics.a.at = 1"),
            ("params.a.b-c/d@10 = \"x\"", "params.a.b-c/d@10 = 'x'"), ("tags.`a``b` exists", "tags.`a``b` EXISTS"),
            ("params.`-a` IS NOT NULL", "params.`-a` EXISTS"), ("params.größe = 0.90", "params.`größe` = 0.90"),
            ("experiment = 'a'", "experiment.name = 'a'"), ("parent_id EXISTS", "parent.id EXISTS"),
            ("start_time > now() - 1d12h", "started > ago(36h)"), ("ended < now() + 90s", "ended < now() + 90s"),
            ("started = 0", "started = 1970-01-01"), ("started = 1.5", "started = 1970-01-01T00:00:00.001500Z"),
            ("started = -62135596800000", "started = 0001-01-01"), ("started = 2024-02-29", "started = 2024-02-29"),
            ("duration > 1.5h", "duration > 5400"), ("metrics.a = +Infinity", "metrics.a = inf"),
            ("params.b = TRUE", "params.b = 'true'"), ("name = 5", "name = '5'"),
        ])
    func canonical(_ written: String, _ canonical: String) throws {
        #expect(try Query.parse(written).description == canonical)
        #expect(try Query.parse(canonical).description == canonical)
    }

    private func tree(_ random: inout Seeded, depth: Int) -> Expression {
        guard depth > 0, random.chance(70) else { return .predicate(predicate(&random)) }
        if random.chance(25) { return .not(tree(&random, depth: depth - 1)) }
        let parts = (0..<Int.random(in: 2...3, using: &random)).map { _ in tree(&random, depth: depth - 1) }
        return random.chance(50) ? .all(parts) : .any(parts)
    }

    private func key(_ random: inout Seeded) -> String {
        if random.chance(50) {
            return random.pick(["loss", "a.b", "a.min", "min", "at", "val-acc", "train/loss", "and", "1"])
        }
        let letters: [String] = [
            "a", "Z", "0", "_", ".", "-", "/", " ", "`", "'", "é", "(", "\u{1F600}", "%", "\n", "now",
        ]
        return (0...Int.random(in: 0...5, using: &random)).map { _ in random.pick(letters) }.joined()
    }

    private func field(_ random: inout Seeded) -> Field {
        let relation = random.pick([Field.Relation.run, .run, .run, .parent, .experiment, .project])
        let isSmall = relation == .experiment || relation == .project
        switch Int.random(in: 0..<(isSmall ? 2 : 5), using: &random) {
        case 0:
            let choices: [Attribute] =
                isSmall ? [.id, .name, .user, .created, .archived, .life, .notes] : Attribute.allCases
            return Field(.attribute(random.pick(choices)), of: relation)
        case 1: return Field(.tag(key(&random)), of: relation)
        case 2: return Field(.param(key(&random)), of: relation)
        case 3: return Field(.dataset(random.pick(DatasetPart.allCases)), of: relation)
        default:
            let step = Int64.random(in: -5...Int64.max, using: &random)
            let parts: [MetricPart] = [.latest, .latest, .min, .max, .first, .mean, .count, .at(step)]
            return Field(.metric(key(&random), random.pick(parts)), of: relation)
        }
    }

    private func literal(_ kind: FieldKind, _ random: inout Seeded) -> Literal {
        let number = { (random: inout Seeded) in
            let value =
                random.chance(50) ? Double(bitPattern: random.next()) : Double.random(in: -9...9, using: &random)
            return Literal.number(NumberLiteral(value) ?? NumberLiteral("12345678901234567890")!)
        }
        switch kind {
        case .number, .duration: return number(&random)
        case .typedText:
            return random.chance(40)
                ? number(&random) : random.chance(20) ? .exactText(key(&random)) : .text(key(&random))
        case .text, .word, .identity: return .text(key(&random))
        case .truth: return .text(random.pick(["true", "false"]))
        case .time:
            return random.chance(50)
                ? .time(.fixed(Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &random)))
                : .time(.fromNow(Int64.random(in: -1_000_000_000_000_000...1_000_000_000_000_000, using: &random)))
        }
    }

    private func predicate(_ random: inout Seeded) -> Predicate {
        let field = field(&random)
        let kind = field.kind
        if random.chance(15) { return Predicate(field, .exists(random.chance(50))) }
        if kind == .truth { return Predicate(field, .compare(.equal, literal(kind, &random))) }
        let isNegated = random.chance(40)
        let isText = ![.number, .duration, .time].contains(kind)
        switch Int.random(in: 0..<(isText ? 5 : 3), using: &random) {
        case 0: return Predicate(field, .compare(random.pick(Comparison.allCases), literal(kind, &random)))
        case 1:
            let literals = (0...Int.random(in: 0...3, using: &random)).map { _ in literal(kind, &random) }
            return Predicate(field, .among(literals, negated: isNegated))
        case 2: return Predicate(field, .between(literal(kind, &random), literal(kind, &random), negated: isNegated))
        case 3: return Predicate(field, .like(key(&random), ignoringCase: random.chance(50), negated: isNegated))
        default: return Predicate(field, .matches(random.pick(["^a+$", "it''s", "\\d", ""]), negated: isNegated))
        }
    }
}

@Suite("Any text is read or refused, and never more") struct FuzzTests {
    @Test("random bytes", arguments: [UInt64(11)])
    func randomBytes(seed: UInt64) {
        var random = Seeded(state: seed)
        for _ in 0..<4000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            check(String(decoding: bytes, as: UTF8.self), seed)
        }
    }

    @Test("filters with a piece changed, doubled, moved or cut", arguments: [UInt64(12)])
    func mutations(seed: UInt64) {
        let pieces =
            """
            metrics.acc > 0.9 AND ( params.model = 'xgboost' OR tags.prod EXISTS ) AND started > ago( 7d ) ORDER BY \
            metrics.f1 DESC , start_time LIMIT 100 NOT IN ( 1 , 'a' ) LIKE 'a%' =~ '(a' BETWEEN 1 AND 2h IS NULL NAN \
            metrics.`a b`.at( 5 ) now() - 21d 2025-01-01T10:00 text( " ` ' é \u{A0} -inf 1e5 parent. experiment.tags.x
            """.split(separator: " ").map(String.init)
        var random = Seeded(state: seed)
        for _ in 0..<6000 {
            var text = (0..<Int.random(in: 1...14, using: &random)).map { _ in random.pick(pieces) }
            if random.chance(70) { text = ["metrics.acc", ">", "0.9", "AND"] + text }
            var joined = text.joined(separator: random.chance(80) ? " " : "")
            if random.chance(30) { joined = String(joined.dropLast(Int.random(in: 0...5, using: &random))) }
            check(joined, seed)
        }
    }

    private func check(_ text: String, _ seed: UInt64) {
        let names = KnownNames { _ in ["acc", "model", "prod"] }
        do {
            let query = try Query.parse(text, names: names)
            let again = try Query.parse(query.description)
            #expect(again.filter == query.filter && again.order == query.order, "seed \(seed): \(text)")
            _ = try? query.filter.matches(Sample(), context: tests)
        } catch {
            if let column = error.column {
                #expect((1...text.count + 1).contains(column), "seed \(seed): \(text): \(error)")
            }
            #expect(!error.message.isEmpty)
            _ = error.caret(in: text)
        }
        _ = try? Question.parse(text, names: names)
    }
}
