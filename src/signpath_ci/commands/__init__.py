"""One thin module a command, each with `run(settings, process)`; the work is done in `workflows`."""
