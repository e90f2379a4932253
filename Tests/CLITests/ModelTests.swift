import MartletCLI
import Testing

@Suite("Models are registered and moved from the command line") struct ModelTests {
    private func desk() async -> Desk {
        let desk = Desk()
        desk.write("weights", to: "model.pkl")
        _ = await desk.run("log run digits --param lr=0.1 --metric acc=0.9")
        _ = await desk.run("artifacts put run_01 model.pkl")
        return desk
    }

    @Test("a run's artifact becomes a version, which the run's page and the model's page show")
    func register() async {
        let desk = await desk()
        let first = await desk.run(
            "models register churn --run run_01 --path model.pkl --alias champion --tag team=crm")
        #expect(first.code == .good && first.output == "1\n", "\(first.errors)")
        #expect(first.errors.hasPrefix("churn 1: runs:/") && first.errors.hasSuffix("/model.pkl\n"))
        let second = await desk.run("models register churn --run run_01 --experiment digits --json")
        #expect(second.output.contains("\"version\": 2"))
        let run = await desk.run("runs show run_01")
        #expect(
            run.output.contains("Registered as") && run.output.contains("churn 1") && run.output.contains("champion"))
        let shown = await desk.run("models show churn")
        #expect(shown.output.contains("champion") && shown.output.contains("/model.pkl"), "\(shown.output)")
        let version = await desk.run("models show churn champion")
        #expect(version.output.contains("churn 1") && version.output.contains("team"), "\(version.output)")
        #expect(await desk.run("models show churn latest --json").output.contains("\"version\": 2"))
    }

    @Test("a list is a table, JSON or CSV, and can be filtered")
    func list() async {
        let desk = await desk()
        #expect(await desk.run("models list").errors.hasPrefix("There are no models."))
        for name in ["alpha", "beta"] { _ = await desk.run("models register \(name) --source s3://models/\(name)") }
        let table = await desk.run("models list").output.split(separator: "\n")
        #expect(table.count == 4 && table[2].hasPrefix("alpha") && table[3].hasPrefix("beta"))
        #expect(await desk.run("models list --csv").output.hasPrefix("Model,Versions,Aliases,Updated\r\nalpha,1,,"))
        let found = await desk.run(["models", "list", "--filter", "name LIKE 'b%'", "--json"])
        #expect(found.output.contains("\"beta\"") && !found.output.contains("\"alpha\""))
        #expect(await desk.run("models show alpha --csv").output.contains("\r\n1,None,,,s3://models/alpha,"))
        #expect(await desk.run("complete models").output == "alpha\nbeta\n")
    }

    @Test("aliases, stages, tags and names move; what is destroyed wants --yes")
    func moved() async {
        let desk = await desk()
        for _ in 1...2 { _ = await desk.run("models register churn --source s3://a") }
        #expect(await desk.run("models alias churn champion 2").errors == "churn champion is version 2.\n")
        #expect(await desk.run("models alias churn champion").output == "2\n")
        #expect(await desk.run("models stage churn champion production").errors == "churn 2 is in Production.\n")
        _ = await desk.run("models stage churn 1 Production --archive-existing")
        #expect(await desk.run("models show churn 2").output.contains("Archived"))
        #expect(await desk.run("models tag churn team=crm draft").code == .good)
        #expect(await desk.run("models tag churn --version 1 checked=yes").code == .good)
        #expect(await desk.run("models tag churn --remove draft").code == .good)
        let shown = await desk.run("models show churn --json").output
        #expect(shown.contains("\"team\": \"crm\"") && shown.contains("\"checked\"") && !shown.contains("draft"))
        #expect(await desk.run("models rename churn leavers").errors == "churn is leavers now.\n")
        #expect(await desk.run("models alias leavers champion --delete").code == .good)
        #expect(await desk.run("models alias leavers champion").code == .notFound)
        #expect(await desk.run("models delete leavers 2").code == .usage)
        #expect(await desk.run("models delete leavers 2 --yes").errors == "Deleted version 2 of leavers.\n")
        #expect(await desk.run("models show leavers 2").code == .notFound)
        #expect(await desk.run("models delete leavers --yes").code == .good)
        #expect(await desk.run("models show leavers").code == .notFound)
    }

    @Test("what is wrong is said with what would be right")
    func wrong() async {
        let desk = await desk()
        #expect(await desk.run("models register churn").code == .usage)
        let path = await desk.run("models register churn --run run_01 --path modle.pkl")
        #expect(path.code == .notFound && path.errors.contains("Did you mean “model.pkl”?"))
        _ = await desk.run("models register churn --source s3://a")
        #expect(await desk.run("models show chrun").errors.contains("Did you mean “churn”?"))
        #expect(await desk.run("models stage churn 1 Bogus").code == .usage)
        #expect(await desk.run("models alias churn latest 1").code == .usage)
        #expect(await desk.run("models tag churn").code == .usage)
    }
}
