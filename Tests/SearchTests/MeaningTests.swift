import MartletSearch
import Testing

@Suite("What a filter means") struct MeaningTests {
    let run = Sample(
        "a",
        [
            .metric("acc"): .number(0.83), .metric("nan"): .number(.nan), .metric("inf"): .number(.infinity),
            .metric("acc", .max): .number(0.9), .metric("acc", .at(100)): .number(0.5),
            .metric("acc.max"): .number(0.1), .metric("train/loss"): .number(2),
            .param("lr"): .typedText("0.10", 0.1), .param("model"): .typedText("xgboost", nil),
            .param("auto"): .text("auto"), .param("seed"): .text("9007199254740993"),
            .param("quote"): .text("it's"), .param("version"): .text("1.10"),
            .tag("prod"): .flag, .tag("team"): .text("vision"), .tag("fold"): .text("3"),
            .attribute(.name): .text("Grüße 100%"), .attribute(.state): .text("finished"),
            .attribute(.status): .text("done"), .attribute(.duration): .number(5400),
            .attribute(.started): .time(noon - 3 * 86_400_000_000), .attribute(.archived): .text("false"),
            Field(.attribute(.name), of: .experiment): .text("ridge"),
            Field(.tag("x"), of: .experiment): .text("y"), Field(.param("lr"), of: .parent): .text("0.5"),
            Field(.dataset(.name)): .several([.text("mnist"), .text("cifar")]),
        ])

    @Test(
        "holds",
        arguments: [
            "", "metrics.acc >= 0.83", "metrics.acc > 0.82 AND metrics.acc < 0.84", "metrics.acc = '0.83'",
            "metrics.acc BETWEEN 0.83 AND 1", "metrics.acc NOT BETWEEN 0.9 AND 1", "metrics.acc IN (1, 0.83)",
            "metrics.acc NOT IN (1, 2)", "metrics.acc.max = 0.9", "metrics.acc.at(100) = .5",
            "metrics.`acc.max` = 0.1", "metrics.acc.last = 0.83", "metrics.train/loss == 2", "metrics.inf > 1e300",
            "metrics.inf = inf", "metrics.inf > '-Infinity'", "metrics.nan IS NAN", "metrics.nan EXISTS",
            "metrics.acc IS NOT NAN", "metrics.none IS NULL", "NOT metrics.none = 1", "NOT metrics.nan = 1",
            "NOT metrics.none EXISTS", "metrics.none NOT EXISTS", "metrics.acc IS NOT NULL",
            // params are numbers beside numbers, and text beside text
            "params.lr = 0.1", "params.lr = '0.1'", "params.lr = \"0.10\"", "params.lr < 0.5", "params.lr != 0.2",
            "params.lr = text('0.10')", "params.lr != text('0.1')", "params.lr IN ('a', 0.1)",
            "params.lr IN ('0.100')", "params.lr NOT IN ('a', 0.2)", "params.lr BETWEEN 0 AND 1",
            "params.model = 'xgboost'", "params.model > 'lightgbm'", "params.model != 5", "params.auto NOT IN (1, 2)",
            "params.seed = 9007199254740993", "params.seed != 9007199254740992", "params.seed > 9007199254740992",
            "params.seed IN (9007199254740993)", "params.seed NOT IN (9007199254740992)",
            "params.version = 1.1", "params.quote = 'it''s'", "params.quote = \"it's\"", "tags.fold < 10",
            // patterns
            "params.model LIKE 'xg%'", "params.model LIKE '%boo%'", "params.model LIKE '_gb%t'",
            "params.model LIKE 'xgboost'", "params.model ILIKE 'XG%T'", "params.model NOT LIKE 'XG%'",
            "name LIKE 'Gr__e%'", "name ILIKE 'GRÜ%'", "name LIKE '%100\\%'", "name NOT LIKE '%10\\%'",
            "name LIKE '%'", "params.model MATCHES '^xg.*t$'", "params.model =~ 'boo'", "params.model !~ '^boo'",
            "params.model NOT MATCHES 'BOO'", "params.model =~ '(?i)BOO'", "name =~ 'ü.e'",
            // tags without a value, states, relations, several values
            "tags.prod EXISTS", "tags.prod IS NOT NULL", "NOT tags.prod IS NULL", "tags.team = 'vision'",
            "state = 'done'", "status = 'FINISHED'", "status IN ('completed')", "status = 'done'",
            "status != 'overfit'", "id = 'run_01'", "archived = false", "archived != 1", "archived = 'False'",
            "experiment = 'ridge'", "experiment.name LIKE 'r%'", "experiment.tags.x = 'y'", "parent.params.lr = 0.5",
            "dataset.name = 'cifar'", "dataset.name != 'cifar'", "datasets.name IN ('mnist')",
            // time
            "started > ago(7d)", "started < now() - 2d", "started < now-2d AND started > now - 80h",
            "start_time > 2025-06-12", "started = '2025-06-12T12:00:00Z'", "started = 2025-06-12T14:00+02:00",
            "started = 1749729600000", "started = 2025-06-11 + 1d12h", "started >= '2025-06-12 12:00'",
            "duration > 1h", "duration = 90m", "duration < 2h - 1m", "duration = 5400", "duration BETWEEN 1h AND 2h",
            // other spellings
            "metric.acc > 0 and Param.lr > 0 AND PARAMETERS.lr > 0 AND tag.team LIKE '%' AND attributes.state = 'done'",
            "attr.run_name EXISTS", "metrics.acc>0.8", "run.name EXISTS", "run_id='a'", "metrics.acc <> 1",
        ])
    func holds(_ filter: String) throws {
        #expect(try finds(filter, run))
        #expect(try !finds(filter.isEmpty ? "id = 'b'" : "NOT (\(filter))", run))
    }

