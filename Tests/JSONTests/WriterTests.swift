import MartletJSON
import Testing

@Suite("The writer") struct WriterTests {
    private func write(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return writer.text
    }

    @Test("commas come by themselves")
    func commas() {
        let text = write { writer in
            writer.object { writer in
                writer.member("a", 1)
                writer.member("b", "x")
                writer.array("c") { writer in
                    writer.value(1.5)
                    writer.array { _ in }
                    writer.object { _ in }
                    writer.null()
                    writer.bool(false)
                }
                writer.object("d") { $0.member(dynamic: "k\"", Int64.min) }
                writer.member("e", [1, nil] as [Int?])
                writer.key("f")
                writer.raw("[1]".utf8)
                writer.member("g", true)
                writer.member("h", "abc".dropFirst())
            }
        }
        #expect(
            text == #"{"a":1,"b":"x","c":[1.5,[],{},null,false],"d":{"k\"":-9223372036854775808},"#
                + #""e":[1,null],"f":[1],"g":true,"h":"bc"}"#)
    }

    @Test("a person gets two spaces a level")
    func pretty() {
        var writer = JSONWriter(pretty: true)
        writer.value(["a": [1, [], ["b": nil]], "c": [:]] as JSONValue)
        #expect(
            writer.text == """
                {
                  "a": [
                    1,
                    [],
                    {
                      "b": null
                    }
                  ],
                  "c": {}
                }
                """)
    }

    @Test("one document a line")
    func lines() {
        let text = write { writer in
            for i in 0..<2 {
                writer.object { $0.member("i", i) }
                writer.endLine()
            }
        }
        #expect(text == "{\"i\":0}\n{\"i\":1}\n")
    }

    @Test("memory is kept when starting over, the text is not")
    func removeAll() {
        let text = write { writer in
            writer.beginObject()
            writer.key("half")
            writer.removeAll()
            writer.value(1)
        }
        #expect(text == "1")
    }

    @Test(
        "doubles are written shortest and as numbers with a point or an exponent",
        arguments: [
            (1.0, "1.0"), (-0.0, "-0.0"), (0.1, "0.1"), (1e16, "1e+16"), (.leastNonzeroMagnitude, "5e-324"),
            (1.5e300, "1.5e+300"),
            (0.30000000000000004, "0.30000000000000004"),
        ])
    func doubles(_ value: Double, _ wanted: String) { #expect(write { $0.double(value) } == wanted) }

    @Test("whole numbers are written to both ends", arguments: [0, 7, -7, 10, -1000, .max, .min] as [Int64])
    func integers(_ value: Int64) { #expect(write { $0.int(value) } == "\(value)") }

    @Test(
        "what is not finite is written as the caller wants",
        arguments: [
            (.names, #"["NaN","Infinity","-Infinity",1.0]"#), (.null, "[null,null,null,1.0]"),
            (.bare, "[NaN,Infinity,-Infinity,1.0]"),
        ] as [(JSONWriter.NonFinite, String)])
    func nonFinite(_ choice: JSONWriter.NonFinite, _ wanted: String) {
        var writer = JSONWriter(nonFinite: choice)
        writer.value([.nan, .infinity, -.infinity, 1] as [Double])
        #expect(writer.text == wanted)
    }

    @Test("every character that must be escaped is, and no other")
    func escapes() throws {
        let text = write { $0.string("\u{0}\u{1F}\u{8}\t\n\u{C}\r\"\\/<é\u{2028}🐦\u{7F}") }
        #expect(text == #""\u0000\u001F\b\t\n\f\r\"\\/<é"# + "\u{2028}🐦\u{7F}\"")
        for scalar in 0..<0x300 as Range<UInt32> {
            guard let scalar = Unicode.Scalar(scalar) else { continue }
            let string = "a\(Character(scalar))b"
            #expect(try JSONValue(parsing: write { $0.string(string) }) == .string(string))
        }
    }

    @Test("a text embedded in a page cannot close its element")
    func lessThan() {
        var writer = JSONWriter(escapesLessThan: true)
        writer.object { $0.member(dynamic: "<a", "</script>") }
        #expect(writer.text == #"{"\u003Ca":"\u003C/script>"}"#)
    }

    @Test("an error of the caller's passes through", arguments: [true, false])
    func throwing(_ fails: Bool) throws {
        struct Stop: Error {}
        var writer = JSONWriter()
        func write() throws { try writer.array { writer in if fails { throw Stop() } else { writer.value(1) } } }
        if fails { #expect(throws: Stop.self) { try write() } } else { try write() }
    }
}
