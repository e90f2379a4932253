import Testing

@testable import MartletCLI

@Suite("A store is looked at with one command") struct LookTests {
    @Test("the demo is twenty runs, the same every time, and is not written over anything")
    func demo() async throws {
        let desk = Desk()
        let made = await desk.run("demo")
        #expect(made.code == .good)
        #expect(made.output == "20 runs. Look at them: martlet ui martlet-demo\n")
        let table = "--uri martlet-demo runs list resnet-cifar10 -c run_id,state,metrics.val/accuracy --csv"
        let seen = await desk.run(table)
        #expect(seen.output.split(whereSeparator: \.isNewline).count == 21)
        for state in ["failed", "cancelled", "running", "finished"] { #expect(seen.output.contains(state)) }
        #expect(await desk.run("demo").code == .refused)
        _ = await desk.run("demo other")
        #expect(await desk.run(table.replacing("martlet-demo", with: "other")).output == seen.output)
    }

    @Test("over SSH the way to the port is said, and nowhere else")
    func tunnel() {
        let environment = ["SSH_CONNECTION": "198.51.100.7 51000 203.0.113.5 22", "USER": "ada"]
        #expect(
            World.tunnel(to: "http://127.0.0.1:41234", environment)
                == "From where you sit: ssh -N -L 41234:127.0.0.1:41234 ada@203.0.113.5")
        #expect(World.tunnel(to: "http://127.0.0.1:41234", ["USER": "ada"]) == nil)
    }

    @Test("a folder without a store is not made one by looking at it")
    func nothing() async {
        let desk = Desk()
        let seen = await desk.run("ui nowhere")
        #expect(seen.code == .notFound)
        #expect(!desk.exists("nowhere"))
    }
}
