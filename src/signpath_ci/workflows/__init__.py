"""The application layer: what the commands do, in terms of the packages below.

- `sign`: the whole program, from settings to signed and verified files; read this first.
- `batch`, `bundle`: several files, each with its own request, or all with one.
- `existing_request`: the request of an earlier run: wait, download, resubmit, promote.
- `inputs`, `submission`, `destinations`, `waiting`, `verification`, `clients`: the parts of a run, made from settings.
- `process`, `reporting`: the process that a run is in, and how it reports.
"""
