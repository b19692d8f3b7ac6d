"""The embedded SignPath: the wire contract's server side, with real signatures from a throw-away authority.

The way of a request: `rest` (or a connector) reads it, `submission` checks it against the `config`uration by the rules
of `policies`, `store` keeps it, `processing` walks it through its `states` and has `signers` sign it. `app` puts the
routes together, `server` runs them.
"""
