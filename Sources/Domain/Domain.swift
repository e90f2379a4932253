// Projects, experiments, runs, series, params and artifacts as values, and the rules that hold for them
// wherever they are kept. Nothing here reads a clock, a file or the environment: what a rule needs to know
// is an argument. Ids are types of their own, because a run's key, its experiment's id and its short number
// are all integers and none may stand in for another.