    @Test(
        "does not hold",
        arguments: [
            "metrics.acc > 0.83", "metrics.acc != 0.83", "metrics.acc NOT IN (0.83)",
            // a missing key satisfies no comparison
            "metrics.none = 1", "metrics.none != 1", "metrics.none < 1", "metrics.none NOT IN (1)",
            "metrics.none NOT BETWEEN 0 AND 1", "params.none != 'x'", "params.none NOT LIKE 'x'",
            "params.none !~ 'x'", "metrics.none IS NAN", "metrics.none IS NOT NAN", "metrics.none EXISTS",
            "started IS NULL", "ended > ago(7d)", "NOT NOT metrics.none = 1",
            // NaN satisfies none either
            "metrics.nan = 1", "metrics.nan != 1", "metrics.nan < 1", "metrics.nan >= 1", "metrics.nan NOT IN (1)",
            "metrics.nan BETWEEN 0 AND 1", "metrics.nan NOT BETWEEN 0 AND 1", "metrics.nan IS NULL",
            "metrics.nan IS NOT NAN", "metrics.acc IS NAN", "params.lr IS NAN",
            // a tag without a value satisfies nothing but EXISTS
            "tags.prod = 'true'", "tags.prod != 'true'", "tags.prod LIKE '%'", "tags.prod IS NULL",
            "tags.prod NOT IN ('a')", "tags.prod IS NOT NAN",
            // numbers without quotes are not ordered against words
            "params.auto > 0.1", "params.auto < 0.1", "params.auto = 5", "params.auto BETWEEN 0 AND 9",
            "params.lr = text('0.1')", "params.lr > 0.1", "params.seed = 9007199254740992",
            "params.seed IN (9007199254740992)", "params.model = 'XGBoost'", "params.model LIKE 'XG%'",
            "params.model LIKE 'xgboos'", "params.model LIKE 'gboost'", "params.model MATCHES '^boost'",
            "name LIKE '%10\\%'", "state = 'running'", "status = 'overfit'", "archived = true",
            "started > ago(2d)", "duration > 2h", "dataset.name = 'imagenet'", "dataset.name NOT IN ('mnist','cifar')",
        ])
    func fails(_ filter: String) throws {
        #expect(try !finds(filter, run))
    }

    @Test(
        "the commit and the branch of a run's code are texts, under each of their spellings",
        arguments: [
            "git_commit = '4f1c'", "commit LIKE '4f%'", "attributes.git_commit IN ('4f1c', 'x')",
            "git_branch = 'main'", "branch != 'topic'", "Branch ILIKE 'MAIN'",
        ])
    func code(_ filter: String) throws {
        let run = Sample(
            "a", [.attribute(.gitCommit): .text("4f1c"), .attribute(.gitBranch): .text("main")])
        #expect(try finds(filter, run))
        #expect(try !finds(filter, Sample()), "one that has neither fits nothing")
    }

    @Test("NOT binds closer than AND, AND closer than OR, parentheses closest of all")
    func precedence() throws {
        let text = { (filter: String) in try Query.parse(filter).filter.description }
        let (a, b, c) = ("metrics.a = 1", "metrics.b = 2", "metrics.c = 3")
        #expect(try text("\(a) or \(b) and not \(c)") == "\(a) OR (\(b) AND NOT \(c))")
        #expect(try text("(\(a) OR \(b)) AND \(c)") == "(\(a) OR \(b)) AND \(c)")
        #expect(try text("((\(a))) AND (\(b) AND \(c))") == "\(a) AND \(b) AND \(c)")
        #expect(try text("NOT (\(a) OR \(b))") == "NOT (\(a) OR \(b))")
    }

    @Test("strict inequality leaves out the run that is exactly there")
    func strict() throws {
        let runs = [("run_01", 0.81), ("run_02", 0.83), ("run_03", 0.84), ("run_04", 0.79), ("run_05", 0.85)]
            .map { Sample($0.0, [.metric("test_acc"): .number($0.1)]) }
        let query = try Query.parse("metrics.test_acc > 0.83 ORDER BY id")
        #expect(try query.select(from: runs, context: tests).documents.map(\.id) == ["run_03", "run_05"])
    }

    @Test("`now` is what the caller says, and a filter with it can be compiled again later")
    func nowIsGiven() throws {
        let filter = try Query.parse("started > ago(7d)").filter
        #expect(try filter.matches(run, context: tests))
        #expect(try !filter.matches(run, context: EvaluationContext(now: noon + 8 * 86_400_000_000)))
    }

