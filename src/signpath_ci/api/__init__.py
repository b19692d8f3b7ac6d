"""The wire: SignPath's REST API, and how calls are sent, repeated and refused."""
