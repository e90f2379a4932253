// Projects, experiments, runs, series, params and artifacts as values, and the rules that hold for them.