    @Test("the same conditions joined leaf by leaf over a column give the same answer")
    func leafByLeaf() throws {
        let numbers: [Double] = (0..<200).map { $0 % 17 == 0 ? .nan : Double($0) / 10 }
        let documents = numbers.map { Sample("a", [.metric("m"): .number($0), .metric("n"): .number(-$0)]) }
        for filter in [
            "metrics.m > 3 AND NOT metrics.m = 5", "metrics.m != 5 OR metrics.m IS NAN", "metrics.n <= -4",
            "metrics.m IN (1, 2) OR metrics.m BETWEEN 4 AND 5", "metrics.m >= 4 AND metrics.m < 9 OR metrics.n = -1",
            "NOT (metrics.m > 3 OR metrics.n > -1)", "metrics.m = 4 OR metrics.m = 5 OR metrics.m = 4",
        ] {
            let compiled = try Query.parse(filter).filter.compiled(in: tests)
            let bits = compiled.fold(
                leaf: { leaf in
                    var bits = [UInt64](repeating: 0, count: 4)
                    let column = compiled.leaves[leaf].predicate.field == .metric("m") ? numbers : numbers.map { -$0 }
                    compiled.leaves[leaf].mark(column.span, in: &bits)
                    return bits
                },
                and: { zip($0, $1).map { $0 & $1 } }, or: { zip($0, $1).map { $0 | $1 } },
                not: { (bits: [UInt64]) -> [UInt64] in bits.map { ~$0 } })
            for (index, document) in documents.enumerated() {
                let isMarked = bits.map { $0[index / 64] >> UInt64(index % 64) & 1 == 1 }
                #expect(try isMarked == compiled.matches(document), "\(filter) on \(numbers[index])")
            }
        }
        let repeated = try Query.parse("metrics.m = 4 OR metrics.m = 5 OR metrics.m = 4").filter
        #expect(try repeated.compiled(in: tests).leaves.count == 2)
        #expect(repeated.leaves.count == 3)
    }

    @Test("distinct values are tested once each, with the verdicts of one by one")
    func dictionary() throws {
        let values: [SearchValue] = [.missing, .flag, .text("0.5"), .text("5"), .text("x"), .typedText("0.50", 0.5)]
        let leaf = try CompiledPredicate(
            Predicate(.param("p"), .compare(.less, .text("1"))), in: tests)
        #expect(try leaf.verdicts(on: values[...]) == [false, false, true, false, false, true])
    }

    @Test("a regular expression with too many ways ends at once, with an error that says why")
    func costlyRegex() throws {
        let document = Sample("a", [.param("p"): .text(String(repeating: "a", count: 18) + "!")])
        let began = ContinuousClock.now
        let error = #expect(throws: SearchError.self) { try finds("params.p MATCHES '(a+)+$'", document) }
        #expect(ContinuousClock.now - began < .seconds(1))
        #expect(error?.code == .costlyPattern)
        #expect(error?.message.contains("100000 ways") == true)
    }

    @Test("when the time of the search is up, patterns stop with an error of their own")
    func deadline() throws {
        let late = EvaluationContext(now: noon, deadline: ContinuousClock.now)
        for filter in ["params.model =~ 'x'", "params.model LIKE 'x'"] {
            let filter = try Query.parse(filter).filter
            let error = #expect(throws: SearchError.self) { try filter.matches(run, context: late) }
            #expect(error?.code == .deadline)
        }
    }

    @Test("LIKE agrees with its definition on random patterns and texts", arguments: [UInt64(7)])
    func likeAgrees(seed: UInt64) throws {
        func slow(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == "%" {
                return slow(pattern.dropFirst(), text) || (!text.isEmpty && slow(pattern, text.dropFirst()))
            }
            return !text.isEmpty && (first == "_" || first == text.first) && slow(pattern.dropFirst(), text.dropFirst())
        }
        var random = Seeded(state: seed)
        for _ in 0..<4000 {
            let pattern = String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in random.pick(["a", "b", "é", "%", "_"]) })
            let text = String((0..<Int.random(in: 0...7, using: &random)).map { _ in random.pick(["a", "b", "é"]) })
            let condition = Condition.like(pattern, ignoringCase: false, negated: false)
            let leaf = try CompiledPredicate(Predicate(.param("p"), condition), in: tests)
            #expect(
                try leaf.test(.text(text)) == slow(Array(pattern)[...], Array(text)[...]),
                "seed \(seed): \(pattern) \(text)")
        }
    }

    @Test("a filter without conditions finds everything, and one joined to another finds both")
    func joined() throws {
        let everything = Filter.everything
        let one = try Query.parse("metrics.acc > 0.8 OR metrics.acc < 0.1").filter
        #expect(try everything.and(one) == one)
        #expect(try one.and(everything) == one)
        let both = try one.and(Query.parse("state = 'done'").filter)
        #expect(both.description == "(metrics.acc > 0.8 OR metrics.acc < 0.1) AND state = 'done'")
    }
}
