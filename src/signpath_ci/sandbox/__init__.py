"""The embedded SignPath: the wire contract's server side, with real signatures from a throw-away authority.

The way of a request: `api`, `web` or a connector reads it, `submission` checks it against the `config`uration by the
rules of `policies`, `checks` and `pipeline_policies`, `operations` starts it, `store` keeps it, `processing` walks it
through its `states` and has `signers` sign it. `web` are the pages for people, `api` is SignPath's REST API,
`connectors` are those of the CI systems. `app` puts the routes together, `server` runs them.
"""
